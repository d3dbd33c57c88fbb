"""The core: principals, sessions, conversations, messages and all that hangs on them, under row security.

Revision ID: 0001
Revises:
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE profiles (
    id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('user', 'customer', 'bot')),
    username text CHECK (username ~ '^[A-Za-z0-9_.-]{3,30}$'),
    display_name text NOT NULL CHECK (char_length(display_name) BETWEEN 1 AND 80),
    avatar_url text,
    created_at timestamptz NOT NULL,
    disabled_at timestamptz,
    CHECK ((kind = 'customer') = (username IS NULL))
);
CREATE UNIQUE INDEX profiles_username ON profiles (lower(username));
CREATE INDEX profiles_username_pattern ON profiles (lower(username) text_pattern_ops);
CREATE INDEX profiles_display_name_pattern ON profiles (lower(display_name) text_pattern_ops);

CREATE TABLE users (
    profile_id uuid PRIMARY KEY REFERENCES profiles,
    email text NOT NULL CHECK (char_length(email) <= 254),
    password_hash text NOT NULL,
    role text NOT NULL CHECK (role IN ('member', 'staff', 'admin')),
    created_at timestamptz NOT NULL,
    password_changed_at timestamptz NOT NULL
);
CREATE UNIQUE INDEX users_email ON users (lower(email));

CREATE TABLE sessions (
    id uuid PRIMARY KEY,
    profile_id uuid NOT NULL REFERENCES profiles,
    kind text NOT NULL CHECK (kind IN ('api', 'page')),
    nonce bytea NOT NULL,
    generation integer NOT NULL,
    rotated_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    last_used_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    revoked_at timestamptz,
    user_agent text NOT NULL,
    address text NOT NULL
);
CREATE INDEX sessions_profile ON sessions (profile_id) WHERE revoked_at IS NULL;
CREATE INDEX sessions_expiry ON sessions (expires_at);

CREATE TABLE audit_log (
    id uuid PRIMARY KEY,
    at timestamptz NOT NULL,
    actor_id uuid,
    action text NOT NULL,
    subject_id uuid,
    details jsonb NOT NULL
);
CREATE INDEX audit_log_at ON audit_log (at);

CREATE TABLE conversations (
    id uuid PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('direct', 'group', 'room', 'support')),
    slug text UNIQUE CHECK (slug ~ '^[a-z0-9]([a-z0-9-]{0,58}[a-z0-9])?$'),
    title text CHECK (char_length(title) BETWEEN 1 AND 120),
    topic text CHECK (char_length(topic) <= 500),
    visibility text NOT NULL CHECK (visibility IN ('public', 'private')),
    direct_low uuid REFERENCES profiles,
    direct_high uuid REFERENCES profiles,
    head_seq bigint NOT NULL DEFAULT 0 CHECK (head_seq >= 0),
    version bigint NOT NULL DEFAULT 1,
    member_count integer NOT NULL DEFAULT 0,
    created_by uuid NOT NULL REFERENCES profiles,
    created_at timestamptz NOT NULL,
    updated_at timestamptz NOT NULL,
    active_at timestamptz NOT NULL,
    deleted_at timestamptz,
    CHECK ((kind = 'direct') = (direct_low IS NOT NULL AND direct_high IS NOT NULL)),
    CHECK (direct_low < direct_high),
    CHECK ((kind = 'room') = (slug IS NOT NULL)),
    CHECK (kind = 'room' OR visibility = 'private')
) WITH (fillfactor = 70);
CREATE UNIQUE INDEX conversations_direct_pair ON conversations (direct_low, direct_high);
CREATE INDEX conversations_public ON conversations (slug)
    WHERE kind = 'room' AND visibility = 'public' AND deleted_at IS NULL;

CREATE TABLE memberships (
    conversation_id uuid NOT NULL REFERENCES conversations,
    profile_id uuid NOT NULL REFERENCES profiles,
    role text NOT NULL CHECK (role IN ('owner', 'admin', 'member')),
    joined_at timestamptz NOT NULL,
    left_at timestamptz,
    history_from_seq bigint NOT NULL DEFAULT 0,
    read_seq bigint NOT NULL DEFAULT 0,
    received_seq bigint NOT NULL DEFAULT 0,
    muted boolean NOT NULL DEFAULT false,
    archived boolean NOT NULL DEFAULT false,
    pinned boolean NOT NULL DEFAULT false,
    notifications text NOT NULL DEFAULT 'all' CHECK (notifications IN ('all', 'mentions', 'none')),
    PRIMARY KEY (conversation_id, profile_id)
) WITH (fillfactor = 80);
CREATE INDEX memberships_profile ON memberships (profile_id, conversation_id) WHERE left_at IS NULL;

CREATE TABLE messages (
    id uuid PRIMARY KEY,
    conversation_id uuid NOT NULL REFERENCES conversations,
    seq bigint NOT NULL CHECK (seq > 0),
    changed_seq bigint NOT NULL,
    sender_id uuid NOT NULL REFERENCES profiles,
    sender_type text NOT NULL CHECK (sender_type IN ('customer', 'bot', 'system', 'staff', 'user')),
    client_message_id uuid NOT NULL,
    content text NOT NULL CHECK (char_length(content) <= 4000),
    message_type text NOT NULL CHECK (message_type IN ('text', 'image', 'file', 'voice', 'system')),
    created_at timestamptz NOT NULL,
    edited_at timestamptz,
    deleted_at timestamptz,
    reply_to_id uuid REFERENCES messages,
    thread_root_id uuid REFERENCES messages,
    reply_count integer NOT NULL DEFAULT 0 CHECK (reply_count >= 0),
    root_reply_count integer,
    attachment_count smallint NOT NULL DEFAULT 0,
    metadata jsonb NOT NULL,
    CHECK (changed_seq >= seq),
    CHECK (content <> '' OR deleted_at IS NOT NULL OR attachment_count > 0),
    CHECK (deleted_at IS NULL OR content = ''),
    UNIQUE (conversation_id, seq),
    UNIQUE (sender_id, client_message_id)
);
CREATE INDEX messages_changed ON messages (conversation_id, changed_seq);
CREATE INDEX messages_thread ON messages (thread_root_id, seq) WHERE thread_root_id IS NOT NULL;

CREATE TABLE message_edits (
    message_id uuid NOT NULL REFERENCES messages,
    position bigint NOT NULL,
    conversation_id uuid NOT NULL REFERENCES conversations,
    editor_id uuid NOT NULL REFERENCES profiles,
    content text NOT NULL,
    changed_at timestamptz NOT NULL,
    PRIMARY KEY (message_id, position)
);

CREATE TABLE reactions (
    message_id uuid NOT NULL REFERENCES messages,
    emoji text NOT NULL CHECK (char_length(emoji) BETWEEN 1 AND 64),
    profile_id uuid NOT NULL REFERENCES profiles,
    conversation_id uuid NOT NULL REFERENCES conversations,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (message_id, emoji, profile_id)
);

CREATE TABLE mentions (
    message_id uuid NOT NULL REFERENCES messages,
    profile_id uuid NOT NULL REFERENCES profiles,
    conversation_id uuid NOT NULL REFERENCES conversations,
    seq bigint NOT NULL,
    PRIMARY KEY (message_id, profile_id)
);
CREATE INDEX mentions_profile ON mentions (profile_id, conversation_id, seq);

CREATE TABLE read_marks (
    conversation_id uuid NOT NULL REFERENCES conversations,
    profile_id uuid NOT NULL REFERENCES profiles,
    up_to_seq bigint NOT NULL,
    read_at timestamptz NOT NULL,
    PRIMARY KEY (conversation_id, profile_id, up_to_seq)
);

CREATE TABLE dead_letters (
    message_id uuid PRIMARY KEY,
    conversation_id uuid,
    sender_id uuid,
    entry jsonb NOT NULL,
    sqlstate text NOT NULL,
    reason text NOT NULL,
    created_at timestamptz NOT NULL
);
"""

