"""The model's accuracy on the Insights page: sentences, charts and tables."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from recognizer.admin.insights.charts.axes import ShareAxis, Tick, Whisker, share_axis
from recognizer.admin.insights.charts.heat_map import HeatCell, heat_map
from recognizer.admin.insights.charts.reliability import reliability_plot
from recognizer.models import Label
from recognizer.statistics.accuracy import (
    ENOUGH,
    LABELS,
    PRECISE,
    Confusion,
    Reliability,
    VersionAccuracy,
    is_rough,
)
from recognizer.statistics.intervals import Share
from recognizer.text.numbers import grouped as count
from recognizer.text.numbers import localised, percent

# With fewer drawings of a digit, the chart does not show its precision and recall.
ENOUGH_OF_A_DIGIT = 10
# How many kinds of mistakes are listed.
MISTAKES_NAMED = 3
# Pixels.
DIGIT_HEIGHT, AXIS_HEIGHT = 28, 24
NONE = "–"


@dataclass(frozen=True)
class Table:
    """A chart's numbers; the first cell of a row is its header."""

    columns: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]


def share_text(share: Share) -> str:
    return NONE if share.value is None else percent(share.value)


def interval_text(share: Share) -> str:
    return NONE if share.interval is None else range_text(*share.interval)


def interval_name() -> str:
    # xgettext:no-python-format
    return _("95 % interval")


def range_text(low: float, high: float) -> str:
    return _("{low} to {high} %").format(low=points(low), high=points(high))


def points(share: float) -> str:
    """A difference of shares in percentage points, without the sign."""
    return number_format(round(100 * share, 1), 1)


def label_name(label: int) -> str:
    return str(Label(label).label)


def short_label(label: int) -> str:
    """A label in one character: the empty set is "not a digit"."""
    return "∅" if label == Label.NOT_A_DIGIT else str(label)


def share_ticks(ticks: Sequence[Tick]) -> list[tuple[str, str]]:
    return [(tick.at, round_percent(tick.value)) for tick in ticks]


def round_percent(share: float) -> str:
    """A share in per cent, with as few decimals as it needs."""
    return _("{value} %").format(value=number_format(f"{100 * share:.3g}"))


# --- each version's accuracy ----------------------------------------------------------------------


@dataclass(frozen=True)
class VersionRow:
    measured: VersionAccuracy
    audited: str
    interval: str
    audited_n: str
    is_rough: bool
    labelled: str
    labelled_n: str
    whisker: Whisker | None
    labelled_at: str | None


def accuracy_section(found: Sequence[VersionAccuracy]) -> dict[str, Any]:
    """The accuracy of each version; no figure if there are too few audits."""
    lows = [
        each.audited.interval[0] for each in found if not each.missing and each.audited.interval
    ]
    biased = [each.labelled.value for each in found if each.labelled.value is not None]
    axis = share_axis([*lows, *biased])

    def row(each: VersionAccuracy) -> VersionRow:
        value = each.labelled.value
        return VersionRow(
            each,
            audited=share_text(each.audited),
            interval=interval_text(each.audited),
            audited_n=count(each.audited.n),
            is_rough=is_rough(each.audited.n),
            labelled=share_text(each.labelled),
            labelled_n=count(each.labelled.n),
            whisker=None if each.missing else axis.whisker(each.audited),
            labelled_at=None if value is None else axis.place(value),
        )

    return {
        "rows": [row(each) for each in found],
        "enough": ENOUGH,
        "precise": PRECISE,
        "is_drawn": bool(lows or biased),
        "grid": [tick.at for tick in axis.ticks],
        "ticks": share_ticks(axis.ticks),
    }


@dataclass(frozen=True)
class Headline:
    """The accuracy on audited drawings, in large type."""

    share: str
    interval: str
    n: str
    missing: int
    is_rough: bool


def headline(audited: Share) -> Headline:
    return Headline(
        share_text(audited),
        interval_text(audited),
        count(audited.n),
        missing=max(0, ENOUGH - audited.n),
        is_rough=is_rough(audited.n),
    )


# --- confusion matrix -----------------------------------------------------------------------------


@dataclass(frozen=True)
class LinkedCell:
    cell: HeatCell
    url: str
    name: str
    text: str
    exact: str
    pair: str


