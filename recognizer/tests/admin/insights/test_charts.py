"""Where charts put what they show."""

from __future__ import annotations

import itertools
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognizer.admin.insights.charts.axes import round_values, share_axis, short_count, some_of
from recognizer.admin.insights.charts.heat_map import OPACITIES, heat, heat_map
from recognizer.admin.insights.charts.over_time import share_lines, stacked_bars
from recognizer.admin.insights.charts.reliability import reliability_plot
from recognizer.statistics.intervals import ConfidenceBin, Share

COORDINATE = re.compile(r"-?\d+(\.\d+)?%?")


@given(st.integers(0, 10**9), st.integers(2, 6))
def test_an_axis_of_counts_has_a_few_round_whole_values(most: int, count: int) -> None:
    values = round_values(most, least_step=1, count=count)

    assert values[0] == 0
    assert values[-1] >= most
    assert len(values) <= count + 2
    steps = {round(two - one, 6) for one, two in itertools.pairwise(values)}
    assert len(steps) == 1
    assert steps.pop() % 1 == 0


def test_an_axis_of_shares_starts_below_the_lowest() -> None:
    assert share_axis([0.962, 0.991]).start == 0.95
    assert share_axis([0.95]).start == 0.95
    assert share_axis([0.1]).start == 0.0
    axis = share_axis([0.91])
    assert [round(tick.value, 2) for tick in axis.ticks] == [0.9, 0.92, 0.94, 0.96, 0.98, 1.0]
    assert [tick.at for tick in axis.ticks] == ["0%", "20%", "40%", "60%", "80%", "100%"]
    whisker = axis.whisker(Share(95, 100))
    assert whisker is not None
    assert whisker.at == "50%"
    # Its lower end, 88.8 %, lies outside: the line starts where the axis does.
    assert whisker.low == "0%"


@pytest.mark.parametrize(
    ("n", "text"),
    [(0, "0"), (999, "999"), (1000, "1k"), (1290, "1.2k"), (9999, "9.9k"), (10_000, "10k"),
     (999_999, "999k"), (3_400_000, "3.4M")],
)  # fmt: skip
def test_a_count_fits_a_cell(n: int, text: str) -> None:
    assert short_count(n) == text
    assert len(short_count(n)) <= 4


def test_the_last_span_is_always_named() -> None:
    for n in range(1, 93):
        marks = some_of(n, 5)
        assert marks[-1].value == n - 1
        assert len(marks) <= 5


@given(st.lists(st.tuples(*[st.integers(0, 5000)] * 3), min_size=1, max_size=92))
def test_bars_stand_on_each_other_and_on_the_ground(columns: list[tuple[int, int, int]]) -> None:
    found = stacked_bars(list(zip(*columns, strict=True)), height=200)

    assert len(found.bars) == len(columns)
    for bar, column in zip(found.bars, columns, strict=True):
        assert [part.series for part in bar.parts] == [i for i, n in enumerate(column) if n]
        ground = 200.0
        for part in bar.parts:
            assert float(part.y) >= 0
            assert float(part.height) >= 1
            assert float(part.y) + float(part.height) == pytest.approx(ground, abs=1.1)
            ground = float(part.y)


def test_a_day_without_answers_is_a_gap_in_the_line() -> None:
    (line,) = share_lines([[0.1, 0.2, None, 0.05]], height=100).lines

    assert [point.span for point in line.points] == [0, 1, 3]
    assert [(one.span, two.span) for one, two in line.pairs] == [(0, 1)]


def test_right_answers_do_not_drown_the_mistakes() -> None:
    found = heat_map([[5000, 2, 0], [1, 4000, 0], [0, 40, 10]])
    cells = {(cell.row, cell.column): cell for cell in found.cells}

    assert cells[2, 1].opacity == cells[0, 0].opacity == "1"
    assert cells[0, 2].opacity == "0"
    assert 0 < float(cells[1, 0].opacity) < float(cells[2, 1].opacity)
    assert cells[0, 0].text == "5k"
    assert cells[0, 0].is_strong


@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_larger_counts_have_stronger_colours(one: int, two: int) -> None:
    most = max(one, two)
    assert heat(most, most) == OPACITIES[-1]
    assert heat(min(one, two), most) in OPACITIES


def test_a_bin_without_answers_is_not_drawn() -> None:
    bins = [
        ConfidenceBin(0, 0.5, Share(0, 0), None),
        ConfidenceBin(0.5, 1, Share(3, 4), 0.8),
    ]
    plot = reliability_plot(bins)

    (mark,) = plot.bins
    assert mark.index == 1
    assert float(mark.y) == plot.side * 0.25
    assert float(mark.at) == plot.side * 0.8
    for name, value in vars(mark).items():
        assert name == "index" or COORDINATE.fullmatch(value), name
