"""Name what searches find by its place, and not by its message.

Ids are random, so among millions of messages each new one wrote a page of that index whole into PostgreSQL's log; those of a
conversation lie beside each other. And one index serves where there were two. Until the release before is gone, its job may
give up taking new messages up for searches (it looks for them by message); the next one makes that good.

Revision ID: 0038
Revises: 0037
"""

from __future__ import annotations

from alembic import op

revision = "0038"
down_revision = "0037"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _by("conversation_id, seq")
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS found_messages_places")


def downgrade() -> None:
    with op.get_context().autocommit_block():
        op.execute("DROP INDEX CONCURRENTLY IF EXISTS found_messages_places")
        op.execute("CREATE INDEX CONCURRENTLY found_messages_places ON found_messages (conversation_id, seq)")
    _by("message_id")


def _by(columns: str) -> None:
    with op.get_context().autocommit_block():
        op.execute(f"CREATE UNIQUE INDEX CONCURRENTLY found_messages_new ON found_messages ({columns})")
    op.execute(
        "ALTER TABLE found_messages DROP CONSTRAINT found_messages_pkey,"
        " ADD CONSTRAINT found_messages_pkey PRIMARY KEY USING INDEX found_messages_new"
    )
