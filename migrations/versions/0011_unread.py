"""Count what is unread at a cost that does not grow with the history, however much of it is one's own.

Revision ID: 0011
Revises: 0030
"""

from __future__ import annotations

from alembic import op

revision = "0011"
down_revision = "0030"
branch_labels = None
depends_on = None

# Looks at the next 1,000 messages. Where these are nearly all one's own or deleted, it goes by sender: one index probe for
# each, and no further than the cap. Positions stop at the head, so a short absence is known to be whole.
UNREAD = """
CREATE FUNCTION parley_unread(c uuid, me uuid, after bigint, head bigint, most integer) RETURNS integer
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, public, pg_temp AS
$$ DECLARE counted integer; looked constant bigint := 1000; edge bigint;
BEGIN
  IF head <= after THEN RETURN 0; END IF;
  SELECT count(*) INTO counted FROM (SELECT 1 FROM
    (SELECT m.sender_id, m.deleted_at FROM messages m WHERE m.conversation_id = c AND m.seq > after
      ORDER BY m.seq LIMIT looked) w WHERE w.sender_id <> me AND w.deleted_at IS NULL LIMIT most) u;
  IF counted >= most OR head - after <= looked THEN RETURN counted; END IF;
  SELECT m.seq INTO edge FROM messages m WHERE m.conversation_id = c AND m.seq > after ORDER BY m.seq
    OFFSET looked - 1 LIMIT 1;
  IF edge IS NULL THEN RETURN counted; END IF;
  RETURN counted + (SELECT count(*) FROM (
    WITH RECURSIVE senders AS (
      (SELECT m.sender_id FROM messages m WHERE m.conversation_id = c AND m.deleted_at IS NULL
        ORDER BY m.sender_id LIMIT 1)
      UNION ALL
      SELECT n.sender_id FROM senders s, LATERAL (SELECT m.sender_id FROM messages m WHERE m.conversation_id = c
        AND m.deleted_at IS NULL AND m.sender_id > s.sender_id ORDER BY m.sender_id LIMIT 1) n)
    SELECT 1 FROM senders s, LATERAL (SELECT 1 FROM messages m WHERE m.conversation_id = c AND m.deleted_at IS NULL
      AND m.sender_id = s.sender_id AND m.seq > edge LIMIT most) x WHERE s.sender_id <> me LIMIT most - counted) u);
END $$;
"""


def upgrade() -> None:
    op.execute(UNREAD)
    with op.get_context().autocommit_block():
        op.execute(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS messages_by_sender ON messages (conversation_id, sender_id, seq)"
            " WHERE deleted_at IS NULL"
        )


def downgrade() -> None:
    op.execute("DROP FUNCTION parley_unread(uuid, uuid, bigint, bigint, integer)")
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS messages_by_sender")
