"""What people upload: seen by the uploader until a message has it, then by those who see the message.

Revision ID: 0030
Revises: 0020
"""

from __future__ import annotations

from alembic import op

revision = "0030"
down_revision = "0020"
branch_labels = None
depends_on = None

# A claim names a message that need not be committed yet, and waits for nobody who holds its conversation: no foreign keys.
TABLE = """
CREATE TABLE attachments (
    id uuid PRIMARY KEY,
    uploader_id uuid NOT NULL REFERENCES profiles,
    conversation_id uuid,
    message_id uuid,
    position smallint CHECK (position BETWEEN 0 AND 9),
    name text NOT NULL CHECK (char_length(name) BETWEEN 1 AND 200),
    content_type text NOT NULL,
    bytes bigint NOT NULL CHECK (bytes > 0),
    sha256 bytea NOT NULL,
    width integer,
    height integer,
    has_thumbnail boolean NOT NULL,
    created_at timestamptz NOT NULL,
    claimed_at timestamptz,
    deleted_at timestamptz,
    CHECK ((message_id IS NULL) = (conversation_id IS NULL)),
    CHECK ((message_id IS NULL) = (claimed_at IS NULL)),
    CHECK (position IS NULL OR message_id IS NOT NULL)
);
CREATE INDEX attachments_message ON attachments (message_id) WHERE message_id IS NOT NULL;
CREATE INDEX attachments_waiting ON attachments (uploader_id, created_at) WHERE position IS NULL;
CREATE INDEX attachments_deleted ON attachments (deleted_at) WHERE deleted_at IS NOT NULL;
ALTER TABLE attachments ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY attachments_rows ON attachments USING (parley_system() OR (deleted_at IS NULL AND CASE
    WHEN position IS NULL THEN uploader_id = parley_actor()
    ELSE EXISTS (SELECT 1 FROM messages m WHERE m.id = attachments.message_id) END))
    WITH CHECK (parley_system() OR (uploader_id = parley_actor() AND position IS NULL));
CREATE POLICY attachments_stay ON attachments AS RESTRICTIVE FOR DELETE USING (parley_system());
"""


def upgrade() -> None:
    op.execute(TABLE)


def downgrade() -> None:
    op.execute("DROP TABLE attachments")
