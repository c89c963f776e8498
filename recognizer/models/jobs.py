"""Training jobs started in the admin, and the workers that run them."""

from __future__ import annotations

import uuid

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from recognizer.models.versions import ModelVersion


class JobStatus(models.TextChoices):
    QUEUED = "queued", _("waiting")
    RUNNING = "running", _("running")
    SUCCEEDED = "succeeded", _("finished")
    FAILED = "failed", _("failed")
    CANCELLED = "cancelled", _("cancelled")
    INTERRUPTED = "interrupted", _("interrupted")


UNFINISHED = (JobStatus.QUEUED.value, JobStatus.RUNNING.value)


class Job(models.Model):
    """One job in the background: its options, its progress and its result."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    status = models.CharField(
        _("status"), max_length=12, choices=JobStatus, default=JobStatus.QUEUED
    )
    options = models.JSONField(_("options"), default=dict, blank=True)
    task_id = models.CharField(_("task"), max_length=64, blank=True, default="")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("requested by"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    created_at = models.DateTimeField(_("requested"), default=timezone.now, editable=False)
    started_at = models.DateTimeField(_("started"), null=True, blank=True)
    finished_at = models.DateTimeField(_("finished"), null=True, blank=True)
    heartbeat_at = models.DateTimeField(_("last heartbeat"), null=True, blank=True)
    cancel_requested = models.BooleanField(_("cancel requested"), default=False)
    progress = models.JSONField(_("progress"), default=dict, blank=True)
    log = models.TextField(_("log"), blank=True, default="")
    result = models.JSONField(_("result"), default=dict, blank=True)
    error = models.TextField(_("error"), blank=True, default="")

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return f"{self.get_status_display()} {self.created_at:%Y-%m-%d %H:%M}"

    @property
    def is_unfinished(self) -> bool:
        return self.status in UNFINISHED


def job_constraints(name: str) -> list[models.BaseConstraint]:
    """Return the constraints of a table of jobs, whose names start with ``name``."""
    return [
        models.CheckConstraint(
            condition=Q(
                status__in=["queued", "running", "succeeded", "failed", "cancelled", "interrupted"]
            ),
            name=f"{name}_status_known",
        ),
        models.CheckConstraint(
            condition=Q(status__in=UNFINISHED, finished_at__isnull=True)
            | (~Q(status__in=UNFINISHED) & Q(finished_at__isnull=False)),
            name=f"{name}_finished_dated",
        ),
    ]


class TrainingJob(Job):
    """One training in the background."""

    progress = models.JSONField(
        _("progress"),
        default=dict,
        blank=True,
        help_text=_("Epoch, steps, loss, validation accuracy, seconds left."),
    )
    result = models.JSONField(
        _("result"), default=dict, blank=True, help_text=_("The result of the quality checks.")
    )
    model_version = models.ForeignKey(
        ModelVersion,
        verbose_name=_("model version"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="jobs",
    )

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("training job")
        verbose_name_plural = _("training jobs")
        constraints = [
            # At most one row has this value, whatever its id.
            models.UniqueConstraint(
                models.Case(models.When(status__in=UNFINISHED, then=models.Value(1)), default=None),
                name="trainingjob_one_at_a_time",
                violation_error_message=_("Another training is waiting or running."),
            ),
            *job_constraints("trainingjob"),
        ]


class ImportFile(models.Model):
    """A file that was uploaded to be imported; deleted afterwards."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(_("file"), max_length=200)
    content = models.BinaryField(_("content"))
    uploaded_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("uploaded by"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    uploaded_at = models.DateTimeField(_("uploaded"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("uploaded file")
        verbose_name_plural = _("uploaded files")
        default_permissions = ()

    def __str__(self) -> str:
        return self.name


class ImportJob(Job):
    """One import in the background; its id is the batch of its changes in the label history."""

    file = models.ForeignKey(
        ImportFile,
        verbose_name=_("uploaded file"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="jobs",
    )
    file_name = models.CharField(_("file"), max_length=200)

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("import")
        verbose_name_plural = _("imports")
        constraints = job_constraints("importjob")


class Worker(models.Model):
    """A process that takes jobs from the queue. It deletes its row when it exits normally."""

    id = models.CharField(_("name"), primary_key=True, max_length=64)
    place = models.CharField(_("place"), max_length=200, help_text=_("Its machine and process."))
    started_at = models.DateTimeField(_("started"), default=timezone.now)
    seen_at = models.DateTimeField(_("last heartbeat"), default=timezone.now)

    class Meta:
        ordering = ["-seen_at"]
        verbose_name = _("worker")
        verbose_name_plural = _("workers")

    def __str__(self) -> str:
        return self.place
