"""BMP: as many of its rows as there are.

Layout: Microsoft, "Bitmap Storage" (BITMAPCOREHEADER to BITMAPV5HEADER).
"""

from __future__ import annotations

import io
import struct

from PIL import Image

from recognizer.imaging.errors import EndMissing, TruncatedImage, UnusualImage
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
        return plain(image)
