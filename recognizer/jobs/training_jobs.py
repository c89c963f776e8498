"""Training in the background: requested in the admin, run by a worker, one at a time.

The queue is that of django-tasks, a table of the same database. The site's own data about a
training is in `TrainingJob`: a worker writes a heartbeat into it every few seconds. If that stops,
the next request or worker that checks it marks the job as interrupted. A worker then queues it
again, and the training goes on from its last epoch.
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
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from recognizer.jobs.job_result import JobResult
from recognizer.jobs.progress import JobProgress
from recognizer.models import (
    UNFINISHED,
    JobStatus,
    ModelVersion,
    Prediction,
    TrainingJob,
    Worker,
)
from recognizer.models.clock import database_now

logger = logging.getLogger(__name__)

SILENCE = timedelta(seconds=60)
"""A job without a heartbeat for this long is lost. SQLite may keep a writer waiting for 30 s."""
RESUMED_AFTER = timedelta(seconds=5)
"""After its worker was stopped or killed, a job is interrupted this long at least."""
RESUMED_WITHIN = timedelta(days=1)
"""A job that was interrupted longer ago is not resumed."""
RESUMED_AT_MOST = 3
"""Times that a job is resumed: it may be the cause that its workers are killed."""
LOG_SIZE = 64 * 1024
"""Characters kept from the end of a job's log."""

Enqueue = Callable[[UUID], str]
"""Puts the job with this id into the queue and returns the task's id."""


class JobError(ValueError):
    """A training can't be started or cancelled; the message is for the user."""


class JobOver(RuntimeError):
    """A job was cancelled, or marked as interrupted, while it was running."""


class Kind(models.TextChoices):
    """See `training.model.config`."""

    FINE_TUNE = "fine-tune", gettext_lazy("Fine-tune the active model")
    FAST = "fast", gettext_lazy("Train a small model from scratch")
    SHIPPED = "shipped", gettext_lazy("Train a full model from scratch")


@dataclass(frozen=True)
class Options:
    """``limit`` is the maximum of drawings used from each source, for a quick try.
    ``without_suspects`` leaves out the labels that look wrong.

    ``workers_lost`` counts the workers that were stopped or killed during the training, and
    ``resumed`` how often another worker went on with it.
    """

    kind: Kind = Kind.FINE_TUNE
    activate: bool = True
    epochs: int | None = None
    limit: int | None = None
    without_suspects: bool = False
    workers_lost: int = 0
    resumed: int = 0

    def to_json(self) -> dict[str, Any]:
        return {**asdict(self), "kind": self.kind.value}

    @classmethod
    def from_json(cls, stored: Mapping[str, Any]) -> Options:
        return cls(**{**stored, "kind": Kind(stored["kind"])})


# The queue ------------------------------------------------------------------------------------

_enqueue: Enqueue | None = None


def connect_queue(enqueue: Enqueue) -> None:
    """Register the function that queues a job; called by `training`, if installed."""
    global _enqueue
    _enqueue = enqueue


def can_start() -> bool:
    """Whether the training code is installed in this process."""
    return _enqueue is not None


# For users ------------------------------------------------------------------------------------


def request(*, options: Options, by: User) -> TrainingJob:
    """Request a training; a worker starts it within seconds.

    Raises JobError if another job is waiting or running, or this machine has no training code.
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
    """Cancel a waiting job at once, a running one within seconds, when its worker checks.

    Raises JobError if there is no such job, or it has already ended.
    """
    with transaction.atomic():
        job = TrainingJob.objects.select_for_update().filter(pk=job_id).first()
        if job is None:
            raise JobError(_("This training does not exist."))
        if not job.is_unfinished:
            raise JobError(_("This training has already ended."))
        job.cancel_requested = True
        if job.status == JobStatus.QUEUED:
            _end(job, JobStatus.CANCELLED)
        job.save()
    return job


# For workers ----------------------------------------------------------------------------------


def begin(*, job_id: UUID) -> bool:
    """Mark a waiting job as running; return False if it is no longer waiting."""
    now = database_now()
    return bool(
        TrainingJob.objects.filter(pk=job_id, status=JobStatus.QUEUED).update(
            status=JobStatus.RUNNING, started_at=now, heartbeat_at=now
        )
    )


def beat(*, job_id: UUID) -> bool:
    """Write a heartbeat; return False if the training was cancelled or interrupted."""
    return bool(
        TrainingJob.objects.filter(
            pk=job_id, status=JobStatus.RUNNING, cancel_requested=False
        ).update(heartbeat_at=database_now())
    )


def report(*, job_id: UUID, progress: JobProgress, log: str) -> None:
    """Store a running job's progress and the end of its log."""
    TrainingJob.objects.filter(pk=job_id, status=JobStatus.RUNNING).update(
        progress=progress.to_json(), log=log[-LOG_SIZE:]
    )


