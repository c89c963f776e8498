"""One training job requested in the admin, and its progress in the database."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError, connection
from django.utils import timezone
from django.utils.translation import gettext as _

from recognizer.jobs import training_jobs
from recognizer.jobs.job_result import JobResult
from recognizer.jobs.progress import Download, JobProgress, Phase
from recognizer.jobs.training_jobs import Kind, Options
from recognizer.models import JobStatus, TrainingJob
from training import workflow
from training.model.config import FAST, SHIPPED
from training.model.train import History

CHECKPOINTS = Path(settings.BASE_DIR, "reports", "jobs")
"""Here each job has a folder until it ends."""

UPDATE_INTERVAL = 1.0
"""Seconds between two updates of the database, at least."""

LOG_INTERVAL = 5.0
"""Seconds after which the log says that the training goes on, if nothing else was written."""


def run(job_id: UUID) -> None:
    """Train as the job says, and store the version and the job's outcome in one transaction.

    A training that can't be done ends the job as failed, with the reason. Raises
    ``training_jobs.JobOver``, with nothing stored, if the job has been cancelled or given up.
    """
    job = TrainingJob.objects.select_related("requested_by").get(pk=job_id)
    options = Options.from_json(job.options)
    reporter = Reporter(job_id, job.log)
    folder = CHECKPOINTS / str(job_id)
    _remove_old_checkpoints()
    try:
        with reporter.in_thread():
            _train(reporter, folder, options, job)
    except workflow.TrainingError as error:
        training_jobs.stop(job_id=job_id, status=JobStatus.FAILED, error=str(error))
    shutil.rmtree(folder, ignore_errors=True)


def _train(reporter: Reporter, folder: Path, options: Options, job: TrainingJob) -> None:
    activate = workflow.Activate.AUTO if options.activate else workflow.Activate.NEVER
    if workflow.is_interrupted(folder):
        reporter.say(_("The training goes on from its last epoch."))
        workflow.resume_version(
            folder=folder,
            listener=reporter,
            activate=activate,
            by=job.requested_by,
            on_saved=lambda saved: _succeed(job.pk, saved),
        )
    else:
        workflow.train_version(
            listener=reporter,
            fine_tune=options.kind is Kind.FINE_TUNE,
            recipe=FAST if options.kind is Kind.FAST else SHIPPED,
            epochs=options.epochs,
            limit=options.limit,
            drop_suspects=lambda count: options.without_suspects,
            folder=folder,
            activate=activate,
            by=job.requested_by,
            on_saved=lambda saved: _succeed(job.pk, saved),
        )


def _remove_old_checkpoints() -> None:
    """Remove what jobs left that were cancelled, or interrupted too long ago to be resumed."""
    for folder in CHECKPOINTS.glob("*"):
        written = [path.stat().st_mtime for path in (folder, *folder.rglob("*"))]
        if time.time() - max(written) > training_jobs.RESUMED_WITHIN.total_seconds():
            shutil.rmtree(folder, ignore_errors=True)


def _succeed(job_id: UUID, saved: workflow.Saved) -> None:
    outcome = JobResult(
        candidate=saved.version.name,
        active=saved.previous.name if saved.previous else None,
        activated=saved.activated,
        gate=saved.result.decision,
    )
    training_jobs.succeed(job_id=job_id, result=outcome, version=saved.version)


class Reporter:
    """Writes the progress of a training to its job, at most once a second.

    Preparing and evaluating take minutes without a call: see ``in_thread``.
    """

    def __init__(self, job_id: UUID, log: str = "") -> None:
        self.job_id = job_id
        self.progress = JobProgress(phase=Phase.PREPARING)
        self.epochs = 0
        self.log = log
        self.said_at = time.monotonic()
        self.written_at = float("-inf")
        self.first_step: tuple[int, float] | None = None
        self._lock = threading.Lock()

    @contextmanager
    def in_thread(self) -> Iterator[None]:
        """Also write every few seconds from a thread, until the block ends."""
        ended = threading.Event()
        thread = threading.Thread(target=self._write_until, args=(ended,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            ended.set()
            thread.join()

    def say(self, text: str) -> None:
        with self._lock:
            self.log += f"{timezone.localtime():%H:%M:%S} {text}\n"
            self.log = self.log[-2 * training_jobs.LOG_SIZE :]
            self.said_at = time.monotonic()
            self._write(self.log)

    def downloaded(self, name: str, done: int, total: int) -> None:
        self.progress = replace(self.progress, download=Download(name, done, total))
        self.write_if_due()

    def planned(self, epochs: int) -> None:
        self.epochs = epochs
        self.progress = JobProgress(phase=Phase.PREPARING, epochs=epochs)
        self.write()

    def stepped(self, epoch: int, step: int, steps: int, loss: float) -> None:
        now = time.monotonic()
        done, total = epoch * steps + step, self.epochs * steps
        if self.first_step is None:
            # Timed from here, as TensorFlow compiles the graph in the first step.
            self.first_step = done, now
        first, start = self.first_step
        left = self.progress.seconds_left
        if done > first:
            left = round((now - start) / (done - first) * (total - done))
        self.progress = replace(
            self.progress,
            phase=Phase.TRAINING, epoch=epoch + 1, step=step, steps=steps, loss=loss,
            seconds_left=left,
        )  # fmt: skip
        self.write_if_due()

    def epoch_done(self, epoch: int, history: History) -> None:
        accuracy = history.validation_accuracy[-1]
        self.progress = replace(self.progress, accuracies=tuple(history.validation_accuracy))
        if epoch + 1 == self.epochs:
            self.progress = replace(self.progress, phase=Phase.MEASURING)
        self.say(
            _("Epoch %(epoch)s: loss %(loss)s, validation %(accuracy)s.")
            % {"epoch": epoch + 1, "loss": f"{history.loss[-1]:.4f}", "accuracy": f"{accuracy:.2%}"}
        )

    def write_if_due(self) -> None:
        if time.monotonic() - self.written_at >= UPDATE_INTERVAL:
            self.write()

    def write(self) -> None:
        """Write the progress, and what is being done as the last line of the log."""
        with self._lock:
            self._write(f"{self.log}{timezone.localtime():%H:%M:%S} {self._now()}\n")

    def _now(self) -> str:
        """Return what is being done; the next line replaces it."""
        progress = self.progress
        if progress.phase is Phase.TRAINING:
            return _("Epoch %(epoch)s, step %(step)s of %(steps)s: loss %(loss)s.") % {
                "epoch": progress.epoch,
                "step": progress.step,
                "steps": progress.steps,
                "loss": f"{progress.loss:.4f}",
            }
        seconds = round(time.monotonic() - self.said_at)
        if progress.phase is Phase.MEASURING:
            return _("Evaluating for %(seconds)s s.") % {"seconds": seconds}
        return _("Preparing for %(seconds)s s.") % {"seconds": seconds}

    def _write(self, log: str) -> None:
        """Write to the job. A locked or unavailable database does not end the training."""
        try:
            training_jobs.report(job_id=self.job_id, progress=self.progress, log=log)
        except (OperationalError, InterfaceError):
            connection.close_if_unusable_or_obsolete()
        self.written_at = time.monotonic()

    def _write_until(self, ended: threading.Event) -> None:
        while not ended.wait(LOG_INTERVAL / 5):
            if time.monotonic() - self.written_at >= LOG_INTERVAL:
                self.write()
        # Nothing else closes a thread's connection.
        connection.close()
