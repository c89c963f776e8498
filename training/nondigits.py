"""What people draw that is not one digit: scribbles, letters, shapes, signs, several digits.

Left out, because a person would read a digit in them:

- C c D G O o Q U (0), I J L l i j | / ( ) ! (1), Z z (2), Ɛ Σ ʒ (3), y (an open 4), S s (5),
  b (6), B & δ ∞ (8), g q (9), Φ θ ∅ (a slashed 0), @ (a curled 0), lightning (4);
- a single line nearer to upright than 60 degrees (1), a plain circle or ellipse and a spiral of
  under two turns (0, 6, 9), a zigzag of under five legs (2, 3), an arrow pointing up (1);
- halves of digits that are another digit or nearly one: a 6 or 9 without its stem (0), a 7, 4 or
  9 without its head, an upper half of an open 4 or a 0 cut lengthwise (1), any part of a 3: only
  the cuts in ``_CUTS``;
- one digit with a ring (or a 0) round it, with an underline or a stroke through it: what it is
  meant for is anybody's guess;
- digits on top of each other that add up to one: 3 on 8, 5 on 6, 1 on anything (``_OVERLAID``).
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.allographs import generate_digit
from training.handwriting import (
    Manner,
    Stroke,
    read_figures,
    resample,
    spline,
    unit_box,
    write,
)

Drawer = Callable[[np.random.Generator], list[Stroke]]

_MANNERS = {
    "loose": Manner(lean=(-20.0, 28.0), turn=(-14.0, 14.0), tilt=(-26.0, 32.0), widen=0.16),
    "square": Manner(
        lean=(-12.0, 14.0), turn=(-10.0, 10.0), tilt=(-14.0, 16.0), wobble=0.85, sharp=0.8
    ),
    "steady": Manner(lean=(-8.0, 10.0), turn=(-8.0, 10.0), tilt=(-10.0, 12.0)),
}
_FIGURES = {
    group: {name: shape for name, (_, shape) in figures.items()}
    for group, figures in read_figures(Path(__file__).with_suffix(".txt"), _MANNERS).items()
}

# The digit, the allographs that may be cut (none: any), and the part that is kept: top or bottom.
_CUTS: tuple[tuple[int, tuple[str, ...], str], ...] = (
    (0, ("closed", "round", "clockwise"), "top"),
    (0, ("closed", "round", "clockwise"), "bottom"),
    (2, ("flat", "zed", "soft"), "bottom"),
    (5, ("two_strokes", "one_stroke", "angular"), "top"),
    (8, ("figure", "two_circles", "from_middle"), "top"),
    (8, ("figure", "two_circles", "from_middle"), "bottom"),
)
_OVERLAID = (
    *((0, 4), (2, 4), (2, 5), (2, 6), (2, 9), (3, 4), (3, 6)),
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


def _any_of(group: str) -> Drawer:
    figures = tuple(_FIGURES[group].values())
    return lambda rng: write(figures[int(rng.integers(len(figures)))], rng)


_letter = _any_of("letter")


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
            ends += rng.normal(0, 0.04, (3, 2))
            strokes.append(spline(ends, np.zeros(3, np.bool_), 0.0))
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
    return [(stroke - 0.5) @ turn for stroke in write(_FIGURES["single"]["arrow"], rng)]


def _dot(rng: np.random.Generator) -> list[Stroke]:
    return [rng.normal(0, 1e-9, (1, 2))]


def _dots(rng: np.random.Generator) -> list[Stroke]:
    places = rng.uniform(0, 1, (int(rng.integers(2, 8)), 2))
    # Spread out first: what a pen does within a dot must not grow into a line.
    places /= np.ptp(places, axis=0).max()
    return [place + rng.normal(0, 0.012, (int(rng.integers(1, 4)), 2)) for place in places]


def _line(rng: np.random.Generator) -> list[Stroke]:
    angle = np.radians(rng.uniform(-30, 30))
    along = np.linspace(0, 1, 4)
    points = np.stack([along * np.cos(angle), along * np.sin(angle)], axis=1)
    points[1:3] += rng.normal(0, 0.018, (2, 2))
    return [_curve(points, rng, 0.0)]


def _lines(rng: np.random.Generator) -> list[Stroke]:
    """Lines that belong to nothing: five or more, as four may meet in a 4 or a 7."""
    strokes = []
    for _ in range(int(rng.integers(4, 8))):
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
    "cross": (3, lambda rng: write(_FIGURES["single"]["cross"], rng)),
    "tick": (3, lambda rng: write(_FIGURES["single"]["tick"], rng)),
    "letter": (18, _letter),
    "word": (4, _word),
    "greek": (5, _any_of("greek")),
    "shape": (9, _any_of("shape")),
    "arrow": (2, _arrow),
    "wave": (2, _wave),
    "question": (1, lambda rng: write(_FIGURES["single"]["question"], rng)),
    "sign": (6, _any_of("sign")),
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
