"""Ink of any width -> ink of one width, on a grid of 80 px.

Brush, pen and finger differ most in the width of their strokes, and a network that has learned
one width misclassifies others.

NumPy only: ``scipy.ndimage`` (1.17) and OpenCV (5.0) give the same bytes, in 1.01 and 0.74 times
the time per drawing, but install 143 and 153 MB and cost a process 0.5 and 0.05 s, 27 and 18 MB.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

INK_SIDE = 20
"""Side, in px, of the box that the ink is scaled to (MNIST)."""

STROKE_WIDTH = 2.4
"""Width, in px of the 28x28 image, that every stroke is normalised to (about that of MNIST)."""

WORK_SIDE = 80
"""Longer side of the ink on the working grid: four working px to one px of the ink box."""

MARGIN = 8
"""Working px around the ink: room to dilate a hair-thin line."""


@dataclass(frozen=True)
class Stroke:
    """Ink measured: the ``mask`` (h, w), the distances of its cells from the paper, ``inside``,
    and ``ridge``, the depths (n,) along its middle, all in working px.
    """

    mask: Mask
    inside: Floats
    ridge: Floats

    @property
    def width(self) -> float:
        """The width of the brush: twice the median depth along the middle.

        A mean over the ink is pulled up by a loop that the brush has filled, and erosion by that
        much would wipe out the rest.
        """
        return 2 * median(self.ridge)


def measure(mask: Mask) -> Stroke:
    """Measure ink on the working grid, bool (h, w)."""
    inside = distance_transform(mask, WORK_SIDE)
    return Stroke(mask, inside, _ridge(inside) - np.float32(0.5))


def distance_transform(mask: Mask, limit: int) -> Floats:
    """Return each true cell's Euclidean distance to the nearest false one, at most ``limit``.

    Exact below the limit, and separable: distances along columns first, then the least sum of
    squares along rows (Saito and Toriwaki, "New algorithms for Euclidean distance
    transformation", Pattern Recognition 27(11), 1994). (h, w) bool to (h, w) float32.
    """
    height, width = mask.shape
    column = _along_columns(mask, limit)
    # No cell is further from a false one than along its row or its column.
    reach = int(np.minimum(column, _along_columns(np.ascontiguousarray(mask.T), limit).T).max())
    # As one row, with cells between the rows that are never the nearest: three times as fast as
    # on a grid. 16 bits hold the squares of a grid of 96 px, and are twice as fast as 32.
    grid = np.full((height + 1, width + reach), limit * limit, np.int16)
    np.multiply(column, column, out=grid[:height, reach:])
    squared, stop = grid.ravel(), height * (width + reach)
    nearest = squared[:stop].copy()
    best, nearer = nearest[reach:], np.empty(stop - reach, np.int16)
    for step in range(1, reach + 1):
        np.minimum(squared[reach - step : stop - step], squared[reach + step : stop + step], nearer)
        nearer += np.int16(step * step)
        np.minimum(best, nearer, best)
    return np.sqrt(nearest.reshape(height, -1)[:, reach:], dtype=np.float32)


def _along_columns(mask: Mask, limit: int) -> NDArray[np.int16]:
    """Return the distances to the nearest false cell of the same column, at most ``limit``."""
    distance = np.multiply(mask, np.int16(limit), dtype=np.int16)
    step = 1
    while step < limit:
        further = distance + np.int16(step)
        np.minimum(distance[step:], further[:-step], out=distance[step:])
        np.minimum(distance[:-step], further[step:], out=distance[:-step])
        # Distances below twice the step are known now.
        step *= 2
        if int(distance.max()) < step:
            break
    return distance


def redraw(stroke: Stroke) -> Floats:
    """Draw the ink anew with a stroke of one width: float32 (h, w), 0 to 1, still working px.

    Thicker or thinner ink also changes the size of the box, and scaling the box to 20 px changes
    the width again. Both fit at once when the centre line's extent, the ink's less the width, is
    scaled to ``20 - 2.4`` px.
    """
    (top, bottom), (left, right) = extent(stroke.mask, 1), extent(stroke.mask, 0)
    width = stroke.width
    centre_line = max(max(bottom - top, right - left) - width, 0.0)
    target = STROKE_WIDTH * centre_line / (INK_SIDE - STROKE_WIDTH)
    # Never erode past the middle of the thinner parts, or a line drawn with less pressure and a
    # dot (all width, no length) would vanish.
    thinnest = float(np.quantile(stroke.ridge, 0.2))
    grow = max((target - width) / 2, -0.8 * thinnest)
    # Ink never grows by more than the margin.
    needed = min(math.ceil(grow) + 1, MARGIN + 2)
    outside = distance_transform(~stroke.mask, needed) if needed > 1 else np.float32(1)
    signed = np.where(stroke.mask, stroke.inside - np.float32(0.5), np.float32(0.5) - outside)
    signed += np.float32(grow + 0.5)
    return np.clip(signed, 0, 1, out=signed)


def median(values: NDArray[np.uint8] | Floats) -> float:
    """Return ``numpy.median``, which takes three times as long."""
    ordered = np.sort(values)
    low, high = ordered[(ordered.size - 1) // 2], ordered[ordered.size // 2]
    return float(low) if low == high else float((low.astype(np.float32) + high) / np.float32(2))


def extent(mask: Mask, axis: int) -> tuple[int, int]:
    """Return where ink begins and ends when looked at along an axis."""
    cells = np.flatnonzero(np.asarray(mask.any(axis)))
    return int(cells[0]), int(cells[-1]) + 1


def _ridge(inside: Floats) -> Floats:
    """Return the distances along the stroke's middle: of cells without a deeper neighbour."""
    inner = inside[1:-1, 1:-1]
    top = inner > 0
    for rows, columns in ((0, 1), (2, 1), (1, 0), (1, 2)):
        height, width = inner.shape
        top &= inner >= inside[rows : rows + height, columns : columns + width]
    return inner[top]
