"""WebP: only the first frame reaches the decoder; missing bytes at the end are filled with zeros.

The decoder keeps several copies of the whole image, so fewer pixels are allowed than elsewhere.

Layout: RFC 9649.
"""

from __future__ import annotations

import io
import struct
from collections.abc import Iterator

from PIL import Image

from recognizer.imaging.errors import EndMissing, UnusualImage
from recognizer.imaging.files.orientation import upright
from recognizer.imaging.files.reducing import check_size, plain, taking_turns

_MAX_PIXELS = 2_500_000
_MAX_CHUNKS = 2000  # animations have one for each frame
_MOST = 0.55  # of the frame's bytes must be there
_FRAME_HEADER = 16  # bytes before the chunks of a frame of an animation
_HAS_ALPHA = 0x10


def read(data: bytes) -> Image.Image:
    """Decode the first frame of a WebP file; raises an ``ImageError``."""
    chunks = dict[bytes, bytes]()
    for name, content in _first_chunks(data):
        chunks.setdefault(name, content)
    exif = chunks.get(b"EXIF", b"")
    name = b"VP8L" if b"VP8L" in chunks else b"VP8 "
    if name not in chunks:
        raise EndMissing
    width, height = _size(name, chunks[name])
    check_size(width, height, _MAX_PIXELS)
    parts = _chunk(name, chunks[name])
    if name == b"VP8 " and b"ALPH" in chunks:
        sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        header = _chunk(b"VP8X", bytes([_HAS_ALPHA, 0, 0, 0]) + sides)
        parts = header + _chunk(b"ALPH", chunks[b"ALPH"]) + parts
    chunks.clear()
    still = struct.pack("<4sI4s", b"RIFF", 4 + len(parts), b"WEBP") + parts
    with taking_turns(width, height):
        image = Image.open(io.BytesIO(still), formats=["WEBP"])
        image.load()
        return upright(plain(image), exif)


def _first_chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Yield the chunks that a still image has; of an animation, those of its first frame."""
    at = 12
    has_frame = False
    for _ in range(_MAX_CHUNKS):
        if at + 8 > len(data):
            return
        name = data[at : at + 4]
        size = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8
        if name == b"ANMF" and not has_frame:
            at += _FRAME_HEADER
            has_frame = True
            continue
        if name in (b"VP8 ", b"VP8L", b"ALPH", b"EXIF"):
            content = data[at : at + size]
            if len(content) < size and name != b"EXIF":
                if len(content) < _MOST * size:
                    raise EndMissing
                content += bytes(size - len(content))
            yield name, content
        at += size + size % 2
    raise UnusualImage


def _size(name: bytes, content: bytes) -> tuple[int, int]:
    """Return width and height as the frame itself gives them."""
    if name == b"VP8L":
        bits = int.from_bytes(content[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = content[6:8], content[8:10]
    return int.from_bytes(width, "little") & 0x3FFF, int.from_bytes(height, "little") & 0x3FFF


def _chunk(name: bytes, content: bytes) -> bytes:
    return struct.pack("<4sI", name, len(content)) + content + bytes(len(content) % 2)
