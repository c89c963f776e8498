"""Rendering of pen strokes with a brush, as on the site's canvas.

A stroke is a float64 array (n, 2) of points, x to the right and y down; a drawing is a list of
strokes.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Stroke = NDArray[np.float64]
Strokes = list[Stroke]

CANVAS = 280
"""Side of the canvas, in px, that widths of the brush refer to."""


def render(
    strokes: Sequence[Stroke], *, canvas: int = CANVAS, brush: float = 20.0
) -> NDArray[np.uint8]:
    """Draw strokes with a round brush: uint8 (canvas, canvas), black ink (0) on white (255).

    ``brush`` is the width in px. Drawn at twice the size and reduced, which smooths edges as a
    browser does. Strokes are clipped to the canvas.
    """
    image = Image.new("L", (2 * canvas, 2 * canvas), 255)
    draw = ImageDraw.Draw(image)
    for stroke in strokes:
        paint(draw, [(float(x), float(y)) for x, y in 2 * stroke], 2 * brush)
    return np.asarray(image.reduce(2))


def paint(
    draw: ImageDraw.ImageDraw, points: Sequence[tuple[float, float]], width: float, ink: int = 0
) -> None:
    """Draw the line through points (in px) with a round brush; a single point is a dot."""
    width = max(1, round(width))
    radius = width / 2
    if len(points) > 1:
        draw.line(points, fill=ink, width=width)
    if width > 2 or len(points) == 1:
        # Round caps and joins; Pillow's own "curve" joint leaves gaps on short segments.
        for x, y in points:
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=ink)
