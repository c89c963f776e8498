"""The Insights page: charts of the model's accuracy, the site's activity and the review."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django import forms
from django.contrib.admin import AdminSite
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recognizer.admin.insights import (
    accuracy_sections,
    activity_sections,
    drift_section,
    label_sections,
    learning_sections,
)
from recognizer.labelling import styles, suspects
from recognizer.models import Prediction
from recognizer.statistics import accuracy, activity, agreement, drift, learning_curve, periods
from recognizer.statistics.accuracy import Basis, Cell, Version
from recognizer.statistics.periods import Period

ALL_VERSIONS = "all"


@dataclass(frozen=True)
class Choices:
    """Which drawings the figures include; a version of None means all versions."""

    version: int | None
    basis: Basis
    period: Period

    def link(self, **others: str) -> str:
        given = {
            "version": ALL_VERSIONS if self.version is None else str(self.version),
            "drawings": self.basis.value,
            "period": self.period.value,
        }
        return "?" + urlencode({**given, **others})


class ChoicesForm(forms.Form):
    """The choice of drawings; missing fields have their defaults."""

    version = forms.ChoiceField(label=gettext_lazy("Model version"))
    drawings = forms.ChoiceField(label=gettext_lazy("Drawings"), choices=Basis.choices)
    period = forms.ChoiceField(label=gettext_lazy("Drawn in"), choices=Period.choices)

    def __init__(self, given: Mapping[str, str], versions: Sequence[Version]) -> None:
        active = next((str(each.pk) for each in versions if each.is_active), ALL_VERSIONS)
        self.defaults = {
            "version": active,
            "drawings": Basis.AUDITED.value,
            "period": Period.QUARTER.value,
        }
        super().__init__({**self.defaults, **given}, label_suffix="")
        field = self.fields["version"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [
            *((str(each.pk), version_name(each)) for each in versions),
            (ALL_VERSIONS, _("all versions")),
        ]

    def chosen(self) -> Choices:
        """The choices, with the default for an invalid one; its field shows it beside the error."""
        self.data = {**self.data, **{name: self.defaults[name] for name in self.errors}}
        chosen = {**self.defaults, **self.cleaned_data}
        version = chosen["version"]
        return Choices(
            None if version == ALL_VERSIONS else int(version),
            Basis(chosen["drawings"]),
            Period(chosen["period"]),
        )


def version_name(version: Version) -> str:
    return _("{name} (active)").format(name=version.name) if version.is_active else version.name


def urls(site: AdminSite) -> list[URLPattern]:
    def view(request: HttpRequest) -> HttpResponse:
        if not site.get_model_admin(Prediction).has_view_permission(request):
            raise PermissionDenied
        return page(request, site)

    return [path("insights/", site.admin_view(view), name="recognizer_insights")]


def page(request: HttpRequest, site: AdminSite) -> HttpResponse:
    """The page; with status 400 and the defaults if the query is invalid."""
    versions = accuracy.versions()
    form = ChoicesForm(request.GET.dict(), versions)
    choices = form.chosen()
    has_drawings = Prediction.objects.exists()
    context = {
        **site.each_context(request),
        "title": _("Insights"),
        "opts": Prediction._meta,
        "form": form,
        "choices": choices,
        "has_drawings": has_drawings,
    }
    if has_drawings:
        context |= figures(choices, versions)
    return TemplateResponse(
        request, "admin/recognizer/insights/page.html", context, status=400 if form.errors else 200
    )


def figures(choices: Choices, versions: Sequence[Version]) -> dict[str, Any]:
    now = timezone.now()
    since = periods.since(choices.period, now=now)
    spans = periods.spans(choices.period, now=now, first=activity.first_answer())
    cells = accuracy.cells(since=since)
    chosen = [cell for cell in cells if choices.version in (None, cell.version)]
    confusion = accuracy.confusion(chosen, choices.basis)
    reliability = accuracy.reliability(choices.basis, version=choices.version, since=since)
    answers = activity.answers_over_time(spans)
    drawings = reverse("admin:recognizer_prediction_changelist")
    query = drawings_query(choices, since)

    def address(label: int, answer: int) -> str:
        return f"{drawings}?" + urlencode({"label": label, "answer": answer, **query})

    return {
        "accuracy": accuracy_sections.accuracy_section(
            accuracy.accuracy_by_version(cells, versions)
        ),
        "missing": missing(choices, cells, chosen),
        "confusion": accuracy_sections.confusion_section(confusion, address),
        "digits": accuracy_sections.digits_section(confusion),
        "reliability": accuracy_sections.reliability_section(reliability),
        "answers": activity_sections.answers_section(spans, answers),
        "suggestions": activity_sections.suggestions_section(spans, answers),
        "drift": drift_section.drift_section(drift.drift(now=now)),
        "pace": activity_sections.pace_section(spans, activity.pace(spans)),
        "suspects": label_sections.suspects_section(
            suspects.count(), suspects.last_check(), suspects.patterns()
        ),
        "agreement": label_sections.agreement_section(agreement.report(since=since)),
        "curve": learning_sections.curve_section(learning_curve.points()),
        "worthwhile": learning_sections.worthwhile_section(
            styles.latest(), learning_sections.learned_by_active()
        ),
        "headline": accuracy_sections.headline(accuracy.accuracy(chosen, Basis.AUDITED)),
        "version": next((each.name for each in versions if each.pk == choices.version), None),
        "links": {
            "labelled": choices.link(drawings=Basis.LABELLED.value),
            "all_versions": choices.link(version=ALL_VERSIONS),
            "all_time": choices.link(period=Period.ALL.value),
        },
    }


def drawings_query(choices: Choices, since: datetime.datetime | None) -> dict[str, str]:
    """The query that makes the list of drawings show the chosen ones."""
    query = {}
    if choices.basis is Basis.AUDITED:
        query["audited"] = "yes"
    if choices.version is not None:
        query["model_version"] = str(choices.version)
    if since is not None:
        query["created_at__gte"] = str(since)
    return query


def missing(choices: Choices, cells: Sequence[Cell], chosen: Sequence[Cell]) -> str | None:
    """What is missing to evaluate the model; None if nothing is."""
    if any(cell.count(choices.basis) for cell in chosen):
        return None
    if not cells:
        return "labels"
    return "audits" if chosen else "version"
