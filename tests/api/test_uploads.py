"""Uploads as files: what is taken, what it is found to be, and how it is served."""

from __future__ import annotations

import io
import uuid
import wave
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from PIL import Image

from app.kernel import limits
from tests.support.clients import Person, Rest, send_body
from tests.support.inside import Inside
from tests.support.modes import one_mode
from tests.support.stack import Stack

pytestmark = one_mode
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


@pytest.fixture(scope="module")
def ann(stack: Stack) -> Iterator[Person]:
    person = Person(stack.url, "u" + uuid.uuid4().hex[:10])
    yield person
    person.close()


def picture(width: int, height: int, kind: str = "PNG", **more: Any) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(out, kind, **more)
    return out.getvalue()


def bomb() -> bytes:
    """A few kilobytes that stand for a hundred million points."""
    out = io.BytesIO()
    Image.new("1", (12_000, 9_000)).save(out, "PNG")
    return out.getvalue()


def sound() -> bytes:
    out = io.BytesIO()
    with wave.open(out, "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(range(256)) * 4)
    return out.getvalue()


def sideways() -> bytes:
    """A photograph taken with the camera on its side, somewhere on earth."""
    exif = Image.Exif()
    exif[0x0112] = 6
    exif.get_ifd(0x8825)[1] = "N"
    return picture(1600, 800, "JPEG", exif=exif)


def test_a_picture_is_measured_upright_and_its_thumbnail_says_nothing_of_where(ann: Person) -> None:
    shown = ann.upload(sideways(), "beach.jpg")
    assert (shown["contentType"], shown["width"], shown["height"]) == ("image/jpeg", 800, 1600)
    small = ann.call("GET", shown["thumbnailUrl"].removeprefix("/api"))
    assert small.headers["Content-Type"] == "image/webp"
    with Image.open(io.BytesIO(small.content)) as image:
        assert image.size == (limits.THUMBNAIL_PX // 2, limits.THUMBNAIL_PX)
        assert not image.getexif()
        assert "exif" not in image.info
    with Image.open(io.BytesIO(sideways())) as whole:
        assert whole.getexif()  # there was something to strip


@pytest.mark.parametrize(
    ("name", "content", "kind", "is_shown"),
    [
        ("a.png", picture(3, 3), "image/png", True),
        ("a.gif", picture(3, 3, "GIF"), "image/gif", True),
        ("a.webp", picture(3, 3, "WEBP"), "image/webp", True),
        ("a.wav", sound(), "audio/wav", True),
        ("a.svg", SVG, "text/plain", False),
        ("a.html", b"<!doctype html><script>alert(1)</script>", "text/plain", False),
        ("a.png", b"<html>no picture</html>", "text/plain", False),
        ("a.png", picture(3, 3)[:40], "application/octet-stream", False),
        ("a.pdf", b"%PDF-1.7\n%\xe2\xe3", "application/pdf", False),
        ("a.bin", b"\x00\x01\x02", "application/octet-stream", False),
    ],
)
def test_a_file_is_what_its_content_says(ann: Person, name: str, content: bytes, kind: str, is_shown: bool) -> None:
    shown = ann.upload(content, name)
    assert (shown["name"], shown["contentType"], shown["bytes"]) == (name, kind, len(content))
    assert (shown["thumbnailUrl"] is not None) is (kind.startswith("image/"))
    answer = ann.file(shown["id"])
    assert answer.content == content
    assert answer.headers["Content-Type"].partition(";")[0] == kind
    assert answer.headers["Content-Disposition"].startswith("inline" if is_shown else "attachment")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Cache-Control"] == "private, no-cache"


def test_a_bomb_stays_a_file(ann: Person) -> None:
    shown = ann.upload(bomb(), "bomb.png")
    assert (shown["contentType"], shown["width"], shown["thumbnailUrl"]) == ("application/octet-stream", None, None)


def test_a_part_is_served_and_what_is_known_is_not_sent_again(ann: Person) -> None:
    upload_id = ann.upload(sound(), "a.wav")["id"]
    headers = {"Authorization": f"Bearer {ann.token}"}
    url = f"{ann.url}/api/uploads/{upload_id}"
    part = requests.get(url, headers={**headers, "Range": "bytes=4-9"}, timeout=20)
    assert (part.status_code, part.content) == (206, sound()[4:10])
    again = requests.get(url, headers={**headers, "If-None-Match": part.headers["ETag"]}, timeout=20)
    assert (again.status_code, again.content) == (304, b"")


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("C:\\photos\\cat.png", "cat.png"),
        ("../../etc/passwd", "passwd"),
        ("Ünïcode 猫.txt", "Ünïcode 猫.txt"),
        ("", "file"),
        ("x" * 300 + ".txt", "x" * 196 + ".txt"),
    ],
)
def test_a_name_is_only_a_name(ann: Person, given: str, kept: str) -> None:
    # written by hand: the clients' library leaves out a file without a name
    body = (
        b'--b\r\nContent-Disposition: form-data; name="file"; filename="%s"\r\n\r\nx\r\n--b--\r\n'
        % given.replace("\\", "\\\\").encode()
    )
    answer = requests.post(
        f"{ann.url}/api/uploads", data=body, timeout=20,
        headers={"Authorization": f"Bearer {ann.token}", "Content-Type": "multipart/form-data; boundary=b"},
    )  # fmt: skip
    assert answer.json()["data"]["upload"]["name"] == kept


