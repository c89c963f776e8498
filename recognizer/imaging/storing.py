"""The form in which a drawing is stored: a PNG whose size is bounded."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from recognizer.imaging.drawing import Drawing, shrink
from recognizer.imaging.errors import BlankDrawing
from recognizer.imaging.grey import Pixels
from recognizer.imaging.normalise import model_input

MAX_STORED_BYTES = 32 * 1024

_STEP = 32  # px by which the longer side gets shorter
# At this side even noise, which can't be compressed, fits.
_SMALLEST = 176
# Mean difference of the model's input, in grey levels, that is as good as none: about what one more
# reduction of a photo gives.
_ALIKE = 2.0
# Sizes that fit and are compared.
_MOST_COMPARED = 4


@dataclass(frozen=True)
class Stored:
    """A drawing that fits, and its PNG."""

    drawing: Drawing
    png: bytes


def for_storing(drawing: Drawing, seen: Pixels) -> Stored:
    """Return a drawing as it is, or reduced until its PNG has at most ``MAX_STORED_BYTES``.

    Strokes on a canvas fit as they are; photos and noise may not. They are made smaller, not
    coarser: with fewer grey levels a photo looks like a clean drawing, and the model would see its
    paper as ink. Of the sizes that fit, the largest one is taken from which the model's input is
    like ``seen``, uint8 (28, 28), or else the one from which it is most alike.
    """
    png = drawing.to_png()
    if len(png) <= MAX_STORED_BYTES:
        return Stored(drawing, png)
    best, least, compared = None, math.inf, 0
    for side in _sides(drawing, len(png)):
        smaller = Drawing(shrink(drawing.pixels, side))
        png = smaller.to_png()
        if len(png) > MAX_STORED_BYTES:
            continue
        difference = _difference(smaller, seen)
        if best is None or difference < least:
            best, least = Stored(smaller, png), difference
        compared += 1
        if difference <= _ALIKE or compared == _MOST_COMPARED:
            break
    assert best is not None, "the smallest side fits"
    return best


def _sides(drawing: Drawing, size: int) -> Iterator[int]:
    """Yield the sides to try, from about where the PNG, now of ``size`` bytes, begins to fit."""
    # A reduced drawing takes more bytes for each px: a larger side than this can't fit.
    side = max(drawing.pixels.shape) * math.sqrt(MAX_STORED_BYTES / size)
    first = math.ceil(side / _STEP) * _STEP
    yield from range(max(first, _SMALLEST), _SMALLEST, -_STEP)
    yield _SMALLEST


def _difference(drawing: Drawing, seen: Pixels) -> float:
    try:
        pixels = model_input(drawing)
    except BlankDrawing:
        return 255.0
    return float(np.abs(pixels.astype(np.int16) - seen).mean())
