"""What messages are found by, kept beside them.

Revision ID: 0031
Revises: 0011
"""

from __future__ import annotations

from alembic import op

revision = "0031"
down_revision = "0011"
branch_labels = None
depends_on = None

# An index serves a condition of ours only after row security's own, unless its operator is leakproof, and no text search's
# is (and pg_trgm knows no letters but ASCII's in a database without a locale). So the condition is part of the policy: it asks for the pieces that the transaction says it is looking for.
TABLES = """
CREATE TABLE found_messages (
    message_id uuid PRIMARY KEY,
    conversation_id uuid NOT NULL REFERENCES conversations,
    seq bigint NOT NULL,
    created_at timestamptz NOT NULL,
    terms text[] NOT NULL
);
CREATE INDEX found_messages_terms ON found_messages USING gin (terms);
CREATE TABLE found_up_to (
    conversation_id uuid PRIMARY KEY REFERENCES conversations,
    seq bigint NOT NULL
);
ALTER TABLE found_messages ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
ALTER TABLE found_up_to ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY found_messages_rows ON found_messages
    USING (terms @> NULLIF(current_setting('parley.looked_for', true), '')::text[]
        AND (parley_system() OR EXISTS (SELECT 1 FROM memberships m
            WHERE m.conversation_id = found_messages.conversation_id AND m.profile_id = parley_actor() AND m.left_at IS NULL
            AND found_messages.seq > m.history_from_seq)))
    WITH CHECK (parley_system());
CREATE POLICY found_messages_made ON found_messages AS RESTRICTIVE FOR DELETE USING (parley_system());
CREATE POLICY found_up_to_rows ON found_up_to USING (parley_system()) WITH CHECK (parley_system());
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute("DROP TABLE found_up_to, found_messages")
