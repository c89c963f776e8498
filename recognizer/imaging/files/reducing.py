"""Large images: their limits, taking turns, and reducing them strip by strip."""

from __future__ import annotations

import contextlib
import math
import threading
from collections.abc import Iterator

import numpy as np
from PIL import Image

from recognizer.imaging.errors import (
    MAX_SIDE,
    MIN_CONTRAST,
    EndMissing,
    ImageTooLarge,
    TooLargeForItsKind,
    TruncatedImage,
)

ENOUGH_PIXELS = 2 * 2**20
"""Images with more pixels are reduced: at least 1,000 px remain on the longer side."""

MOST = 0.8  # of the rows must be there
_LEAST = 0.5  # of the rows, if the last is blank

_STRIP_PIXELS = 2**17  # at a time: what is converted fits the processor's cache

_turn = threading.Lock()


def check_size(width: int, height: int, most_pixels: int = MAX_SIDE**2) -> None:
    """Check the size that a header gives; raises an ``ImageError``."""
    if width < 1 or height < 1:
        raise TruncatedImage
    if max(width, height) > MAX_SIDE:
        raise ImageTooLarge
    if width * height > most_pixels:
        raise TooLargeForItsKind


def factor_for(width: int, height: int) -> int:
    """Return the whole number by which to divide both sides, so that few enough px remain."""
    return math.ceil(math.sqrt(width * height / ENOUGH_PIXELS))


@contextlib.contextmanager
def taking_turns(width: int, height: int) -> Iterator[None]:
    """Decode one large image at a time in each process, however many requests there are."""
    if width * height <= ENOUGH_PIXELS:
        yield
        return
    with _turn:
        yield


def plain(image: Image.Image) -> Image.Image:
    """Return a loaded image in mode L, RGB, or, if anything is transparent, RGBA; reduce it."""
    width, height = image.size
    factor = factor_for(width, height)
    if factor == 1:
        return _converted(image)
    rows = max(1, _STRIP_PIXELS // width // factor) * factor
    strips = [
        _converted(image.crop((0, top, width, min(top + rows, height)))).reduce(factor)
        for top in range(0, height, rows)
    ]
    return stacked(strips)


def stacked(strips: list[Image.Image]) -> Image.Image:
    """Return images of one width and mode below each other."""
    if len(strips) == 1:
        return strips[0]
    whole = Image.new(strips[0].mode, (strips[0].width, sum(strip.height for strip in strips)))
    top = 0
    for strip in strips:
        whole.paste(strip, (0, top))
        top += strip.height
    return whole


def first_rows(image: Image.Image, rows: int, height: int) -> Image.Image:
    """Return the first rows of an image of which no more are there, of ``height``.

    Raises ``EndMissing`` if too many are missing, for the digit would be cut off; below a row
    of blank paper fewer are enough.
    """
    top = image.crop((0, 0, image.width, rows))
    if rows < MOST * height:
        last = np.asarray(top.convert("L"))[-1].astype(np.int64)
        if rows < _LEAST * height or np.ptp(last) >= MIN_CONTRAST:
            raise EndMissing
    return top


def _converted(image: Image.Image) -> Image.Image:
    if image.has_transparency_data:
        return image.convert("RGBA")
    return image.convert("L" if image.mode in ("1", "L") else "RGB")
