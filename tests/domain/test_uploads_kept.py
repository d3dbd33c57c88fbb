"""What is kept of uploads, and what is taken away: by the job, which can stop anywhere."""

from __future__ import annotations

import io
import os
import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from app.domain import uploads
from app.kernel import clock, limits
from app.kernel.errors import TooLarge, Unavailable
from app.kernel.settings import settings
from app.outbound import blobs
from tests.domain.conftest import Aside

LATER = timedelta(seconds=limits.UPLOAD_WAITS_S + 60)


def upload(aside: Aside, content: bytes = b"x") -> str:
    headers = {"Authorization": f"Bearer {aside.ann['token']}"}
    form = {"file": (io.BytesIO(content), "notes.txt")}
    return str(aside.client.post("/api/uploads", data=form, headers=headers).get_json()["data"]["upload"]["id"])


def send(aside: Aside, room: str, upload_id: str) -> dict[str, Any]:
    body = {"conversationId": room, "content": "", "attachmentIds": [upload_id], "clientMessageId": str(uuid.uuid4())}
    return dict(aside.call(aside.ann, "POST", "/messages/send", body)["message"])


def kept(upload_id: str) -> bool:
    return blobs.path_of(uuid.UUID(upload_id)).exists()


def test_only_what_nobody_wants_is_taken_away(aside: Aside, name: str) -> None:
    room = aside.room(name)
    unwanted, accepted, sent, deleted = (upload(aside) for _ in range(4))
    send(aside, room, sent)
    gone = send(aside, room, deleted)
    aside.drain()
    aside.call(aside.ann, "DELETE", f"/messages/{gone['id']}")
    send(aside, room, accepted)  # and not drained: the message may still be committed
    everything = (unwanted, accepted, sent, deleted)
    uploads.clean_up(now=clock.now())
    assert [kept(one) for one in everything] == [True] * 4
    uploads.clean_up(now=clock.now() + LATER)  # hides what nobody wanted, takes away what was deleted
    uploads.clean_up(now=clock.now() + 2 * LATER)
    assert [kept(one) for one in everything] == [False, True, True, False]
    aside.drain()
    assert aside.history(room)[-1]["attachments"][0]["id"] == accepted
    rows = aside.inside.rows("SELECT id::text FROM attachments WHERE id = ANY(%s::uuid[])", list(everything))
    assert {row[0] for row in rows} == {accepted, sent}


def test_what_was_cut_off_leaves_nothing(aside: Aside, monkeypatch: pytest.MonkeyPatch) -> None:
    def power_cut(*_: object) -> None:
        raise KeyboardInterrupt

    before = {row[0] for row in aside.inside.rows("SELECT id FROM attachments")}
    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr(uploads, "READY", None)
        patched.setattr(blobs, "put", power_cut)
        patched.setattr(uploads.contents, "describe", lambda _: uploads.contents.Described("image/png", 1, 1, b"x"))
        upload(aside)
    (left,) = {row[0] for row in aside.inside.rows("SELECT id::text FROM attachments")} - before
    assert kept(left)
    headers = {"Authorization": f"Bearer {aside.ann['token']}"}
    assert aside.client.get(f"/api/uploads/{left}", headers=headers).status_code == 404
    half = blobs.Incoming(10)
    half.write(b"half")
    os.utime(half.path, (0, 0))
    uploads.clean_up(now=clock.now() + LATER)
    assert not kept(left)
    assert not half.path.exists()


def test_a_file_is_whole_under_its_name_or_not_there(aside: Aside) -> None:
    incoming = blobs.Incoming(10)
    incoming.write(b"01234")
    blob_id = uuid.uuid4()
    assert not blobs.path_of(blob_id).exists()
    with pytest.raises(TooLarge):
        incoming.write(b"567890")
    incoming.discard()
    assert not incoming.path.exists()
    blobs.put(b"small", blob_id, "thumbnail")
    assert blobs.path_of(blob_id, "thumbnail").read_bytes() == b"small"
    blobs.remove(blob_id)
    blobs.remove(blob_id)
    assert not blobs.path_of(blob_id, "thumbnail").exists()


@pytest.mark.parametrize("step", ["write", "open"])
def test_a_full_disk_is_a_refusal_that_says_so(aside: Aside, step: str, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: Callable[..., Any] = Path.open
    if step == "open":
        monkeypatch.setattr(type(settings()), "uploads_path", Path("/dev/null/uploads"))
    else:
        monkeypatch.setattr(Path, "open", lambda _, mode, **more: opened(Path("/dev/full"), mode, **more))
    with pytest.raises(Unavailable, match="no room for uploads"):
        blobs.Incoming(10).write(b"x")