def test_what_is_not_one_file_is_refused(ann: Person) -> None:
    assert Rest(ann.url).refused("POST", "/uploads", files={"file": ("a", b"x")})[1]["code"] == "unauthenticated"
    assert ann.refused("POST", "/uploads", {"file": "x"})[1]["code"] == "malformed"
    for files, field in (
        ([("other", ("a", b"x"))], "file"),
        ([("file", ("a", b"x")), ("more", (None, "1"))], "more"),
        ([("file", ("a", b"x")), ("file", ("b", b"x"))], "file"),
        ([("file", ("a", b""))], "file"),
        ([("file", (None, "no file"))], "file"),
        ([("file", ("a", b"x")), *((f"more{number}", (None, "1")) for number in range(8))], "file"),
        ([("file", ("a", b"x")), ("more", (None, "1" * 70_000))], "file"),
    ):
        status, error = ann.refused("POST", "/uploads", files=files)
        assert (status, error["code"]) == (422, "invalid"), files
        assert field in error["fields"]
    cut = requests.post(
        f"{ann.url}/api/uploads", data=b"--b\r\nno form", timeout=20,
        headers={"Authorization": f"Bearer {ann.token}", "Content-Type": "multipart/form-data; boundary=b"},
    )  # fmt: skip
    assert (cut.status_code, cut.json()["error"]["code"]) == (400, "malformed")


def test_25_megabytes_are_taken_and_no_byte_more(ann: Person, stack: Stack) -> None:
    most = bytes(limits.UPLOAD_MAX_BYTES)
    assert ann.upload(most, "most.bin")["bytes"] == limits.UPLOAD_MAX_BYTES
    for content in (most + b"x", most + most):
        status, error = ann.refused("POST", "/uploads", files={"file": ("more.bin", content)})
        assert (status, error["code"]) == (413, "too_large")
    assert list((stack.folder / "uploads" / "incoming").iterdir()) == []


def test_too_many_uploads_that_wait_are_refused(stack: Stack, inside: Inside) -> None:
    bob = Person(stack.url, "u" + uuid.uuid4().hex[:10])
    inside.rows(
        "INSERT INTO attachments (id, uploader_id, name, content_type, bytes, sha256, has_thumbnail, created_at)"
        " SELECT gen_random_uuid(), %s, 'x', 'text/plain', 1, '', false, now() FROM generate_series(1, %s)",
        bob.id,
        limits.UPLOADS_WAITING_MAX,
    )
    status, error = bob.refused("POST", "/uploads", files={"file": ("a", b"x")})
    assert (status, error["code"]) == (429, "rate_limited")
    inside.rows("DELETE FROM attachments WHERE uploader_id = %s", bob.id)
    assert bob.upload(b"x")
    bob.close()


# the picture beside a name --------------------------------------------------------------------------------------------
def test_a_picture_goes_with_its_name_everywhere_until_it_is_taken_off(ann: Person, stack: Stack) -> None:
    ben = Person(stack.urls[1], "u" + uuid.uuid4().hex[:10])
    c = ann.direct(ben)
    device = ben.socket()
    shown = ann.ok("PUT", "/me/picture", files={"file": ("me.jpg", sideways())})["user"]["avatarUrl"]
    answer = ben.call("GET", shown.removeprefix("/api"))
    assert answer.headers["Cache-Control"] == "private, max-age=31536000, immutable"
    with Image.open(io.BytesIO(answer.content)) as image:
        assert (image.format, image.size) == ("WEBP", (256, 256))
        assert not image.getexif()
    sent = ann.ok("POST", "/messages/send", send_body(c, "look"))["message"]
    heard = device.next("message", lambda m: m["id"] == sent["id"] and m["persisted"])
    participants = ben.ok("GET", f"/conversations/{c}")["conversation"]["participants"]
    people = [sent["sender"], heard["sender"], ben.ok("GET", f"/users/{ann.username}")["user"], *participants]
    assert {p["avatarUrl"] for p in people if p["id"] == ann.id} == {shown}
    again = ann.ok("PUT", "/me/picture", files={"file": ("me.jpg", sideways())})["user"]["avatarUrl"]
    other = ann.ok("PUT", "/me/picture", files={"file": ("me.png", picture(300, 10))})["user"]["avatarUrl"]
    assert again == shown != other
    assert [ben.call("GET", url.removeprefix("/api")).status_code for url in (shown, other)] == [404, 200]
    for _ in range(2):
        assert ann.ok("DELETE", "/me/picture")["user"]["avatarUrl"] is None
    assert ben.call("GET", other.removeprefix("/api")).status_code == 404
    assert Rest(ann.url).call("GET", other.removeprefix("/api")).status_code == 401
    ben.close()


def test_what_is_no_picture_is_not_shown(ann: Person) -> None:
    for content in (SVG, b"x", bomb(), picture(3, 3)[:40]):
        status, error = ann.refused("PUT", "/me/picture", files={"file": ("me.png", content)})
        assert (status, list(error["fields"])) == (422, ["file"])
    assert ann.ok("GET", "/me")["user"]["avatarUrl"] is None
