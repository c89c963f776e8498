"""Two model versions side by side: what their cards say, and which drawings they read otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext as _

from recognizer.admin.versions import card_table
from recognizer.admin.versions.gate_table import difference, said
from recognizer.models import Label, ModelVersion, Prediction, Verdict
from recognizer.models.correctness import is_correct, predicted_as
from recognizer.text.numbers import grouped, share
from recognizer.versions import comparison


@dataclass(frozen=True)
class Row:
    """One line of the two cards."""

    name: str
    one: str
    other: str
    difference: str = ""


@dataclass(frozen=True)
class Way:
    """How many drawings went from one answer to another."""

    value: str
    text: str
    n: int
    fixed: int
    broken: int
    is_chosen: bool


@dataclass(frozen=True)
class Changed:
    """A drawing that the two versions read differently."""

    prediction: Prediction
    one: str
    other: str
    label: str
    outcome: str


@dataclass(frozen=True)
class Coverage:
    """How many of the drawings a version has answered, and how many a click would add."""

    version: ModelVersion
    answered: int
    more: int


# The cards ------------------------------------------------------------------------------------


def metrics(one: ModelVersion, other: ModelVersion) -> list[Row]:
    """Return what both cards measured, bench by bench: digits by accuracy, others by refusals."""
    first, second = (card_table.card_of(each).get("metrics") for each in (one, other))
    first = first if isinstance(first, dict) else {}
    second = second if isinstance(second, dict) else {}
    return [
        _metric(name, _figure(first.get(name)), _figure(second.get(name)))
        for name in {**first, **second}
    ]


def _figure(measured: object) -> float | None:
    """The share that is right: of digits those read right, of other drawings those refused."""
    if isinstance(measured, dict):
        accuracy = measured.get("accuracy")
        measured = measured.get("refused") if accuracy is None else accuracy
    return measured if isinstance(measured, float) else None


def _metric(name: str, one: float | None, other: float | None) -> Row:
    before, after = ("–" if each is None else share(each) for each in (one, other))
    text = name.replace("_", " ")
    if one is None or other is None:
        return Row(text, before, after)
    return Row(text, before, after, difference(100 * (other - one)))


def facts(one: ModelVersion, other: ModelVersion) -> list[Row]:
    """Return where the two came from."""
    found = [_facts(each) for each in (one, other)]
    return [Row(name, found[0][name], found[1][name]) for name in found[0]]


def _facts(version: ModelVersion) -> dict[str, str]:
    card = card_table.card_of(version)
    settings, data, gate = (
        value if isinstance(value, dict) else {}
        for value in (card.get(name) for name in ("settings", "data", "gate"))
    )
    labelled = data.get("labelled")
    return {
        _("trained from"): str(version.parent or _("nothing")),
        _("recipe"): str(settings.get("name", "–")),
        _("epochs"): str(settings.get("epochs", "–")),
        _("labelled drawings learned from"): str(
            labelled.get("n", "–") if isinstance(labelled, dict) else 0
        ),
        _("parameters"): grouped(card["parameters"]) if "parameters" in card else "–",
        _("temperature"): card_table.text(card.get("temperature")),
        _("thresholds"): card_table.text(card.get("thresholds")),
        _("the gate said"): said(gate),
    }


# The drawings ---------------------------------------------------------------------------------


def ways(one: ModelVersion, other: ModelVersion, chosen: str) -> list[Way]:
    """Return which way the answers differ, the most frequent way first."""
    found = []
    for each in comparison.transitions(one=one, other=other):
        value = f"{each.old.value}-{each.new.value}"
        text = f"{each.old.label} → {each.new.label}"
        if each.old is each.new:
            text = _("not a digit, with another closest")
        found.append(Way(value, text, each.n, each.fixed, each.broken, value == chosen))
    return found


def of_way(changes: QuerySet[Prediction], value: str) -> QuerySet[Prediction]:
    """Return the drawings of `rechecks.changes_between` that went this way; all for no way."""
    old, _dash, new = value.partition("-")
    labels = {str(label.value): label for label in Label}
    if old not in labels or new not in labels:
        return changes
    return changes.filter(predicted_as(labels[old], "one_"), predicted_as(labels[new], "other_"))


def changed(row: Any) -> Changed:
    """Return a drawing of `rechecks.changes_between` as the page shows it."""
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
    return Changed(
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
