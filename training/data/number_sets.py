"""Numbers and words to measure on: digits or letters of one writer, put in a row as people do.

Sizes, baselines and gaps vary; a row goes from ink that overlaps to characters far apart. Every row
fits the site's square canvas, and is drawn with one brush.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from recognizer.imaging import PenStrokes
from recognizer.imaging.strokes import CANVAS, Strokes

LENGTHS = (2, 3, 4, 5)

HEIGHTS = (0.8, 1.15)
"""Of the characters in a row, times the usual height."""

BASELINE = 0.06
"""Standard deviation of a character's vertical position, in heights."""

SLOPE = 0.08
"""Standard deviation of the line's slope."""

BRUSHES = (0.05, 0.2)
"""Width of the brush, in heights."""

APART = (0.04, 0.7)
"""Paper between two characters that do not touch, in heights, at their nearest points."""

MEETING = (0.35, 0.95)
"""Between the lines of two characters that touch, in widths of the brush."""

CROSSING = 0.04
"""How far the lines of characters that overlap may cross at most, in heights."""

BARE = "1"
"""A plain 1 that touches its neighbour turns it into another character: it stands apart."""

Spacing = Literal["apart", "touching", "overlapping"]

SPACINGS: tuple[Spacing, ...] = get_args(Spacing)

_STEP = 0.02  # heights
_LEAST_WIDTH = 0.35  # of a character's height, in an upright box: a 1 is narrower


Character = tuple[str, Hashable, Strokes]
"""What it is, its writer, and its strokes."""


@dataclass(frozen=True)
class Row:
    """Characters in a row: the strokes of each on the canvas, in px, and the brush' width in px.

    ``text`` is what the row shows; ``touches`` says of each gap whether the ink runs together.
    """

    text: str
    characters: Sequence[Strokes]
    brush: float
    touches: Sequence[bool]

    @property
    def strokes(self) -> Strokes:
        return [stroke for character in self.characters for stroke in character]

    def pen_strokes(self) -> PenStrokes:
        """Return the row as the page sends it."""
        return PenStrokes.from_json(
            {
                "strokes": [stroke.tolist() for stroke in self.strokes],
                "width": self.brush,
                "size": [CANVAS, CANVAS],
            }
        )


def row(
    characters: Sequence[tuple[str, Strokes]], rng: np.random.Generator, spacing: Spacing
) -> Row:
    """Put characters in a row: all apart, or at least one pair touching or overlapping."""
    brush = float(rng.uniform(*BRUSHES))
    names = [name for name, _strokes in characters]
    able = [spacing != "apart" and BARE not in pair for pair in pairwise(names)]
    sure = int(rng.choice(np.flatnonzero(able))) if any(able) else -1
    meant = [each and (at == sure or rng.random() < 0.4) for at, each in enumerate(able)]
    touches = []
    # One writer spaces evenly, more or less.
    space = rng.uniform(*APART)
    slope = rng.normal(0, SLOPE)
    placed: list[Strokes] = []
    for index, (_name, strokes) in enumerate(characters):
        shape = _standing(strokes, rng.uniform(*HEIGHTS))
        if placed:
            if not meant[index - 1]:
                distance = brush + max(space * rng.uniform(0.5, 1.5), APART[0])
            elif spacing == "touching":
                distance = brush * rng.uniform(*MEETING)
            else:
                distance = rng.uniform(-CROSSING, MEETING[0] * brush)
            middle = float(np.concatenate(shape)[:, 0].max()) / 2
            down = rng.normal(0, BASELINE)
            rise = slope * (_right(placed[-1]) + middle) + down
            shape = [stroke + np.array([0, rise]) for stroke in shape]
            shape = _pushed(placed, shape, distance)
            # A character that would begin too far left may have kept its distance.
            touches.append(_distance(placed[-1], shape) < brush)
        placed.append(shape)
    return _on_canvas("".join(name for name, _ in characters), placed, brush, touches, rng)


def _standing(strokes: Strokes, height: float) -> Strokes:
    """Return a character of that height, with its left edge at x = 0 and its foot at y = 0."""
    points = np.concatenate(strokes)
    low, high = points.min(0), points.max(0)
    scale = height / max(float(high[1] - low[1]), _LEAST_WIDTH * float(high[0] - low[0]), 1e-9)
    return [(stroke - (low[0], high[1])) * scale for stroke in strokes]


def _right(strokes: Strokes) -> float:
    return max(float(stroke[:, 0].max()) for stroke in strokes)


def _dense(strokes: Strokes) -> NDArray[np.float64]:
    """Return points along the strokes, at most a step apart."""
    found = []
    for stroke in strokes:
        found.append(stroke[:1])
        for start, end in pairwise(stroke):
            pieces = max(1, int(np.ceil(np.hypot(*(end - start)) / _STEP)))
            found.append(start + (end - start) * (np.arange(1, pieces + 1) / pieces)[:, None])
    return np.concatenate(found)


def _distance(left: Strokes, right: Strokes) -> float:
    """Return how far the lines of two characters are apart, in heights."""
    between = _dense(left)[:, None] - _dense(right)[None]
    return float(np.hypot(between[..., 0], between[..., 1]).min())


def _pushed(placed: Sequence[Strokes], shape: Strokes, distance: float) -> Strokes:
    """Move a character from the right up to the last one, until their lines are that far apart."""
    left, own = _dense(placed[-1]), _dense(shape)
    down = np.abs(left[:, None, 1] - own[None, :, 1])
    near = down < max(distance, _STEP)
    # Where the lines pass at the same height, x must leave the rest of the distance.
    reach = np.sqrt(np.maximum(max(distance, 0.0) ** 2 - down**2, 0))
    needed = np.where(near, left[:, None, 0] - own[None, :, 0] + reach, -np.inf)
    start = float(needed.max())
    if not np.isfinite(start):
        start = _right(placed[-1])
    # A character never begins left of the middle of the one before.
    points = np.concatenate(placed[-1])
    start = max(start + min(distance, 0.0), float(points[:, 0].min() + points[:, 0].max()) / 2)
    return [stroke + np.array([start, 0]) for stroke in shape]


def _on_canvas(
    text: str,
    placed: Sequence[Strokes],
    brush: float,
    touches: Sequence[bool],
    rng: np.random.Generator,
) -> Row:
    every = np.concatenate([stroke for character in placed for stroke in character])
    extent = every.max(0) - every.min(0) + brush
    scale = CANVAS * rng.uniform(0.6, 0.95) / float(extent.max())
    room = CANVAS - extent * scale
    corner = rng.uniform(0, 1, 2) * room + brush * scale / 2 - every.min(0) * scale
    moved = [[stroke * scale + corner for stroke in character] for character in placed]
    return Row(text, moved, max(1.0, brush * scale), touches)


def rows(
    characters: Iterable[Character],
    count: int,
    seed: int,
    spacing: Spacing,
    lengths: Sequence[int] = LENGTHS,
) -> list[Row]:
    """Return rows of characters, each of one writer."""
    rng = np.random.default_rng([seed, *spacing.encode()])
    by_writer: dict[Hashable, list[tuple[str, Strokes]]] = {}
    for character, writer, strokes in characters:
        by_writer.setdefault(writer, []).append((character, strokes))
    writers = list(by_writer.values())
    found: list[Row] = []
    while len(found) < count:
        own = writers[int(rng.integers(len(writers)))]
        size = int(rng.choice(lengths))
        chosen = [own[int(index)] for index in rng.integers(len(own), size=size)]
        made = row(chosen, rng, spacing)
        if any(made.touches) or spacing == "apart":
            found.append(made)
    return found
