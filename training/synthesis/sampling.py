"""The line that a page draws through the points that a mouse, finger or pen reports.

A slow page or a coarse digitiser reports few points. The site joins them with curves; other
programs, and the recordings in public data sets, join them with straight lines.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from recognizer.imaging.strokes import Stroke, Strokes

_COARSE = 0.5  # share of the drawings that are sampled anew
_CURVED = 0.6  # share of the drawings with curves
_POINTS = (14, 60)  # of a drawing that is sampled anew; with fewer an 8 loses its waist
_PIECES = 3  # straight lines that draw a curve


def sampled(strokes: Sequence[Stroke], rng: np.random.Generator) -> Strokes:
    """Return a drawing as another device might have reported it and another page drawn it.

    Half the drawings keep their points, the others have fewer at even steps of time; six in ten
    become curves, the others stay jagged lines.
    """
    found = list(strokes)
    if rng.random() < _COARSE:
        points = float(np.exp(rng.uniform(*np.log(_POINTS))))
        found = coarser(found, points, rng.random())
    return [curve(stroke) for stroke in found] if rng.random() < _CURVED else found


def coarser(strokes: Sequence[Stroke], points: float, phase: float = 0.0) -> Strokes:
    """Return strokes with about ``points`` points in all, at even steps of time.

    Recorded points are taken to be at even steps already. ``phase`` (0-1) is when, within a step,
    the first of them comes. Both ends of a stroke are kept; strokes never get more points.
    """
    step = max(1.0, sum(map(len, strokes)) / points)
    return [_every(stroke, step, phase) for stroke in strokes]


def _every(stroke: Stroke, step: float, phase: float) -> Stroke:
    last = len(stroke) - 1
    if step <= 1 or last < 2:
        return stroke
    # At least two steps, or a curve would become a line.
    step = min(step, last / 2)
    inner = np.arange(step * phase, last, step)
    at = np.concatenate(([0.0], inner[inner > 0], [last]))
    known = np.arange(last + 1)
    return np.stack([np.interp(at, known, axis) for axis in stroke.T], axis=1)


def curve(stroke: Stroke) -> Stroke:
    """Return the line that the site's brush draws through points (n, 2).

    Quadratic curves through the midpoints, with the points themselves as control points, and a
    straight end: as ``paintLine`` in static/recognizer/draw/canvas/paint.js.
    """
    if len(stroke) < 3:
        return stroke
    ends = (stroke[1:-1] + stroke[2:]) / 2
    starts = np.concatenate((stroke[:1], ends[:-1]))
    t = np.arange(1, _PIECES + 1)[None, :, None] / _PIECES
    spans = (
        (1 - t) ** 2 * starts[:, None] + 2 * t * (1 - t) * stroke[1:-1, None] + t**2 * ends[:, None]
    )
    return np.concatenate((stroke[:1], spans.reshape(-1, 2), stroke[-1:]))
