"""Find the staff without reading everybody: each new support conversation asks who they are, and a job does every minute.

Revision ID: 0035
Revises: 0033
"""

from __future__ import annotations

from alembic import op

revision = "0035"
down_revision = "0033"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS users_staff ON users (profile_id) WHERE role IN ('staff', 'admin')"
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS users_staff")
