"""Look for messages nearby in steps that grow.

Of two hundred conversations that spoke in the same hours each was read 64 messages deep to find the newest seventy of all; the
newest eight of each are mostly enough. Where they are not, larger steps cost less than many.

Revision ID: 0039
Revises: 0038
"""

from __future__ import annotations

import runpy
from pathlib import Path

from alembic import op

revision = "0039"
down_revision = "0038"
branch_labels = None
depends_on = None

# A word that everybody says is in millions of messages, of which someone may see a thousandth. So this looks in their
# conversations only: from the one that spoke last, and in each from its end, a step of positions at a time, no further than what
# is asked for is found. Times and positions go together, but for five minutes. Where it finds too little for what it reads, it
# gives up with a row of nothing: what is said so seldom is found by the index of pieces at once.
FIND = """
CREATE OR REPLACE FUNCTION parley_find(me uuid, only_in uuid, wanted text[], since timestamptz, until timestamptz,
    above bigint, below bigint, most integer, parts_tried integer) RETURNS TABLE (found_id uuid, found_at timestamptz)
LANGUAGE plpgsql SET search_path = pg_catalog, public, pg_temp AS
$$ DECLARE
  slack constant interval := interval '5 minutes';
  seldom constant integer := 600;
  first_step constant bigint := 8;
  largest_step constant bigint := 256;
  over_the_new constant bigint := 64;
  c record; low bigint; top bigint; bottom bigint; step bigint; is_there boolean;
  looked bigint := 0; hits bigint := 0; gives_up boolean := false;
  edge timestamptz; boundary timestamptz; times timestamptz[] := '{}';
BEGIN
  PERFORM set_config('parley.looked_for', wanted::text, true);
  FOR c IN SELECT o.id, m.history_from_seq AS floor, o.head_seq AS head, o.active_at FROM memberships m
      JOIN conversations o ON o.id = m.conversation_id
      WHERE m.profile_id = me AND m.left_at IS NULL AND o.deleted_at IS NULL AND (only_in IS NULL OR o.id = only_in)
      ORDER BY o.active_at DESC LOOP
    EXIT WHEN gives_up OR c.active_at < edge OR c.active_at < since;
    low := GREATEST(c.floor, above, 0);
    top := LEAST(c.head, below - 1);
    is_there := until IS NULL;
    step := CASE WHEN is_there THEN first_step ELSE over_the_new END;
    WHILE top > low LOOP
      bottom := GREATEST(top - step, low);
      SELECT m.created_at INTO boundary FROM messages m WHERE m.conversation_id = c.id AND m.seq <= bottom
        ORDER BY m.seq DESC LIMIT 1;
      IF boundary > until + slack THEN
        top := bottom;
        CONTINUE;
      ELSIF NOT is_there THEN
        is_there := true;
        step := first_step;
        CONTINUE;
      END IF;
      gives_up := looked >= parts_tried::bigint * 64 AND hits * seldom < looked;
      EXIT WHEN gives_up;
      looked := looked + top - bottom;
      FOR found_id, found_at IN SELECT f.message_id, f.created_at FROM found_messages f
          WHERE f.conversation_id = c.id AND f.seq > bottom AND f.seq <= top
            AND (since IS NULL OR f.created_at >= since) AND (until IS NULL OR f.created_at <= until) LOOP
        times := times || found_at;
        hits := hits + 1;
        RETURN NEXT;
      END LOOP;
      IF cardinality(times) >= most THEN
        SELECT array_agg(t), min(t) INTO times, edge FROM (SELECT t FROM unnest(times) t ORDER BY t DESC LIMIT most) kept;
      END IF;
      EXIT WHEN boundary IS NULL OR boundary < since - slack OR boundary < edge - slack;
      top := bottom;
      step := LEAST(step * 2, largest_step);
    END LOOP;
  END LOOP;
  PERFORM set_config('parley.looked_for', '', true);
  IF gives_up THEN
    found_id := NULL;
    found_at := NULL;
    RETURN NEXT;
  END IF;
END $$;
"""
def upgrade() -> None:
    op.execute(FIND)


def downgrade() -> None:
    before = runpy.run_path(str(Path(__file__).with_name("0034_places.py")))["FIND"]
    op.execute(before.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION"))
