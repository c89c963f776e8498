"""A training job as text: for its page, and for the JavaScript that keeps it up to date."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from django.utils.translation import gettext as _

from recognizer.admin.job_text import absence, duration, running_for
from recognizer.jobs.progress import JobProgress, Phase
from recognizer.jobs.states import SILENCE
from recognizer.jobs.training_jobs import Kind
from recognizer.models import JobStatus, TrainingJob
from recognizer.models.clock import database_now
from recognizer.text.numbers import localised, two_decimals

QUIET = timedelta(seconds=12)
"""After this long without a heartbeat, a running job's page says so."""


@dataclass(frozen=True)
class JobText:
    """How far a job is. ``percent`` is of the training itself; None before and after it."""

    status: str
    status_word: str
    is_unfinished: bool
    phase: str
    percent: int | None
    epoch: str
    accuracy: str
    loss: str
    time_left: str
    running_for: str
    notice: str
    wants_worker: bool
    is_cancelling: bool
    log: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def of_job(job: TrainingJob) -> JobText:
    progress = JobProgress.from_json(job.progress)
    notice = _notice(job)
    seconds = progress.seconds_left
    is_training = job.status == JobStatus.RUNNING and progress.phase is Phase.TRAINING
    return JobText(
        status=job.status,
        status_word=str(job.get_status_display()),
        is_unfinished=job.is_unfinished,
        phase=_phase(job, progress),
        percent=progress.percent if is_training else None,
        epoch=_epoch(progress),
        accuracy=two_decimals(progress.accuracies[-1]) if progress.accuracies else "",
        loss="" if progress.loss is None else localised(f"{progress.loss:.4f}"),
        time_left=duration(seconds) if is_training and seconds is not None else "",
        running_for=running_for(job),
        notice=notice,
        wants_worker=bool(notice) and job.status == JobStatus.QUEUED,
        is_cancelling=job.is_unfinished and job.cancel_requested,
        log=job.log,
    )


def _phase(job: TrainingJob, progress: JobProgress) -> str:
    if job.is_unfinished and job.cancel_requested:
        return _("Cancelling.")
    if job.status == JobStatus.QUEUED:
        return _("Waiting for a worker.")
    if job.status != JobStatus.RUNNING:
        return ""
    if (download := progress.download) and progress.phase is Phase.PREPARING:
        return _("Downloading %(name)s: %(done)s of %(total)s MB.") % {
            "name": download.name,
            "done": f"{download.done / 1e6:.0f}",
            "total": f"{download.total / 1e6:.0f}" if download.total else "?",
        }
    phases = {
        Phase.PREPARING: _("Preparing the data."),
        Phase.TRAINING: _("Training."),
        Phase.MEASURING: _("Comparing with the active model."),
    }
    return _("Starting.") if progress.phase is None else phases[progress.phase]


def _epoch(progress: JobProgress) -> str:
    if progress.epochs is None:
        return ""
    return _("%(epoch)s of %(epochs)s") % {
        "epoch": progress.epoch or 0,
        "epochs": progress.epochs,
    }


def _notice(job: TrainingJob) -> str:
    if job.status == JobStatus.QUEUED:
        return absence()
    if job.status == JobStatus.RUNNING and job.heartbeat_at is not None:
        silent = database_now() - job.heartbeat_at
        if silent > QUIET:
            return _(
                "The worker hasn't responded for %(seconds)d seconds. After %(limit)d seconds the "
                "training is marked as interrupted."
            ) % {"seconds": silent.total_seconds(), "limit": SILENCE.total_seconds()}
    return ""


def kind(job: TrainingJob) -> str:
    stored = str(job.options.get("kind", ""))
    # Another version of the code may have stored another kind.
    return str(Kind(stored).label) if stored in Kind.values else stored


def who(job: TrainingJob) -> str:
    if job.options.get("nightly"):
        return _("the setting TRAIN_NIGHTLY")
    return str(job.requested_by or _("deleted account"))
