"""Bots' tokens.

Revision ID: 0032
Revises: 0012
"""

from __future__ import annotations

from alembic import op

revision = "0032"
down_revision = "0012"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE api_tokens (
    id uuid PRIMARY KEY,
    profile_id uuid NOT NULL REFERENCES profiles,
    name text NOT NULL CHECK (char_length(name) <= 80),
    token_hash bytea NOT NULL UNIQUE,
    created_by uuid REFERENCES profiles,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    revoked_at timestamptz
);
CREATE INDEX api_tokens_profile ON api_tokens (profile_id);
ALTER TABLE api_tokens ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;
CREATE POLICY api_tokens_rows ON api_tokens USING (parley_system() OR profile_id = parley_actor())
    WITH CHECK (parley_system());
"""


def upgrade() -> None:
    op.execute(TABLE)


def downgrade() -> None:
    op.execute("DROP TABLE api_tokens")
