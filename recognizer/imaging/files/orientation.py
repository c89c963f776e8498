"""How a camera was held: the only metadata that counts."""

from __future__ import annotations

import struct

from PIL import Image

_TAG = 0x0112
_MAX_ENTRIES = 500
_TRANSPOSES = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def upright(image: Image.Image, exif: bytes) -> Image.Image:
    """Turn an image as its Exif data (in TIFF's layout) says; broken Exif data is ignored."""
    method = _TRANSPOSES.get(_orientation(exif))
    return image if method is None else image.transpose(method)


def _orientation(exif: bytes) -> int:
    """Return the orientation in the first directory, 1 to 8, or 0."""
    exif = exif.removeprefix(b"Exif\0\0")
    order = {b"II*\0": "<", b"MM\0*": ">"}.get(exif[:4])
    if order is None:
        return 0
    try:
        (start,) = struct.unpack_from(f"{order}I", exif, 4)
        (entries,) = struct.unpack_from(f"{order}H", exif, start)
        for at in range(start + 2, start + 2 + 12 * min(entries, _MAX_ENTRIES), 12):
            tag, _kind, _count, value = struct.unpack_from(f"{order}HHIH", exif, at)
            if tag == _TAG:
                return int(value)
    except struct.error:
        pass
    return 0
