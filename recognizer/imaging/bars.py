"""A 1 cropped without any margin: an upright bar that leaves no paper but in its corners."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]

_UPRIGHT = 2.5  # times as high as wide
_EVEN = 24  # grey levels: the noise of a JPEG
_CLEAR = 48  # grey levels between ink and paper


def is_bar(grey: Pixels) -> bool:
    """Whether a picture, uint8 (h, w), is upright and evenly dark: all ink."""
    if not _is_upright(grey):
        return False
    lightest = int(grey.max())
    return lightest < 128 and lightest - int(grey.min()) < _EVEN


def paper_in_corners(grey: Pixels, level: float) -> float | None:
    """Return the level of an upright picture's corners if its border, of ``level``, is ink."""
    if not _is_upright(grey):
        return None
    # The round ends of a 1, or its lean.
    corners = np.sort(grey[[0, 0, -1, -1], [0, -1, 0, -1]]).astype(np.float64)
    if np.abs(corners - level).min() < _CLEAR or np.ptp(np.sign(corners - level)):
        return None
    return float(np.median(corners))


def _is_upright(grey: Pixels) -> bool:
    return grey.shape[0] >= _UPRIGHT * grey.shape[1]
