"""Drift on the Insights page: a table, and a sentence for each figure that leaves its interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from recognizer.admin.insights.accuracy_sections import NONE, range_text
from recognizer.statistics import drift
from recognizer.statistics.drift import Drift, Figure, Measure, Reference
from recognizer.text.numbers import grouped as count
from recognizer.text.numbers import percent


@dataclass(frozen=True)
class DriftRow:
    name: str
    value: str
    expected: str
    reference: str
    is_outside: bool


def drift_section(found: Drift | None) -> dict[str, Any]:
    if found is None:
        return {"rows": [], "sentences": []}
    return {
        "version": found.version,
        "newest": count(found.newest),
        "most": count(drift.MOST),
        "days": drift.DAYS,
        "enough": drift.ENOUGH,
        "rows": [_row(figure) for figure in found.figures],
        "sentences": [_sentence(figure) for figure in found.figures if figure.is_outside],
        "waits_for_first": found.first < drift.ENOUGH,
    }


def _row(figure: Figure) -> DriftRow:
    names = {
        Measure.REFUSED: _("Rejected"),
        Measure.CONFIDENCE: _("Mean confidence"),
        Measure.DISTANCE: _("Distance of the embedding"),
    }
    references = {
        Reference.VALIDATION: _("validation data of this version"),
        Reference.FIRST_DRAWINGS: _("first drawings of this version"),
        None: NONE,
    }
    return DriftRow(
        names[figure.measure],
        value=_text(figure, figure.value),
        expected=NONE if figure.expected is None else _range(figure, *figure.expected),
        reference=references[figure.reference],
        is_outside=figure.is_outside,
    )


def _text(figure: Figure, value: float) -> str:
    return (
        number_format(round(value, 3), 3) if figure.measure is Measure.DISTANCE else percent(value)
    )


def _range(figure: Figure, low: float, high: float) -> str:
    if figure.measure is not Measure.DISTANCE:
        return range_text(low, high)
    return _("{low} to {high}").format(low=_text(figure, low), high=_text(figure, high))


def _sentence(figure: Figure) -> str:
    assert figure.expected is not None
    is_low = figure.value < figure.expected[0]
    return {
        (Measure.REFUSED, False): _(
            "More drawings are rejected than expected: visitors may draw other things than digits, "
            "or digits in a style that the model does not know."
        ),
        (Measure.REFUSED, True): _(
            "Fewer drawings are rejected than expected: the model may accept what is no digit."
        ),
        (Measure.CONFIDENCE, False): _("The model is more confident than expected."),
        (Measure.CONFIDENCE, True): _(
            "The model is less confident than expected: the drawings have become harder."
        ),
        (Measure.DISTANCE, False): _(
            "The drawings are less like those that this version saw first: the writers, their "
            "devices or the way in which drawings are sent have changed."
        ),
        (Measure.DISTANCE, True): _("The drawings are more alike than they were at first."),
    }[figure.measure, is_low]
