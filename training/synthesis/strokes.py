"""Where and how large a drawing is placed on the site's canvas.

Uses only NumPy and Pillow, so that tests can draw too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognizer.imaging.strokes import CANVAS, Stroke, Strokes, render


@dataclass(frozen=True)
class Placement:
    """Size and position of a digit on the canvas, and the width of the brush.

    ``size`` is the range of the longer side relative to the canvas, ``brush`` the range of the
    brush's width in px on a 280 px canvas, ``anywhere`` whether the position is random.
    """

    size: tuple[float, float]
    brush: tuple[float, float]
    anywhere: bool


PLACEMENTS: dict[str, Placement] = {
    "centred": Placement(size=(0.6, 0.7), brush=(20, 20), anywhere=False),
    "small": Placement(size=(0.3, 0.5), brush=(20, 20), anywhere=True),
    "large": Placement(size=(0.88, 0.88), brush=(20, 20), anywhere=False),
    "thin": Placement(size=(0.6, 0.7), brush=(6, 6), anywhere=False),
    "wild": Placement(size=(0.25, 0.9), brush=(8, 24), anywhere=True),
}
"""The five placements that accuracy is reported for."""


def place(
    strokes: Sequence[Stroke],
    *,
    canvas: int = CANVAS,
    size: float = 0.6,
    centre: tuple[float, float] | None = None,
) -> Strokes:
    """Scale and move a drawing onto a canvas.

    Its longer side becomes ``size`` times the canvas, and the centre of its bounding box ``centre``
    (x, y in px), by default that of the canvas. A single dot stays a dot.
    """
    points = np.concatenate(strokes)
    low, high = points.min(0), points.max(0)
    extent = float((high - low).max())
    scale = size * canvas / extent if extent > 0 else 1.0
    to = np.array(centre if centre is not None else (canvas / 2, canvas / 2), np.float64)
    return [(stroke - (low + high) / 2) * scale + to for stroke in strokes]


def place_at(
    strokes: Sequence[Stroke],
    placement: Placement,
    rng: np.random.Generator,
    *,
    canvas: int = CANVAS,
) -> tuple[Strokes, float]:
    """Place strokes with values sampled from the ranges of a placement.

    Returns the strokes and the width of the brush, both in px. All ink is on the canvas.
    """
    brush = rng.uniform(*placement.brush) * canvas / CANVAS
    size = min(rng.uniform(*placement.size), 1 - brush / canvas)
    placed = place(strokes, canvas=canvas, size=size)
    if placement.anywhere:
        points = np.concatenate(placed)
        low = brush / 2 - points.min(0)
        high = canvas - brush / 2 - points.max(0)
        shift = rng.uniform(np.minimum(low, high), np.maximum(low, high))
        placed = [stroke + shift for stroke in placed]
    return placed, brush


def draw_at(
    strokes: Sequence[Stroke],
    placement: Placement,
    rng: np.random.Generator,
    *,
    canvas: int = CANVAS,
) -> NDArray[np.uint8]:
    """Draw strokes as ``place_at`` places them: uint8 (canvas, canvas), black on white."""
    placed, brush = place_at(strokes, placement, rng, canvas=canvas)
    return render(placed, canvas=canvas, brush=brush)
