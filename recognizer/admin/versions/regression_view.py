"""What a version unlearned: the button on its page, and the page of the search."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import messages
from django.contrib.admin import ModelAdmin
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from recognizer.admin import job_text
from recognizer.admin.versions import compare_data
from recognizer.jobs import regression_jobs
from recognizer.jobs.regression_jobs import RegressionResult
from recognizer.jobs.states import JobError
from recognizer.models import ModelVersion, Prediction, RegressionJob, label_text
from recognizer.text.numbers import grouped
from recognizer.versions import comparison, lifecycle

PAGE_SIZE = 60
JOBS_SHOWN = 5

View = Callable[..., HttpResponse]
_BYTES = [
    f"{each}__{name}" for each in ("version", "before") for name in ("serving", "training", "card")
]


def urls(model_admin: ModelAdmin[ModelVersion]) -> list[URLPattern]:
    view = model_admin.admin_site.admin_view
    job = "unlearned/<uuid:job>/"
    return [
        path(
            "<int:pk>/unlearned/",
            view(require_POST(_start_view(model_admin))),
            name="recognizer_modelversion_unlearned",
        ),
        path(job, view(require_safe(_page_view(model_admin))), name="recognizer_regressionjob"),
        path(
            f"{job}status/",
            view(require_safe(_status_view(model_admin))),
            name="recognizer_regressionjob_status",
        ),
        path(
            f"{job}cancel/",
            view(require_POST(_cancel_view(model_admin))),
            name="recognizer_regressionjob_cancel",
        ),
    ]


def may_view(request: HttpRequest) -> bool:
    return request.user.has_perm("recognizer.view_prediction")


def may_start(request: HttpRequest) -> bool:
    """A search takes the worker's time, as a training does."""
    return may_view(request) and request.user.has_perm("recognizer.add_trainingjob")


def section(version: ModelVersion, request: HttpRequest) -> dict[str, Any]:
    """Return what the page of a version shows about searches: the latest, and a new one."""
    if not may_view(request):
        return {}
    jobs = RegressionJob.objects.filter(version=version).select_related("before").defer(*_BYTES)
    return {
        "regression_jobs": [
            (job, RegressionResult.from_json(job.result)) for job in jobs[:JOBS_SHOWN]
        ],
        "regression_before": lifecycle.active_before(version) if may_start(request) else None,
        "may_search": may_start(request),
    }


def _start_view(model_admin: ModelAdmin[ModelVersion]) -> View:
    def view(request: HttpRequest, pk: int) -> HttpResponse:
        if not model_admin.has_view_permission(request) or not may_start(request):
            raise PermissionDenied
        versions = ModelVersion.objects.defer("serving", "training", "card")
        version = get_object_or_404(versions, pk=pk)
        chosen = request.POST.get("before", "")
        # SQLite's integers have at most 19 digits.
        known = chosen.isascii() and chosen.isdecimal() and len(chosen) < 19
        before = get_object_or_404(versions, pk=int(chosen) if known else -1)
        assert isinstance(request.user, User)
        try:
            job = regression_jobs.request(version=version, before=before, by=request.user)
        except JobError as error:
            model_admin.message_user(request, str(error), messages.WARNING)
            return redirect("admin:recognizer_modelversion_change", pk)
        return redirect("admin:recognizer_regressionjob", job.pk)

    return view


def _job(
    model_admin: ModelAdmin[ModelVersion], request: HttpRequest, pk: uuid.UUID
) -> RegressionJob:
    """The job; marked as interrupted first if its heartbeat has stopped."""
    if not model_admin.has_view_permission(request) or not may_view(request):
        raise PermissionDenied
    regression_jobs.reap()
    jobs = RegressionJob.objects.select_related("version", "before", "requested_by")
    return get_object_or_404(jobs.defer(*_BYTES), pk=pk)


def _text(job: RegressionJob) -> job_text.CountedText:
    return job_text.counted(job, _("Predicting the labelled drawings with both versions."))


def _page_view(model_admin: ModelAdmin[ModelVersion]) -> View:
    def view(request: HttpRequest, job: uuid.UUID) -> HttpResponse:
        found = _job(model_admin, request, job)
        result = RegressionResult.from_json(found.result)
        context = {
            **model_admin.admin_site.each_context(request),
            "opts": model_admin.opts,
            "media": model_admin.media,
            "title": _("What %(name)s unlearned") % {"name": found.version},
            "job": found,
            "text": _text(found),
            "may_cancel": may_start(request),
        }
        if result is not None:
            page = Paginator(result.ids, PAGE_SIZE).get_page(request.GET.get("page"))
            context |= {
                "result": result,
                "labelled": grouped(result.labelled),
                "unlearned": grouped(result.unlearned),
                "learned": grouped(result.learned),
                "rows": [
                    (label_text(each.label), grouped(each.unlearned), grouped(each.learned))
                    for each in result.labels
                ],
                "page": page,
                "changed": _drawings(found, list(page)),
                "left_out": result.unlearned - len(result.ids),
            }
        return TemplateResponse(request, "admin/recognizer/modelversion/unlearned.html", context)

    return view


def _drawings(job: RegressionJob, ids: list[str]) -> list[compare_data.ChangedDrawing]:
    """Return the drawings as the comparison shows them, in their order, without deleted ones."""
    drawings = Prediction.objects.without_bytes().filter(pk__in=ids)
    rows = comparison.differing(drawings=drawings, one=job.before, other=job.version)
    found = {str(row.pk): row for row in rows}
    return [compare_data.changed(found[pk]) for pk in ids if pk in found]


def _status_view(model_admin: ModelAdmin[ModelVersion]) -> View:
    def view(request: HttpRequest, job: uuid.UUID) -> HttpResponse:
        text = _text(_job(model_admin, request, job))
        return JsonResponse(text.to_json(), headers={"Cache-Control": "no-store"})

    return view


def _cancel_view(model_admin: ModelAdmin[ModelVersion]) -> View:
    def view(request: HttpRequest, job: uuid.UUID) -> HttpResponse:
        if not may_start(request):
            raise PermissionDenied
        try:
            regression_jobs.cancel(job_id=job)
        except JobError as error:
            model_admin.message_user(request, str(error), messages.WARNING)
            if not RegressionJob.objects.filter(pk=job).exists():
                return redirect("admin:recognizer_modelversion_changelist")
        return redirect("admin:recognizer_regressionjob", job)

    return view
