"""What an uploaded file is, by its content alone; and the small picture of a large one.

Only what Pillow has decoded counts as a picture. Drawings that can hold scripts (SVG) are files like any other.
"""

from __future__ import annotations

import io
from dataclasses import dataclass
from pathlib import Path

import filetype
from PIL import Image, ImageOps

from app.kernel import limits

PICTURES = {"PNG": "image/png", "JPEG": "image/jpeg", "GIF": "image/gif", "WEBP": "image/webp"}
SOUNDS = frozenset({"audio/mpeg", "audio/ogg", "audio/wav", "audio/flac", "audio/aac", "audio/mp4", "audio/webm"})
SHOWN = frozenset(PICTURES.values()) | SOUNDS  # what a browser may show itself; all else it saves
OTHER_NAMES = {"audio/x-wav": "audio/wav", "audio/x-flac": "audio/flac"}
HEAD_BYTES = 64 * 1024
UNKNOWN = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Described:
    """What a file is. ``width`` and ``height`` are a picture's as shown; ``thumbnail`` is WebP without any metadata."""

    content_type: str
    width: int | None = None
    height: int | None = None
    thumbnail: bytes | None = None


def describe(path: Path) -> Described:
    """Look into a file. Slow for large pictures: run it off the event loop."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    return _picture(path) or Described(_type_of(head))


def _picture(path: Path) -> Described | None:
    try:
        with Image.open(path, formats=tuple(PICTURES)) as image:
            if image.width * image.height > limits.PICTURE_MAX_PIXELS:
                return None  # a few bytes can stand for gigabytes: it stays a file
            kind = PICTURES[image.format or ""]
            small, size = small_picture(image, limits.THUMBNAIL_PX)
            return Described(kind, *size, small)
    except Exception:  # noqa: BLE001  (decoders of broken pictures raise anything)
        return None


def square_picture(path: Path, side_px: int) -> bytes | None:
    """Make a square WebP of a picture's middle, upright and without metadata; None where it cannot be read as one."""
    try:
        with Image.open(path, formats=tuple(PICTURES)) as image:
            if image.width * image.height > limits.PICTURE_MAX_PIXELS:
                return None
            image.draft("RGB", (side_px * 2, side_px * 2))
            return encoded(ImageOps.fit(_plain(image), (side_px, side_px)))
    except Exception:  # noqa: BLE001
        return None


def small_picture(image: Image.Image, side_px: int) -> tuple[bytes, tuple[int, int]]:
    """Make a WebP that fits a square, turned upright, without metadata; gives it with the size of the whole, upright."""
    size = _upright_size(image)
    image.draft("RGB", (side_px * 2, side_px * 2))  # lets a JPEG be read at a fraction of its size
    plain = _plain(image)
    plain.thumbnail((side_px, side_px))
    return encoded(plain), size


def _plain(image: Image.Image) -> Image.Image:
    upright = ImageOps.exif_transpose(image)
    return upright.convert("RGBA" if upright.has_transparency_data else "RGB")


def encoded(image: Image.Image) -> bytes:
    """Write a picture as WebP, its pixels and nothing else."""
    out = io.BytesIO()
    bare = Image.new(image.mode, image.size)
    bare.paste(image)
    bare.save(out, "WEBP", quality=80, method=4)
    return out.getvalue()


def _upright_size(image: Image.Image) -> tuple[int, int]:
    turned = image.getexif().get(0x0112, 1) in (5, 6, 7, 8)  # EXIF's orientations that lie on a side
    return (image.height, image.width) if turned else (image.width, image.height)


def _type_of(head: bytes) -> str:
    found = filetype.guess(head)
    kind = OTHER_NAMES.get(found.mime, found.mime) if found else UNKNOWN
    if kind in PICTURES.values():
        return UNKNOWN  # says that it is a picture, and cannot be read as one
    if kind == "video/webm" and b"A_" in head and b"V_" not in head:
        return "audio/webm"  # the same container; its tracks say what it holds (RFC 9559, CodecID)
    return "text/plain" if kind == UNKNOWN and _is_text(head) else kind


def _is_text(head: bytes) -> bool:
    try:
        head.decode()
    except UnicodeDecodeError as error:
        return error.end >= len(head) - 3 and len(head) == HEAD_BYTES and b"\x00" not in head
    return b"\x00" not in head
