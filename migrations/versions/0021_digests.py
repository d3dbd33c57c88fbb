"""What people are mailed of: their wishes, how far they were told, and which tombstones have lost their words.

Revision ID: 0021
Revises: 0031
"""

from __future__ import annotations

from alembic import op

revision = "0021"
down_revision = "0031"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE notification_settings (
    profile_id uuid PRIMARY KEY REFERENCES profiles,
    email text NOT NULL CHECK (email IN ('off', 'mentions', 'all')),
    delay_minutes integer NOT NULL CHECK (delay_minutes BETWEEN 1 AND 1440),
    changed_at timestamptz NOT NULL
);
ALTER TABLE notification_settings ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY notification_settings_rows ON notification_settings
    USING (parley_system() OR profile_id = parley_actor()) WITH CHECK (parley_system() OR profile_id = parley_actor());
ALTER TABLE memberships ADD COLUMN notified_seq bigint NOT NULL DEFAULT 0;
ALTER TABLE messages ADD COLUMN purged_at timestamptz;
"""


def upgrade() -> None:
    op.execute(TABLES)
    with op.get_context().autocommit_block():
        op.execute(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS messages_tombstones ON messages (deleted_at)"
            " WHERE deleted_at IS NOT NULL AND purged_at IS NULL"
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS messages_tombstones")
    op.execute("ALTER TABLE messages DROP COLUMN purged_at")
    op.execute("ALTER TABLE memberships DROP COLUMN notified_seq")
    op.execute("DROP TABLE notification_settings")
