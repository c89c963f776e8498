"""The page that sets two model versions side by side, and its button."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from django.contrib import messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from recognizer.admin.versions import compare_data as comparison
from recognizer.models import ModelVersion, Prediction
from recognizer.versions import comparison as versions_comparison
from recognizer.versions import loading

if TYPE_CHECKING:
    from recognizer.admin.versions.admin import ModelVersionAdmin

PAGE_SIZE = 60
WAYS_SHOWN = 20
"""Ways that answers change; the rarer ones are folded away."""
AT_ONCE = 1000
"""Drawings that a click on "Recheck" runs a version over: some seconds. The command does all."""


def urls(model_admin: ModelVersionAdmin) -> list[URLPattern]:
    """Return the address of the page, and of its button."""
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
    """Return the address of the page that sets two versions, given by key, side by side."""
    keys = urlencode({"one": one, "other": other})
    return f"{reverse('admin:recognizer_modelversion_compare')}?{keys}"


# The page -------------------------------------------------------------------------------------


def _compare_view(model_admin: ModelVersionAdmin) -> Callable[..., HttpResponse]:
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
                "metrics": comparison.metrics(one, other),
                "facts": comparison.facts(one, other),
            }
            if request.user.has_perm("recognizer.view_prediction"):
                context |= drawings(one, other, request)
                context["may_recheck"] = model_admin.has_activate_permission(request)
        return TemplateResponse(request, "admin/recognizer/modelversion/compare.html", context)

    return view


def _active() -> ModelVersion | None:
    return ModelVersion.objects.defer("serving", "training").filter(is_active=True).first()


def _named(request: HttpRequest, parameter: str) -> ModelVersion | None:
    value = request.GET.get(parameter, "")
    if not value:
        return None
    # SQLite's whole numbers end at 19 digits.
    known = value.isascii() and value.isdecimal() and len(value) < 19
    return get_object_or_404(
        ModelVersion.objects.defer("serving", "training").select_related(None),
        pk=int(value) if known else -1,
    )


# The drawings ---------------------------------------------------------------------------------


def drawings(one: ModelVersion, other: ModelVersion, request: HttpRequest) -> dict[str, Any]:
    """Return what the page shows of the drawings that both versions have answered."""
    chosen = request.GET.get("way", "")
    found = comparison.ways(one, other, chosen)
    changes = comparison.of_way(versions_comparison.changes_between(one=one, other=other), chosen)
    page = Paginator(changes.order_by("-created_at", "-id"), PAGE_SIZE).get_page(
        request.GET.get("page")
    )
    total = Prediction.objects.count()
    coverage = []
    for each in (one, other):
        answered = versions_comparison.answers_of(each).count()
        more = min(AT_ONCE, max(0, total - answered))
        coverage.append(comparison.Coverage(each, answered, more))
    return {
        "comparison": versions_comparison.summary(one=one, other=other),
        "frequent_ways": found[:WAYS_SHOWN],
        "rare_ways": found[WAYS_SHOWN:],
        "way": next((way for way in found if way.is_chosen), None),
        "page": page,
        "changed": [comparison.changed(row) for row in page],
        "pages": _pages(page, address(one.pk, other.pk), chosen),
        "coverage": coverage,
        "total": total,
        "address": address(one.pk, other.pk),
        "swapped": address(other.pk, one.pk),
        "in_list": f"{reverse('admin:recognizer_prediction_changelist')}"
        f"?changed={one.pk}-{other.pk}",
    }


def _pages(page: Page[Prediction], base: str, way: str) -> dict[str, str]:
    """Return the addresses of the page before and the one after, where there are such."""
    suffix = f"&{urlencode({'way': way})}" if way else ""
    found = {}
    if page.has_previous():
        found["previous"] = f"{base}{suffix}&page={page.previous_page_number()}"
    if page.has_next():
        found["next"] = f"{base}{suffix}&page={page.next_page_number()}"
    return found


# Running a version over more of them ----------------------------------------------------------


def _recheck_view(model_admin: ModelVersionAdmin) -> Callable[..., HttpResponse]:
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        if not model_admin.has_activate_permission(request):
            raise PermissionDenied
        version = get_object_or_404(ModelVersion.objects.defer("serving", "training"), pk=pk)
        waiting = versions_comparison.to_recheck(version=version, drawings=Prediction.objects.all())
        newest = list(waiting.order_by("-created_at", "-id").values_list("pk", flat=True)[:AT_ONCE])
        try:
            done = versions_comparison.recheck(
                version=version, drawings=Prediction.objects.filter(pk__in=newest)
            ).answered
        except loading.LoadError as error:
            model_admin.message_user(request, str(error), messages.ERROR)
        else:
            said = ngettext(
                "%(n)d drawing was read by %(name)s.",
                "%(n)d drawings were read by %(name)s.",
                done,
            )
            model_admin.message_user(request, said % {"name": version, "n": done}, messages.SUCCESS)
        return redirect(address(request.GET.get("one", pk), request.GET.get("other", pk)))

    return view
