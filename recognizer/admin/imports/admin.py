"""Imports in the admin: upload a file, look at what is in it, import it, undo the import."""

from __future__ import annotations

import base64
import uuid
from collections.abc import Callable
from typing import Any

from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from recognizer.admin import job_text
from recognizer.admin.imports import import_text
from recognizer.admin.imports.forms import OptionsForm, UploadForm
from recognizer.admin.job_admin import JobAdmin
from recognizer.jobs import import_jobs
from recognizer.jobs.states import JobError
from recognizer.models import ImportFile, ImportJob, JobStatus, Label, label_text
from recognizer.transfer import import_task
from recognizer.transfer.import_buffer import BufferedDrawing
from recognizer.transfer.importing import Options
from recognizer.transfer.plausibility import Kind

DELETE_PERMISSION = "recognizer.delete_prediction"


class ImportJobAdmin(JobAdmin[ImportJob]):
    """Users who may add imports start, cancel and undo them; users who may view them see them."""

    list_display = ("requested", "status_badge", "file_name", "who", "outcome")
    list_select_related = ("requested_by",)

    # --- the list ---------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[ImportJob]:
        return super().get_queryset(request).defer("log")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        import_jobs.reap()
        return super().changelist_view(request, {"title": _("Imports"), **(extra_context or {})})

    @admin.display(description=gettext_lazy("by"), ordering="requested_by__username")
    def who(self, job: ImportJob) -> str:
        return str(job.requested_by or _("deleted account"))

    @admin.display(description=gettext_lazy("outcome"))
    def outcome(self, job: ImportJob) -> str:
        return import_text.outcome(job) or job.error or "–"

    # --- the pages --------------------------------------------------------------------------

    def own_pages(self) -> list[tuple[str, Callable[..., HttpResponse]]]:
        return [
            *super().own_pages(),
            ("preview", self.preview_view),
            ("undo", require_POST(self.undo_view)),
        ]

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Upload a file."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        is_sent = request.method == "POST"
        form = UploadForm(request.POST, request.FILES) if is_sent else UploadForm()
        if form.is_valid():
            assert isinstance(request.user, User)
            sent = form.cleaned_data["file"]
            file = import_task.upload(name=sent.name, content=sent.read(), by=request.user)
            return redirect("admin:recognizer_importjob_preview", file.pk)
        return self.page(request, "upload.html", {"title": _("Import drawings"), "form": form})

    def preview_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        """Show what is in an uploaded file, and import it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        file = get_object_or_404(ImportFile, pk=pk)
        form = OptionsForm(request.POST if request.method == "POST" else {})
        options = form.options() if form.is_valid() else Options()
        if form.is_valid() and "import" in request.POST:
            assert isinstance(request.user, User)
            try:
                job = import_task.request(file=file, options=options, by=request.user)
            except JobError as error:
                self.message_user(request, str(error), messages.ERROR)
            else:
                self.log_addition(request, job, _("Started."))
                return redirect("admin:recognizer_importjob_change", job.pk)
        preview = import_task.preview(file=file, options=options)
        finding = preview.finding
        context = {
            "title": _("Import %(file)s") % {"file": file.name},
            "file": file,
            "form": form,
            "preview": preview,
            "drawings": [_shown(drawing) for drawing in preview.drawings],
            "wants_transpose": finding is not None and finding.kind is Kind.TRANSPOSED,
            "no_worker": job_text.absence(),
        }
        return self.page(request, "preview.html", context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        job = self.job(request, object_id)
        may_undo = (
            self.has_add_permission(request)
            and job.status == JobStatus.SUCCEEDED
            and not job.result.get("undone")
        )
        context = {
            "title": _("Import"),
            "job": job,
            "text": import_text.of_job(job),
            "counts": import_text.counts(job),
            "undone": import_text.undone(job),
            "may_cancel": self.has_add_permission(request),
            "may_undo": may_undo,
            "may_delete": request.user.has_perm(DELETE_PERMISSION),
            "may_see_history": request.user.has_perm("recognizer.view_labelevent"),
        }
        return self.page(request, "job.html", context)

    # --- what is particular to imports ------------------------------------------------------

    def reap(self) -> object:
        return import_jobs.reap()

    def cancel(self, pk: uuid.UUID) -> ImportJob:
        return import_jobs.cancel(job_id=pk)

    def text_of(self, job: ImportJob) -> job_text.CountedText:
        return import_text.of_job(job)

    def jobs(self) -> QuerySet[ImportJob]:
        return ImportJob.objects.select_related("requested_by")

    def undo_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        job = self.job(request, pk)
        delete = "delete" in request.POST
        if delete and not request.user.has_perm(DELETE_PERMISSION):
            raise PermissionDenied
        assert isinstance(request.user, User)
        try:
            found = import_task.undo(job=job, by=request.user, delete=delete)
        except JobError as error:
            self.message_user(request, str(error), messages.WARNING)
        else:
            text = ngettext(
                "Undone: %(n)s label was taken back.",
                "Undone: %(n)s labels were taken back.",
                found["labels"],
            ) % {"n": found["labels"]}
            self.message_user(request, text, messages.SUCCESS)
            self.log_change(request, job, _("Undone."))
        return redirect("admin:recognizer_importjob_change", pk)


def _shown(drawing: BufferedDrawing) -> dict[str, Any]:
    """A drawing of a file that is not stored yet."""
    values = drawing.values
    label = values["label"]
    encoded = base64.b64encode(values["image"]).decode()
    is_rejected = values["verdict"] == "not_a_digit"
    answers = {values["digit"], Label.NOT_A_DIGIT.value if is_rejected else values["digit"]}
    return {
        "src": f"data:image/png;base64,{encoded}",
        "label": label_text(label),
        "digit": label_text(Label.NOT_A_DIGIT) if is_rejected else values["digit"],
        "confidence": values["confidence"],
        "differs": label is not None and label not in answers,
    }
