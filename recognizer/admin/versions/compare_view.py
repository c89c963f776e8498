"""The page that compares two model versions, and its button."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from recognizer.admin.versions import compare_data
from recognizer.admin.versions.actions import may_activate
from recognizer.models import ModelVersion, Prediction
from recognizer.versions import comparison, loading

PAGE_SIZE = 60
CHANGES_SHOWN = 20
"""Kinds of change; the rarer ones are folded away."""
AT_ONCE = 1000
"""Drawings predicted at one click, in a few seconds. The command has no limit."""


def urls(model_admin: ModelAdmin[ModelVersion]) -> list[URLPattern]:
    view = model_admin.admin_site.admin_view
    return [
        path(
            "compare/",
            view(require_safe(_compare_view(model_admin))),
            name="recognizer_modelversion_compare",
        ),
        path(
            "<int:pk>/recheck/",
            view(require_POST(_recheck_view(model_admin))),
            name="recognizer_modelversion_recheck",
        ),
    ]


def address(one: object, other: object) -> str:
    """Return the URL of the page that compares two versions, given by primary key."""
    keys = urlencode({"one": one, "other": other})
    return f"{reverse('admin:recognizer_modelversion_compare')}?{keys}"


# The page -------------------------------------------------------------------------------------


def _compare_view(model_admin: ModelAdmin[ModelVersion]) -> Callable[..., HttpResponse]:
    def view(request: HttpRequest) -> HttpResponse:
        if not model_admin.has_view_permission(request):
            raise PermissionDenied
        one, other = _named(request, "one") or _active(), _named(request, "other")
        context = {
            **model_admin.admin_site.each_context(request),
            "opts": model_admin.opts,
            "media": model_admin.media,
            "title": _("Compare two model versions"),
            "everyone": ModelVersion.objects.only("name", "is_active").order_by("-created_at"),
            "one": one,
            "other": other,
            "pair": [("one", one), ("other", other)],
        }
        if one is not None and other is not None and one != other:
            context |= {
                "metrics": compare_data.metrics(one, other),
                "facts": compare_data.facts(one, other),
            }
            if request.user.has_perm("recognizer.view_prediction"):
                context |= drawings(one, other, request)
                context["may_recheck"] = may_activate(request)
        return TemplateResponse(request, "admin/recognizer/modelversion/compare.html", context)

    return view


def _active() -> ModelVersion | None:
    return ModelVersion.objects.defer("serving", "training").filter(is_active=True).first()


def _named(request: HttpRequest, parameter: str) -> ModelVersion | None:
    value = request.GET.get(parameter, "")
    if not value:
        return None
    # SQLite's integers have at most 19 digits.
    known = value.isascii() and value.isdecimal() and len(value) < 19
    return get_object_or_404(
        ModelVersion.objects.defer("serving", "training").select_related(None),
        pk=int(value) if known else -1,
    )


# The drawings ---------------------------------------------------------------------------------


def drawings(one: ModelVersion, other: ModelVersion, request: HttpRequest) -> dict[str, Any]:
    chosen = request.GET.get("way", "")
    found = compare_data.answer_changes(one, other, chosen)
    changes = compare_data.with_change(comparison.changes_between(one=one, other=other), chosen)
    page = Paginator(changes.order_by("-created_at", "-id"), PAGE_SIZE).get_page(
        request.GET.get("page")
    )
    total = Prediction.objects.count()
    coverage = []
    for each in (one, other):
        answered = comparison.answers_of(each).count()
        more = min(AT_ONCE, max(0, total - answered))
        coverage.append(compare_data.Coverage(each, answered, more))
    return {
        "comparison": comparison.summary(one=one, other=other),
        "frequent_changes": found[:CHANGES_SHOWN],
        "rare_changes": found[CHANGES_SHOWN:],
        "chosen": next((each for each in found if each.is_chosen), None),
        "page": page,
        "changed": [compare_data.changed(row) for row in page],
        "pages": _pages(page, address(one.pk, other.pk), chosen),
        "coverage": coverage,
        "total": total,
        "address": address(one.pk, other.pk),
        "swapped": address(other.pk, one.pk),
        "in_list": f"{reverse('admin:recognizer_prediction_changelist')}"
        f"?changed={one.pk}-{other.pk}",
    }


def _pages(page: Page[Prediction], base: str, chosen: str) -> dict[str, str]:
    suffix = f"&{urlencode({'way': chosen})}" if chosen else ""
    found = {}
    if page.has_previous():
        found["previous"] = f"{base}{suffix}&page={page.previous_page_number()}"
    if page.has_next():
        found["next"] = f"{base}{suffix}&page={page.next_page_number()}"
    return found


# Predictions for more drawings ----------------------------------------------------------------


def _recheck_view(model_admin: ModelAdmin[ModelVersion]) -> Callable[..., HttpResponse]:
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        if not may_activate(request):
            raise PermissionDenied
        version = get_object_or_404(ModelVersion.objects.defer("serving", "training"), pk=pk)
        waiting = comparison.to_recheck(version=version, drawings=Prediction.objects.all())
        newest = list(waiting.order_by("-created_at", "-id").values_list("pk", flat=True)[:AT_ONCE])
        try:
            done = comparison.recheck(
                version=version, drawings=Prediction.objects.filter(pk__in=newest)
            ).answered
        except loading.LoadError as error:
            model_admin.message_user(request, str(error), messages.ERROR)
        else:
            message = ngettext(
                "%(n)d drawing predicted by %(name)s.",
                "%(n)d drawings predicted by %(name)s.",
                done,
            )
            model_admin.message_user(
                request, message % {"name": version, "n": done}, messages.SUCCESS
            )
        return redirect(address(request.GET.get("one", pk), request.GET.get("other", pk)))

    return view
