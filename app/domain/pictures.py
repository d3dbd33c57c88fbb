"""The picture that goes with a name: a small square of what was sent, under an address that changes with it."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID, uuid5

from sqlalchemy import text

from app.domain import trust
from app.extensions import offload
from app.kernel import limits
from app.kernel.actor import Actor
from app.kernel.errors import Invalid, NotFound
from app.kernel.ids import parse_id
from app.live import rates
from app.models import transaction
from app.outbound import blobs, bus, contents

HELD = text("SELECT avatar_url FROM profiles WHERE id = :id FOR NO KEY UPDATE")
CHANGE = text("UPDATE profiles SET avatar_url = :url WHERE id = :id")
PLACE = "/api/pictures/"
VARIANT = "picture"


def begin(actor: Actor) -> blobs.Incoming:
    """Begin to receive a picture; raises RateLimited."""
    rates.check(f"picture:{actor.id}", per_s=limits.PICTURES_PER_MINUTE / 60, burst=limits.PICTURES_PER_MINUTE)
    return blobs.Incoming(limits.UPLOAD_MAX_BYTES)


def change(actor: Actor, *, received: blobs.Incoming) -> None:
    """Show this picture beside one's name from now on; raises Invalid where it is none."""
    received.close()
    square = offload(contents.square_picture, received.path, limits.PROFILE_PICTURE_PX)
    if square is None:
        raise Invalid({"file": ["must be a picture: PNG, JPEG, GIF or WebP"]})
    picture_id = uuid5(
        actor.id, received.sha256.hex()
    )  # another's same picture has another address, and an end of its own
    offload(blobs.put, square, picture_id, VARIANT)
    _show(actor, picture_id)


def take_off(actor: Actor) -> None:
    """Show no picture beside one's name; a second time changes nothing."""
    _show(actor, None)


def _show(actor: Actor, picture_id: UUID | None) -> None:
    url = f"{PLACE}{picture_id}" if picture_id else None
    with transaction(actor) as tx:
        held = tx.execute(HELD, {"id": actor.id}).scalar_one()
        if held == url:
            return
        tx.change(CHANGE, {"id": actor.id, "url": url})
        bus.announce(tx, "profile", profileId=str(actor.id))
    trust.forget_person(actor.id)
    former = parse_id((held or "").removeprefix(PLACE))
    if former is not None:
        blobs.remove(former)


def find(*, picture_id: UUID) -> Path:
    """Find a picture, for anyone who is signed in: so are names. Raises NotFound."""
    path = blobs.path_of(picture_id, VARIANT)
    if not path.exists():
        raise NotFound("The picture")
    return path