# The context that transaction(actor) sets. After a SET LOCAL has ended, current_setting gives '' and not NULL.
FUNCTIONS = """
CREATE FUNCTION parley_actor() RETURNS uuid LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT NULLIF(current_setting('parley.actor_id', true), '')::uuid $$;

CREATE FUNCTION parley_system() RETURNS boolean LANGUAGE sql STABLE PARALLEL SAFE AS
$$ SELECT COALESCE(current_setting('parley.scope', true), '') = 'system' $$;

-- Reads memberships from inside their own policy. What it sets is what that policy looks at first, so it does not recurse,
-- whether the caller owns the tables (FORCE) or not. It is set in the body: a SET clause with a custom parameter needs a
-- superuser. An error in between ends the (sub)transaction and the setting with it.
CREATE FUNCTION parley_member_of(c uuid) RETURNS boolean LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS
$$ DECLARE found boolean;
BEGIN
  PERFORM set_config('parley.in_policy', 'on', true);
  found := EXISTS (SELECT 1 FROM public.memberships m WHERE m.conversation_id = c
     AND m.profile_id = NULLIF(current_setting('parley.actor_id', true), '')::uuid AND m.left_at IS NULL);
  PERFORM set_config('parley.in_policy', '', true);
  RETURN found;
END $$;
"""

