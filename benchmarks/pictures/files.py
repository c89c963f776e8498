"""The files of the documentation's pictures: small."""

from __future__ import annotations

import io
from pathlib import Path

from PIL import Image

from benchmarks.common import results

MAX_BYTES = 150_000


def smaller(png: bytes) -> bytes:
    """Return a picture with at most 256 colours, enough for drawings and text."""
    with Image.open(io.BytesIO(png)) as image:
        few = image.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    out = io.BytesIO()
    few.save(out, "PNG", optimize=True)
    return out.getvalue()


def write(picture: bytes, path: Path) -> None:
    """Write a picture; exit with a message if it is too large."""
    if len(picture) > MAX_BYTES:
        raise SystemExit(f"{path}: {len(picture):,} bytes, more than {MAX_BYTES:,}.")
    results.write_file(path, picture)
    print(f"{path}: {len(picture):,} bytes")
