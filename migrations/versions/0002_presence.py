"""When people were last seen.

Revision ID: 0002
Revises: 0001
"""

from __future__ import annotations

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE TABLE user_presence (profile_id uuid PRIMARY KEY REFERENCES profiles, last_seen_at timestamptz NOT NULL)"
    )
    op.execute("ALTER TABLE user_presence ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
    op.execute(
        "CREATE POLICY user_presence_rows ON user_presence USING (parley_system() OR profile_id = parley_actor())"
        " WITH CHECK (parley_system())"
    )


def downgrade() -> None:
    op.execute("DROP TABLE user_presence")
