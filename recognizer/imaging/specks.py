"""Dust beside a drawing: pieces of ink too small to be part of it.

Normalising thin strokes to one width enlarges specks too, and the box is measured around them: a
1 with a grain of dust would become a short 1 beside a blot.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Runs = NDArray[np.intp]

SPECK = 0.7
"""Largest area of a speck, in squares of the stroke's width: a dot that the same pen has put
down covers pi/4 of one, and is meant."""

_SHARE = 0.1
"""If specks are more than this share of the ink, they are the drawing, not dust."""

_GRAIN, _GRAINS = 2, 8
"""At least 8 pieces of at most 2 px are noise: clean digits of MNIST have at most two."""


@dataclass(frozen=True)
class Pieces:
    """Ink's connected pieces, diagonal neighbours included, as runs along rows.

    Each run has a row, a start, a stop and the number of its piece, all intp (n,).
    """

    rows: Runs
    starts: Runs
    stops: Runs
    piece: Runs

    @property
    def area(self) -> NDArray[np.float64]:
        return np.asarray(np.bincount(self.piece, self.stops - self.starts), np.float64)

    def erase(self, mask: Mask, gone: Mask) -> Mask:
        """Return ink, (h, w), without the pieces that ``gone`` names, bool (pieces,)."""
        kept = mask.copy()
        for run in np.flatnonzero(gone[self.piece]):
            kept[self.rows[run], self.starts[run] : self.stops[run]] = False
        return kept


def without_specks(mask: Mask, width: float) -> Mask | None:
    """Return ink, bool (h, w), without its specks, or None where it has none.

    ``width`` is the stroke's, in px.
    """
    found = pieces(mask)
    area = found.area
    small = area < SPECK * width * width
    if not small.any() or area[small].sum() > _SHARE * area.sum():
        return None
    return found.erase(mask, small)


def is_grainy(mask: Mask) -> bool:
    """Whether ink, bool (h, w) at the drawing's own resolution, is full of single px."""
    return int((pieces(mask).area <= _GRAIN).sum()) >= _GRAINS


def pieces(mask: Mask) -> Pieces:
    """Find ink's connected pieces.

    Runs that touch in neighbouring rows are joined by union-find (Rosenfeld and Pfaltz,
    "Sequential operations in digital picture processing", JACM 13(4), 1966). SciPy and OpenCV
    take 0.03 ms less of the 1.5 ms per drawing; `stroke_width` has their price.
    """
    height, width = mask.shape
    # A false column on either side: no run crosses a row, and none touches the next row's.
    framed = np.zeros((height, width + 2), np.int8)
    framed[:, 1:-1] = mask
    step = np.diff(framed.ravel())
    begin, end = np.flatnonzero(step == 1), np.flatnonzero(step == -1)
    below = width + 2
    first = np.searchsorted(end, begin + below, "left")
    last = np.searchsorted(begin, end + below, "right")
    # A run's parent is never below it, so one pass in their order finds all roots.
    parent = list(range(len(begin)))
    for run, (low, high) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
        for other in range(low, high):
            one, two = run, other
            while parent[one] != one:
                parent[one] = one = parent[parent[one]]
            while parent[two] != two:
                parent[two] = two = parent[parent[two]]
            if one < two:
                parent[two] = one
            else:
                parent[one] = two
    number = 0
    for run, above in enumerate(parent):
        if above == run:
            parent[run], number = number, number + 1
        else:
            parent[run] = parent[above]
    piece = np.array(parent, np.intp)
    return Pieces(begin // below, begin % below, end % below, piece)
