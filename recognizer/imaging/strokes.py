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
    width = max(1, round(2 * brush))
    radius = width / 2
    for stroke in strokes:
        points = [(float(x), float(y)) for x, y in 2 * stroke]
        if len(points) > 1:
            draw.line(points, fill=0, width=width)
        if width > 2 or len(points) == 1:
            # Round caps and joins; Pillow's own "curve" joint leaves gaps on short segments.
            for x, y in points:
                draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=0)
    return np.asarray(image.reduce(2))
