"""Separating ink from paper, and reducing it so that no thin line is lost."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recognizer.imaging.bars import is_bar, paper_in_corners
from recognizer.imaging.decoding import (
    BlankDrawing,
    Pixels,
)
from recognizer.imaging.stroke_width import extent

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
INK_LEVEL = 0.4  # of the strongest ink: the edge of a stroke
_THIN_LINE_GAIN = 2.5  # half covered px twice averaged still pass the ink level


def find_ink(grey: Pixels) -> tuple[Floats, bool]:
    """Return ink as (h, w) float32, 0 paper to 1 strongest ink, and whether the paper is dark.

    Paper is the median of the border, so white ink on black works like black on white. A dark
    picture of the shape of a 1 is all ink.
    """
    if is_bar(grey):
        return np.ones(grey.shape, np.float32), False
    difference = grey.astype(np.float32) - paper_level(grey)
    darkest, lightest = float(-difference.min()), float(difference.max())
    if max(darkest, lightest) < 1:
        raise BlankDrawing
    paper_is_dark = lightest > darkest
    ink = difference / lightest if paper_is_dark else difference / -darkest
    return np.maximum(ink, 0, out=ink), paper_is_dark


def paper_level(grey: Pixels) -> float:
    border = np.concatenate((grey[0], grey[-1], grey[:, 0], grey[:, -1]))
    level = float(np.median(border))
    in_corners = paper_in_corners(grey, level)
    return level if in_corners is None else in_corners


def bounds(ink: Floats) -> tuple[tuple[int, int], tuple[int, int]]:
    """Return the first and past-the-last row and column of the ink."""
    mask = ink > INK_LEVEL
    return extent(mask, 1), extent(mask, 0)


def crop(ink: Floats) -> Floats:
    (top, bottom), (left, right) = bounds(ink)
    return ink[top:bottom, left:right]


def keep_thin_lines(ink: Floats, factor: float) -> Floats:
    """Prepare ink for averaging by ``factor``, under which a thin line would fade.

    A line thinner than the step is made darker (its smoothed edges are all there is of it) and
    keeps the maximum of each block of whole px instead of its mean.
    """
    if _rough_width(ink > INK_LEVEL) > 1.5 * factor:
        return ink
    step = int(factor)
    height, width = ink.shape
    padded = np.pad(ink, ((0, -height % step), (0, -width % step)))
    blocks = padded.reshape(padded.shape[0] // step, step, padded.shape[1] // step, step)
    darker: Floats = np.minimum(blocks.max((1, 3)) * np.float32(_THIN_LINE_GAIN), 1)
    return darker


def _rough_width(mask: Mask) -> float:
    """Estimate the stroke's width, in px, as twice area over perimeter.

    The perimeter comes from the steps between ink and paper along rows and columns (Cauchy and
    Crofton: pi/4 of their number), which needs no distance transform.
    """
    steps = np.count_nonzero(mask[1:] != mask[:-1]) + np.count_nonzero(mask[:, 1:] != mask[:, :-1])
    return 2 * np.count_nonzero(mask) / max(1.0, steps * np.pi / 4)


def grown(mask: Mask) -> Mask:
    """Return a mask with its neighbours: the smoothed edge of the ink."""
    tall = mask.copy()
    tall[1:] |= mask[:-1]
    tall[:-1] |= mask[1:]
    wide = tall.copy()
    wide[:, 1:] |= tall[:, :-1]
    wide[:, :-1] |= tall[:, 1:]
    return wide
