"""Separating ink from paper, and reducing it so that no thin line is lost."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognizer.imaging.bars import is_bar, paper_in_corners
from recognizer.imaging.decoding import (
    BlankDrawing,
    Pixels,
)
from recognizer.imaging.stroke_width import extent, median

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]
INK_LEVEL = 0.4  # of the strongest ink: the edge of a stroke
_THIN_LINE_GAIN = 2.5  # half covered px twice averaged still pass the ink level


@dataclass(frozen=True)
class Ink:
    """A drawing, ``grey`` (h, w), as ink of 0 (``paper``) to 1 (``strongest``), both grey levels.

    Ink of the whole drawing is seldom needed: most of it is paper.
    """

    grey: Pixels
    paper: float
    strongest: float

    def mask(self) -> Mask:
        """Return where the ink is, up to the edge of the strokes: bool (h, w)."""
        strong = np.flatnonzero(self._of(np.arange(256, dtype=np.uint8)) > INK_LEVEL)
        if self.strongest > self.paper:
            return np.asarray(self.grey >= int(strong[0]))
        return np.asarray(self.grey <= int(strong[-1]))

    def within(self, rows: slice = slice(None), columns: slice = slice(None)) -> Floats:
        """Return the ink of a part of the drawing, float32."""
        return self._of(self.grey[rows, columns])

    def _of(self, grey: Pixels) -> Floats:
        ink = grey.astype(np.float32)
        ink -= self.paper
        ink /= self.strongest - self.paper
        return np.maximum(ink, 0, out=ink)


def find_ink(grey: Pixels) -> Ink:
    """Separate ink from paper in a drawing, uint8 (h, w).

    The ink is the level that differs most from the paper, so white on black works like black on
    white. Raises ``BlankDrawing`` where there is no ink.
    """
    paper = paper_level(grey)
    darkest, lightest = float(grey.min()), float(grey.max())
    if max(paper - darkest, lightest - paper) < 1:
        raise BlankDrawing
    return Ink(grey, paper, lightest if lightest - paper > paper - darkest else darkest)


def paper_level(grey: Pixels) -> float:
    """Return the grey level of the paper: the median of the border, unless that is a 1."""
    if is_bar(grey):
        return 255.0
    level = median(np.concatenate((grey[0], grey[-1], grey[:, 0], grey[:, -1])))
    in_corners = paper_in_corners(grey, level)
    return level if in_corners is None else in_corners


def bounds(mask: Mask) -> tuple[slice, slice]:
    """Return the rows and columns that ink, bool (h, w), extends over."""
    return slice(*extent(mask, 1)), slice(*extent(mask, 0))


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
