"""The reliability diagram. Square."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from recognizer.admin.insights.charts.axes import number
from recognizer.statistics.intervals import ConfidenceBin

# In units of the view box: the plot, and below it the strip that says how many there are.
SIDE, LEFT, TOP = 260, 44, 10
STRIP, STRIP_TOP = 40, 288
RIGHT, BOTTOM = 24, 20
TICKS = 5


@dataclass(frozen=True)
class BinMark:
    """A bin of confidence in the plot: bar, dot and whisker of the share right; the bar below."""

    index: int
    x: str
    width: str
    y: str
    height: str
    at: str
    low: str
    high: str
    size_y: str
    size_height: str


@dataclass(frozen=True)
class PlotTick:
    x: str
    y: str
    value: float


@dataclass(frozen=True)
class ReliabilityPlot:
    """Confidence to the right and the share right upwards, a histogram below."""

    size: tuple[int, int]
    corner: tuple[int, int]
    side: int
    strip_corner: tuple[int, int]
    strip: int
    bins: tuple[BinMark, ...]
    ticks: tuple[PlotTick, ...]


def reliability_plot(bins: Sequence[ConfidenceBin]) -> ReliabilityPlot:
    """Return the reliability diagram (Guo et al. 2017, figure 1) of those bins that hold answers.

    The dot is where the bin's mean confidence and its share of right answers meet.
    """
    most = max((each.right.n for each in bins), default=0)
    marks = []
    for index, each in enumerate(bins):
        share, interval = each.right.value, each.right.interval
        if share is None or interval is None or each.confidence is None:
            continue
        size = max(1.0, STRIP * each.right.n / most)
        marks.append(
            BinMark(
                index,
                x=number(SIDE * each.low + 1),
                width=number(SIDE * (each.high - each.low) - 2),
                y=number(SIDE * (1 - share)),
                height=number(SIDE * share),
                at=number(SIDE * each.confidence),
                low=number(SIDE * (1 - interval[0])),
                high=number(SIDE * (1 - interval[1])),
                size_y=number(STRIP - size),
                size_height=number(size),
            )
        )
    return ReliabilityPlot(
        size=(LEFT + SIDE + RIGHT, TOP + STRIP_TOP + STRIP + BOTTOM),
        corner=(LEFT, TOP),
        side=SIDE,
        strip_corner=(LEFT, TOP + STRIP_TOP),
        strip=STRIP,
        bins=tuple(marks),
        ticks=tuple(
            PlotTick(number(SIDE * i / TICKS), number(SIDE * (1 - i / TICKS)), i / TICKS)
            for i in range(TICKS + 1)
        ),
    )
