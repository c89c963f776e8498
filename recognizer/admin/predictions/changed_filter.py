"""What would change with another model version, in the list of drawings: a filter and a column."""

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
    """What another version would answer otherwise: see `rechecks`.

    A version's key compares with the answer given; ``3-5`` compares two versions with each other.
    """

    title = _("would change with")
    parameter_name = "changed"

    def choices_for(self, request: HttpRequest) -> Iterable[Choice]:
        self.versions = {version.pk: version for version in comparison.versions_with_answers()}
        for pk, version in self.versions.items():
            yield Choice(str(pk), version.name, {})
        asked = request.GET.get(self.parameter_name, "")
        if pair := self.pair(asked):
            yield Choice(asked, f"{pair[0].name} → {pair[1].name}", {})

    def has_output(self) -> bool:
        # A value that means nothing any more must not show all drawings as if it did.
        return super().has_output() or self.value() is not None

    def pair(self, value: str) -> tuple[ModelVersion, ModelVersion] | None:
        """The two versions that a value names."""
        keys = [int(key) for key in value.split("-") if key.isdecimal() and len(key) < 10]
        found = [self.versions[key] for key in keys if key in self.versions]
        return (found[0], found[1]) if len(found) == 2 and value.count("-") == 1 else None

    def narrow(self, queryset: QuerySet[Prediction], choice: Choice) -> QuerySet[Prediction]:
        if pair := self.pair(choice.value):
            return comparison.differing(drawings=queryset, one=pair[0], other=pair[1])
        return comparison.would_change(drawings=queryset, version=self.versions[int(choice.value)])


def columns(shown: tuple[str, ...], request: HttpRequest) -> tuple[str, ...]:
    """Return the columns of the list; where it is of what would change, with what to."""
    if ChangedFilter.parameter_name not in request.GET:
        return shown
    at = shown.index("verdict_badge") + 1
    return (*shown[:at], COLUMN, *shown[at:])


def in_words(prediction: Prediction) -> str:
    """Return what a drawing in that list is read as, by the one version and by the other."""
    for old, new in (("", "new_"), ("one_", "other_")):
        if hasattr(prediction, f"{new}digit"):
            return f"{_answer(prediction, old)} → {_answer(prediction, new)}"
    return ""


def _answer(prediction: Prediction, prefix: str) -> str:
    digit = str(getattr(prediction, f"{prefix}digit"))
    if getattr(prediction, f"{prefix}verdict") == Verdict.NOT_A_DIGIT:
        return f"{Label.NOT_A_DIGIT.label} ({digit})"
    return digit
