"""Find messages by conversation and part of its history, and count what is unread from an index alone.

Revision ID: 0034
Revises: 0033
"""

from __future__ import annotations

from alembic import op

revision = "0034"
down_revision = "0033"
branch_labels = None
depends_on = None

# A word that everybody says is in millions of messages, of which someone may see a thousandth. So each piece is indexed once
# more, together with its conversation and which 64 positions of it: looking there costs the same whatever others write.
PLACES = """
CREATE FUNCTION parley_places(c uuid, seq bigint, pieces text[]) RETURNS bigint[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp AS
$$ SELECT COALESCE(array_agg(hashtextextended(piece, place)), '{}') FROM unnest(pieces) piece,
 (SELECT hashtextextended(c::text, seq / 64) AS place OFFSET 0) p WHERE piece NOT LIKE 'in:%' $$;
"""
# Only Parley itself looks so, and by the function below; it goes by the memberships of the one who asks.
POLICY = """
CREATE POLICY found_messages_near ON found_messages FOR SELECT
    USING (parley_places(conversation_id, seq, terms) @> NULLIF(current_setting('parley.looked_for_near', true), '')::bigint[]
        AND parley_system());
"""
# From the conversation that spoke last, and in each from its end; no further than what is asked for is found. Times and
# positions go together, but for an hour. It gives up, with a row of nothing, where it would look in too many parts.
FIND = """
CREATE FUNCTION parley_find(me uuid, only_in uuid, wanted text[], since timestamptz, until timestamptz, above bigint,
    below bigint, most integer, budget integer) RETURNS TABLE (found_id uuid, found_at timestamptz)
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS
$$ DECLARE
  slack constant interval := interval '1 hour';
  c record; part bigint; looked integer := 0; edge timestamptz; boundary timestamptz; times timestamptz[] := '{}';
BEGIN
  FOR c IN SELECT o.id, m.history_from_seq AS floor, o.head_seq AS head, o.active_at FROM memberships m
      JOIN conversations o ON o.id = m.conversation_id
      WHERE m.profile_id = me AND m.left_at IS NULL AND o.deleted_at IS NULL AND (only_in IS NULL OR o.id = only_in)
      ORDER BY o.active_at DESC LOOP
    EXIT WHEN c.active_at < edge OR c.active_at < since;
    part := LEAST(c.head, below - 1) / 64;
    WHILE part >= GREATEST(c.floor, above, 0) / 64 LOOP
      SELECT m.created_at INTO boundary FROM messages m WHERE m.conversation_id = c.id AND m.seq < part * 64
        ORDER BY m.seq DESC LIMIT 1;
      IF boundary IS NULL OR until IS NULL OR boundary <= until + slack THEN
        looked := looked + 1;
        IF looked > budget THEN
          found_id := NULL; found_at := NULL;
          RETURN NEXT;
          EXIT;
        END IF;
        PERFORM set_config('parley.looked_for_near', parley_places(c.id, part * 64, wanted)::text, true);
        FOR found_id, found_at IN SELECT f.message_id, f.created_at FROM found_messages f
            WHERE f.conversation_id = c.id AND f.seq > c.floor AND f.seq / 64 = part AND f.terms @> wanted
              AND (since IS NULL OR f.created_at >= since) AND (until IS NULL OR f.created_at <= until)
              AND (above IS NULL OR f.seq > above) AND (below IS NULL OR f.seq < below) LOOP
          times := times || found_at;
          RETURN NEXT;
        END LOOP;
        IF cardinality(times) >= most THEN
          SELECT array_agg(t), min(t) INTO times, edge FROM (SELECT t FROM unnest(times) t ORDER BY t DESC LIMIT most) kept;
        END IF;
      END IF;
      EXIT WHEN boundary IS NULL OR boundary < since - slack OR boundary < edge - slack;
      part := part - 1;
    END LOOP;
    EXIT WHEN looked > budget;
  END LOOP;
  PERFORM set_config('parley.looked_for_near', '', true);
END $$;
"""


def upgrade() -> None:
    op.execute(PLACES)
    with op.get_context().autocommit_block():
        op.execute(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS found_messages_places ON found_messages"
            " USING gin (parley_places(conversation_id, seq, terms))"
        )
        op.execute(
            "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS messages_places ON messages (conversation_id, seq)"
            " INCLUDE (sender_id, deleted_at)"
        )
    op.execute("ALTER TABLE messages DROP CONSTRAINT messages_conversation_id_seq_key")
    op.execute(POLICY)
    op.execute(FIND)


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("CREATE UNIQUE INDEX CONCURRENTLY messages_conversation_id_seq_key ON messages (conversation_id, seq)")
    op.execute("ALTER TABLE messages ADD UNIQUE USING INDEX messages_conversation_id_seq_key")
    op.execute("DROP FUNCTION parley_find(uuid, uuid, text[], timestamptz, timestamptz, bigint, bigint, integer, integer)")
    op.execute("DROP POLICY found_messages_near ON found_messages")
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS messages_places")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS found_messages_places")
    op.execute("DROP FUNCTION parley_places(uuid, bigint, text[])")
