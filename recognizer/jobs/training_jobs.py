"""Training in the background: asked for in the admin, done by a worker, one at a time.

The queue is that of django-tasks, a table of the same database. What the site itself needs to
know of a training is in `TrainingJob`: a worker writes a sign of life into it every few seconds,
and a job whose worker has fallen silent is ended as interrupted by whoever looks next.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import IntegrityError, models, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from recognizer.jobs.job_result import JobResult
from recognizer.jobs.progress import JobProgress
from recognizer.models import UNFINISHED, JobStatus, ModelVersion, Prediction, TrainingJob

logger = logging.getLogger(__name__)

SILENCE = timedelta(seconds=60)
"""A job without a sign of life for this long is lost. SQLite may keep a writer waiting for 30 s."""
LOG_SIZE = 64 * 1024
"""Characters of a job's log that are kept: its end."""

Enqueue = Callable[[UUID], str]
"""Puts the job with this id into the queue and returns the task's id."""


class JobError(ValueError):
    """A training can't be started or cancelled; the message says why."""


class JobOver(RuntimeError):
    """A job has been cancelled, or given up, while it was being worked on."""


class Kind(models.TextChoices):
    """Which training: see `training.model.config`."""

    FINE_TUNE = "fine-tune", gettext_lazy("Teach the active model what is labelled")
    FAST = "fast", gettext_lazy("A new, small model")
    SHIPPED = "shipped", gettext_lazy("A new model, as the bundled one was made")


@dataclass(frozen=True)
class Options:
    """What is to be trained; ``limit`` is the most drawings of each source, for a quick try."""

    kind: Kind = Kind.FINE_TUNE
    activate: bool = True
    epochs: int | None = None
    limit: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the options for the database."""
        return {**asdict(self), "kind": self.kind.value}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Options:
        """Return the options that a job was stored with."""
        return cls(**{**stored, "kind": Kind(stored["kind"])})


# The queue ------------------------------------------------------------------------------------

_enqueue: Enqueue | None = None


def connect_queue(enqueue: Enqueue) -> None:
    """Name the function that puts a job into the queue: the training's, where it is installed."""
    global _enqueue
    _enqueue = enqueue


def can_start() -> bool:
    """Tell whether this process knows a training to start."""
    return _enqueue is not None


# What people do -------------------------------------------------------------------------------


def request(*, options: Options, by: User) -> TrainingJob:
    """Ask for a training; a worker starts it within seconds.

    Raises:
        JobError: another one waits or runs, or this machine has no training code.
    """
    if _enqueue is None:
        raise JobError(_("The training code is not installed on this machine."))
    reap()
    try:
        with transaction.atomic():
            job = TrainingJob(options=options.to_json(), requested_by=by)
            job.save(force_insert=True)
            job.task_id = _enqueue(job.pk)
            job.save(update_fields=["task_id"])
    except IntegrityError as error:
        raise JobError(_("Another training is waiting or running.")) from error
    return job


def cancel(*, job_id: UUID) -> TrainingJob:
    """End a waiting job at once, a running one as soon as its worker looks: within seconds.

    Raises:
        JobError: there is no such job, or it has ended already.
    """
    with transaction.atomic():
        job = TrainingJob.objects.select_for_update().filter(pk=job_id).first()
        if job is None:
            raise JobError(_("There is no such training."))
        if not job.is_unfinished:
            raise JobError(_("This training has ended already."))
        job.cancel_requested = True
        if job.status == JobStatus.QUEUED:
            _end(job, JobStatus.CANCELLED)
        job.save()
    return job


# What a worker does ---------------------------------------------------------------------------


def begin(*, job_id: UUID) -> bool:
    """Mark a job as running; return whether it was still waiting for that."""
    now = timezone.now()
    return bool(
        TrainingJob.objects.filter(pk=job_id, status=JobStatus.QUEUED).update(
            status=JobStatus.RUNNING, started_at=now, heartbeat_at=now
        )
    )


def beat(*, job_id: UUID) -> bool:
    """Leave a sign of life; return whether the training is still wanted."""
    return bool(
        TrainingJob.objects.filter(
            pk=job_id, status=JobStatus.RUNNING, cancel_requested=False
        ).update(heartbeat_at=timezone.now())
    )


