"""Test sets of non-digits, by kind.

Scribbles, dots, lines, letters and shapes come from ``training.synthesis.nondigits``. A model that
was trained with that generator knows its style, so if pen data is available, some sets are made
from the strokes of test writers: digits side by side, and scribbles of many strokes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from recognizer.imaging.strokes import CANVAS, Strokes, render
from training.data import datasets
from training.data.datasets import NOT_A_DIGIT, Data, PenDigit
from training.synthesis.nondigits import generate_nondigit
from training.synthesis.strokes import PLACEMENTS, draw_at, place

EACH = 300
"""Drawings in a set."""

GROUPS: dict[str, tuple[str, ...]] = {
    "scribbles": ("zigzag", "tangle", "spiral", "hatching", "walk", "heavy", "smear"),
    "dots": ("dot", "dots", "crumbs"),
    "lines across": ("line", "lines", "wave"),
    "letters and words": ("letter", "word", "greek", "script"),
    "invented characters": ("glyph",),
    "shapes and signs": ("shape", "arrow", "question", "sign", "cross", "tick"),
    "altered digits": ("cut", "overlaid", "crossed-out", "turned"),
}
"""The generator's kinds in each set, except "digits", for which there are sets of pen strokes."""

SCRIBBLES, APART, TOUCHING, EMPTY = (
    "scribbles of pen strokes", "digits apart", "digits touching", "nearly empty"
)  # fmt: skip

_WILD = PLACEMENTS["wild"]
_SEEDS = {"altered digits": "spoiled digits"}
"""Seeds of sets that have been renamed, so that their drawings stay the same."""

_TOUCH = 0.03  # of a digit's height: strokes closer than that run into each other
_BARE = 1  # a plain 1 that touches its neighbour turns it into another digit

Drawer = Callable[[np.random.Generator], NDArray[np.uint8]]


def by_kind(pen: Sequence[PenDigit] = (), each: int = EACH, seed: int = 102) -> dict[str, Data]:
    """Return the sets by name, each of ``each`` drawings, the same for a seed.

    ``pen`` are digits of test writers; without them, the three sets made of them are omitted.
    """
    drawers: dict[str, Drawer] = {name: _generated(kinds) for name, kinds in GROUPS.items()}
    drawers[EMPTY] = nearly_empty
    if pen:
        drawers[SCRIBBLES] = lambda rng: draw_at(scribble(pen, rng), _WILD, rng)
        drawers[APART] = lambda rng: draw_at(side_by_side(pen, rng, touching=False), _WILD, rng)
        drawers[TOUCHING] = lambda rng: draw_at(side_by_side(pen, rng, touching=True), _WILD, rng)
    return {
        name: _draw(
            name, drawer, each, np.random.default_rng([seed, *_SEEDS.get(name, name).encode()])
        )
        for name, drawer in drawers.items()
    }


def _draw(name: str, drawer: Drawer, each: int, rng: np.random.Generator) -> Data:
    images = [datasets.model_input_of(drawer(rng)) for _ in range(each)]
    return Data(name, np.stack(images), np.full(each, NOT_A_DIGIT, np.uint8))


def _generated(kinds: Sequence[str]) -> Drawer:
    def draw(rng: np.random.Generator) -> NDArray[np.uint8]:
        return draw_at(generate_nondigit(rng, kind=str(rng.choice(kinds))), _WILD, rng)

    return draw


def side_by_side(pen: Sequence[PenDigit], rng: np.random.Generator, *, touching: bool) -> Strokes:
    """Return two or three digits of one writer in a row, touching or with a gap between them.

    Each has 85-110 % of the usual height and a small vertical offset. Touching digits exclude 1.
    """
    first = pen[int(rng.integers(len(pen)))]
    usable = [
        digit
        for digit in pen
        if digit.writer == first.writer and not (touching and digit.label == _BARE)
    ]
    count = 2 if rng.random() < 0.65 else 3
    row: Strokes = []
    for index in rng.integers(len(usable), size=count):
        strokes = _upright(usable[int(index)].strokes, rng.uniform(0.85, 1.1))
        if row:
            gap = _gap_to_touch(row, strokes) if touching else rng.uniform(0.1, 0.45)
            right = max(float(stroke[:, 0].max()) for stroke in row)
            shift = np.array([right + gap, rng.normal(0, 0.04)])
            strokes = [stroke + shift for stroke in strokes]
        row += strokes
    return row


