"""Training in the background: requested in the admin, run by a worker, one at a time.

A job that was interrupted is queued again by a worker, and the training goes on from its last
epoch. For its states see `states`.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import IntegrityError, models, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recognizer.jobs import states
from recognizer.jobs.job_result import JobResult
from recognizer.models import UNFINISHED, JobStatus, ModelVersion, TrainingJob
from recognizer.models.clock import database_now

logger = logging.getLogger(__name__)

RESUMED_AFTER = timedelta(seconds=5)
"""After its worker was stopped or killed, a job is interrupted this long at least."""
RESUMED_WITHIN = timedelta(days=1)
"""A job that was interrupted longer ago is not resumed."""
RESUMED_AT_MOST = 3
"""Times that a job is resumed: it may be the cause that its workers are killed."""
JobError = states.JobError
JobOver = states.JobOver
SILENCE = states.SILENCE
LOG_SIZE = states.LOG_SIZE

Enqueue = Callable[[UUID], str]
"""Puts the job with this id into the queue and returns the task's id."""


class Kind(models.TextChoices):
    """See `training.model.config`."""

    FINE_TUNE = "fine-tune", gettext_lazy("Fine-tune the active model")
    FAST = "fast", gettext_lazy("Train a small model from scratch")
    SHIPPED = "shipped", gettext_lazy("Train a full model from scratch")


@dataclass(frozen=True)
class Options:
    """``limit`` is the maximum of drawings used from each source, for a quick try.
    ``without_suspects`` leaves out the labels that look wrong. ``nightly`` says that nobody asked
    for it but the setting TRAIN_NIGHTLY.

    ``workers_lost`` counts the workers that were stopped or killed during the training, and
    ``resumed`` how often another worker went on with it.
    """

    kind: Kind = Kind.FINE_TUNE
    activate: bool = True
    epochs: int | None = None
    limit: int | None = None
    without_suspects: bool = False
    nightly: bool = False
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


# For users ------------------------------------------------------------------------------------


def request(*, options: Options, by: User | None) -> TrainingJob:
    """Request a training; a worker starts it within seconds.

    Where this machine has no training code, a worker also puts it into the queue (`queue_waiting`).
    Raises JobError if another job is waiting or running.
    """
    reap()
    try:
        with transaction.atomic():
            job = TrainingJob(options=options.to_json(), requested_by=by)
            job.save(force_insert=True)
            if _enqueue is not None:
                job.task_id = _enqueue(job.pk)
                job.save(update_fields=["task_id"])
    except IntegrityError as error:
        raise JobError(_("Another training is waiting or running.")) from error
    return job


# The states of a job, see `states`.
_jobs = states.Jobs(
    TrainingJob,
    missing=gettext_lazy("This training does not exist."),
    ended=gettext_lazy("This training has already ended."),
    on_lost_worker=lambda job: _count_lost_worker(job),
)
cancel = _jobs.cancel
begin = _jobs.begin
beat = _jobs.beat
report = _jobs.report
lock = _jobs.lock
stop = _jobs.stop
reap = _jobs.reap


def succeed(*, job_id: UUID, result: JobResult, version: ModelVersion) -> None:
    """Store a job's result and end it.

    Raises JobOver if it was cancelled or interrupted; the caller must discard its result.
    """
    _jobs.succeed(job_id=job_id, result=result.to_json(), model_version=version)


def _count_lost_worker(job: TrainingJob) -> None:
    job.options = {**job.options, "workers_lost": job.options.get("workers_lost", 0) + 1}


def queue_waiting() -> None:
    """Put a job into the queue that a machine without the training code requested.

    Called by workers.
    """
    if _enqueue is None:
        return
    with transaction.atomic():
        waiting = TrainingJob.objects.filter(status=JobStatus.QUEUED, task_id="")
        job = waiting.select_for_update().first()
        if job is not None:
            job.task_id = _enqueue(job.pk)
            job.save(update_fields=["task_id"])


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


# Queries --------------------------------------------------------------------------------------


def unfinished() -> TrainingJob | None:
    return TrainingJob.objects.filter(status__in=UNFINISHED).first()