def report(*, job_id: UUID, progress: JobProgress, log: str) -> None:
    """Show how far a running job is. The log is all that was said so far; its end is kept."""
    TrainingJob.objects.filter(pk=job_id, status=JobStatus.RUNNING).update(
        progress=progress.to_json(), log=log[-LOG_SIZE:]
    )


def hold(*, job_id: UUID) -> TrainingJob:
    """Lock a running job until the transaction ends, so that nobody cancels it meanwhile.

    Raises:
        JobOver: it has been cancelled or given up.
    """
    job = TrainingJob.objects.select_for_update().get(pk=job_id)
    if job.status != JobStatus.RUNNING or job.cancel_requested:
        raise JobOver(f"The training {job_id} is not wanted any more.")
    return job


def succeed(*, job_id: UUID, result: JobResult, version: ModelVersion) -> None:
    """End a job with what came of it.

    Raises:
        JobOver: it has been cancelled or given up; nothing may be kept of it then.
    """
    with transaction.atomic():
        job = hold(job_id=job_id)
        job.result, job.model_version = result.to_json(), version
        _end(job, JobStatus.SUCCEEDED)
        job.save()


def stop(*, job_id: UUID, status: JobStatus, error: str = "") -> None:
    """End a job that came to nothing: failed, or interrupted; cancelled if that was asked for."""
    with transaction.atomic():
        job = TrainingJob.objects.select_for_update().filter(pk=job_id).first()
        if job is None or not job.is_unfinished:
            return
        if job.cancel_requested:
            status, error = JobStatus.CANCELLED, ""
        _end(job, status, error)
        job.save()


def reap() -> TrainingJob | None:
    """End the unfinished job if its worker has fallen silent, and return it; else None."""
    job = TrainingJob.objects.filter(status__in=UNFINISHED).first()
    if job is None or not _is_lost(job):
        return None
    with transaction.atomic():
        job = TrainingJob.objects.select_for_update().filter(pk=job.pk).first()
        if job is None or not job.is_unfinished or not _is_lost(job):
            return None
        _end(job, JobStatus.INTERRUPTED, _("The worker was stopped or killed."))
        job.save()
        # The queue itself never notices.
        DBTaskResult.objects.filter(pk=job.task_id, status=TaskResultStatus.RUNNING).update(
            status=TaskResultStatus.FAILED, finished_at=job.finished_at
        )
    logger.warning("Training %s was interrupted: its worker fell silent.", job.pk)
    return job


def _is_lost(job: TrainingJob) -> bool:
    silent = timezone.now() - SILENCE
    if job.status == JobStatus.RUNNING:
        return job.heartbeat_at is None or job.heartbeat_at < silent
    # A worker that takes a job from the queue marks it as running at once.
    waits = models.Q(status=TaskResultStatus.READY) | models.Q(
        status=TaskResultStatus.RUNNING, started_at__gte=silent
    )
    return not DBTaskResult.objects.filter(waits, pk=job.task_id).exists()


def _end(job: TrainingJob, status: JobStatus, error: str = "") -> None:
    job.status, job.error = status, error
    job.finished_at = timezone.now()


# What is asked --------------------------------------------------------------------------------


def unfinished() -> TrainingJob | None:
    """Return the job that waits or runs, if any."""
    return TrainingJob.objects.filter(status__in=UNFINISHED).first()


@dataclass(frozen=True)
class Labels:
    """The labelled drawings there are, and those labelled since the last training began."""

    total: int
    new: int
    last_training: datetime | None


def labels() -> Labels:
    """Count the labelled drawings, and what a training would learn of for the first time."""
    job = (
        TrainingJob.objects.filter(status=JobStatus.SUCCEEDED)
        .order_by("-started_at")
        .values_list("started_at", flat=True)
        .first()
    )
    # Trained by the command: when it began is not known.
    version = (
        ModelVersion.objects.filter(
            is_bundled=False, jobs__isnull=True, card__data__labelled__isnull=False
        )
        .order_by("-created_at")
        .values_list("created_at", flat=True)
        .first()
    )
    last = max(filter(None, (job, version)), default=None)
    labelled = Prediction.objects.labelled()
    total = labelled.count()
    new = labelled.filter(labelled_at__gt=last).count() if last is not None else total
    return Labels(total=total, new=new, last_training=last)