def lock(*, job_id: UUID) -> TrainingJob:
    """Lock a running job until the transaction ends; raises JobOver if it is no longer running."""
    job = TrainingJob.objects.select_for_update().get(pk=job_id)
    if job.status != JobStatus.RUNNING or job.cancel_requested:
        raise JobOver(f"The training {job_id} was cancelled or interrupted.")
    return job


def succeed(*, job_id: UUID, result: JobResult, version: ModelVersion) -> None:
    """Store a job's result and end it.

    Raises JobOver if it was cancelled or interrupted; the caller must discard its result.
    """
    with transaction.atomic():
        job = lock(job_id=job_id)
        job.result, job.model_version = result.to_json(), version
        _end(job, JobStatus.SUCCEEDED)
        job.save()


def stop(*, job_id: UUID, status: JobStatus, error: str = "", worker_lost: bool = False) -> None:
    """End a job without a result: failed or interrupted, or cancelled if that was requested.

    With ``worker_lost`` another worker may resume it.
    """
    with transaction.atomic():
        job = TrainingJob.objects.select_for_update().filter(pk=job_id).first()
        if job is None or not job.is_unfinished:
            return
        if job.cancel_requested:
            status, error = JobStatus.CANCELLED, ""
        elif worker_lost:
            _count_lost_worker(job)
        _end(job, status, error)
        job.save()


def reap() -> TrainingJob | None:
    """Interrupt the unfinished job if its heartbeat has stopped, and return it; else None."""
    job = TrainingJob.objects.filter(status__in=UNFINISHED).first()
    if job is None or not _is_lost(job):
        return None
    with transaction.atomic():
        job = TrainingJob.objects.select_for_update().filter(pk=job.pk).first()
        if job is None or not job.is_unfinished or not _is_lost(job):
            return None
        _count_lost_worker(job)
        _end(job, JobStatus.INTERRUPTED, _("The worker was stopped or killed."))
        job.save()
        # The queue itself does not notice this.
        DBTaskResult.objects.filter(pk=job.task_id, status=TaskResultStatus.RUNNING).update(
            status=TaskResultStatus.FAILED, finished_at=job.finished_at
        )
    logger.warning("Training %s was interrupted: its heartbeat stopped.", job.pk)
    return job


def _count_lost_worker(job: TrainingJob) -> None:
    job.options = {**job.options, "workers_lost": job.options.get("workers_lost", 0) + 1}


def resume() -> TrainingJob | None:
    """Queue the latest job again if its worker was stopped or killed, and return it; else None.

    Called by workers. A job that was requested after it takes precedence.
    """
    if _enqueue is None:
        return None
    now = database_now()
    try:
        with transaction.atomic():
            job = TrainingJob.objects.select_for_update().order_by("-created_at").first()
            if (
                job is None
                or job.status != JobStatus.INTERRUPTED
                or job.finished_at is None
                or not now - RESUMED_WITHIN < job.finished_at < now - RESUMED_AFTER
                or job.cancel_requested
            ):
                return None
            lost, resumed = job.options.get("workers_lost", 0), job.options.get("resumed", 0)
            if not resumed < lost <= RESUMED_AT_MOST:
                return None
            job.options = {**job.options, "resumed": lost}
            job.status, job.error, job.finished_at = JobStatus.QUEUED, "", None
            job.task_id = _enqueue(job.pk)
            job.save()
    except IntegrityError:
        # Another was requested at this moment.
        return None
    logger.info("Training %s is queued again.", job.pk)
    return job


def _is_lost(job: TrainingJob) -> bool:
    silent = database_now() - SILENCE
    if job.status == JobStatus.RUNNING:
        return job.heartbeat_at is None or job.heartbeat_at < silent
    queued = DBTaskResult.objects.filter(pk=job.task_id).first()
    if queued is None or queued.status != TaskResultStatus.RUNNING:
        return queued is None or queued.status != TaskResultStatus.READY
    # A worker marks a job as running as soon as it takes it from the queue. When it did, the queue
    # knows by the worker's clock only; whether that worker still runs, by the database's.
    return not Worker.objects.filter(pk__in=queued.worker_ids, seen_at__gte=silent).exists()


def _end(job: TrainingJob, status: JobStatus, error: str = "") -> None:
    job.status, job.error = status, error
    job.finished_at = database_now()


# Queries --------------------------------------------------------------------------------------


def unfinished() -> TrainingJob | None:
    return TrainingJob.objects.filter(status__in=UNFINISHED).first()


@dataclass(frozen=True)
class Labels:
    total: int
    new: int
    last_training: datetime | None


def labels() -> Labels:
    job = (
        TrainingJob.objects.filter(status=JobStatus.SUCCEEDED)
        .order_by("-started_at")
        .values_list("started_at", flat=True)
        .first()
    )
    # Trained by the command, whose start time is not known.
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
