"""Non-digits made from digits: several in a row, cut, crossed out, rotated, overlaid.

Excluded, because a person would still recognise a digit:

- parts that look like a digit: a 6 or 9 without its stem (0), a 7, 4 or 9 without its head, the
  upper half of an open 4 or half of a 0 cut lengthwise (1), any part of a 3 (``_CUTS`` lists what
  remains);
- pairs that look like one digit when overlaid: 3 on 8, 5 on 6, 1 on anything (``_OVERLAID``);
- a digit with one stroke through it, which may be a bar or a slash: crossed-out digits have a
  cross or a scribble all over them;
- rotated or mirrored digits that look like a digit: any 0, 2, 4, 5, 6 or 8, any 9 but a mirrored
  one, any 1 but a horizontal one (``TURNS`` lists what remains).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from training.synthesis.allographs import generate_digit
from training.synthesis.handwriting import Stroke, resample, spline, unit_box
from training.synthesis.lookalike_filter import resembles_a_digit

# The digit, the allographs that may be cut, and the part that is kept: top or bottom.
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

TURNS: dict[int, tuple[str, ...]] = {
    1: ("left", "right"),
    3: ("left", "right", "mirror"),
    7: ("left", "right", "mirror"),
    9: ("mirror",),
}
"""Rotations by 90 degrees and reflections that make a non-digit of a digit."""

_TURN = {
    "left": np.array([[0.0, -1.0], [1.0, 0.0]]),
    "right": np.array([[0.0, 1.0], [-1.0, 0.0]]),
    "mirror": np.array([[-1.0, 0.0], [0.0, 1.0]]),
}


def side_by_side(digits: Sequence[list[Stroke]], rng: np.random.Generator) -> list[Stroke]:
    """Return two or more digits in a row, of varying size and height, touching or apart.

    ``digits`` are strokes (n, 2) of any size, from left to right. The size of the result is not
    normalised. A narrow digit (a 1) never touches its neighbour, as both together may look like
    another digit.
    """
    boxed = [unit_box(strokes) for strokes in digits]
    narrow = any(np.ptp(np.concatenate(strokes)[:, 0]) < 0.3 for strokes in boxed)
    close = not narrow and rng.random() < 0.35
    gap = rng.uniform(-0.04, 0.05) if close else rng.uniform(0.08, 0.4)
    placed: list[Stroke] = []
    edge = 0.0
    for strokes in boxed:
        size = rng.uniform(0.8, 1.1)
        left = min(float(stroke[:, 0].min()) for stroke in strokes)
        right = max(float(stroke[:, 0].max()) for stroke in strokes)
        shift = np.array([edge - left * size, rng.normal(0, 0.06)])
        placed += [stroke * size + shift for stroke in strokes]
        edge += (right - left) * size + gap
    return placed


def crossed_out(strokes: list[Stroke], rng: np.random.Generator) -> list[Stroke]:
    """Return a digit, given in any size, under a large cross or a scribble, in the unit box."""
    boxed = unit_box(strokes)
    points = np.concatenate(boxed)
    low, high = points.min(0), points.max(0)
    middle, half = (low + high) / 2, np.maximum((high - low) / 2, 0.38) * rng.uniform(0.9, 1.25)
    if rng.random() < 0.35:
        ends = np.array([[(-1, -1), (1, 1)], [(1, -1), (-1, 1)]]) + rng.normal(0, 0.08, (2, 2, 2))
        over = [resample(middle + half * pair, 14) for pair in ends]
    else:
        count = int(rng.integers(6, 14))
        legs = np.stack([np.linspace(-1, 1, count), np.ones(count)], axis=1)
        legs[::2, 1] = -1
        legs += rng.normal(0, 0.12, legs.shape)
        if rng.random() < 0.5:
            legs = legs[:, ::-1]
        curve = spline(middle + half * legs, np.ones(count, np.bool_), rng.uniform(0, 1))
        over = [resample(curve, 20)]
    return [*boxed, *over]


def turned(digit: int, strokes: list[Stroke], rng: np.random.Generator) -> list[Stroke] | None:
    """Return a digit rotated or mirrored as in ``TURNS``; None if it still resembles a digit.

    Raises ``KeyError`` for a digit that is not in ``TURNS``.
    """
    turns = TURNS[digit]
    matrix = _TURN[turns[int(rng.integers(len(turns)))]]
    result = unit_box([stroke @ matrix for stroke in strokes])
    return None if resembles_a_digit(result) else result


def cut(rng: np.random.Generator) -> list[Stroke]:
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
    return strokes or side_by_side([written, written], rng)


def overlaid(rng: np.random.Generator) -> list[Stroke]:
    pair = np.array(_OVERLAID[int(rng.integers(len(_OVERLAID)))])
    # Far enough apart that neither looks like a ring or a shadow around the other.
    shift = rng.uniform((0.18, 0.08), (0.34, 0.25)) * rng.choice((-1.0, 1.0), 2)
    below = generate_digit(int(pair[0]), rng)
    above = generate_digit(int(pair[1]), rng)
    return below + [stroke * rng.uniform(0.85, 1.15) + shift for stroke in above]
