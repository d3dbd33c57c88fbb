"""Customers, their portal tokens, and what a support conversation has besides.

Revision ID: 0003
Revises: 0002
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE customers (
    profile_id uuid PRIMARY KEY REFERENCES profiles,
    email text CHECK (char_length(email) <= 254),
    external_id text UNIQUE CHECK (char_length(external_id) BETWEEN 1 AND 200),
    metadata jsonb NOT NULL,
    created_by uuid REFERENCES profiles,
    created_at timestamptz NOT NULL
);
CREATE INDEX customers_created ON customers (created_at, profile_id);

CREATE TABLE portal_tokens (
    id uuid PRIMARY KEY,
    profile_id uuid NOT NULL REFERENCES profiles,
    token_hash bytea NOT NULL UNIQUE,
    created_by uuid REFERENCES profiles,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz
);
CREATE INDEX portal_tokens_profile ON portal_tokens (profile_id);

ALTER TABLE conversations
    ADD COLUMN customer_id uuid REFERENCES profiles,
    ADD COLUMN status text CHECK (status IN ('open', 'pending', 'resolved')),
    ADD COLUMN assignee_id uuid REFERENCES profiles;
ALTER TABLE conversations ADD CONSTRAINT conversations_support
    CHECK ((kind = 'support') = (customer_id IS NOT NULL AND status IS NOT NULL));
CREATE INDEX conversations_inbox ON conversations (status) WHERE kind = 'support';
CREATE INDEX conversations_customer ON conversations (customer_id) WHERE kind = 'support';
"""
POLICIES = {
    "customers": "parley_system() OR profile_id = parley_actor()",
    "portal_tokens": "parley_system() OR profile_id = parley_actor()",
}


def upgrade() -> None:
    op.execute(TABLES)
    for table, rule in POLICIES.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY {table}_rows ON {table} USING ({rule}) WITH CHECK (parley_system())")


def downgrade() -> None:
    op.execute("ALTER TABLE conversations DROP COLUMN customer_id, DROP COLUMN status, DROP COLUMN assignee_id")
    op.execute("DROP TABLE portal_tokens, customers")