def confusion_section(found: Confusion, address: Callable[[int, int], str]) -> dict[str, Any]:
    """The confusion matrix; ``address`` returns the URL of the drawings with a label and answer."""
    heat = heat_map(found.counts)

    def linked(cell: HeatCell) -> LinkedCell:
        names = {"label": label_name(cell.row), "answer": label_name(cell.column)}
        name = ngettext(
            "{n} drawing labelled “{label}”, predicted “{answer}”",
            "{n} drawings labelled “{label}”, predicted “{answer}”",
            cell.n,
        )
        return LinkedCell(
            cell,
            address(cell.row, cell.column),
            name=name.format(n=count(cell.n), **names),
            text=localised(cell.text),
            exact=count(cell.n),
            pair=_("{label} as {answer}").format(**names),
        )

    cells = [linked(cell) for cell in heat.cells]
    mistakes = [each for each in cells if each.cell.n and not each.cell.is_right]
    mistakes.sort(key=lambda each: -each.cell.n)
    return {
        "n": found.n,
        "n_text": count(found.n),
        "map": heat,
        "cells": cells,
        "headings": [(cell, short_label(cell.row), label_name(cell.row)) for cell in heat.diagonal],
        "rows": [
            (label_name(label), cells[LABELS * label : LABELS * (label + 1)])
            for label in range(LABELS)
        ],
        "worst": mistakes[:MISTAKES_NAMED],
    }


# --- precision and recall -------------------------------------------------------------------------


@dataclass(frozen=True)
class DigitRow:
    short: str
    title: str
    y: int
    recall: Whisker | None
    precision: Whisker | None


def digits_section(found: Confusion) -> dict[str, Any]:
    measures = [(label, found.recall(label), found.precision(label)) for label in range(LABELS)]
    axis = share_axis(
        [
            share.interval[0]
            for _label, *pair in measures
            for share in pair
            if share.n >= ENOUGH_OF_A_DIGIT and share.interval
        ]
    )
    return {
        "rows": [
            DigitRow(
                short_label(label),
                title=_("{label}: recall {recall} of {n}, precision {precision} of {m}").format(
                    label=label_name(label),
                    recall=share_text(recall),
                    n=count(recall.n),
                    precision=share_text(precision),
                    m=count(precision.n),
                ),
                y=index * DIGIT_HEIGHT,
                recall=_whisker(axis, recall),
                precision=_whisker(axis, precision),
            )
            for index, (label, recall, precision) in enumerate(measures)
        ],
        "enough": ENOUGH_OF_A_DIGIT,
        "row_height": DIGIT_HEIGHT,
        "bottom": LABELS * DIGIT_HEIGHT,
        "height": LABELS * DIGIT_HEIGHT + AXIS_HEIGHT,
        "ticks": share_ticks(axis.ticks),
        "weakest": _weakest(measures),
        "table": Table(
            (
                _("Label"),
                _("Drawings with this label"),
                _("Recall"),
                interval_name(),
                _("Drawings predicted as this"),
                _("Precision"),
                interval_name(),
            ),
            tuple(
                (
                    label_name(label),
                    count(recall.n),
                    share_text(recall),
                    interval_text(recall),
                    count(precision.n),
                    share_text(precision),
                    interval_text(precision),
                )
                for label, recall, precision in measures
            ),
        ),
    }


def _whisker(axis: ShareAxis, share: Share) -> Whisker | None:
    return axis.whisker(share) if share.n >= ENOUGH_OF_A_DIGIT else None


def _weakest(measures: Sequence[tuple[int, Share, Share]]) -> tuple[str, str] | None:
    """The digit with the lowest recall, and that recall; None if no digit has enough drawings."""
    recalls = [
        (recall.value, label)
        for label, recall, _precision in measures
        if label != Label.NOT_A_DIGIT and recall.n >= ENOUGH_OF_A_DIGIT and recall.value is not None
    ]
    if not recalls:
        return None
    value, label = min(recalls)
    return label_name(label), percent(value)


# --- calibration ----------------------------------------------------------------------------------


def reliability_section(found: Reliability) -> dict[str, Any]:
    plot = reliability_plot(found.bins)
    used = [found.bins[mark.index] for mark in plot.bins]
    edges = [range_text(each.low, each.high) for each in used]
    confidence = sum((each.confidence or 0) * each.right.n for each in used)
    right = Share(sum(each.right.hits for each in used), found.n)
    names = [
        _("Confidence {edges}: {right} of {n} correct, {share}").format(
            edges=edge,
            right=count(each.right.hits),
            n=count(each.right.n),
            share=share_text(each.right),
        )
        for edge, each in zip(edges, used, strict=True)
    ]
    return {
        "n": found.n,
        "n_text": count(found.n),
        "too_few": max(0, ENOUGH - found.n),
        "is_rough": is_rough(found.n),
        "plot": plot,
        "marks": list(zip(plot.bins, names, strict=True)),
        "ticks": [(tick, round_percent(tick.value)) for tick in plot.ticks],
        "error": None if found.error is None else points(found.error),
        "promised": percent(confidence / found.n) if found.n else NONE,
        "right": share_text(right),
        "table": Table(
            (
                _("Confidence"),
                _("Drawings"),
                _("Mean confidence"),
                _("Correct"),
                interval_name(),
            ),
            tuple(
                (
                    edge,
                    count(each.right.n),
                    percent(each.confidence or 0),
                    share_text(each.right),
                    interval_text(each.right),
                )
                for edge, each in zip(edges, used, strict=True)
            ),
        ),
    }
