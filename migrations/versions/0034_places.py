"""Look for messages from the ends of someone's conversations, and count what is unread from an index alone.

Revision ID: 0034
Revises: 0035
"""

from __future__ import annotations

from alembic import op

revision = "0034"
down_revision = "0035"
branch_labels = None
depends_on = None

# A word that everybody says is in millions of messages, of which someone may see a thousandth. So this looks in their
# conversations only: from the one that spoke last, and in each from its end, 64 positions at a time, no further than what is
# asked for is found. Times and positions go together, but for five minutes. Where it finds too little for what it reads, it gives
# up with a row of nothing: what is said so seldom is found by the index of pieces at once.
FIND = """
CREATE FUNCTION parley_find(me uuid, only_in uuid, wanted text[], since timestamptz, until timestamptz, above bigint,
    below bigint, most integer, parts_tried integer) RETURNS TABLE (found_id uuid, found_at timestamptz)
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS
$$ DECLARE
  slack constant interval := interval '5 minutes';
  seldom constant integer := 600;
  c record; part bigint; looked integer := 0; hits integer := 0; gives_up boolean := false;
  edge timestamptz; boundary timestamptz; times timestamptz[] := '{}';
BEGIN
  PERFORM set_config('parley.looked_for', wanted::text, true);
  FOR c IN SELECT o.id, m.history_from_seq AS floor, o.head_seq AS head, o.active_at FROM memberships m
      JOIN conversations o ON o.id = m.conversation_id
      WHERE m.profile_id = me AND m.left_at IS NULL AND o.deleted_at IS NULL AND (only_in IS NULL OR o.id = only_in)
      ORDER BY o.active_at DESC LOOP
    EXIT WHEN gives_up OR c.active_at < edge OR c.active_at < since;
    part := LEAST(c.head, below - 1) / 64;
    WHILE part >= GREATEST(c.floor, above, 0) / 64 LOOP
      SELECT m.created_at INTO boundary FROM messages m WHERE m.conversation_id = c.id AND m.seq < part * 64
        ORDER BY m.seq DESC LIMIT 1;
      IF boundary IS NULL OR until IS NULL OR boundary <= until + slack THEN
        gives_up := looked >= parts_tried AND hits * seldom < looked * 64;
        EXIT WHEN gives_up;
        looked := looked + 1;
        FOR found_id, found_at IN SELECT f.message_id, f.created_at FROM found_messages f
            WHERE f.conversation_id = c.id AND f.seq >= part * 64 AND f.seq < part * 64 + 64 AND f.seq > c.floor
              AND (since IS NULL OR f.created_at >= since) AND (until IS NULL OR f.created_at <= until)
              AND (above IS NULL OR f.seq > above) AND (below IS NULL OR f.seq < below) LOOP
          times := times || found_at;
          hits := hits + 1;
          RETURN NEXT;
        END LOOP;
        IF cardinality(times) >= most THEN
          SELECT array_agg(t), min(t) INTO times, edge FROM (SELECT t FROM unnest(times) t ORDER BY t DESC LIMIT most) kept;
        END IF;
      END IF;
      EXIT WHEN boundary IS NULL OR boundary < since - slack OR boundary < edge - slack;
      part := part - 1;
    END LOOP;
  END LOOP;
  PERFORM set_config('parley.looked_for', '', true);
  IF gives_up THEN
    found_id := NULL;
    found_at := NULL;
    RETURN NEXT;
  END IF;
END $$;
"""


def upgrade() -> None:
    op.execute(FIND)
    with op.get_context().autocommit_block():
        op.execute(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS found_messages_places ON found_messages (conversation_id, seq)"
        )
        op.execute(
            "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS messages_places ON messages (conversation_id, seq)"
            " INCLUDE (sender_id, deleted_at)"
        )
    op.execute("ALTER TABLE messages DROP CONSTRAINT messages_conversation_id_seq_key")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("CREATE UNIQUE INDEX CONCURRENTLY messages_conversation_id_seq_key ON messages (conversation_id, seq)")
    op.execute("ALTER TABLE messages ADD UNIQUE USING INDEX messages_conversation_id_seq_key")
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS messages_places")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS found_messages_places")
    op.execute("DROP FUNCTION parley_find(uuid, uuid, text[], timestamptz, timestamptz, bigint, bigint, integer, integer)")
