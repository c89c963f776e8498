"""Stacked bars and lines over spans of time. Fluid."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

from recognizer.admin.insights.charts.axes import Tick, number, percent, round_values, some_of


@dataclass(frozen=True)
class Part:
    """A series' piece of a bar, in pixels from the top."""

    series: int
    y: str
    height: str


@dataclass(frozen=True)
class Bar:
    """The pieces of one span, lowest first."""

    x: str
    width: str
    parts: tuple[Part, ...]


@dataclass(frozen=True)
class Bars:
    """Stacked bars; ``y_ticks`` are counts, ``x_ticks`` are numbers of spans."""

    height: int
    bars: tuple[Bar, ...]
    y_ticks: tuple[Tick, ...]
    x_ticks: tuple[Tick, ...]


def stacked_bars(series: Sequence[Sequence[int]], *, height: int, labels: int = 5) -> Bars:
    """Return bars of counts (series, spans), the first series at the bottom.

    ``height`` is in pixels; ``labels`` is how many spans are marked at most, the last among them.
    """
    columns = list(zip(*series, strict=True))
    values = round_values(max(map(sum, columns)), least_step=1)
    scale = height / values[-1]
    slot = 1 / len(columns)
    gap = slot * (0.3 if len(columns) < 40 else 0.15)
    bars = []
    for index, column in enumerate(columns):
        parts, top = [], float(height)
        for which, count in enumerate(column):
            if count:
                # What is there can be seen, if only as a line.
                size = max(1.0, count * scale)
                top = max(0.0, top - size)
                parts.append(Part(which, number(top), number(size)))
        bars.append(Bar(percent(index * slot + gap / 2), percent(slot - gap), tuple(parts)))
    return Bars(
        height,
        tuple(bars),
        y_ticks=tuple(Tick(number(height - value * scale), value) for value in values),
        x_ticks=some_of(len(columns), labels),
    )


@dataclass(frozen=True)
class Point:
    span: int
    x: str
    y: str


@dataclass(frozen=True)
class Line:
    """A series: its points, and the pairs of neighbours to be joined."""

    points: tuple[Point, ...]
    pairs: tuple[tuple[Point, Point], ...]


@dataclass(frozen=True)
class Lines:
    """Shares over time; ``y_ticks`` are shares, ``x_ticks`` are numbers of spans."""

    height: int
    lines: tuple[Line, ...]
    y_ticks: tuple[Tick, ...]
    x_ticks: tuple[Tick, ...]


def share_lines(series: Sequence[Sequence[float | None]], *, height: int, labels: int = 5) -> Lines:
    """Return lines of shares (series, spans), 0-1. A span without a share leaves a gap."""
    most = max((share for line in series for share in line if share is not None), default=0.0)
    values = round_values(most, least_step=0.005)
    scale = height / values[-1]

    def line(shares: Sequence[float | None]) -> Line:
        points = tuple(
            Point(span, percent((span + 0.5) / len(shares)), number(height - share * scale))
            for span, share in enumerate(shares)
            if share is not None
        )
        neighbours = itertools.pairwise(points)
        return Line(points, tuple((a, b) for a, b in neighbours if b.span == a.span + 1))

    return Lines(
        height,
        tuple(map(line, series)),
        y_ticks=tuple(Tick(number(height - value * scale), value) for value in values),
        x_ticks=some_of(len(series[0]), labels),
    )
