"""The quality of the labels on the Insights page: suspect labels, and agreement of reviewers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import reverse
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from recognizer.admin.insights.accuracy_sections import (
    NONE,
    interval_text,
    label_name,
    share_text,
)
from recognizer.labelling import suspects
from recognizer.labelling.suspects import COUNT_LIMIT, Pattern
from recognizer.models import LabelCheck
from recognizer.statistics.agreement import Kappa, Report
from recognizer.statistics.intervals import Share
from recognizer.text.numbers import grouped as count


@dataclass(frozen=True)
class PatternRow:
    reviewer: str
    label: str
    likely: str
    n: str
    example_url: str
    thumbnail_url: str


def suspects_section(n: int, check: LabelCheck | None, found: Sequence[Pattern]) -> dict[str, Any]:
    return {
        "n": n,
        "n_text": count(n)
        if n < COUNT_LIMIT
        else _("more than {n}").format(n=count(COUNT_LIMIT - 1)),
        "check": check,
        "check_labels": count(check.labels) if check else "",
        "least": suspects.PATTERN,
        "review_url": reverse("admin:recognizer_review") + "?order=suspect",
        "rows": [
            PatternRow(
                reviewer=each.reviewer or _("import or deleted account"),
                label=label_name(each.label),
                likely=label_name(each.likely),
                n=count(each.n),
                example_url=reverse("admin:recognizer_prediction_change", args=[each.example]),
                thumbnail_url=reverse("admin:recognizer_prediction_thumbnail", args=[each.example]),
            )
            for each in found
        ],
    }


def agreement_section(found: Report) -> dict[str, Any]:
    overall = found.overall
    return {
        "n": overall.agreed.n,
        "has_rows": bool(found.reviewers),
        "n_text": count(overall.agreed.n),
        "agreed": share_text(overall.agreed),
        "interval": interval_text(overall.agreed),
        "cohen": kappa_text(overall.cohen),
        "fleiss": kappa_text(overall.fleiss),
        "reviewers": [
            (each.name or _("import or deleted account"), *cells(each.others), *cells(each.own))
            for each in found.reviewers
        ],
        "pairs": [
            (
                _("{one} and {other}").format(
                    one=each.one or _("deleted account"), other=each.other or _("deleted account")
                ),
                *cells(each.agreed),
                kappa_text(each.cohen),
            )
            for each in found.pairs
        ],
        "digits": [
            (
                _("{one} or {other}").format(
                    one=label_name(each.one), other=label_name(each.other)
                ),
                *cells(each.confused),
            )
            for each in found.digits
        ],
    }


def cells(share: Share) -> tuple[str, str, str]:
    """A share as three cells of a table: number of drawings, share, interval."""
    return count(share.n), share_text(share), interval_text(share)


def kappa_text(kappa: Kappa) -> str:
    if kappa.value is None or kappa.interval is None:
        return NONE
    low, high = map(two_decimals, kappa.interval)
    return _("{value} ({low} to {high})").format(
        value=two_decimals(kappa.value), low=low, high=high
    )


def two_decimals(number: float) -> str:
    # Django cuts further decimals off.
    return number_format(round(number, 2), 2)
