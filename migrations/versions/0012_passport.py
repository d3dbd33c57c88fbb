"""When and on which path a message was committed; and who has it, message by message, for reporting tools.

Revision ID: 0012
Revises: 0021
"""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0021"
branch_labels = None
depends_on = None

# Messages from before are of an unknown time and path; the release before fills the time by the default.
COLUMNS = """
ALTER TABLE messages ADD COLUMN committed_at timestamptz, ADD COLUMN through boolean;
ALTER TABLE messages ALTER COLUMN committed_at SET DEFAULT clock_timestamp();
"""
# Rows of these are derived from marks: one for each message and reader. They show an actor what the tables would.
READERS = """FROM messages m
  JOIN memberships me ON me.conversation_id = m.conversation_id AND me.profile_id <> m.sender_id
    AND me.history_from_seq < m.seq AND (me.left_at IS NULL OR m.created_at < me.left_at)
  JOIN profiles p ON p.id = me.profile_id"""
READ = """(SELECT r.read_at, r.up_to_seq FROM read_marks r WHERE r.conversation_id = m.conversation_id
    AND r.profile_id = me.profile_id AND r.up_to_seq >= m.seq ORDER BY r.up_to_seq LIMIT 1)"""
VIEWS = {
    "message_read_receipts": f"""
SELECT m.id AS message_id, m.conversation_id, m.seq, CASE WHEN p.kind <> 'customer' THEN p.id END AS read_by_user_id,
  CASE WHEN p.kind = 'customer' THEN p.id END AS read_by_customer_id, w.read_at, w.up_to_seq
{READERS} JOIN LATERAL {READ} w ON true""",
    "message_read_status": f"""
SELECT m.id AS message_id, m.conversation_id, m.seq, p.id AS reader_id, p.kind AS reader_kind,
  me.read_seq >= m.seq AS is_read, w.read_at
{READERS} LEFT JOIN LATERAL {READ} w ON true""",
    "message_delivery_status": f"""
SELECT m.id AS message_id, m.conversation_id, m.seq,
  CASE WHEN p.kind = 'customer' THEN 'customer' WHEN c.kind = 'support' THEN 'staff' ELSE 'user' END AS recipient_type,
  p.id AS recipient_id,
  CASE WHEN w.read_at IS NOT NULL THEN 'read'
    WHEN d.received_at IS NOT NULL OR (me.received_seq >= m.seq AND m.created_at >= me.joined_at) THEN 'delivered'
    WHEN f.reason IS NOT NULL THEN 'failed' ELSE 'sent' END AS status,
  d.received_at AS delivered_at, w.read_at, f.reason AS failed_reason
{READERS} JOIN conversations c ON c.id = m.conversation_id
  LEFT JOIN LATERAL {READ} w ON true
  LEFT JOIN LATERAL (SELECT min(r.received_at) AS received_at FROM received_marks r
    WHERE r.conversation_id = m.conversation_id AND r.profile_id = me.profile_id
      AND r.from_seq < m.seq AND r.up_to_seq >= m.seq) d ON true
  LEFT JOIN LATERAL (SELECT x.reason FROM delivery_failures x WHERE x.message_id = m.id AND x.recipient_id = me.profile_id
    ORDER BY x.failed_at DESC LIMIT 1) f ON true""",
}


def upgrade() -> None:
    op.execute(COLUMNS)
    for name, query in VIEWS.items():
        op.execute(f"CREATE VIEW {name} WITH (security_invoker = true) AS {query}")


def downgrade() -> None:
    op.execute(f"DROP VIEW {', '.join(VIEWS)}")
    op.execute("ALTER TABLE messages DROP COLUMN committed_at, DROP COLUMN through")
