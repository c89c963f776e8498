"""WebP: only the first frame reaches the decoder.

The decoder keeps several copies of the whole image, so fewer pixels are allowed than elsewhere.

Layout: RFC 9649.
"""

from __future__ import annotations

import contextlib
import io
import struct
from collections.abc import Iterator

import numpy as np
from PIL import Image, ImageChops

from recognizer.imaging.errors import EndMissing, UnusualImage
from recognizer.imaging.files import webp_lossless
from recognizer.imaging.files.orientation import upright
from recognizer.imaging.files.reducing import check_size, first_rows, plain, taking_turns

_Parts = list[bytes | memoryview]

# The screenshots of phones: 1284x2778 px, 1080x2592 px.
_MAX_PIXELS = 3_600_000
_FEWER_PIXELS = 2_800_000  # lossless, with alpha, or without its end: all take more memory
_MAX_CHUNKS = 2000  # animations have one for each frame
_FEW = 0.15  # of the bytes that there are
_LEAST = 0.5  # of the rows must be there even if few bytes are missing
_FILLERS = (b"\0", b"\x55", b"\xaa", b"\xff")
_PADDING = 2**14
_ALIKE = 8  # grey levels: filters smooth the last rows
_FRAME_HEADER = 16  # bytes before the chunks of a frame of an animation
_LOSSLESS_HEADER = 5  # bytes
_HAS_ALPHA = 0x10


def read(data: bytes) -> Image.Image:
    """Decode the first frame of a WebP file; raises an ``ImageError``."""
    chunks = dict[bytes, memoryview]()
    missing = 0
    for name, size, content in _first_chunks(data):
        if name not in chunks:
            chunks[name] = content
            missing = size - len(content)
    name = b"VP8L" if b"VP8L" in chunks else b"VP8 "
    if name not in chunks:
        raise EndMissing
    frame = chunks[name]
    if missing and (name != next(reversed(chunks)) or missing > len(frame)):
        raise EndMissing
    width, height = _size(name, frame)
    has_codes = name == b"VP8L" or b"ALPH" in chunks
    check_size(width, height, _FEWER_PIXELS if has_codes else _MAX_PIXELS)
    if missing and width * height > _FEWER_PIXELS:
        raise EndMissing
    before: _Parts = []
    if name == b"VP8L":
        webp_lossless.check_sets(frame[_LOSSLESS_HEADER:], width, height)
    elif b"ALPH" in chunks:
        if chunks[b"ALPH"][:1] and chunks[b"ALPH"][0] & 3:
            webp_lossless.check_sets(chunks[b"ALPH"][1:], width, height)
        sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
        before = _chunk(b"VP8X", bytes([_HAS_ALPHA, 0, 0, 0]) + sides)
        before += _chunk(b"ALPH", chunks[b"ALPH"])
    with taking_turns(width, height):
        if missing:
            image = _without_missing_rows(before, name, frame, missing)
        else:
            image = plain(_decoded(before + _chunk(name, frame), data))
        return upright(image, bytes(chunks.get(b"EXIF", b"")))


def _decoded(parts: _Parts, data: bytes = b"") -> Image.Image:
    """Decode a still image of these chunks; ``data`` is the file that they come from."""
    size = 4 + sum(map(len, parts))
    if len(data) == 8 + size:
        # Nothing was left out, so there is no need for a copy.
        still = data
    else:
        still = b"".join([struct.pack("<4sI4s", b"RIFF", size, b"WEBP"), *parts])
    image = Image.open(io.BytesIO(still), formats=["WEBP"])
    image.load()
    return image


def _without_missing_rows(
    before: _Parts, name: bytes, frame: memoryview, missing: int
) -> Image.Image:
    """Decode a frame that lacks its end; raises ``EndMissing`` if too few rows remain.

    It is completed in two ways: the rows that are the same in both come from what is there.
    """
    images: list[Image.Image] = []
    for filler in _FILLERS:
        # More than are missing: the decoder refuses a frame that it reads past the end of.
        complete = bytes(frame) + filler * (missing + _PADDING)
        with contextlib.suppress(OSError, ValueError):
            images.append(plain(_decoded(before + _chunk(name, complete))))
        if len(images) == 2:
            break
    else:
        raise EndMissing
    difference = np.asarray(ImageChops.difference(*images))
    same = difference.reshape(len(difference), -1).max(1) <= _ALIKE
    rows = len(same) if same.all() else int(same.argmin())
    if missing <= _FEW * len(frame) and rows >= _LEAST * len(same):
        # The rows of the margin below a digit take hardly any bytes.
        return images[0].crop((0, 0, images[0].width, rows))
    return first_rows(images[0], rows, len(same))


def _first_chunks(data: bytes) -> Iterator[tuple[bytes, int, memoryview]]:
    """Yield name, announced size and content of the chunks of a still image.

    Of an animation, those of its first frame; the last content may be shorter than announced.
    """
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
            yield name, size, memoryview(data)[at : at + size]
        at += size + size % 2
    raise UnusualImage


def _size(name: bytes, content: memoryview) -> tuple[int, int]:
    """Return width and height as the frame itself gives them."""
    if name == b"VP8L":
        bits = int.from_bytes(content[1:5], "little")
        return (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
    width, height = content[6:8], content[8:10]
    return int.from_bytes(width, "little") & 0x3FFF, int.from_bytes(height, "little") & 0x3FFF


def _chunk(name: bytes, content: bytes | memoryview) -> _Parts:
    return [struct.pack("<4sI", name, len(content)), content, bytes(len(content) % 2)]
