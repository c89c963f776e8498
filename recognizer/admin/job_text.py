"""A job of any kind as text: for its page, and for the JavaScript that keeps it up to date."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from recognizer.jobs import heartbeat
from recognizer.jobs.progress import CountedProgress
from recognizer.models import Job, JobStatus
from recognizer.models.clock import database_now


@dataclass(frozen=True)
class CountedText:
    """How far a job other than a training is; the names are those of
    `progress_text.JobText`."""

    status: str
    status_word: str
    is_unfinished: bool
    phase: str
    percent: int | None
    done: str
    running_for: str
    notice: str
    wants_worker: bool
    is_cancelling: bool
    log: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def counted(job: Job, running: str) -> CountedText:
    """Return a job that counts drawings; ``running`` says what it does while it runs."""
    progress = CountedProgress.from_json(job.progress)
    is_running = job.status == JobStatus.RUNNING
    is_cancelling = job.is_unfinished and job.cancel_requested
    phase = running if is_running else ""
    if job.status == JobStatus.QUEUED:
        phase = _("Waiting for a worker.")
    notice = absence() if job.status == JobStatus.QUEUED else ""
    return CountedText(
        status=job.status,
        status_word=str(job.get_status_display()),
        is_unfinished=job.is_unfinished,
        phase=_("Cancelling.") if is_cancelling else phase,
        percent=progress.percent if is_running else None,
        done=str(progress.done) if is_running else "",
        running_for=running_for(job),
        notice=notice,
        wants_worker=bool(notice),
        is_cancelling=is_cancelling,
        log=job.log,
    )


def absence() -> str:
    """Return a sentence if no worker is running, else nothing."""
    found = heartbeat.worker_state()
    if found.is_running:
        return ""
    if found.last_seen is None:
        return _("No worker is running. Start one with:")
    return _("No worker has been running for %(time)s. Start one with:") % {
        "time": duration((database_now() - found.last_seen).total_seconds())
    }


def running_for(job: Job) -> str:
    if job.started_at is None:
        return ""
    return duration(((job.finished_at or timezone.now()) - job.started_at).total_seconds())


def duration(seconds: float) -> str:
    if seconds < 90:
        return ngettext("%d second", "%d seconds", round(seconds)) % round(seconds)
    minutes = round(seconds / 60)
    if minutes < 90:
        return ngettext("%d minute", "%d minutes", minutes) % minutes
    hours = round(minutes / 60)
    return ngettext("%d hour", "%d hours", hours) % hours
