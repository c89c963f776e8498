"""JPEG: only its tables, frame and scans reach the decoder.

The time that decoding takes is bounded by the number of bytes and, as each scan of a progressive
file passes over all blocks, by the number of scans times blocks. Its memory is small, unless
there are several scans: then all coefficients are kept, 2 bytes each.

Layout: ITU-T T.81, annex B.
"""

from __future__ import annotations

import io
import re
import struct
from dataclasses import dataclass, field

import numpy as np
from PIL import Image

from recognizer.imaging.errors import EndMissing, TooLargeForItsKind, TruncatedImage, UnusualImage
from recognizer.imaging.files.orientation import upright
from recognizer.imaging.files.reducing import check_size, first_rows, plain, taking_turns

_ENOUGH_SIDE = 960
"""Longer side, in px, that decoding at a half, a quarter or an eighth must leave."""

_MAX_SEGMENTS = 1000  # 64 kB each at most: ICC profiles and previews have up to some hundred
_MAX_SCANS = 40  # libjpeg writes 10 at most, optimising encoders some more
_MAX_COEFFICIENTS = 38 * 2**20  # bytes: 12 Mpx in 4:2:0
_MAX_TABLES = 2186  # bytes of a segment with all Huffman tables that there can be
_FILLED = 128  # the grey of blocks that are missing

_MARKER = re.compile(rb"\xff([\x01-\xfe])")
_END_OF_SCAN = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")
_BASELINE, _EXTENDED, _PROGRESSIVE = 0xC0, 0xC1, 0xC2
_OTHER_FRAMES = frozenset(range(0xC3, 0xD0)) - {0xC4, 0xC8, 0xCC}  # arithmetic, lossless, ...
_TABLES = frozenset({0xC4, 0xDB, 0xDD})  # Huffman, quantisation, restart interval
_WITHOUT_CONTENT = frozenset({0x01, 0xD8, *range(0xD0, 0xD8)})
_SCAN, _END = 0xDA, 0xD9
_APP0, _APP1, _APP14 = 0xE0, 0xE1, 0xEE


@dataclass
class _Stream:
    """What remains of a file: the parts that the pixels need, and what they say."""

    parts: list[bytes] = field(default_factory=lambda: [b"\xff\xd8"])
    width: int = 0
    height: int = 0
    blocks: int = 0
    components: int = 0
    is_progressive: bool = False
    scans: int = 0
    in_first_scan: int = 0
    exif: bytes = b""
    is_complete: bool = False


def read(data: bytes) -> Image.Image:
    """Decode a JPEG file; raises an ``ImageError``. A few missing bytes at its end don't matter."""
    stream = _walk(data)
    if not stream.scans:
        raise TruncatedImage if stream.is_complete else EndMissing
    has_several = stream.scans > 1 or stream.in_first_scan < stream.components
    if (stream.is_progressive or has_several) and 128 * stream.blocks > _MAX_COEFFICIENTS:
        raise TooLargeForItsKind
    with taking_turns(stream.width, stream.height):
        image = Image.open(io.BytesIO(b"".join([*stream.parts, b"\xff\xd9"])), formats=["JPEG"])
        stream.parts.clear()
        # For which the format is made: the decoder does the averaging.
        scale = max(image.size) / _ENOUGH_SIDE
        image.draft(None, (max(1, int(image.width / scale)), max(1, int(image.height / scale))))
        image.load()
        there = image if stream.is_complete else _without_missing_rows(image)
        return upright(plain(there), stream.exif)


def _walk(data: bytes) -> _Stream:
    stream = _Stream()
    seen: set[int] = set()
    at = 2
    for _ in range(_MAX_SEGMENTS):
        match = _MARKER.search(data, at)
        if match is None:
            return stream
        marker, start, at = match[1][0], match.start(), match.end()
        if marker == _END:
            stream.is_complete = True
            return stream
        if marker in _WITHOUT_CONTENT:
            continue
        end = at + int.from_bytes(data[at : at + 2], "big")
        if end > len(data) or at + 2 > len(data):
            return stream
        content = data[at + 2 : end]
        if marker == _SCAN:
            after = _END_OF_SCAN.search(data, end)
            at = len(data) if after is None else after.start()
            _add_scan(stream, content)
            stream.parts.append(data[start:at])
            continue
        at = max(end, at)
        if marker in (_BASELINE, _EXTENDED, _PROGRESSIVE):
            _add_frame(stream, content, is_progressive=marker == _PROGRESSIVE)
        elif marker in _OTHER_FRAMES:
            raise UnusualImage
        elif marker in _TABLES:
            if len(content) > _MAX_TABLES:
                raise TruncatedImage
        elif marker == _APP1 and not stream.exif and content.startswith(b"Exif\0\0"):
            stream.exif = content
            continue
        elif marker in (_APP0, _APP14) and marker not in seen:
            # They say how the colours are coded.
            seen.add(marker)
        else:
            continue
        stream.parts.append(data[start:end])
    raise UnusualImage


def _add_frame(stream: _Stream, content: bytes, *, is_progressive: bool) -> None:
    if stream.components:
        raise UnusualImage
    try:
        precision, stream.height, stream.width, stream.components = struct.unpack_from(
            ">BHHB", content
        )
        sampling = [content[7 + 3 * index] for index in range(stream.components)]
    except (struct.error, IndexError) as error:
        raise TruncatedImage from error
    if precision != 8:
        raise UnusualImage
    check_size(stream.width, stream.height)
    across, down = [byte >> 4 for byte in sampling], [byte & 15 for byte in sampling]
    if not sampling or not 1 <= min(across + down) <= max(across + down) <= 4:
        raise TruncatedImage
    stream.is_progressive = is_progressive
    stream.blocks = sum(
        -(-stream.width * right // (8 * max(across))) * -(-stream.height * below // (8 * max(down)))
        for right, below in zip(across, down, strict=True)
    )


def _add_scan(stream: _Stream, content: bytes) -> None:
    if not stream.components or not content:
        raise TruncatedImage
    if not stream.scans:
        stream.in_first_scan = content[0]
    stream.scans += 1
    if stream.scans > (_MAX_SCANS if stream.is_progressive else stream.components):
        raise UnusualImage


def _without_missing_rows(image: Image.Image) -> Image.Image:
    """Cut off the rows that are incomplete; raises ``EndMissing`` if too few remain.

    The decoder fills every channel of missing blocks with one level, and the first of them may
    stand anywhere in a row of blocks.
    """
    # At the right-hand edge, as blocks are stored from left to right.
    edge = image.crop((image.width - max(1, image.width // 50), 0, image.width, image.height))
    filled = np.abs(np.asarray(edge).astype(np.int16) - _FILLED) <= 1
    rows = np.flatnonzero(~filled.reshape(image.height, -1).all(1))
    last = int(rows[-1]) + 1 if len(rows) else 0
    return first_rows(image, last, image.height)
