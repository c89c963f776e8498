"""What people draw that is not one digit: scribbles, letters, shapes, signs, several digits.

Left out, because a person would read a digit in them:

- C c D G O o Q U (0), I J L l i j | / ( ) ! (1), Z z (2), Ɛ Σ ʒ (3), y (an open 4), S s (5),
  b (6), B & δ ∞ (8), g q (9), Φ θ ∅ (a slashed 0), @ (a curled 0), lightning (4);
- a single line nearer to upright than 50 degrees (1), a plain circle or ellipse and a spiral of
  under two turns (0, 6, 9), a zigzag of under five legs (2, 3), an arrow pointing up (1);
- halves of digits that are another digit or nearly one: a 6 or 9 without its stem (0), a 7, 4 or
  9 without its head (1), a 3 cut anywhere, a 0 cut lengthwise (1): only the cuts in ``_CUTS``;
- one digit with a ring, an underline or a stroke through it: what is meant is anybody's guess;
- digits on top of each other that add up to one: 3 on 8, 5 on 6, 1 on anything (``_OVERLAID``).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from training.allographs import generate_digit
from training.handwriting import (
    Figure,
    Manner,
    Stroke,
    figure,
    resample,
    spline,
    unit_box,
    write,
)

Drawer = Callable[[np.random.Generator], list[Stroke]]

_LOOSE = Manner(lean=(-20.0, 28.0), turn=(-14.0, 14.0), tilt=(-26.0, 32.0), widen=0.16)
_SQUARE = Manner(lean=(-12.0, 14.0), turn=(-10.0, 10.0), tilt=(-14.0, 16.0), wobble=0.85, sharp=0.8)

_LETTERS: dict[str, Figure] = {
    name: figure(*drawings, manner=_LOOSE)
    for name, drawings in {
        "A": (
            ["0,1 .17,.5 !.35,0 .52,.5 .68,1", ".12,.64 .35,.63 .6,.62"],
            ["0,1 .2,.5 !.4,.04 .58,.5 .76,.98", ".06,.58 .4,.6 .7,.6"],
        ),
        "E": (["!.5,0 .25,0 !0,.02 0,.5 !0,1 .28,1 .56,.98", "0,.5 .22,.5 .44,.48"],),
        "F": (["0,0 0,.5 .0,1", "0,0 .28,.0 .56,-.02", "0,.46 .2,.46 .42,.45"],),
        "H": (
            ["0,0 0,.5 0,1", ".56,0 .56,.5 .56,1", "0,.5 .28,.5 .56,.48"],
            ["0,0 .02,.5 .02,1", ".7,0 .68,.5 .68,1", "-.05,.52 .34,.5 .74,.5"],
        ),
        "K": (["0,0 0,.5 0,1", ".5,.02 .26,.28 !.04,.5 .3,.74 .56,1"],),
        "M": (
            ["0,1 .04,.5 !.08,0 .24,.32 !.4,.62 .56,.32 !.72,0 .76,.5 .8,1"],
            ["0,1 .02,.5 !.04,0 .22,.24 !.4,.45 .6,.24 !.8,.02 .82,.5 .82,1"],
        ),
        "N": (
            ["0,1 0,.5 !.02,0 .3,.5 !.58,1 .6,.5 .6,0"],
            ["0,1 0,.5 !.04,0 .34,.48 !.66,.96 .68,.46 .7,-.04"],
        ),
        "P": (["0,0 0,.5 0,1", "-.04,.02 .26,0 .48,.1 .48,.36 .28,.5 .02,.5"],),
        "R": (["0,0 0,.5 0,1", "-.03,.03 .26,0 .46,.12 .42,.36 .22,.48 !.04,.5 .3,.74 .56,1"],),
        "T": (
            ["0,0 .35,.01 .7,0", ".35,.01 .35,.5 .35,1"],
            ["0,.02 .42,.0 .84,.02", ".42,.0 .4,.5 .4,1"],
        ),
        "V": (["0,0 .17,.5 !.35,1 .52,.5 .7,0"], ["0,.05 .2,.5 !.38,1 .56,.5 .74,-.02"]),
        "W": (
            ["0,0 .1,.5 !.22,1 .34,.6 !.45,.3 .56,.62 !.7,1 .82,.5 .92,0"],
            ["0,.04 .1,.5 !.26,1 .38,.5 !.5,.1 .62,.54 !.78,.98 .9,.5 1.04,0"],
        ),
        "X": (
            ["0,0 .3,.5 .62,1", ".6,0 .3,.5 0,1"],
            ["0,.04 .36,.5 .76,.96", ".74,0 .36,.5 -.02,1"],
        ),
        "Y": (["0,0 .18,.24 .35,.48", ".7,0 .35,.48 .34,.74 .34,1"],),
        "a": (["@.28,.64,.28,.34,-30,-340,8", ".58,.28 .57,.6 .6,.9 .76,1"],),
        "d": (["@.28,.68,.28,.31,-40,-340,8", ".58,0 .57,.5 .58,.85 .74,1"],),
        "e": (
            [".04,.56 .3,.52 .58,.44 .5,.18 .28,.08 .06,.26 .02,.6 .18,.92 .42,.94 .62,.78"],
            [".0,.58 .28,.5 .54,.34 .44,.1 .22,.08 .04,.3 .04,.64 .22,.96 .5,.96 .74,.76"],
        ),
        "f": (["!.56,.1 .4,0 .28,.12 .26,.5 .26,1", "0,.44 .26,.42 .54,.4"],),
        "h": (["0,0 0,.5 !.0,1 .04,.66 .24,.46 .44,.54 .46,.76 .48,1"],),
        "k": (["0,0 0,.5 0,1", ".4,.36 .2,.54 !.02,.66 .24,.82 .46,1"],),
        "m": (["0,.1 .02,.5 !.02,1 .06,.4 .24,.1 .38,.3 !.4,1 .46,.4 .62,.1 .78,.3 .8,.7 .84,1"],),
        "n": (["0,.08 .02,.5 !.02,1 .08,.44 .34,.1 .54,.26 .58,.7 .62,1"],),
        "p": (["0,.0 0,.5 .0,1", ".0,.12 .26,.0 .5,.14 .48,.4 .26,.52 .02,.44"],),
        "r": (["0,.1 .02,.5 !.02,1 .06,.56 .2,.2 .36,.1 .54,.18"],),
        "t": (["!.26,0 .26,.5 .28,.86 .42,1 .58,.92", "0,.3 .28,.29 .56,.28"],),
        "u": (["0,.02 .0,.5 .14,.94 .4,.9 .56,.56 !.58,.04 .58,.5 .62,.9 .74,1"],),
        "v": (["0,.02 .18,.5 !.34,1 .5,.5 .66,0"], ["0,.1 .06,.02 !.34,1 .52,.4 .62,0"]),
        "w": (["0,.0 .06,.6 .22,1 .38,.6 !.44,.2 .5,.7 .68,1 .84,.56 .88,.02"],),
        "x": (["0,.02 .06,.0 .3,.5 .56,1 .64,.96", ".6,0 .3,.5 .14,.76 0,1"],),
    }.items()
}

_GREEK: dict[str, Figure] = {
    name: figure(*drawings, manner=_LOOSE)
    for name, drawings in {
        "lambda": (["0,.02 .14,.02 .34,.5 .48,.84 .66,1", ".32,.46 .16,.74 0,1"],),
        "pi": (
            ["0,.06 .14,.0 .4,.02 .8,0", ".24,.04 .22,.5 .12,1", ".56,.04 .56,.6 .6,.92 .74,.96"],
        ),
        "psi": (["0,.1 .04,.42 .3,.62 .58,.42 .64,.08", ".32,0 .32,.5 .3,1"],),
        "mu": (
            ["0,1 .06,.5 .1,.0", ".08,.3 .12,.6 .34,.64 .52,.42 !.56,.02 .56,.4 .6,.6 .74,.62"],
        ),
        "omega": (["!0,1 .24,.98 .06,.66 .08,.24 .4,0 .72,.24 .74,.66 .56,.98 !.8,1"],),
        "small omega": (["!.1,.0 .0,.5 .16,.9 .36,.8 !.44,.4 .5,.8 .72,.92 .88,.5 .78,0"],),
        "xi": (["0,0 .4,0 .8,0", ".1,.48 .4,.48 .68,.48", "0,1 .4,1 .8,.98"],),
        "Gamma": (["!.7,.02 .35,0 !0,0 .0,.45 0,.9"],),
        "zhe": ([".4,0 .4,.5 .4,1", "0,0 .4,.5 .8,1", ".8,0 .4,.5 0,1"],),
    }.items()
}

_SIGNS: dict[str, Figure] = {
    name: figure(*drawings, manner=_SQUARE)
    for name, drawings in {
        "plus": (["0,.5 .5,.5 1,.5", ".5,0 .5,.5 .5,1"],),
        "equals": (["0,0 .5,0 1,0", "0,.42 .5,.42 1,.42"], ["0,0 .5,0 1,0", "0,.6 .5,.6 1,.6"]),
        "percent": (
            ["@.14,.22,.13,.2,-90,-440,7", ".74,0 .4,.5 .06,1", "@.68,.78,.13,.2,-90,-440,7"],
        ),
        "hash": (
            [
                ".3,0 .28,.5 .24,1",
                ".68,0 .66,.5 .62,1",
                "0,.34 .5,.34 .96,.32",
                "0,.68 .5,.68 .94,.66",
            ],
        ),
        "divide": (["0,.5 .5,.5 1,.5", ".5,.1 .51,.13", ".5,.88 .51,.9"],),
        "root": (["0,.56 .08,.5 !.22,1 .34,.5 !.46,0 .7,0 1.1,0"],),
        "asterisk": (["0,.25 .5,.5 1,.76", "1,.22 .5,.5 0,.8", ".5,0 .5,.5 .5,1"],),
        "less": ([".8,0 .4,.25 !0,.5 .4,.75 .82,1"],),
        "greater": (["0,0 .4,.25 !.8,.5 .4,.75 0,1"],),
        "plus-minus": (["0,.4 .4,.4 .8,.4", ".4,0 .4,.4 .4,.78", "0,1 .4,1 .8,1"],),
        "not-equal": (["0,.3 .4,.3 .8,.3", "0,.66 .4,.66 .8,.66", ".62,0 .4,.5 .18,1"],),
    }.items()
}

_SHAPES: dict[str, Figure] = {
    name: figure(*drawings, manner=manner)
    for name, manner, drawings in (
        ("triangle", _SQUARE, (["!.5,0 .25,.45 !0,.9 .5,.9 !1,.9 .75,.45 !.5,0"],)),
        (
            "square",
            _SQUARE,
            (
                ["!0,0 0,.45 !0,.9 .45,.9 !.9,.9 .9,.45 !.9,0 .45,0 !0,0"],
                ["!0,0 0,.36 !0,.72 .5,.72 !1.1,.72 1.1,.36 !1.1,0 .5,0 !0,0"],
            ),
        ),
        (
            "star",
            _SQUARE,
            (["!.2,1 .35,.5 !.5,0 .65,.5 !.82,1 .41,.7 !0,.38 .5,.38 !1,.36 .6,.68 !.2,1"],),
        ),
        (
            "heart",
            _SQUARE,
            (["!.5,.25 .4,.05 .18,.0 .0,.22 .1,.55 !.5,1 .9,.55 1,.22 .82,.0 .6,.05 !.5,.25"],),
        ),
        (
            "house",
            _SQUARE,
            (
                [
                    "!0,.45 0,.72 !0,1 .4,1 !.8,1 .8,.72 !.8,.45 .4,.45 !0,.45",
                    "-.02,.45 .2,.22 !.4,0 .6,.22 .82,.45",
                ],
            ),
        ),
        (
            "house with a door",
            _SQUARE,
            (
                [
                    "!0,.4 0,.7 !0,1 .4,1 !.8,1 .8,.7 !.8,.4 .6,.2 !.4,0 .2,.2 !0,.4",
                    "!.3,1 .3,.8 !.3,.64 .42,.64 !.52,.64 .52,.8 .52,1",
                ],
            ),
        ),
        (
            "smiley",
            _SQUARE,
            (
                [
                    "@.5,.5,.5,.5,-90,-455,12",
                    ".33,.34 .34,.38",
                    ".66,.34 .67,.38",
                    ".26,.62 .5,.8 .74,.62",
                ],
                [
                    "@.5,.5,.52,.48,-60,-430,12",
                    ".35,.26 .35,.42",
                    ".64,.26 .64,.42",
                    ".22,.56 .5,.86 .78,.56",
                ],
            ),
        ),
        (
            "envelope",
            _SQUARE,
            (
                [
                    "!0,0 0,.35 !0,.7 .5,.7 !1,.7 1,.35 !1,0 .5,0 !0,0",
                    "0,0 .25,.2 !.5,.42 .75,.2 1,0",
                ],
            ),
        ),
        (
            "stick figure",
            _SQUARE,
            (
                [
                    "@.35,.13,.13,.13,-90,-450,8",
                    ".35,.26 .35,.45 .35,.64",
                    ".08,.4 .35,.36 .62,.4",
                    ".1,1 .22,.82 !.35,.64 .48,.82 .6,1",
                ],
            ),
        ),
        (
            "sun",
            _SQUARE,
            (
                [
                    "@.5,.5,.24,.24,-90,-450,9",
                    ".5,.16 .5,.0",
                    ".5,.84 .5,1",
                    ".16,.5 0,.5",
                    ".84,.5 1,.5",
                    ".26,.26 .14,.14",
                    ".74,.26 .86,.14",
                    ".26,.74 .14,.86",
                    ".74,.74 .86,.86",
                ],
            ),
        ),
        (
            "cloud",
            _SQUARE,
            (
                [
                    "!.14,.6 .0,.44 .06,.3 !.2,.28 .26,.08 .44,.04 !.56,.16 .74,.06 .88,.2 "
                    "!.86,.34 1,.4 .98,.58 !.84,.62 .5,.63 .14,.6"
                ],
            ),
        ),
    )
}

_ARROW = figure(["0,.3 .5,.3 1,.3", ".7,0 .85,.15 !1,.3 .85,.45 .7,.6"], manner=_SQUARE)
_TICK = figure(
    ["0,.56 .14,.76 !.3,1 .62,.46 1,0"],
    ["0,.5 .1,.7 !.22,.9 .6,.4 1.1,.0"],
    manner=Manner(lean=(-8.0, 10.0), turn=(-8.0, 10.0), tilt=(-10.0, 12.0)),
)
_CROSS = figure(
    ["0,0 .4,.5 .8,1", ".8,0 .4,.5 0,1"], ["0,0 .5,.5 1,1", ".98,.02 .5,.5 0,.98"], manner=_LOOSE
)
_QUESTION = figure(
    ["0,.16 .1,.02 .34,0 .5,.14 .42,.34 .26,.46 .24,.6 .24,.7", ".24,.96 .25,1"],
    [".0,.2 .12,.02 .36,.02 .48,.18 .36,.38 .24,.48 .22,.58 .22,.66", ".22,.92 .23,.96"],
    manner=_SQUARE,
)

# The digit, the allographs that may be cut (none: any), and the part that is kept: top or bottom.
_CUTS: tuple[tuple[int, tuple[str, ...], str], ...] = (
    (0, ("closed", "round", "clockwise"), "top"),
    (0, ("closed", "round", "clockwise"), "bottom"),
    (2, ("flat", "zed", "soft"), "bottom"),
    (4, ("far_right",), "top"),
    (5, ("two_strokes", "one_stroke", "angular"), "top"),
    (8, ("figure", "two_circles", "from_middle"), "top"),
    (8, ("figure", "two_circles", "from_middle"), "bottom"),
)
_OVERLAID = (
    *((0, 2), (0, 3), (0, 4), (0, 5), (0, 7), (2, 4), (2, 5), (2, 6), (2, 9), (3, 4), (3, 6)),
    *((4, 5), (4, 6), (4, 7), (5, 7), (6, 7)),
)


def generate_nondigit(rng: np.random.Generator, *, kind: str | None = None) -> list[Stroke]:
    """Pen strokes of one drawing that is no single digit, each float64 (n, 2), x right, y down.

    The drawing fills a box of longer side 1 about (.5, .5); a single dot is one point, n = 1,
    which has no size of its own. ``kind`` asks for one of ``NONDIGITS``; without it one is drawn
    by how often such drawings are to be expected. Raises ValueError for an unknown kind.
    """
    if kind is None:
        kind = NONDIGITS[int(np.searchsorted(_ODDS, rng.random()))]
    elif kind not in _KINDS:
        raise ValueError(f"no kind of non-digit is called {kind!r}: {NONDIGITS}")
    strokes = unit_box(_KINDS[kind][1](rng))
    if kind in _TURNED:
        flip = rng.choice((-1.0, 1.0), 2)
        strokes = [(stroke - 0.5) * flip + 0.5 for stroke in strokes]
    return strokes


def _any_of(figures: dict[str, Figure]) -> Drawer:
    all_of_them = tuple(figures.values())
    return lambda rng: write(all_of_them[int(rng.integers(len(all_of_them)))], rng)


_letter = _any_of(_LETTERS)


def _curve(
    points: NDArray[np.float64], rng: np.random.Generator, sharpness: float | None = None
) -> Stroke:
    sharp = rng.uniform(0, 1) if sharpness is None else sharpness
    curve = spline(points, np.ones(len(points), np.bool_), sharp)
    return resample(curve, rng.uniform(14, 40))


def _zigzag(rng: np.random.Generator) -> list[Stroke]:
    count = int(rng.integers(7, 16))
    points = np.stack([np.linspace(0, rng.uniform(0.5, 1.6), count), np.zeros(count)], axis=1)
    points[1::2, 1] = 1.0
    points += rng.normal(0, 0.09, points.shape)
    turn = rng.uniform(0, np.pi)
    c, s = np.cos(turn), np.sin(turn)
    return [_curve(points @ np.array([[c, s], [-s, c]]), rng)]


def _tangle(rng: np.random.Generator) -> list[Stroke]:
    turns = rng.uniform(3, 8)
    t = np.linspace(0, 2 * np.pi * turns, int(8 * turns))
    drift = np.cumsum(rng.normal(0, 0.09, (len(t), 2)), axis=0)
    radius = rng.uniform(0.25, 0.6) * (1 + 0.35 * np.sin(t * rng.uniform(0.1, 0.6)))
    loops = np.stack([np.cos(t), np.sin(t) * rng.uniform(0.5, 1.2)], axis=1) * radius[:, None]
    loops[:, 0] += np.linspace(0, rng.uniform(0, 2.2), len(t))
    return [_curve(loops + drift, rng, 0.0)]


def _spiral(rng: np.random.Generator) -> list[Stroke]:
    turns = rng.uniform(2.3, 5)
    t = np.linspace(0, 1, int(10 * turns))
    angle = 2 * np.pi * turns * t + rng.uniform(0, 2 * np.pi)
    radius = 0.04 + t ** rng.uniform(0.8, 1.1)
    points = np.stack([np.cos(angle), np.sin(angle) * rng.uniform(0.75, 1.2)], axis=1)
    points = points * radius[:, None] + rng.normal(0, 0.015, (len(t), 2))
    return [_curve(points, rng, 0.0)]


def _hatching(rng: np.random.Generator) -> list[Stroke]:
    count = int(rng.integers(4, 10))
    angles = [rng.uniform(0, np.pi)]
    if rng.random() < 0.5:
        angles.append(angles[0] + rng.uniform(0.8, 2.2))
    strokes = []
    for angle in angles:
        across = np.array([-np.sin(angle), np.cos(angle)])
        along = np.array([np.cos(angle), np.sin(angle)])
        for offset in np.linspace(-0.5, 0.5, count):
            ends = np.array([-0.5, 0.0, 0.5])[:, None] * along + offset * across
            strokes.append(_curve(ends + rng.normal(0, 0.04, (3, 2)), rng, 0.0))
    return strokes


def _walk(rng: np.random.Generator) -> list[Stroke]:
    strokes = []
    for _ in range(int(rng.integers(1, 4))):
        steps = rng.normal(0, 1, (int(rng.integers(9, 20)), 2))
        steps[1:] += rng.uniform(0, 0.8) * steps[:-1]
        points = np.cumsum(steps, axis=0)
        # Walks that go off in one direction come out as a line, which may stand upright.
        points -= np.linspace(0, 1, len(points))[:, None] * (points[-1] - points[0]) * 0.8
        strokes.append(_curve(points / np.abs(np.ptp(points, axis=0)) + rng.normal(0, 0.2, 2), rng))
    return strokes


def _arrow(rng: np.random.Generator) -> list[Stroke]:
    angle = np.radians(rng.uniform(-50, 50))
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, s], [-s, c]]) * (1.0 if rng.random() < 0.6 else -1.0)
    return [(stroke - 0.5) @ turn for stroke in write(_ARROW, rng)]


def _dot(rng: np.random.Generator) -> list[Stroke]:
    return [rng.normal(0, 1e-9, (1, 2))]


def _dots(rng: np.random.Generator) -> list[Stroke]:
    places = rng.uniform(0, 1, (int(rng.integers(2, 8)), 2))
    # Spread out first: what a pen does within a dot must not grow into a line.
    places /= np.ptp(places, axis=0).max()
    return [place + rng.normal(0, 0.012, (int(rng.integers(1, 4)), 2)) for place in places]


def _line(rng: np.random.Generator) -> list[Stroke]:
    angle = np.radians(rng.uniform(-40, 40))
    along = np.linspace(0, 1, 4)
    points = np.stack([along * np.cos(angle), along * np.sin(angle)], axis=1)
    points[1:3] += rng.normal(0, 0.018, (2, 2))
    return [_curve(points, rng, 0.0)]


def _lines(rng: np.random.Generator) -> list[Stroke]:
    """Two or three lines that belong to nothing."""
    strokes = []
    for _ in range(int(rng.integers(2, 5))):
        ends = rng.uniform(0, 1, (2, 2))
        middle = ends.mean(axis=0) + rng.normal(0, 0.06, 2)
        strokes.append(_curve(np.stack([ends[0], middle, ends[1]]), rng, 0.0))
    strokes += _line(rng)
    return strokes


def _wave(rng: np.random.Generator) -> list[Stroke]:
    periods = rng.uniform(2.2, 4.5)
    t = np.linspace(0, 1, int(8 * periods))
    points = np.stack([t, rng.uniform(0.08, 0.2) * np.sin(2 * np.pi * periods * t)], axis=1)
    points += rng.normal(0, 0.012, points.shape)
    angle = np.radians(rng.uniform(-25, 25))
    c, s = np.cos(angle), np.sin(angle)
    return [_curve(points @ np.array([[c, s], [-s, c]]), rng, 0.0)]


def _digits(rng: np.random.Generator) -> list[Stroke]:
    """Two or three digits side by side, touching or apart."""
    digits = rng.integers(0, 10, 2 if rng.random() < 0.65 else 3)
    if rng.random() < 0.15:
        digits[:] = digits[0]
    # A bare 1 that touches its neighbour makes another digit of it.
    return _in_a_row([generate_digit(int(d), rng) for d in digits], rng, touching=1 not in digits)


def _word(rng: np.random.Generator) -> list[Stroke]:
    """A few letters, at times with a digit among them."""
    letters = [_letter(rng) for _ in range(int(rng.integers(2, 5)))]
    if rng.random() < 0.3:
        letters[int(rng.integers(len(letters)))] = generate_digit(int(rng.integers(10)), rng)
    return _in_a_row(letters, rng, touching=False)


def _in_a_row(
    drawings: list[list[Stroke]], rng: np.random.Generator, *, touching: bool
) -> list[Stroke]:
    """Drawings from left to right on a line, of uneven size and height."""
    close = touching and rng.random() < 0.3
    gap = rng.uniform(-0.02, 0.04) if close else rng.uniform(0.08, 0.4)
    strokes: list[Stroke] = []
    edge = 0.0
    for drawing in drawings:
        size = rng.uniform(0.85, 1.1)
        left = min(float(stroke[:, 0].min()) for stroke in drawing)
        right = max(float(stroke[:, 0].max()) for stroke in drawing)
        shift = np.array([edge - left * size, rng.normal(0, 0.05)])
        strokes += [stroke * size + shift for stroke in drawing]
        edge += (right - left) * size + gap
    return strokes


def _cut(rng: np.random.Generator) -> list[Stroke]:
    digit, styles, part = _CUTS[int(rng.integers(len(_CUTS)))]
    written = generate_digit(digit, rng, allograph=styles[int(rng.integers(len(styles)))])
    flip = 1.0 if part == "top" else -1.0
    level = 0.5 + flip * (rng.uniform(0.26, 0.4) - 0.5)
    strokes: list[Stroke] = []
    for stroke in written:
        kept = (level - stroke[:, 1]) * flip > 0
        edges = np.flatnonzero(np.diff(kept.astype(np.int8))) + 1
        pieces = np.split(stroke, edges)
        strokes += [
            piece for piece in pieces if len(piece) > 1 and (level - float(piece[0, 1])) * flip > 0
        ]
    return strokes or _lines(rng)


def _overlaid(rng: np.random.Generator) -> list[Stroke]:
    pair = np.array(_OVERLAID[int(rng.integers(len(_OVERLAID)))])
    # Far enough off centre that neither is a digit with a ring or a shadow round it.
    shift = rng.uniform((0.18, 0.08), (0.34, 0.25)) * rng.choice((-1.0, 1.0), 2)
    below = generate_digit(int(pair[0]), rng)
    above = generate_digit(int(pair[1]), rng)
    return below + [stroke * rng.uniform(0.85, 1.15) + shift for stroke in above]


_KINDS: dict[str, tuple[float, Drawer]] = {
    "zigzag": (5, _zigzag),
    "tangle": (6, _tangle),
    "spiral": (3, _spiral),
    "hatching": (4, _hatching),
    "walk": (6, _walk),
    "dot": (2, _dot),
    "dots": (4, _dots),
    "line": (5, _line),
    "lines": (4, _lines),
    "cross": (3, lambda rng: write(_CROSS, rng)),
    "tick": (3, lambda rng: write(_TICK, rng)),
    "letter": (18, _letter),
    "word": (4, _word),
    "greek": (5, _any_of(_GREEK)),
    "shape": (9, _any_of(_SHAPES)),
    "arrow": (2, _arrow),
    "wave": (2, _wave),
    "question": (1, lambda rng: write(_QUESTION, rng)),
    "sign": (6, _any_of(_SIGNS)),
    "digits": (15, _digits),
    "cut": (4, _cut),
    "overlaid": (5, _overlaid),
}
NONDIGITS: tuple[str, ...] = tuple(_KINDS)
_ODDS = np.cumsum([weight for weight, _ in _KINDS.values()]) / sum(
    weight for weight, _ in _KINDS.values()
)
# Drawings without an upright of their own.
_TURNED = {"zigzag", "tangle", "spiral", "hatching", "walk", "dots", "lines", "wave"}
