"""Submitted bytes -> ``Drawing``, the form in which a drawing is stored."""

from __future__ import annotations

import hashlib
import io
import struct
import zlib
from dataclasses import dataclass

import numpy as np
from PIL import Image

from recognizer.imaging import photo
from recognizer.imaging.bars import is_bar
from recognizer.imaging.borders import without_bands
from recognizer.imaging.decoding import (
    MIN_CONTRAST,
    BlankDrawing,
    Pixels,
    decode,
    to_grey,
)
from recognizer.imaging.files.png import SIGNATURE, chunk
from recognizer.imaging.ink import find_ink, keep_thin_lines

STORED_SIDE = 512
"""Longer side, in px, of the drawing that is stored."""

_SMALL_FILE = 8 * 1024  # bytes: more than drawings made on a screen take


@dataclass(frozen=True)
class Drawing:
    """A drawing as it is stored: greyscale uint8 (h, w), longer side at most 512 px."""

    pixels: Pixels

    def to_png(self) -> bytes:
        """Return the drawing as PNG bytes without metadata."""
        return encode_png(self.pixels)

    def sha256(self) -> str:
        """Return a hash of the drawing's size and pixels, whatever file they came in."""
        height, width = self.pixels.shape
        return hashlib.sha256(f"{height}x{width} ".encode() + self.pixels.tobytes()).hexdigest()


def encode_png(pixels: Pixels) -> bytes:
    """Return a uint8 array, (h, w) grey or (h, w, 3) RGB, as PNG bytes without metadata."""
    plain = _encode_unfiltered(pixels) if pixels.ndim == 2 else None
    if plain is not None and len(plain) <= _SMALL_FILE:
        return plain
    # A photo is smaller with filters.
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG", compress_type=zlib.Z_RLE)
    filtered = buffer.getvalue()
    return filtered if plain is None or len(filtered) < len(plain) else plain


def _encode_unfiltered(pixels: Pixels) -> bytes:
    """Return grey uint8 (h, w) as a PNG file whose rows have no filter (RFC 2083).

    A drawing is smaller so, and a third of Pillow's time is enough, which tries all five filters.
    """
    height, width = pixels.shape
    rows = np.zeros((height, 1 + width), np.uint8)
    rows[:, 1:] = pixels
    packer = zlib.compressobj(strategy=zlib.Z_RLE)
    packed = packer.compress(rows.data) + packer.flush()
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    parts = [(b"IHDR", header), (b"IDAT", packed), (b"IEND", b"")]
    return b"".join([SIGNATURE, *(piece for part in parts for piece in chunk(*part))])


def read_drawing(data: bytes) -> Drawing:
    """Decode a submitted file.

    Raises a subclass of ``ImageError`` for anything that is not a drawing: no bytes, over 8 MB,
    no image, another format, over 4096x4096 px (refused from the header, before decoding),
    damaged, or blank. Of an animation the first frame counts.
    """
    return Drawing(shrink(to_grey(decode(data)), STORED_SIDE))


def drawing_from_array(pixels: Pixels) -> Drawing:
    """Return a greyscale uint8 array (h, w) as a ``Drawing``, reduced if it is too large.

    Raises ``BlankDrawing`` where there is no ink, ``ValueError`` for another shape or dtype.
    """
    if pixels.ndim != 2 or pixels.dtype != np.uint8 or not pixels.size:
        raise ValueError(f"expected uint8 (h, w), got {pixels.dtype} {pixels.shape}")
    if int(pixels.max()) - int(pixels.min()) < MIN_CONTRAST and not is_bar(pixels):
        raise BlankDrawing
    return Drawing(shrink(pixels, STORED_SIDE))


def shrink(grey: Pixels, side: int) -> Pixels:
    """Reduce a drawing (h, w) to at most ``side`` px, by area averaging; never enlarge it.

    A line thinner than the step would fade into the paper: such drawings first keep the
    strongest ink of each block, not its mean.
    """
    height, width = grey.shape
    factor = max(height, width) / side
    if factor <= 1:
        return grey
    size = (max(1, round(width / factor)), max(1, round(height / factor)))
    if photo.is_photo(grey):
        # The darkest px of each block would be its noise.
        return np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BOX))
    found = find_ink(grey)
    ink = found.within()
    kept = keep_thin_lines(ink, factor)
    if kept is not ink:
        grey = np.rint(found.paper + (found.strongest - found.paper) * kept).astype(np.uint8)
    return np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BOX))


def as_drawn(grey: Pixels) -> Pixels:
    """Return a drawing (h, w) unchanged, but a photo of paper as ink on white.

    The photo itself is stored, so that a reviewer sees what was sent: pen strokes survive the
    reduction to 512 px by averaging (a 0.4 mm line of a digit that fills a twentieth of the
    frame is half a px there, well above the noise, which averaging lowers further).
    Raises ``BlankDrawing`` where a photo shows no ink.
    """
    return photo.flatten(grey) if photo.is_photo(grey) else without_bands(grey)
