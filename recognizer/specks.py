"""Dust beside a drawing: pieces of ink too small to be part of it.

Bringing thin strokes to one width makes a speck grow with them, and the box is measured around
it: a 1 with a grain of dust comes out as a short 1 beside a blot.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]

_SPECK = 0.7
"""Largest area of a speck, in squares of the stroke's width: a dot that the same pen has put
down covers pi/4 of one, and is meant."""

_SHARE = 0.1
"""Specks that are together more than this share of the ink are no dust: the drawing is made of
them."""

_GRAIN, _GRAINS = 2, 8
"""So many pieces of so few px are noise: clean digits of MNIST have two at most."""


def without_specks(mask: Mask, width: float) -> Mask | None:
    """Return ink, bool (h, w), without its specks, or None where it has none.

    ``width`` is the stroke's, in px.
    """
    rows, starts, stops, piece = pieces(mask)
    area = np.bincount(piece, stops - starts)
    small = area < _SPECK * width * width
    if not small.any() or area[small].sum() > _SHARE * area.sum():
        return None
    kept = mask.copy()
    for run in np.flatnonzero(small[piece]):
        kept[rows[run], starts[run] : stops[run]] = False
    return kept


def is_grainy(mask: Mask) -> bool:
    """Whether ink, bool (h, w) at the drawing's own resolution, is strewn with single px."""
    rows, starts, stops, piece = pieces(mask)
    area = np.bincount(piece, stops - starts) if rows.size else np.zeros(0)
    return int((area <= _GRAIN).sum()) >= _GRAINS


def pieces(
    mask: Mask,
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Return ink's connected pieces, diagonal neighbours included, as runs along rows.

    Each run has a row, a start, a stop and the number of its piece, all intp (n,). Runs that
    touch in neighbouring rows are joined by union-find (Rosenfeld and Pfaltz, "Sequential
    operations in digital picture processing", JACM 13(4), 1966).
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
    parent = list(range(len(begin)))

    def root(run: int) -> int:
        while parent[run] != run:
            parent[run] = parent[parent[run]]
            run = parent[run]
        return run

    for run, (low, high) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
        for other in range(low, high):
            parent[root(other)] = root(run)
    roots = np.array([root(run) for run in range(len(parent))], np.intp)
    piece = np.unique(roots, return_inverse=True)[1].astype(np.intp)
    return begin // below, begin % below, end % below, piece
