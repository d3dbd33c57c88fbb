"""Find a conversation's members in the order in which they joined, and the conversations that changed lately.

Revision ID: 0004
Revises: 0003
"""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS memberships_joined ON memberships (conversation_id, joined_at, profile_id)"
            " WHERE left_at IS NULL"
        )
        # BRIN: it keeps the update of a head off the other indexes (HOT, from PostgreSQL 16 on)
        op.execute(
            "CREATE INDEX CONCURRENTLY IF NOT EXISTS conversations_updated ON conversations USING brin (updated_at)"
            " WITH (pages_per_range = 8)"
        )


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS conversations_updated")
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS memberships_joined")
