"""Two model versions side by side: what their cards say, and which drawings they read otherwise."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q, QuerySet
from django.utils.translation import gettext as _

from recognizer.admin.versions import card_table
from recognizer.admin.versions.gate_table import difference
from recognizer.inference.card import DataSource, SetMetrics
from recognizer.jobs import gate_text
from recognizer.models import Label, ModelVersion, Prediction, Verdict
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
    first, second = one.model_card.metrics, other.model_card.metrics
    nothing = SetMetrics()
    return [
        _metric(name, first.get(name, nothing).correct, second.get(name, nothing).correct)
        for name in {**first, **second}
    ]


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
    card = version.model_card
    labelled = card.data.get("labelled", DataSource(n=0)).n
    return {
        _("trained from"): str(version.parent or _("nothing")),
        _("recipe"): card.settings.name or "–",
        _("epochs"): _known(card.settings.epochs),
        _("labelled drawings learned from"): _known(labelled),
        _("parameters"): "–" if card.parameters is None else grouped(card.parameters),
        _("temperature"): card_table.text(card.temperature),
        _("thresholds"): card_table.text(card.thresholds.to_json() or None),
        _("the gate said"): gate_text.reason(card.gate) if card.gate else "–",
    }


def _known(n: int | None) -> str:
    return "–" if n is None else str(n)


# The drawings ---------------------------------------------------------------------------------


def ways(one: ModelVersion, other: ModelVersion, chosen: str) -> list[Way]:
    """Return which way the answers differ, the most frequent way first."""
    found = []
    for each in comparison.directions(one=one, other=other):
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
    return changes.filter(_reads("one", labels[old]), _reads("other", labels[new]))


def _reads(name: str, label: Label) -> Q:
    refuses = Q(**{f"{name}_verdict": Verdict.NOT_A_DIGIT})
    if label is Label.NOT_A_DIGIT:
        return refuses
    return ~refuses & Q(**{f"{name}_digit": label.value})


def changed(row: Any) -> Changed:
    """Return a drawing of `rechecks.changes_between` as the page shows it."""
    outcome = ""
    if row.label is not None:
        one, other = (_answer(row, name) == row.label for name in ("one", "other"))
        outcome = "fixed" if other and not one else "broken" if one and not other else ""
    return Changed(
        prediction=row,
        one=_text(row, "one"),
        other=_text(row, "other"),
        label="" if row.label is None else str(Label(row.label).label),
        outcome=outcome,
    )


def _answer(row: Any, name: str) -> Label:
    if getattr(row, f"{name}_verdict") == Verdict.NOT_A_DIGIT:
        return Label.NOT_A_DIGIT
    return Label(getattr(row, f"{name}_digit"))


def _text(row: Any, name: str) -> str:
    digit = getattr(row, f"{name}_digit")
    return f"({digit})" if _answer(row, name) is Label.NOT_A_DIGIT else str(digit)
