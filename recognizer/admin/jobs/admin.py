"""Training in the admin: "Train now", the list of jobs, and a job's page."""

from __future__ import annotations

import uuid
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recognizer.admin import job_text
from recognizer.admin.job_admin import JobAdmin
from recognizer.admin.jobs import outlook_text, progress_text
from recognizer.admin.versions import gate_table
from recognizer.jobs import training_jobs, training_outlook
from recognizer.jobs.job_result import JobResult
from recognizer.jobs.training_jobs import Kind, Options
from recognizer.labelling import suspects
from recognizer.models import TrainingJob

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


class TrainingJobAdmin(JobAdmin[TrainingJob]):
    """The list of trainings, "Train now", and a training's page."""

    list_display = ("requested", "status_badge", "what", "who", "took", "outcome", "version")
    list_select_related = ("requested_by", "model_version")

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
        extra = {"title": _("Training jobs")}
        return super().changelist_view(request, {**extra, **(extra_context or {})})

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
            "clear_suspects": suspects.count_clear(),
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

    # --- what is particular to trainings ----------------------------------------------------

    def reap(self) -> object:
        return training_jobs.reap()

    def cancel(self, pk: uuid.UUID) -> TrainingJob:
        return training_jobs.cancel(job_id=pk)

    def text_of(self, job: TrainingJob) -> progress_text.JobText:
        return progress_text.of_job(job)

    def jobs(self) -> QuerySet[TrainingJob]:
        return TrainingJob.objects.select_related("requested_by", "model_version").defer(
            "model_version__serving", "model_version__training", "model_version__card"
        )


def version_link(job: TrainingJob) -> str:
    if job.model_version is None:
        return ""
    address = reverse("admin:recognizer_modelversion_change", args=[job.model_version.pk])
    return format_html('<a href="{}">{}</a>', address, job.model_version)
