"""Count what is unread by the one index made for it, whatever the planner believes of the conversation.

Revision ID: 0033
Revises: 0032
"""

from __future__ import annotations

from alembic import op

revision = "0033"
down_revision = "0032"
branch_labels = None
depends_on = None

# A conversation that holds most of all messages seems no condition at all to the planner: it walked the senders of the whole
# table, or every message of the conversation. Only messages_by_sender gives the order asked for here without a sort.
UNREAD = """
CREATE OR REPLACE FUNCTION parley_unread(c uuid, me uuid, after bigint, head bigint, most integer) RETURNS integer
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
        ORDER BY m.sender_id, m.seq LIMIT 1)
      UNION ALL
      SELECT n.sender_id FROM senders s, LATERAL (SELECT m.sender_id FROM messages m WHERE m.conversation_id = c
        AND m.deleted_at IS NULL AND m.sender_id > s.sender_id ORDER BY m.sender_id, m.seq LIMIT 1) n)
    SELECT 1 FROM senders s, LATERAL (SELECT 1 FROM messages m WHERE m.conversation_id = c AND m.deleted_at IS NULL
      AND (m.sender_id, m.seq) > (s.sender_id, edge) AND m.sender_id <= s.sender_id ORDER BY m.sender_id, m.seq
      LIMIT most) x WHERE s.sender_id <> me LIMIT most - counted) u);
END $$;
"""
BEFORE = """
CREATE OR REPLACE FUNCTION parley_unread(c uuid, me uuid, after bigint, head bigint, most integer) RETURNS integer
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


def downgrade() -> None:
    op.execute(BEFORE)
