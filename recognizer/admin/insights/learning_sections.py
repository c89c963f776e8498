"""Learning on the Insights page: the learning curve, and which labels would be worth most."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from recognizer.admin.insights.accuracy_sections import (
    Table,
    interval_name,
    interval_text,
    label_name,
    share_text,
    share_ticks,
)
from recognizer.admin.insights.charts.axes import short_count
from recognizer.admin.insights.charts.learning_curve import learning_curve_plot
from recognizer.admin.review import grid
from recognizer.labelling import styles
from recognizer.labelling.grid import Order
from recognizer.labelling.styles import Report
from recognizer.models import Label, LearnedLabels, ModelVersion
from recognizer.statistics import learning_curve
from recognizer.statistics.intervals import Share
from recognizer.statistics.learning_curve import Estimate, Point, PowerLaw
from recognizer.text.numbers import grouped as count
from recognizer.text.numbers import localised

HEIGHT, AXIS_HEIGHT = 200, 40
MORE = 100
"""Labels whose worth is estimated; of these one in five is held out."""
LEARNED_OF_MORE = 80
PER = 1000
DIGITS_NAMED = 3


def curve_section(found: Sequence[Point]) -> dict[str, Any]:
    """The learning curve, and what another hundred labels would be worth."""
    if not found:
        return {"n": 0}
    law = learning_curve.fit(found)
    plot = learning_curve_plot(
        [(each.labels, each.right) for each in found],
        None if law is None else lambda labels: 1 - law.mistakes(labels).value,
        height=HEIGHT,
    )
    rows = tuple(
        (
            each.version,
            count(each.labels),
            count(each.right.n),
            share_text(each.right),
            interval_text(each.right),
            share_text(each.before),
        )
        for each in reversed(found)
    )
    titles = [
        _("{version}: {labels} labels, {share} correct ({interval})").format(
            version=each.version,
            labels=count(each.labels),
            share=share_text(each.right),
            interval=interval_text(each.right),
        )
        for each in found
    ]
    before = learning_curve.without_labels(found)
    return {
        "n": len(found),
        "n_text": count(len(found)),
        "before": share_text(before or Share(0, 0)),
        "latest": share_text(found[-1].right),
        "latest_labels": count(found[-1].labels),
        "worth": worth(law, found),
        "is_fitted": law is not None,
        "height": plot.height,
        "full_height": plot.height + AXIS_HEIGHT,
        "marks": [(mark, titles[mark.index]) for mark in plot.marks],
        "fitted": plot.fitted,
        "x_ticks": [(tick.at, localised(short_count(round(tick.value)))) for tick in plot.x_ticks],
        "y_ticks": share_ticks(plot.y_ticks),
        "table": Table(
            (
                _("Version"),
                _("Labels learned"),
                _("Held out"),
                _("Correct"),
                interval_name(),
                _("Version before"),
            ),
            rows,
        ),
    }


def worth(law: PowerLaw | None, found: Sequence[Point]) -> str:
    """What another hundred labels would be worth, in a sentence."""
    if law is None:
        return ngettext(
            "{n} version: what another {more} labels would be worth can’t be said yet. It takes "
            "{fewest} versions with different numbers of labels.",
            "{n} versions: what another {more} labels would be worth can’t be said yet. It takes "
            "{fewest} versions with different numbers of labels.",
            len(found),
        ).format(n=count(len(found)), more=MORE, fewest=learning_curve.FEWEST)
    now = max(each.labels for each in found)
    saved = law.saved(now, LEARNED_OF_MORE)
    text = _(
        "Another {more} labels would save about {saved} mistakes in {per} such drawings "
        "({interval}: {low} to {high}), beside {now} now."
    ).format(
        more=MORE,
        interval=interval_name(),
        per=count(PER),
        now=_of_a_thousand(law.mistakes(now).value),
        **_texts(saved),
    )
    return f"{text} {_('That may be chance.')}" if law.may_be_chance else text


def _texts(estimate: Estimate) -> dict[str, str]:
    return {
        "saved": _of_a_thousand(estimate.value),
        "low": _of_a_thousand(estimate.low),
        "high": _of_a_thousand(estimate.high),
    }


def _of_a_thousand(share: float) -> str:
    return number_format(round(PER * share, 1), 1).replace("-", "−")


@dataclass(frozen=True)
class StyleRow:
    label: str
    n: str
    labelled: str
    wrong: str
    expected: str
    pictures: tuple[tuple[str, str], ...]


def worthwhile_section(found: Report | None, learned: Mapping[int, int]) -> dict[str, Any]:
    """Which labels would be worth most; ``learned`` are the active version's, by label."""
    if found is None:
        return {"n": 0, "enough": styles.ENOUGH}
    total = sum(each.expected for each in found.digits)
    return {
        "n": found.drawings,
        "n_text": count(found.drawings),
        "version": found.version,
        "at": found.at,
        "most": [
            label_name(each.label)
            for each in found.digits[:DIGITS_NAMED]
            if total and each.expected >= 0.5
        ],
        "digits": [
            (
                grid.address(Label(each.label), Order.LEAST_SURE, None),
                label_name(each.label),
                count(learned.get(each.label, 0)),
                count(each.n),
                count(each.labelled),
                _expected(each.expected),
            )
            for each in found.digits
        ],
        "styles": [
            StyleRow(
                label=label_name(each.label),
                n=count(each.n),
                labelled=count(each.labelled),
                wrong=share_text(Share(each.mistakes, each.labelled)) if each.mistakes else "",
                expected=_expected(each.expected),
                pictures=tuple(map(_picture, each.examples)),
            )
            for each in found.styles
        ],
    }


def _expected(number: float) -> str:
    return count(number) if number >= 10 else number_format(round(number, 1), 1)


def _picture(pk: UUID) -> tuple[str, str]:
    return (
        reverse("admin:recognizer_prediction_change", args=[pk]),
        reverse("admin:recognizer_prediction_thumbnail", args=[pk]),
    )


def learned_by_active() -> dict[int, int]:
    """Return how many labels the active version learned, by label."""
    active = ModelVersion.objects.filter(is_active=True)
    found: dict[int, int] = {}
    rows = LearnedLabels.objects.filter(version__in=active.values("pk")).order_by()
    for label, n in rows.values_list("label", "n"):
        found[label] = found.get(label, 0) + n
    return found
