"""A filter and a column of the list: drawings that another model version answers differently."""

from __future__ import annotations

from collections.abc import Iterable

from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from recognizer.admin.predictions.filters import Choice, ChoiceFilter
from recognizer.models import Label, ModelVersion, Prediction, Verdict
from recognizer.versions import comparison

COLUMN = "change"


class ChangedFilter(ChoiceFilter):
    """Drawings that another version answers differently: see `versions.comparison`.

    A version's key compares it with the original answer; ``3-5`` compares two versions.
    """

    title = _("would change with")
    parameter_name = "changed"

    def choices_for(self, request: HttpRequest) -> Iterable[Choice]:
        self.versions = {version.pk: version for version in comparison.versions_with_answers()}
        for pk, version in self.versions.items():
            yield Choice(str(pk), version.name, {})
        value = request.GET.get(self.parameter_name, "")
        if pair := self.pair(value):
            yield Choice(value, f"{pair[0].name} → {pair[1].name}", {})

    def has_output(self) -> bool:
        # An outdated value must raise an error, not show all drawings.
        return super().has_output() or self.value() is not None

    def pair(self, value: str) -> tuple[ModelVersion, ModelVersion] | None:
        """The two versions in a value such as ``3-5``; None for any other."""
        keys = [int(key) for key in value.split("-") if key.isdecimal() and len(key) < 10]
        found = [self.versions[key] for key in keys if key in self.versions]
        return (found[0], found[1]) if len(found) == 2 and value.count("-") == 1 else None

    def narrow(self, queryset: QuerySet[Prediction], choice: Choice) -> QuerySet[Prediction]:
        if pair := self.pair(choice.value):
            return comparison.differing(drawings=queryset, one=pair[0], other=pair[1])
        return comparison.would_change(drawings=queryset, version=self.versions[int(choice.value)])


def columns(shown: tuple[str, ...], request: HttpRequest) -> tuple[str, ...]:
    """Return the columns of the list, with the change if this filter is active."""
    if ChangedFilter.parameter_name not in request.GET:
        return shown
    at = shown.index("verdict_badge") + 1
    return (*shown[:at], COLUMN, *shown[at:])


def in_words(prediction: Prediction) -> str:
    for old, new in (("", "new_"), ("one_", "other_")):
        if hasattr(prediction, f"{new}digit"):
            return f"{_answer(prediction, old)} → {_answer(prediction, new)}"
    return ""


def _answer(prediction: Prediction, prefix: str) -> str:
    digit = str(getattr(prediction, f"{prefix}digit"))
    if getattr(prediction, f"{prefix}verdict") == Verdict.NOT_A_DIGIT:
        return f"{Label.NOT_A_DIGIT.label} ({digit})"
    return digit
