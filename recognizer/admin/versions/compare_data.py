"""Two model versions compared: their cards, and the drawings they answer differently."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from recognizer.admin.versions import card_table, set_figures
from recognizer.admin.versions.gate_table import difference
from recognizer.admin.versions.set_figures import SetFigure
from recognizer.inference.card import DataSource
from recognizer.jobs import gate_text
from recognizer.models import Label, ModelVersion, Prediction, Verdict
from recognizer.models.correctness import is_correct, predicted_as
from recognizer.text.numbers import grouped, two_decimals
from recognizer.versions import comparison


@dataclass(frozen=True)
class Row:
    name: str
    one: str
    other: str


@dataclass(frozen=True)
class SetRow:
    """Two versions on one evaluation set; no ``difference`` if the drawings are not the same."""

    name: str
    n: str
    one: str
    other: str
    difference: str


@dataclass(frozen=True)
class AnswerChange:
    value: str
    text: str
    n: int
    fixed: int
    broken: int
    is_chosen: bool


@dataclass(frozen=True)
class ChangedDrawing:
    prediction: Prediction
    one: str
    other: str
    label: str
    outcome: str


@dataclass(frozen=True)
class Coverage:
    """How many drawings a version has answered, and how many one more run would add."""

    version: ModelVersion
    answered: int
    more: int


# The cards ------------------------------------------------------------------------------------


def metrics(one: ModelVersion, other: ModelVersion) -> list[SetRow]:
    first, second = set_figures.of_card(one.model_card), set_figures.of_card(other.model_card)
    nothing = SetFigure()
    return [
        _metric(name, first.get(name, nothing), second.get(name, nothing))
        for name in {**first, **second}
    ]


def _metric(name: str, one: SetFigure, other: SetFigure) -> SetRow:
    sizes = [each.n for each in (one, other) if each.n is not None]
    before, after = (
        "–" if each.correct is None else two_decimals(each.correct) for each in (one, other)
    )
    points = "–"
    if one.is_comparable_with(other, name):
        assert one.correct is not None
        assert other.correct is not None
        points = difference(100 * (other.correct - one.correct))
    return SetRow(
        set_figures.shown_name(name),
        " / ".join(map(grouped, dict.fromkeys(sizes))),
        before,
        after,
        points,
    )


def facts(one: ModelVersion, other: ModelVersion) -> list[Row]:
    found = [_facts(each) for each in (one, other)]
    return [Row(name, found[0][name], found[1][name]) for name in found[0]]


def _facts(version: ModelVersion) -> dict[str, str]:
    card = version.model_card
    labelled = card.data.get("labelled", DataSource(n=0)).n
    return {
        _("base model"): str(version.parent or _("none (from scratch)")),
        _("recipe"): card.settings.name or "–",
        _("epochs"): _known(card.settings.epochs),
        _("labelled drawings in training"): _known(labelled),
        _("parameters"): "–" if card.parameters is None else grouped(card.parameters),
        _("temperature"): card_table.text(card.temperature),
        _("thresholds"): card_table.text(card.thresholds.to_json() or None),
        _("quality checks"): gate_text.reason(card.gate) if card.gate else "–",
    }


def _known(n: int | None) -> str:
    return "–" if n is None else str(n)


# The drawings ---------------------------------------------------------------------------------


def answer_changes(one: ModelVersion, other: ModelVersion, chosen: str) -> list[AnswerChange]:
    """Return the changes between the versions' answers, the most frequent first."""
    found = []
    for each in comparison.transitions(one=one, other=other):
        value = f"{each.old.value}-{each.new.value}"
        text = f"{each.old.label} → {each.new.label}"
        if each.old is each.new:
            text = _("not a digit, another closest digit")
        found.append(AnswerChange(value, text, each.n, each.fixed, each.broken, value == chosen))
    return found


def with_change(drawings: QuerySet[Prediction], value: str) -> QuerySet[Prediction]:
    """Filter `comparison.changes_between` by one change, such as "4-10"; any other value: all."""
    old, _dash, new = value.partition("-")
    labels = {str(label.value): label for label in Label}
    if old not in labels or new not in labels:
        return drawings
    return drawings.filter(predicted_as(labels[old], "one_"), predicted_as(labels[new], "other_"))


def changed(row: Any) -> ChangedDrawing:
    outcome = ""
    if row.label is not None:
        one, other = (
            is_correct(
                label=row.label,
                digit=getattr(row, f"{name}_digit"),
                verdict=getattr(row, f"{name}_verdict"),
            )
            for name in ("one", "other")
        )
        outcome = "fixed" if other and not one else "broken" if one and not other else ""
    return ChangedDrawing(
        prediction=row,
        one=_text(row, "one"),
        other=_text(row, "other"),
        label="" if row.label is None else str(Label(row.label).label),
        outcome=outcome,
    )


def _text(row: Any, name: str) -> str:
    digit = getattr(row, f"{name}_digit")
    rejects = getattr(row, f"{name}_verdict") == Verdict.NOT_A_DIGIT
    return f"({digit})" if rejects else str(digit)
