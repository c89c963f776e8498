"""The states of jobs that a worker runs: trainings and imports.

The queue is that of django-tasks, a table of the same database. The site's own data about a job is
in a `Job`: a worker writes a heartbeat into it every few seconds. If that stops, the next request
or worker that checks it marks the job as interrupted.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import UUID

from django.db import models, transaction
from django.utils.translation import gettext as _
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from recognizer.inference.json_record import JsonRecord
from recognizer.models import UNFINISHED, Job, JobStatus, Worker
from recognizer.models.clock import database_now

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

logger = logging.getLogger(__name__)

SILENCE = timedelta(seconds=60)
"""A job without a heartbeat for this long is lost. SQLite may keep a writer waiting for 30 s."""
LOG_SIZE = 64 * 1024
"""Characters kept from the end of a job's log."""


class JobError(ValueError):
    """A job can't be started or cancelled; the message is for the user."""


class JobOver(RuntimeError):
    """A job was cancelled, or marked as interrupted, while it was running."""


AnyJob = TypeVar("AnyJob", bound=Job)


class Jobs(Generic[AnyJob]):
    """The jobs of one table. ``missing`` and ``ended`` say why one can't be cancelled."""

    def __init__(
        self,
        model: type[AnyJob],
        *,
        missing: StrOrPromise,
        ended: StrOrPromise,
        on_lost_worker: Callable[[AnyJob], object] = lambda job: None,
    ) -> None:
        # Django's stubs know managers of concrete models only.
        self._objects: models.Manager[AnyJob] = model._default_manager
        self._missing = missing
        self._ended = ended
        self._on_lost_worker = on_lost_worker

    # For users ----------------------------------------------------------------------------------

    def cancel(self, *, job_id: UUID) -> AnyJob:
        """Cancel a waiting job at once, a running one within seconds, when its worker checks.

        Raises JobError if there is no such job, or it has already ended.
        """
        with transaction.atomic():
            job = self._objects.select_for_update().filter(pk=job_id).first()
            if job is None:
                raise JobError(str(self._missing))
            if not job.is_unfinished:
                raise JobError(str(self._ended))
            job.cancel_requested = True
            if job.status == JobStatus.QUEUED:
                _end(job, JobStatus.CANCELLED)
            job.save()
        return job

    # For workers --------------------------------------------------------------------------------

    def begin(self, *, job_id: UUID) -> bool:
        """Mark a waiting job as running; return False if it is no longer waiting."""
        now = database_now()
        return bool(
            self._objects.filter(pk=job_id, status=JobStatus.QUEUED).update(
                status=JobStatus.RUNNING, started_at=now, heartbeat_at=now
            )
        )

    def beat(self, *, job_id: UUID) -> bool:
        """Write a heartbeat; return False if the job was cancelled or interrupted."""
        return bool(
            self._objects.filter(
                pk=job_id, status=JobStatus.RUNNING, cancel_requested=False
            ).update(heartbeat_at=database_now())
        )

    def report(self, *, job_id: UUID, progress: JsonRecord, log: str) -> None:
        """Store a running job's progress and the end of its log."""
        self._objects.filter(pk=job_id, status=JobStatus.RUNNING).update(
            progress=progress.to_json(), log=log[-LOG_SIZE:]
        )

    def lock(self, *, job_id: UUID) -> AnyJob:
        """Lock a running job until the transaction ends; raises JobOver if it no longer runs."""
        job = self._objects.select_for_update().get(pk=job_id)
        if job.status != JobStatus.RUNNING or job.cancel_requested:
            raise JobOver(f"The job {job_id} was cancelled or interrupted.")
        return job

    def succeed(self, *, job_id: UUID, result: dict[str, Any], **fields: object) -> None:
        """Store a job's result, with other fields of its row, and end it; raises JobOver."""
        with transaction.atomic():
            job = self.lock(job_id=job_id)
            job.result = result
            for name, value in fields.items():
                setattr(job, name, value)
            _end(job, JobStatus.SUCCEEDED)
            job.save()

    def stop(
        self, *, job_id: UUID, status: JobStatus, error: str = "", worker_lost: bool = False
    ) -> None:
        """End a job without a result: failed or interrupted, or cancelled if that was requested.

        With ``worker_lost`` another worker may resume it.
        """
        with transaction.atomic():
            job = self._objects.select_for_update().filter(pk=job_id).first()
            if job is None or not job.is_unfinished:
                return
            if job.cancel_requested:
                status, error = JobStatus.CANCELLED, ""
            elif worker_lost:
                self._on_lost_worker(job)
            _end(job, status, error)
            job.save()

    def reap(self) -> AnyJob | None:
        """Interrupt an unfinished job whose heartbeat has stopped, and return it; else None."""
        lost = [job for job in self._objects.filter(status__in=UNFINISHED) if _is_lost(job)]
        if not lost:
            return None
        with transaction.atomic():
            job = self._objects.select_for_update().filter(pk=lost[0].pk).first()
            if job is None or not job.is_unfinished or not _is_lost(job):
                return None
            self._on_lost_worker(job)
            _end(job, JobStatus.INTERRUPTED, _("The worker was stopped or killed."))
            job.save()
            # The queue itself does not notice this.
            DBTaskResult.objects.filter(pk=job.task_id, status=TaskResultStatus.RUNNING).update(
                status=TaskResultStatus.FAILED, finished_at=job.finished_at
            )
        logger.warning("The job %s was interrupted: its heartbeat stopped.", job.pk)
        return job


def _is_lost(job: Job) -> bool:
    silent = database_now() - SILENCE
    if job.status == JobStatus.RUNNING:
        return job.heartbeat_at is None or job.heartbeat_at < silent
    if not job.task_id:
        # Requested on a machine that can't queue it: a worker does.
        return False
    queued = DBTaskResult.objects.filter(pk=job.task_id).first()
    if queued is None or queued.status != TaskResultStatus.RUNNING:
        return queued is None or queued.status != TaskResultStatus.READY
    # A worker marks a job as running as soon as it takes it from the queue. When it did, the queue
    # knows by the worker's clock only; whether that worker still runs, by the database's.
    return not Worker.objects.filter(pk__in=queued.worker_ids, seen_at__gte=silent).exists()


def _end(job: Job, status: JobStatus, error: str = "") -> None:
    job.status, job.error = status, error
    job.finished_at = database_now()
