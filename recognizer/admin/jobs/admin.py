"""Training in the admin: "Train now", the list of jobs, and a job's page."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from recognizer.admin import job_text
from recognizer.admin.jobs import outlook_text, progress_text
from recognizer.admin.versions import gate_table
from recognizer.jobs import training_jobs, training_outlook
from recognizer.jobs.job_result import JobResult
from recognizer.jobs.training_jobs import Kind, Options
from recognizer.labelling import suspects
from recognizer.models import TrainingJob

if TYPE_CHECKING:
    BaseAdmin = admin.ModelAdmin[TrainingJob]
else:
    BaseAdmin = admin.ModelAdmin

MOST_EPOCHS = 200


class TrainForm(forms.Form):
    """What to train. The defaults suit a site that has new labels."""

    kind = forms.ChoiceField(
        label=gettext_lazy("What to train"),
        choices=Kind.choices,
        initial=Kind.FINE_TUNE,
        widget=forms.RadioSelect,
    )
    activate = forms.BooleanField(
        label=gettext_lazy("Activate if it passes the quality checks"),
        initial=True,
        required=False,
        help_text=gettext_lazy(
            "It passes if it makes fewer mistakes on labelled drawings held out from training, "
            "with no significant regression elsewhere. If not ticked, the new version is stored "
            "and you can activate it later."
        ),
    )
    epochs = forms.IntegerField(
        label=gettext_lazy("Epochs"),
        required=False,
        min_value=1,
        max_value=MOST_EPOCHS,
        help_text=gettext_lazy("Leave empty to use the recipe's default."),
    )
    limit = forms.IntegerField(
        label=gettext_lazy("Limit per source"),
        required=False,
        min_value=1,
        help_text=gettext_lazy(
            "Drawings used of each data source, for a quick try; the model will be poor. "
            "Leave empty for all."
        ),
    )
    without_suspects = forms.BooleanField(required=False)
    """The button with which the form was sent."""

    def options(self) -> Options:
        """The form must be valid."""
        return Options(**{**self.cleaned_data, "kind": Kind(self.cleaned_data["kind"])})

    def has_advanced_errors(self) -> bool:
        return bool({"epochs", "limit"} & set(self.errors))


class TrainingJobAdmin(BaseAdmin):
    """Users who may add jobs start and cancel them; users who may view them see them."""

    list_display = ("requested", "status_badge", "what", "who", "took", "outcome", "version")
    list_display_links = ("requested",)
    list_select_related = ("requested_by", "model_version")
    show_full_result_count = False
    actions = None

    class Media:
        css = {"all": ("recognizer/admin/admin.css", "recognizer/admin/versions.css")}

    # --- permissions ------------------------------------------------------------------------

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return super().has_view_permission(request, obj) or self.has_add_permission(request)

    # --- the list ---------------------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[TrainingJob]:
        return (
            super()
            .get_queryset(request)
            .defer(
                "log",
                "model_version__serving",
                "model_version__training",
                "model_version__card",
            )
        )

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        training_jobs.reap()
        extra = {"title": _("Trainings")}
        return super().changelist_view(request, {**extra, **(extra_context or {})})

    @admin.display(description=gettext_lazy("requested"), ordering="created_at")
    def requested(self, job: TrainingJob) -> str:
        return date_format(timezone.localtime(job.created_at), _("j M Y, H:i"))

    @admin.display(description=gettext_lazy("status"), ordering="status")
    def status_badge(self, job: TrainingJob) -> str:
        return format_html(
            '<span class="job-status {}">{}</span>', job.status, job.get_status_display()
        )

    @admin.display(description=gettext_lazy("training"))
    def what(self, job: TrainingJob) -> str:
        return progress_text.kind(job)

    @admin.display(description=gettext_lazy("by"), ordering="requested_by__username")
    def who(self, job: TrainingJob) -> str:
        return progress_text.who(job)

    @admin.display(description=gettext_lazy("duration"))
    def took(self, job: TrainingJob) -> str:
        return job_text.running_for(job) or "–"

    @admin.display(description=gettext_lazy("outcome"))
    def outcome(self, job: TrainingJob) -> str:
        found = gate_table.of_job(JobResult.from_json(job.result))
        return found.reason if found else job.error or "–"

    @admin.display(description=gettext_lazy("model version"), ordering="model_version__name")
    def version(self, job: TrainingJob) -> str:
        return version_link(job) or "–"

    # --- the pages --------------------------------------------------------------------------

    def get_urls(self) -> list[URLPattern]:
        own = [
            ("status", self.status_view),
            ("cancel", require_POST(self.cancel_view)),
        ]
        pages = [
            path(
                f"<uuid:pk>/{name}/",
                self.admin_site.admin_view(view),
                name=f"recognizer_trainingjob_{name}",
            )
            for name, view in own
        ]
        return [*pages, *super().get_urls()]

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        training_jobs.reap()
        form = TrainForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            assert isinstance(request.user, User)
            try:
                job = training_jobs.request(options=form.options(), by=request.user)
            except training_jobs.JobError as error:
                self.message_user(request, str(error), messages.ERROR)
            else:
                self.log_addition(request, job, _("Started."))
                return redirect("admin:recognizer_trainingjob_change", job.pk)
        labels = training_outlook.outlook()
        explanations = outlook_text.kind_explanations(labels.total)
        context = {
            "title": _("Train now"),
            "form": form,
            "kinds": list(zip(form["kind"], explanations, strict=True)),
            "more": [form["epochs"], form["limit"]],
            "labels": labels,
            "rows": outlook_text.rows(labels),
            "gain": outlook_text.gain(labels),
            "proposal": outlook_text.proposal(labels),
            "suspects": suspects.count(),
            "suspects_url": reverse("admin:recognizer_review") + "?order=suspect",
            "unfinished": training_jobs.unfinished(),
            "no_worker": job_text.absence(),
        }
        return self.page(request, "train.html", context)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        job = self.job(request, object_id)
        context = {
            "title": _("Training"),
            "job": job,
            "what": progress_text.kind(job),
            "who": progress_text.who(job),
            "text": progress_text.of_job(job),
            "gate": gate_table.of_job(JobResult.from_json(job.result)),
            "version_link": version_link(job),
            "may_cancel": self.has_add_permission(request),
        }
        return self.page(request, "job.html", context)

    def page(self, request: HttpRequest, template: str, context: dict[str, Any]) -> HttpResponse:
        return TemplateResponse(
            request,
            f"admin/recognizer/trainingjob/{template}",
            {**self.admin_site.each_context(request), "opts": self.opts, "media": self.media}
            | context,
        )

    def job(self, request: HttpRequest, object_id: object) -> TrainingJob:
        """The job; marked as interrupted first if its heartbeat has stopped."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        try:
            pk = uuid.UUID(str(object_id))
        except ValueError:
            pk = uuid.UUID(int=0)
        training_jobs.reap()
        return get_object_or_404(
            TrainingJob.objects.select_related("requested_by", "model_version").defer(
                "model_version__serving", "model_version__training", "model_version__card"
            ),
            pk=pk,
        )

    # --- what the page requests -------------------------------------------------------------

    def status_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        text = progress_text.of_job(self.job(request, pk))
        return JsonResponse(text.to_json(), headers={"Cache-Control": "no-store"})

    def cancel_view(self, request: HttpRequest, pk: uuid.UUID) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        try:
            job = training_jobs.cancel(job_id=pk)
        except training_jobs.JobError as error:
            self.message_user(request, str(error), messages.WARNING)
        else:
            self.log_change(request, job, _("Cancelled."))
        return redirect("admin:recognizer_trainingjob_change", pk)


def version_link(job: TrainingJob) -> str:
    if job.model_version is None:
        return ""
    address = reverse("admin:recognizer_modelversion_change", args=[job.model_version.pk])
    return format_html('<a href="{}">{}</a>', address, job.model_version)
