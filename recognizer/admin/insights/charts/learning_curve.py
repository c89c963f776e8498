"""Accuracy over the number of labels. Fluid; the numbers of labels have a logarithmic axis."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from recognizer.admin.insights.charts.axes import Tick, number, percent, share_axis
from recognizer.statistics.intervals import Share

SEGMENTS = 32
"""Straight pieces that the fitted line is drawn in."""


@dataclass(frozen=True)
class Mark:
    """A point with the ends of its 95 % interval."""

    index: int
    x: str
    y: str
    low: str
    high: str


@dataclass(frozen=True)
class Segment:
    x1: str
    y1: str
    x2: str
    y2: str


@dataclass(frozen=True)
class CurvePlot:
    height: int
    marks: tuple[Mark, ...]
    fitted: tuple[Segment, ...]
    x_ticks: tuple[Tick, ...]
    y_ticks: tuple[Tick, ...]


def learning_curve_plot(
    points: Sequence[tuple[int, Share]], fitted: Callable[[int], float] | None, *, height: int
) -> CurvePlot:
    """Plot shares over numbers of labels, both at least 1; ``fitted`` is the line, as shares."""
    sizes = [labels for labels, _share in points]
    low, high = min(sizes) / 1.25, max(sizes) * 1.25
    intervals = [share.interval or (0.0, 1.0) for _labels, share in points]
    axis = share_axis([each[0] for each in intervals])

    def across(labels: float) -> str:
        return percent(math.log(labels / low) / math.log(high / low))

    def up(share: float) -> str:
        return number(height * (1 - max(0.0, (share - axis.start) / (1 - axis.start))))

    marks = tuple(
        Mark(index, across(labels), up(share.value or 0), up(interval[0]), up(interval[1]))
        for index, ((labels, share), interval) in enumerate(zip(points, intervals, strict=True))
    )
    line: list[tuple[str, str]] = []
    if fitted is not None:
        steps = [low * (high / low) ** (i / SEGMENTS) for i in range(SEGMENTS + 1)]
        line = [(across(each), up(fitted(max(1, round(each))))) for each in steps]
    return CurvePlot(
        height,
        marks,
        tuple(Segment(*a, *b) for a, b in itertools.pairwise(line)),
        x_ticks=tuple(Tick(across(each), each) for each in _round_sizes(low, high)),
        y_ticks=tuple(Tick(up(tick.value), tick.value) for tick in axis.ticks),
    )


def _round_sizes(low: float, high: float) -> list[int]:
    """Return 1, 2 and 5 times powers of ten between two numbers; powers only if there are many."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    found = [factor * 10**power for power in powers for factor in (1, 2, 5) if power >= 0]
    inside = [each for each in found if low <= each <= high]
    if len(inside) > 6:
        inside = [each for each in inside if str(each)[0] == "1"]
    return inside
