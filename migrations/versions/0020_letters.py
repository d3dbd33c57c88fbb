"""Letters that wait to be mailed, and password resets.

Revision ID: 0020
Revises: 0010
"""

from __future__ import annotations

from alembic import op

revision = "0020"
down_revision = "0010"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE letters (
    id uuid PRIMARY KEY,
    profile_id uuid NOT NULL REFERENCES profiles,
    kind text NOT NULL CHECK (kind IN ('digest', 'reset')),
    subject jsonb NOT NULL,
    state text NOT NULL CHECK (state IN ('waiting', 'sending', 'sent', 'failed', 'dropped', 'unsure')),
    attempts integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    due_at timestamptz NOT NULL,
    ended_at timestamptz,
    reason text,
    CHECK ((ended_at IS NULL) = (state IN ('waiting', 'sending')))
);
CREATE INDEX letters_due ON letters (due_at) WHERE ended_at IS NULL;
CREATE INDEX letters_ended ON letters (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX letters_profile ON letters (profile_id, kind, created_at);
CREATE UNIQUE INDEX letters_one_digest ON letters (profile_id) WHERE kind = 'digest' AND ended_at IS NULL;

CREATE TABLE password_resets (
    id uuid PRIMARY KEY,
    profile_id uuid NOT NULL REFERENCES profiles,
    nonce bytea NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE INDEX password_resets_profile ON password_resets (profile_id, created_at);
CREATE INDEX password_resets_expiry ON password_resets (expires_at);
"""


def upgrade() -> None:
    op.execute(TABLES)
    for table in ("letters", "password_resets"):  # only Parley itself has to do with them
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY {table}_rows ON {table} USING (parley_system()) WITH CHECK (parley_system())")


def downgrade() -> None:
    op.execute("DROP TABLE password_resets, letters")
