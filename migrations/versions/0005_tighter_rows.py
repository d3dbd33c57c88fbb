"""Let row security stand by itself: only Parley enrolls, appoints and writes messages, whatever an actor's SQL says.

Revision ID: 0005
Revises: 0004
"""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

GUARDS = """
CREATE FUNCTION parley_guard_membership() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS
$$ BEGIN
  IF NOT parley_system() AND (NEW.role, NEW.left_at, NEW.joined_at, NEW.history_from_seq, NEW.profile_id, NEW.conversation_id)
     IS DISTINCT FROM (OLD.role, OLD.left_at, OLD.joined_at, OLD.history_from_seq, OLD.profile_id, OLD.conversation_id) THEN
    RAISE insufficient_privilege USING MESSAGE = 'a membership is changed by Parley only';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER memberships_guard BEFORE UPDATE ON memberships FOR EACH ROW EXECUTE FUNCTION parley_guard_membership();

CREATE FUNCTION parley_guard_role() RETURNS trigger LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS
$$ BEGIN
  IF NOT parley_system() AND NEW.role IS DISTINCT FROM OLD.role THEN
    RAISE insufficient_privilege USING MESSAGE = 'a role is given by Parley only';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER users_guard BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION parley_guard_role();

ALTER POLICY memberships_rows ON memberships WITH CHECK (parley_system() OR profile_id = parley_actor());
CREATE POLICY memberships_enroll ON memberships AS RESTRICTIVE FOR INSERT WITH CHECK (parley_system());
CREATE POLICY memberships_stay ON memberships AS RESTRICTIVE FOR DELETE USING (parley_system());
ALTER POLICY messages_rows ON messages WITH CHECK (parley_system());
CREATE POLICY messages_stay ON messages AS RESTRICTIVE FOR DELETE USING (parley_system());
CREATE POLICY users_made ON users AS RESTRICTIVE FOR INSERT WITH CHECK (parley_system());
"""
LOOSE = """
DROP POLICY users_made ON users;
DROP POLICY messages_stay ON messages;
ALTER POLICY messages_rows ON messages WITH CHECK (parley_system() OR EXISTS (SELECT 1 FROM memberships m
    WHERE m.conversation_id = messages.conversation_id AND m.profile_id = parley_actor() AND m.left_at IS NULL
    AND messages.seq > m.history_from_seq));
DROP POLICY memberships_stay ON memberships;
DROP POLICY memberships_enroll ON memberships;
ALTER POLICY memberships_rows ON memberships WITH CHECK (CASE WHEN parley_system() THEN true
    WHEN profile_id = parley_actor() THEN true ELSE parley_member_of(conversation_id) END);
DROP TRIGGER users_guard ON users;
DROP FUNCTION parley_guard_role();
DROP TRIGGER memberships_guard ON memberships;
DROP FUNCTION parley_guard_membership();
"""


def upgrade() -> None:
    op.execute(GUARDS)


def downgrade() -> None:
    op.execute(LOOSE)
