"""Commit a batch with two questions whose plans the server keeps: to plan them anew cost as much as to carry them out.

Revision ID: 0036
Revises: 0034
"""

from __future__ import annotations

from alembic import op

revision = "0036"
down_revision = "0034"
branch_labels = None
depends_on = None

# Each statement of a volatile function sees what was committed before it began: what is looked up here is as of after the lock.
OPEN = """
CREATE FUNCTION parley_open_batch(turn bigint, targets uuid[], asked uuid[], rooms uuid[], members uuid[], people uuid[],
    OUT heads text[], OUT known text[], OUT standing text[], OUT senders text)
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS
$$ BEGIN
  IF turn IS NOT NULL AND NOT pg_try_advisory_xact_lock(turn) THEN RETURN; END IF;
  SELECT COALESCE(array_agg(held.id || ' ' || held.head_seq), '{}') INTO heads FROM
    (SELECT c.id, c.head_seq FROM conversations c WHERE c.id = ANY(targets) ORDER BY c.id FOR NO KEY UPDATE) held;
  known := ARRAY(SELECT m.id || ' ' || m.conversation_id FROM messages m WHERE m.id = ANY(asked));
  standing := ARRAY(SELECT me.conversation_id || ' ' || me.profile_id FROM memberships me
    JOIN conversations c ON c.id = me.conversation_id
    JOIN unnest(rooms, members) AS a(conversation_id, profile_id) USING (conversation_id, profile_id)
    WHERE me.left_at IS NULL AND c.deleted_at IS NULL);
  SELECT json_object_agg(p.id, json_build_object('id', p.id, 'username', p.username, 'displayName', p.display_name,
    'avatarUrl', p.avatar_url)) INTO senders FROM profiles p WHERE p.id = ANY(people);
END $$;
"""
# The rows are the messages' own events; what is in them beside these fields is told and not stored.
WRITE = """
CREATE FUNCTION parley_write_batch(batch json, direct uuid[], targets uuid[], positions bigint[], by_customers boolean[])
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS
$$ BEGIN
  UPDATE conversations c SET head_seq = m.head, active_at = clock_timestamp(), updated_at = clock_timestamp(),
    status = CASE WHEN m.by_customer AND c.status = 'resolved' THEN 'open' ELSE c.status END,
    version = c.version + CASE WHEN m.by_customer AND c.status = 'resolved' THEN 1 ELSE 0 END
    FROM unnest(targets, positions, by_customers) AS m(id, head, by_customer) WHERE c.id = m.id;
  INSERT INTO messages (id, conversation_id, seq, changed_seq, sender_id, sender_type, client_message_id, content,
    message_type, created_at, reply_to_id, thread_root_id, root_reply_count, attachment_count, metadata, through)
  SELECT r.id, r."conversationId", r.seq, r.seq, r."senderId", r."senderType", r."clientMessageId", r.content,
    r."messageType", r."createdAt", r."replyToId", r."threadRootId", r."rootReplyCount", json_array_length(r.attachments),
    r.metadata, r.id = ANY(direct)
  FROM json_to_recordset(batch) AS r(id uuid, "conversationId" uuid, seq bigint, "senderId" uuid, "senderType" text,
    "clientMessageId" uuid, content text, "messageType" text, "createdAt" timestamptz, "replyToId" uuid,
    "threadRootId" uuid, "rootReplyCount" integer, attachments json, metadata jsonb);
END $$;
"""


def upgrade() -> None:
    op.execute(OPEN)
    op.execute(WRITE)


def downgrade() -> None:
    op.execute("DROP FUNCTION parley_write_batch(json, uuid[], uuid[], bigint[], boolean[])")
    op.execute("DROP FUNCTION parley_open_batch(bigint, uuid[], uuid[], uuid[], uuid[], uuid[])")
