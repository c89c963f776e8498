"""A filter for drawings that look like a digit: chamfer matching with generated digits.

Some invented characters look like digits, and digits labelled "not a digit" cost accuracy. So each
is compared with digits from ``allographs``, both normalised as by imaging: the longer side is 1,
and the centre of mass in the middle. The distance is that of Barrow, Tenenbaum, Bolles, Wolf,
"Parametric correspondence and chamfer matching", IJCAI 1977: the mean distance from the points of
one drawing to the nearest of the other, here the larger of both directions.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from training.synthesis.allographs import ALLOGRAPHS, generate_digit
from training.synthesis.handwriting import Stroke, figure, write

Points = NDArray[np.float64]
Floats = NDArray[np.float32]

_TOLERANCE = (0.058, 0.062, 0.062, 0.055, 0.058, 0.062, 0.058, 0.058, 0.056, 0.055)
"""The distance from each digit up to which a drawing resembles it, relative to its longer side.

Chosen by eye on invented characters: with larger values T and Y resemble a 7 and a 1, with smaller
ones an angular 4 resembles nothing. Five in six real pen digits are within it.
"""

_ANGULAR = {
    0: (
        ("!0,0 0,.5 !0,1 .3,1 !.6,1 .6,.5 !.6,0 .3,0 !0,0",),
        ("@.5,.5,.5,.48,-90,-450,10",),
    ),
    2: (("0,0 .3,0 !.6,0 .6,.25 !.6,.5 .3,.5 !0,.5 0,.75 !0,1 .3,1 .6,1",),),
    3: (("0,0 .3,0 !.6,0 .6,.5 !.6,1 .3,1 0,1", "0,.5 .3,.5 .6,.5"),),
    4: (
        ("0,0 0,.3 !0,.6 .3,.6 .6,.6", ".6,0 .6,.5 .6,1"),
        ("0,.7 .3,.7 .8,.7", "0,.7 .3,.3 .5,0", "0.5,.4 .5,.7 .5,1"),
    ),
    5: (
        ("1,0 .5,0 !0,0 .5,.3 !1,.6 .5,.8 0,1",),
        ("1,0 .5,0 !0,0 .35,.25 !.8,.5 .4,.75 !0,1 .5,1",),
        ("1,0 .5,0 !0,0 0,.25 !0,.5 .4,.5 !.8,.5 .8,.75 !.8,1 .4,1 0,1",),
    ),
    7: (
        ("0,0 .35,0 !.7,0 .7,.5 .7,1",),
        ("0,0 .5,0 !1,0 1,.4 1,.8",),
        ("0,0 .5,0 !1,0 .6,.5 .2,.9",),
    ),
    8: (("!0,0 .35,.5 !.7,1 .35,1 !0,1 .35,.5 !.7,0 .35,0 !0,0",),),
}
"""Digits as if drawn with ruler and compass: rare, but people recognise them."""

_UPRIGHT = 48.0  # degrees
_RING_GAP = 1.0  # radians
_SPACING = 1 / 14  # between points along a stroke: less than the stroke width (2.4 of 20 px)
_COPIES = 10  # of each allograph
_GRID = 24  # cells per side of a distance map, which is larger than a normalised drawing
_REACH = 0.75
_CELLS = ((np.arange(_GRID) + 0.5) / _GRID * 2 * _REACH - _REACH).astype(np.float32)


def resembles_a_digit(strokes: Sequence[Stroke]) -> bool:
    """Whether a person might recognise a digit in strokes (n, 2), n >= 2, longer side about 1."""
    points = normalised(strokes)
    return is_a_stick(points) or is_a_ring(points) or digit_distance(points) < 1


def digit_distance(points: Points) -> float:
    """Return the distance of normalised points from the nearest digit, in its tolerances."""
    digits = _digits()
    there = digits.maps[:, _cell(points)].mean(1) / digits.tolerances
    near = np.flatnonzero(there < 1)
    if not len(near):
        return float(there.min())
    back = _distances(points)[digits.cells[near]]
    back = (back * digits.weights[near]).sum(1) / digits.tolerances[near]
    return float(np.maximum(there[near], back).min())


def nearest_allograph(strokes: Sequence[Stroke], digit: int) -> str:
    """Return the allograph of ``digit`` that strokes with a longer side of about 1 resemble most.

    "angular" is one drawn as if with a ruler.
    """
    digits, points = _digits(), normalised(strokes)
    own = [row for row, (label, _) in enumerate(digits.names) if label == digit]
    there = digits.maps[own][:, _cell(points)].mean(1)
    back = (_distances(points)[digits.cells[own]] * digits.weights[own]).sum(1)
    return digits.names[own[int(np.maximum(there, back).argmin())]][1]


def is_a_stick(points: Points) -> bool:
    """Whether normalised points form a line or arc within 48 degrees of vertical: a 1."""
    spread, axes = np.linalg.eigh(points.T @ points)
    lean = np.degrees(np.arctan2(abs(axes[0, 1]), abs(axes[1, 1])))
    return bool(spread[0] < 0.06 * spread[1] and lean < _UPRIGHT)


def is_a_ring(points: Points) -> bool:
    """Whether normalised points surround their centre at nearly the same distance: a 0."""
    radius = np.hypot(*points.T)
    on_it = np.abs(radius / np.median(radius) - 1) < 0.4
    angles = np.sort(np.arctan2(points[on_it, 1], points[on_it, 0]))
    gap = np.diff(angles, append=angles[0] + 2 * np.pi).max()
    return bool(on_it.mean() > 0.88 and gap < _RING_GAP)


@dataclass(frozen=True)
class _Digits:
    """Templates t: distance maps (t, cells); cells with ink (t, p), padded, and weights (t, p).

    ``names`` are their digits and allographs.
    """

    maps: Floats
    cells: NDArray[np.intp]
    weights: Floats
    tolerances: Floats
    names: tuple[tuple[int, str], ...]


@cache
def _digits() -> _Digits:
    rng = np.random.default_rng(1977)
    written = [
        (digit, name, generate_digit(digit, rng, allograph=name))
        for digit, names in ALLOGRAPHS.items()
        for name in names
        for _ in range(_COPIES)
    ]
    written += [
        (digit, "angular", write(figure(drawing), rng))
        for digit, drawings in _ANGULAR.items()
        for drawing in drawings
        for _ in range(_COPIES)
    ]
    tolerances = np.array([_TOLERANCE[digit] for digit, _, _ in written], np.float32)
    sets = [normalised(_varied(strokes, rng)) for _, _, strokes in written]
    longest = max(map(len, sets))
    cells = np.zeros((len(sets), longest), np.intp)
    weights = np.zeros((len(sets), longest), np.float32)
    for row, points in enumerate(sets):
        cells[row, : len(points)] = _cell(points)
        weights[row, : len(points)] = 1 / len(points)
    maps = np.stack([_distances(points) for points in sets])
    names = tuple((digit, name) for digit, name, _ in written)
    return _Digits(maps, cells, weights, tolerances, names)


def _varied(strokes: list[Stroke], rng: np.random.Generator) -> list[Stroke]:
    """Rotate, slant and stretch strokes more than ``allographs`` does; they remain legible."""
    turn, slant, stretch = rng.normal(0, (0.1, 0.2, 0.15))
    c, s = np.cos(turn), np.sin(turn)
    matrix = np.array([[c, s], [-s, c]]) @ np.array([[np.exp(stretch), 0], [slant, 1]])
    return [stroke @ matrix for stroke in strokes]


def normalised(strokes: Sequence[Stroke]) -> Points:
    """Return evenly spaced points of a drawing: longer side 1, centre of mass at the origin."""
    points = np.concatenate([_even(stroke) for stroke in strokes])
    side = float(np.ptp(points, axis=0).max())
    return np.asarray((points - points.mean(0)) / (side if side > 0 else 1.0))


def _even(stroke: Stroke) -> Points:
    step = np.diff(stroke, axis=0)
    along = np.concatenate([[0.0], np.cumsum(np.hypot(step[:, 0], step[:, 1]))])
    t = np.linspace(0, along[-1], max(2, int(along[-1] / _SPACING) + 1))
    return np.stack([np.interp(t, along, stroke[:, 0]), np.interp(t, along, stroke[:, 1])], axis=1)


def _cell(points: Points) -> NDArray[np.intp]:
    cells = ((points + _REACH) * (_GRID / (2 * _REACH))).astype(np.intp).clip(0, _GRID - 1)
    return np.asarray(cells[:, 1] * _GRID + cells[:, 0])


def _distances(points: Points) -> Floats:
    """Return the distance from every cell to the nearest point, (cells,)."""
    x, y = points.astype(np.float32).T
    squares = ((_CELLS[:, None] - y) ** 2)[:, None] + (_CELLS[:, None] - x) ** 2
    return np.asarray(np.sqrt(squares.min(2)).ravel())
