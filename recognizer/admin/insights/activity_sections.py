"""The site's activity on the Insights page: sentences, charts and tables."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from recognizer.admin.insights.accuracy_sections import (
    NONE,
    Table,
    interval_text,
    share_text,
    share_ticks,
)
from recognizer.admin.insights.charts.axes import Tick, short_count
from recognizer.admin.insights.charts.over_time import Bars, share_lines, stacked_bars
from recognizer.statistics import activity
from recognizer.statistics.activity import Answers, Pace
from recognizer.statistics.intervals import Share
from recognizer.statistics.periods import Span, Spans, Unit
from recognizer.text.numbers import grouped as count
from recognizer.text.numbers import localised

# Pixels.
BARS_HEIGHT, LINES_HEIGHT, SPARK_HEIGHT, AXIS_HEIGHT = 200, 150, 28, 26

# Daily shares are averaged over this many days: those of single days would mostly show chance.
WINDOW = 7


def span_name(span: Span, unit: Unit) -> str:
    if unit is Unit.MONTH:
        return date_format(span.first, "F Y")
    day = date_format(span.first, _("j M Y"))
    return _("week of {day}").format(day=day) if unit is Unit.WEEK else day


def unit_words(unit: Unit) -> dict[str, str]:
    return {
        Unit.DAY: {"column": _("Day"), "per": _("per day"), "busy": _("Labels per working day")},
        Unit.WEEK: {
            "column": _("Week"),
            "per": _("per week"),
            "busy": _("Labels per working week"),
        },
        Unit.MONTH: {
            "column": _("Month"),
            "per": _("per month"),
            "busy": _("Labels per working month"),
        },
    }[unit]


def span_ticks(ticks: Sequence[Tick], spans: Spans) -> list[tuple[str, str]]:
    form = _("M Y") if spans.unit is Unit.MONTH else _("j M")
    return [(tick.at, date_format(spans.items[int(tick.value)].first, form)) for tick in ticks]


def table_by_span(spans: Spans, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> Table:
    """A table with one row per span, the newest first."""
    named = [
        (span_name(span, spans.unit), *row) for span, row in zip(spans.items, rows, strict=True)
    ]
    return Table((unit_words(spans.unit)["column"], *columns), tuple(reversed(named)))


def bars_over_time(
    spans: Spans, series: Mapping[str, Sequence[int]], kinds: Sequence[str]
) -> dict[str, Any]:
    """Stacked bars: series by name, first at the bottom, and the fill of each."""
    plot = stacked_bars(list(series.values()), height=BARS_HEIGHT)
    rows = [tuple(map(count, column)) for column in zip(*series.values(), strict=True)]
    table = table_by_span(spans, series, rows)
    titles = [
        f"{name}: " + ", ".join(f"{what} {n}" for what, n in zip(series, row, strict=True))
        for name, *row in reversed(table.rows)
    ]
    return {
        "height": plot.height,
        "full_height": plot.height + AXIS_HEIGHT,
        "legend": list(zip(series, kinds, strict=True)),
        "bars": [
            (bar, title, [(part, kinds[part.series]) for part in bar.parts])
            for bar, title in zip(plot.bars, titles, strict=True)
        ],
        "y_ticks": [(tick.at, localised(short_count(round(tick.value)))) for tick in plot.y_ticks],
        "x_ticks": span_ticks(plot.x_ticks, spans),
        "table": table,
    }


def lines_over_time(
    spans: Spans, series: Mapping[str, Sequence[Share]], kinds: Sequence[str]
) -> dict[str, Any]:
    """Lines of shares: series by name, and the style of each."""
    plot = share_lines(
        [[share.value for share in line] for line in series.values()], height=LINES_HEIGHT
    )
    rows = [tuple(map(share_text, column)) for column in zip(*series.values(), strict=True)]
    table = table_by_span(spans, series, rows)
    names = [row[0] for row in reversed(table.rows)]
    return {
        "height": plot.height,
        "full_height": plot.height + AXIS_HEIGHT,
        "legend": list(zip(series, kinds, strict=True)),
        "lines": [
            (
                line,
                kind,
                [
                    (point, f"{names[point.span]}: {what} {share_text(shares[point.span])}")
                    for point in line.points
                ],
            )
            for line, kind, (what, shares) in zip(plot.lines, kinds, series.items(), strict=True)
        ],
        "y_ticks": share_ticks(plot.y_ticks),
        "x_ticks": span_ticks(plot.x_ticks, spans),
        "table": table,
    }


def answers_section(spans: Spans, found: Sequence[Answers]) -> dict[str, Any]:
    total = sum(found, Answers())
    window = WINDOW if spans.unit is Unit.DAY else 1
    pooled = [sum(found[max(0, end - window) : end], Answers()) for end in range(1, len(found) + 1)]
    uncertain, refused = Share(total.uncertain, total.n), Share(total.refused, total.n)
    return {
        "n": total.n,
        "n_text": count(total.n),
        "per": unit_words(spans.unit)["per"],
        "mean_text": count(total.n / len(found)) if total.n >= len(found) else "",
        "uncertain": share_text(uncertain),
        "uncertain_n": count(total.uncertain),
        "refused": share_text(refused),
        "refused_n": count(total.refused),
        "window": window if window > 1 else None,
        "refused_interval": interval_text(refused),
        "bars": bars_over_time(
            spans,
            {
                _("Sure"): [each.sure for each in found],
                _("Uncertain"): [each.uncertain for each in found],
                _("Rejected"): [each.refused for each in found],
            },
            ("plain", "hatched", "solid"),
        ),
        "shares": lines_over_time(
            spans,
            {
                _("Uncertain"): [Share(each.uncertain, each.n) for each in pooled],
                _("Rejected"): [Share(each.refused, each.n) for each in pooled],
            },
            ("dashed", "drawn"),
        ),
    }


def suggestions_section(spans: Spans, found: Sequence[Answers]) -> dict[str, Any]:
    total = sum(found, Answers())
    return {
        "n": total.suggested,
        "n_text": count(total.suggested),
        "of_all": share_text(Share(total.suggested, total.n)),
        "disputed": share_text(Share(total.disputed, total.suggested)),
        "disputed_n": count(total.disputed),
        "bars": bars_over_time(
            spans,
            {
                _("Agree"): [each.suggested - each.disputed for each in found],
                _("Disagree"): [each.disputed for each in found],
            },
            ("plain", "solid"),
        ),
    }


@dataclass(frozen=True)
class PaceRow:
    name: str
    labels: str
    sessions: str
    at_work: str
    per_hour: str
    per_span: str
    bars: Bars


def pace_section(spans: Spans, found: Sequence[Pace]) -> dict[str, Any]:
    labels = sum(each.labels for each in found)
    return {
        "n": labels,
        "n_text": count(labels),
        "most": activity.MOST_REVIEWERS,
        "is_cut": len(found) == activity.MOST_REVIEWERS,
        "minutes": activity.PAUSE // 60,
        "busy": unit_words(spans.unit)["busy"],
        "spark_height": SPARK_HEIGHT,
        "rows": [
            PaceRow(
                each.name or _("deleted account"),
                labels=count(each.labels),
                sessions=count(each.sessions),
                at_work=duration(each.seconds),
                per_hour=NONE if each.per_hour is None else count(each.per_hour),
                per_span=count(each.per_busy_span),
                bars=stacked_bars([each.counts], height=SPARK_HEIGHT),
            )
            for each in found
        ],
    }


def duration(seconds: float) -> str:
    """A duration in hours and minutes."""
    hours, minutes = divmod(round(seconds / 60), 60)
    if not hours:
        return _("{m} min").format(m=minutes)
    return _("{h} h {m} min").format(h=hours, m=f"{minutes:02}")