MINE = """EXISTS (SELECT 1 FROM memberships m WHERE m.conversation_id = {table}.conversation_id
    AND m.profile_id = parley_actor() AND m.left_at IS NULL)"""
READABLE = """EXISTS (SELECT 1 FROM memberships m WHERE m.conversation_id = messages.conversation_id
    AND m.profile_id = parley_actor() AND m.left_at IS NULL AND messages.seq > m.history_from_seq)"""

POLICIES = {
    "profiles": ("parley_system() OR parley_actor() IS NOT NULL", "parley_system() OR id = parley_actor()"),
    "users": ("parley_system() OR profile_id = parley_actor()",) * 2,
    "sessions": ("parley_system() OR profile_id = parley_actor()",) * 2,
    "audit_log": ("parley_system()", "parley_system() OR actor_id = parley_actor()"),
    "conversations": (
        "parley_system() OR (visibility = 'public' AND parley_actor() IS NOT NULL) OR created_by = parley_actor()"
        " OR EXISTS (SELECT 1 FROM memberships m WHERE m.conversation_id = conversations.id"
        " AND m.profile_id = parley_actor() AND m.left_at IS NULL)",
        "parley_system() OR created_by = parley_actor() OR parley_member_of(id)",
    ),
    "memberships": (
        "CASE WHEN current_setting('parley.in_policy', true) = 'on' THEN true WHEN parley_system() THEN true"
        " WHEN profile_id = parley_actor() THEN true ELSE parley_member_of(conversation_id) END",
        "CASE WHEN parley_system() THEN true WHEN profile_id = parley_actor() THEN true"
        " ELSE parley_member_of(conversation_id) END",
    ),
    "messages": ("parley_system() OR " + READABLE, "parley_system() OR " + READABLE),
    "message_edits": ("parley_system() OR " + MINE, "parley_system() OR (editor_id = parley_actor() AND {mine})"),
    "reactions": ("parley_system() OR " + MINE, "parley_system() OR (profile_id = parley_actor() AND {mine})"),
    "mentions": ("parley_system() OR " + MINE, "parley_system() OR " + MINE),
    "read_marks": ("parley_system() OR " + MINE, "parley_system() OR (profile_id = parley_actor() AND {mine})"),
    "dead_letters": ("parley_system() OR sender_id = parley_actor()", "parley_system()"),
}


def upgrade() -> None:
    op.execute(TABLES)
    op.execute(FUNCTIONS)
    for table, (visible, writable) in POLICIES.items():
        mine = MINE.format(table=table)
        using, check = (rule.replace("{table}", table).replace("{mine}", mine) for rule in (visible, writable))
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY {table}_rows ON {table} USING ({using}) WITH CHECK ({check})")


def downgrade() -> None:
    for table in reversed(POLICIES):
        op.execute(f"DROP TABLE {table} CASCADE")
    op.execute("DROP FUNCTION parley_member_of(uuid), parley_system(), parley_actor()")
