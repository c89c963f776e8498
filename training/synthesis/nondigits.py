"""Generated non-digits: scribbles, letters, shapes, signs, several digits.

Excluded, because a person would recognise a digit in them:

- C c D G O o Q U (0), I J L l i j | / ( ) ! (1), Z z (2), Ɛ Σ ʒ (3), y (an open 4), S s (5),
  b (6), B & δ ∞ (8), g q (9), Φ θ ∅ (a slashed 0), @ (a curled 0), lightning (4);
- kana and Han that look like one: ノ (1), フ ク (7), ろ る (3), 口 (0), 中 (a barred 0), 己 (2),
  日 (8);
- a single line within 60 degrees of vertical (1), a plain circle or ellipse and a spiral of
  under two turns (0, 6, 9), a zigzag of under five legs (2, 3), an arrow pointing up (1);
- a digit with a ring (or a 0) around it, an underline, or a stroke through it: its meaning is
  ambiguous;
- what ``invented_characters`` and ``altered_digits`` exclude.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from training.synthesis import altered_digits, scribbles
from training.synthesis.allographs import generate_digit
from training.synthesis.handwriting import Stroke, Variation, read_figures, unit_box, write
from training.synthesis.invented_characters import generate_glyph

Drawer = Callable[[np.random.Generator], list[Stroke]]

_VARIATIONS = {
    "loose": Variation(lean=(-20.0, 28.0), turn=(-14.0, 14.0), tilt=(-26.0, 32.0), widen=0.16),
    "square": Variation(
        lean=(-12.0, 14.0), turn=(-10.0, 10.0), tilt=(-14.0, 16.0), wobble=0.85, sharp=0.8
    ),
    "steady": Variation(lean=(-8.0, 10.0), turn=(-8.0, 10.0), tilt=(-10.0, 12.0)),
}
_FIGURES = {
    group: {name: shape for name, (_, shape) in figures.items()}
    for group, figures in read_figures(Path(__file__).with_suffix(".txt"), _VARIATIONS).items()
}


def generate_nondigit(rng: np.random.Generator, *, kind: str | None = None) -> list[Stroke]:
    """Return pen strokes of a non-digit, each float64 (n, 2), x right, y down.

    Its longer side is 1, and its centre (.5, .5); a single dot is one point, n = 1. ``kind`` is one
    of ``NONDIGITS``, by default a random one, weighted by expected frequency. Raises ``ValueError``
    for an unknown kind.
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


def _arrow(rng: np.random.Generator) -> list[Stroke]:
    angle = np.radians(rng.uniform(-50, 50))
    c, s = np.cos(angle), np.sin(angle)
    turn = np.array([[c, s], [-s, c]]) * (1.0 if rng.random() < 0.6 else -1.0)
    return [(stroke - 0.5) @ turn for stroke in write(_FIGURES["single"]["arrow"], rng)]


def _digits(rng: np.random.Generator) -> list[Stroke]:
    """Return two to four digits side by side, touching or apart."""
    digits = rng.integers(0, 10, int(rng.choice((2, 3, 4), p=(0.65, 0.25, 0.1))))
    if rng.random() < 0.15:
        digits[:] = digits[0]
    return altered_digits.side_by_side([generate_digit(int(d), rng) for d in digits], rng)


def _crossed_out(rng: np.random.Generator) -> list[Stroke]:
    return altered_digits.crossed_out(generate_digit(int(rng.integers(10)), rng), rng)


def _turned(rng: np.random.Generator) -> list[Stroke]:
    while True:
        digit = int(rng.choice(tuple(altered_digits.TURNS)))
        if (strokes := altered_digits.turned(digit, generate_digit(digit, rng), rng)) is not None:
            return strokes


def _word(rng: np.random.Generator) -> list[Stroke]:
    """Return a few letters, sometimes with a digit among them."""
    letters = [_letter(rng) for _ in range(int(rng.integers(2, 5)))]
    if rng.random() < 0.3:
        letters[int(rng.integers(len(letters)))] = generate_digit(int(rng.integers(10)), rng)
    return altered_digits.side_by_side(letters, rng)


_KINDS: dict[str, tuple[float, Drawer]] = {
    "glyph": (25, generate_glyph),
    "letter": (10, _letter),
    "word": (3, _word),
    "greek": (3, _any_of("greek")),
    "script": (5, _any_of("script")),
    "digits": (15, _digits),
    "cut": (2, altered_digits.cut),
    "overlaid": (2, altered_digits.overlaid),
    "crossed-out": (2, _crossed_out),
    "turned": (2, _turned),
    "zigzag": (2.5, scribbles.zigzag),
    "tangle": (3, scribbles.tangle),
    "spiral": (1.5, scribbles.spiral),
    "hatching": (2, scribbles.hatching),
    "walk": (3, scribbles.walk),
    "heavy": (2, scribbles.heavy),
    "dot": (1, scribbles.dot),
    "dots": (2, scribbles.dots),
    "smear": (2, scribbles.smear),
    "crumbs": (1, scribbles.crumbs),
    "line": (3, scribbles.line),
    "lines": (2, scribbles.lines),
    "wave": (1, scribbles.wave),
    "cross": (1.5, lambda rng: write(_FIGURES["single"]["cross"], rng)),
    "tick": (1.5, lambda rng: write(_FIGURES["single"]["tick"], rng)),
    "question": (0.5, lambda rng: write(_FIGURES["single"]["question"], rng)),
    "arrow": (1, _arrow),
    "shape": (6, _any_of("shape")),
    "sign": (3, _any_of("sign")),
}
NONDIGITS: tuple[str, ...] = tuple(_KINDS)
_ODDS = np.cumsum([weight for weight, _ in _KINDS.values()]) / sum(
    weight for weight, _ in _KINDS.values()
)
# Drawings without an orientation.
_TURNED = {
    *("zigzag", "tangle", "spiral", "hatching", "walk", "heavy", "smear"),
    *("dots", "lines", "wave"),
}