def _upright(strokes: Strokes, height: float) -> Strokes:
    """Return a digit scaled to ``height``, its left edge at x = 0 and its centre at y = 0."""
    points = np.concatenate(strokes)
    low, high = points.min(0), points.max(0)
    scale = height / max(float(high[1] - low[1]), float(high[0] - low[0]) / 2, 1e-9)
    return [(stroke - (low[0], (low[1] + high[1]) / 2)) * scale for stroke in strokes]


def _gap_to_touch(left: Strokes, right: Strokes) -> float:
    """Return the offset from the right edge of ``left`` at which ``right`` touches it."""
    one, other = np.concatenate(left), np.concatenate(right)
    apart = one[:, None] - other[None] - (one[:, 0].max(), 0)
    # Further left they would overlap.
    gaps = np.arange(0, -0.35, -0.02)
    for gap in gaps:
        if np.hypot(apart[..., 0] - gap, apart[..., 1]).min() < _TOUCH:
            return float(gap)
    return float(gaps[-1])


def scribble(pen: Sequence[PenDigit], rng: np.random.Generator) -> Strokes:
    """Return six to ten strokes of different digits on top of each other, rotated at random."""
    strokes: Strokes = []
    for index in rng.integers(len(pen), size=int(rng.integers(6, 11))):
        digit = pen[int(index)]
        stroke = place([max(digit.strokes, key=len)], canvas=1, size=rng.uniform(0.5, 1))[0] - 0.5
        angle = rng.uniform(0, 2 * np.pi)
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        strokes.append(stroke @ turn + rng.uniform(-0.35, 0.35, 2))
    return strokes


# --- nearly empty canvases -----------------------------------------------------------------------


def nearly_empty(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return a nearly empty canvas, uint8 (280, 280).

    It shows one of: grainy paper, paper in uneven light, specks of dust, a tap of the brush, a
    stroke shorter than the brush is wide, a tap at the edge of the canvas.
    """
    kinds = (_grain, _uneven_light, _dust, _tap, _slip, _tap_at_the_edge)
    return kinds[int(rng.integers(len(kinds)))](rng)


def _grain(rng: np.random.Generator) -> NDArray[np.uint8]:
    values = rng.uniform(200, 250) + rng.normal(0, rng.uniform(1, 8), (CANVAS, CANVAS))
    return np.clip(values, 0, 255).astype(np.uint8)


def _uneven_light(rng: np.random.Generator) -> NDArray[np.uint8]:
    across, down = np.meshgrid(np.linspace(-0.5, 0.5, CANVAS), np.linspace(-0.5, 0.5, CANVAS))
    angle = rng.uniform(0, 2 * np.pi)
    slope = (across * np.cos(angle) + down * np.sin(angle)) * rng.uniform(20, 100)
    values: NDArray[np.float64] = 190 + slope + rng.normal(0, 2, slope.shape)
    return np.clip(values, 0, 255).astype(np.uint8)


def _dust(rng: np.random.Generator) -> NDArray[np.uint8]:
    pixels = np.full((CANVAS, CANVAS), 255, np.uint8)
    for _ in range(int(rng.integers(1, 7))):
        side = int(rng.integers(1, 4))
        x, y = rng.integers(0, CANVAS - side, 2)
        pixels[y : y + side, x : x + side] = rng.integers(0, 160)
    return pixels


def _tap(rng: np.random.Generator) -> NDArray[np.uint8]:
    at = rng.uniform(30, CANVAS - 30, (1, 2))
    return render([at], brush=float(rng.uniform(4, 26)))


def _slip(rng: np.random.Generator) -> NDArray[np.uint8]:
    brush, angle = float(rng.uniform(8, 26)), rng.uniform(0, 2 * np.pi)
    along = np.array([np.cos(angle), np.sin(angle)]) * brush * rng.uniform(0.1, 0.5)
    start = rng.uniform(40, CANVAS - 40, 2)
    return render([np.stack([start, start + along])], brush=brush)


def _tap_at_the_edge(rng: np.random.Generator) -> NDArray[np.uint8]:
    at = rng.uniform(0, CANVAS, (1, 2))
    at[0, int(rng.integers(2))] = rng.choice([0.0, CANVAS])
    return render([at], brush=float(rng.uniform(10, 26)))
