"""BMP: as many of its rows as there are.

Layout: Microsoft, "Bitmap Storage" (BITMAPCOREHEADER to BITMAPV5HEADER).
"""

from __future__ import annotations

import io
import struct

import numpy as np
from PIL import Image

from recognizer.imaging.errors import MIN_CONTRAST, EndMissing, TruncatedImage, UnusualImage
from recognizer.imaging.files.reducing import MOST, check_size, plain, taking_turns

_CORE = 12
_PLAIN, _WITH_MASKS = 0, (3, 6)
_RUN_LENGTHS = (1, 2)
_MAX_RUN_LENGTHS = 256 * 1024  # bytes: Pillow decodes them in Python, 1.5 MB a second


def read(data: bytes) -> Image.Image:
    """Decode a BMP file; raises an ``ImageError``. A few rows may be missing."""
    if len(data) < 34:
        raise EndMissing
    start, header_size = struct.unpack_from("<II", data, 10)
    compression = _PLAIN
    if header_size == _CORE:
        height_at, height_format = 20, "<H"
        width, height, _planes, bits = struct.unpack_from("<HHHH", data, 18)
    else:
        height_at, height_format = 22, "<i"
        width, height, _planes, bits, compression = struct.unpack_from("<iiHHI", data, 18)
    check_size(width, abs(height))
    if compression in _RUN_LENGTHS:
        if len(data) > _MAX_RUN_LENGTHS:
            raise UnusualImage
        if len(data) < int.from_bytes(data[2:6], "little"):
            raise EndMissing
    elif compression not in (_PLAIN, *_WITH_MASKS):
        raise UnusualImage
    else:
        rows = max(0, len(data) - start) // max(1, (width * bits + 31) // 32 * 4)
        if rows < MOST * abs(height):
            raise EndMissing
        if rows < abs(height):
            patched = bytearray(data)
            struct.pack_into(height_format, patched, height_at, rows if height > 0 else -rows)
            data = bytes(patched)
    with taking_turns(width, height):
        image = Image.open(io.BytesIO(data), formats=["BMP"])
        if image.size[0] != width or image.size[1] > abs(height):
            raise TruncatedImage
        image.load()
        if (compression, bits) == (_PLAIN, 32) and _is_flat(image):
            return _with_alpha(image, data[start:], -1 if height > 0 else 1)
        return plain(image)


def _is_flat(image: Image.Image) -> bool:
    return all(np.ptp(extrema) < MIN_CONTRAST for extrema in image.convert("RGB").getextrema())


def _with_alpha(image: Image.Image, rows: bytes, direction: int) -> Image.Image:
    """Return an image whose unused fourth byte is alpha, as some programs write it."""
    return plain(Image.frombytes("RGBA", image.size, rows, "raw", "BGRA", 0, direction))
