"""The filters of the list of predictions. Each is one indexed condition or a plain range."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, NamedTuple

from django.contrib import admin
from django.contrib.admin.options import IncorrectLookupParameters
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from recognizer.models import Label, ModelVersion, Prediction, PredictionQuerySet, Source, Verdict
from recognizer.models.correctness import predicted_as

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    PredictionAdmin = admin.ModelAdmin[Prediction]


class Choice(NamedTuple):
    value: str
    text: StrOrPromise
    lookups: dict[str, Any]


class ChoiceFilter(admin.SimpleListFilter):
    """A filter with fixed choices; an invalid value redirects to the unfiltered list."""

    def choices_for(self, request: HttpRequest) -> Iterable[Choice]:
        raise NotImplementedError

    def lookups(
        self, request: HttpRequest, model_admin: PredictionAdmin
    ) -> list[tuple[str, StrOrPromise]]:
        self.all_choices = {choice.value: choice for choice in self.choices_for(request)}
        return [(choice.value, choice.text) for choice in self.all_choices.values()]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Prediction]
    ) -> QuerySet[Prediction]:
        """Raises IncorrectLookupParameters for an unknown value."""
        value = self.value()
        if value is None:
            return queryset
        try:
            choice = self.all_choices[value]
        except KeyError:
            raise IncorrectLookupParameters(f"{self.parameter_name}={value}") from None
        return self.narrow(queryset, choice)

    def narrow(self, queryset: QuerySet[Prediction], choice: Choice) -> QuerySet[Prediction]:
        return queryset.filter(**choice.lookups)


class DigitFilter(ChoiceFilter):
    template = "admin/recognizer/compact_filter.html"
    title = _("closest digit")
    parameter_name = "digit"

    def choices_for(self, request: HttpRequest) -> Iterable[Choice]:
        return [Choice(str(digit), str(digit), {"digit": digit}) for digit in range(10)]


class LabelFilter(ChoiceFilter):
    template = "admin/recognizer/compact_filter.html"
    title = _("label")
    parameter_name = "label"

    def choices_for(self, request: HttpRequest) -> Iterable[Choice]:
        return [Choice(str(label.value), label.label, {"label": label}) for label in Label]


class AnswerFilter(ChoiceFilter):
    """The predicted digit, or "not a digit" for a rejected drawing."""

    template = "admin/recognizer/compact_filter.html"
    title = _("prediction")
    parameter_name = "answer"

    def choices_for(self, request: HttpRequest) -> Iterable[Choice]:
        return [Choice(str(label.value), label.label, {}) for label in Label]

    def narrow(self, queryset: QuerySet[Prediction], choice: Choice) -> QuerySet[Prediction]:
        return queryset.filter(predicted_as(Label(int(choice.value))))


class AuditedFilter(ChoiceFilter):
    title = pgettext_lazy("filter", "audited")
    parameter_name = "audited"

    def choices_for(self, request: HttpRequest) -> Iterable[Choice]:
        return [
            Choice("yes", _("Audited"), {"audited_at__isnull": False}),
            Choice("no", _("Not audited"), {"audited_at__isnull": True}),
        ]


class LabelledFilter(ChoiceFilter):
    title = pgettext_lazy("filter", "labelled")
    parameter_name = "labelled"

    def choices_for(self, request: HttpRequest) -> Iterable[Choice]:
        return [
            Choice("yes", _("Labelled"), {"label__isnull": False}),
            Choice("no", _("Not yet labelled"), {"label__isnull": True}),
        ]


class OutcomeFilter(ChoiceFilter):
    title = _("outcome")
    parameter_name = "outcome"

    def choices_for(self, request: HttpRequest) -> Iterable[Choice]:
        return [Choice("right", _("Correct"), {}), Choice("wrong", _("Misclassified"), {})]

    def narrow(self, queryset: QuerySet[Prediction], choice: Choice) -> QuerySet[Prediction]:
        assert isinstance(queryset, PredictionQuerySet)
        return queryset.correct() if choice.value == "right" else queryset.misclassified()


class FlaggedFilter(ChoiceFilter):
    title = pgettext_lazy("filter", "flagged")
    parameter_name = "flagged"

    def choices_for(self, request: HttpRequest) -> Iterable[Choice]:
        return [Choice("yes", _("Flagged"), {"note__is_flagged": True})]


class VerdictFilter(ChoiceFilter):
    title = _("verdict")
    parameter_name = "verdict"

    def choices_for(self, request: HttpRequest) -> Iterable[Choice]:
        return [Choice(v.value, v.label, {"verdict": v.value}) for v in Verdict]


class ConfidenceFilter(ChoiceFilter):
    title = _("confidence")
    parameter_name = "confidence"

    def choices_for(self, request: HttpRequest) -> Iterable[Choice]:
        edges = [(0, 50), (50, 80), (80, 95), (95, 99)]
        for low, high in edges:
            text = _("{low} to {high} %") if low else _("under {high} %")
            lookups = {"confidence__gte": low / 100, "confidence__lt": high / 100}
            yield Choice(f"{low}-{high}", text.format(low=low, high=high), lookups)
        # xgettext:no-python-format
        most = _("99 % and more")
        yield Choice("99-100", most, {"confidence__gte": 0.99})


class ModelVersionFilter(ChoiceFilter):
    # Not Django's filter for relations: that one loads every model's bytes to print its name.
    title = _("model version")
    parameter_name = "model_version"

    def choices_for(self, request: HttpRequest) -> Iterable[Choice]:
        for pk, name in ModelVersion.objects.values_list("pk", "name"):
            yield Choice(str(pk), name, {"model_version": pk})


class SourceFilter(ChoiceFilter):
    title = _("source")
    parameter_name = "source"

    def choices_for(self, request: HttpRequest) -> Iterable[Choice]:
        return [Choice(s.value, s.label, {"source": s.value}) for s in Source]
