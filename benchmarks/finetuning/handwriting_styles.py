"""Handwriting styles that the bundled network recognises badly, made from real pen digits.

The network misclassifies few digits in common handwriting, so a style is one habit applied to all
digits of a writer of the UCI pen data. Styles and their strengths were chosen on the training
writers, such that many digits are rejected or misclassified and a person recognises almost all
(``benchmarks.finetuning.learning_loop --survey`` prints the figures).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognizer import imaging
from recognizer.imaging.strokes import Stroke, Strokes
from training.data.datasets import PenDigit
from training.synthesis.handwriting import unit_box
from training.synthesis.strokes import Placement, draw_at

PEN = Placement(size=(0.5, 0.8), brush=(10, 16), anywhere=True)
"""Size, brush and place of the drawings on the canvas."""

Habit = Callable[[int, Strokes], Strokes]


@dataclass(frozen=True)
class Style:
    """A habit of writing: its description, and the function that changes a digit's strokes."""

    name: str
    description: str
    habit: Habit

    def draw(self, digit: PenDigit, rng: np.random.Generator) -> bytes:
        """Return a digit in this style as the PNG of a 280 px canvas."""
        strokes = self.habit(digit.label, unit_box(digit.strokes))
        return imaging.encode_png(draw_at(strokes, PEN, rng))


def _turned(label: int, strokes: Strokes) -> Strokes:
    angle = np.radians(45)
    matrix = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return [stroke @ matrix.T for stroke in strokes]


def _narrow(label: int, strokes: Strokes) -> Strokes:
    return [stroke * (1.0, 3.0) for stroke in strokes]


def _dotted(label: int, strokes: Strokes) -> Strokes:
    return [point[None] for stroke in strokes for point in _every(stroke, 0.19)]


def _slab(label: int, strokes: Strokes) -> Strokes:
    """Slash the 0, give the 1 a long flag, 4 and 7 a foot, and underline 6 and 9."""
    points = np.concatenate(strokes)
    low, high = points.min(0), points.max(0)
    top, foot = points[points[:, 1].argmin()], points[points[:, 1].argmax()]
    if label == 0:
        return [*strokes, _line((low[0] - 0.05, high[1] + 0.05), (high[0] + 0.05, low[1] - 0.05))]
    if label == 1:
        return [*strokes, _line(_off(top, -0.55, 0.8), top)]
    if label in (4, 7):
        return [*strokes, _line(_off(foot, -0.3, 0.0), _off(foot, 0.3, 0.0))]
    if label in (6, 9):
        under = high[1] + 0.13
        return [*strokes, _line((low[0] - 0.05, under + 0.01), (high[0] + 0.05, under - 0.01))]
    return strokes


STYLES: Mapping[str, Style] = {
    style.name: style
    for style in (
        Style("turned", "turned by 45 degrees", _turned),
        Style("narrow", "a third as wide", _narrow),
        Style("dotted", "dots instead of lines", _dotted),
        Style("slab", "slashed 0, flagged 1, feet under 4 and 7, lines under 6 and 9", _slab),
    )
}


def _line(*ends: tuple[float, float] | NDArray[np.float64]) -> Stroke:
    return np.array(ends, np.float64)


def _off(point: NDArray[np.float64], right: float, down: float) -> tuple[float, float]:
    return float(point[0]) + right, float(point[1]) + down


def _every(stroke: Stroke, step: float) -> Stroke:
    """Return points along a stroke about ``step`` apart, including both ends."""
    lengths = np.hypot(*np.diff(stroke, axis=0).T)
    along = np.concatenate([[0.0], np.cumsum(lengths)])
    at = np.linspace(0, along[-1], max(1, int(along[-1] / step)) + 1)
    return np.stack([np.interp(at, along, stroke[:, axis]) for axis in (0, 1)], axis=1)
