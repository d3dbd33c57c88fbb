"""When messages were received, and whom they did not reach.

Revision ID: 0010
Revises: 0005
"""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0005"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE received_marks (
    conversation_id uuid NOT NULL REFERENCES conversations,
    profile_id uuid NOT NULL REFERENCES profiles,
    from_seq bigint NOT NULL,
    up_to_seq bigint NOT NULL,
    received_at timestamptz NOT NULL,
    PRIMARY KEY (conversation_id, profile_id, up_to_seq),
    CHECK (from_seq < up_to_seq)
);
CREATE INDEX received_marks_age ON received_marks USING brin (received_at) WITH (pages_per_range = 32);

CREATE TABLE delivery_failures (
    id uuid PRIMARY KEY,
    message_id uuid NOT NULL REFERENCES messages,
    conversation_id uuid NOT NULL REFERENCES conversations,
    sender_id uuid NOT NULL REFERENCES profiles,
    recipient_id uuid NOT NULL REFERENCES profiles,
    path text NOT NULL CHECK (path IN ('mail', 'push', 'account')),
    reason text NOT NULL CHECK (char_length(reason) BETWEEN 1 AND 200),
    failed_at timestamptz NOT NULL
);
CREATE INDEX delivery_failures_message ON delivery_failures (message_id);
"""
MINE = """EXISTS (SELECT 1 FROM memberships m WHERE m.conversation_id = received_marks.conversation_id
    AND m.profile_id = parley_actor() AND m.left_at IS NULL)"""
POLICIES = {
    "received_marks": (
        f"parley_system() OR {MINE}",
        f"parley_system() OR (profile_id = parley_actor() AND {MINE})",
    ),
    "delivery_failures": (
        "parley_system() OR sender_id = parley_actor() OR recipient_id = parley_actor()",
        "parley_system()",
    ),
}


def upgrade() -> None:
    op.execute(TABLES)
    for table, (using, check) in POLICIES.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY {table}_rows ON {table} USING ({using}) WITH CHECK ({check})")


def downgrade() -> None:
    op.execute("DROP TABLE delivery_failures, received_marks")
