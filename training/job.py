"""One training that was asked for in the admin: from its options to a version that is kept."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import replace
from uuid import UUID

from django.db import InterfaceError, OperationalError, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from recognizer.inference.classifier import BundleError
from recognizer.jobs import training_jobs
from recognizer.jobs.job_result import JobResult
from recognizer.jobs.progress import Download, JobProgress, Phase
from recognizer.jobs.training_jobs import Kind, Options
from recognizer.models import Cause, JobStatus, ModelVersion, TrainingJob
from recognizer.versions import registry
from training import pipeline, version_lookup
from training.data import training_data
from training.data.downloads import DataDamaged
from training.model import config
from training.model.train import History

PLANS: Mapping[Kind, config.Plan] = {
    Kind.FINE_TUNE: config.FINE_TUNE,
    Kind.FAST: config.FAST,
    Kind.SHIPPED: config.SHIPPED,
}
EVERY = 1.0
"""Seconds between two reports to the database, at least."""

Failure = (
    BundleError,
    DataDamaged,
    FileNotFoundError,
    pipeline.NothingToTrainOn,
    registry.RegistrationError,
    registry.ActivationError,
)
"""What may go wrong with a training that is no mistake of ours; the message says what to do."""


def do(job_id: UUID) -> None:
    """Train as the job says, and keep what came of it together with the job's end.

    What can go wrong ends the job as failed, with a sentence. Raises ``jobs.JobOver`` where it is
    not wanted any more; nothing is kept then.
    """
    options = Options.from_json(
        TrainingJob.objects.values_list("options", flat=True).get(pk=job_id)
    )
    reporter = Reporter(job_id)
    try:
        active = version_lookup.active_version()
        order, parent = _order(options, active)
        result = pipeline.train(
            order,
            labelled=training_data.read_labelled_database,
            active=version_lookup.bundle_of(active),
            listener=reporter,
        )
        _keep(job_id, options, result, parent, active, reporter)
    except Failure as error:
        training_jobs.stop(job_id=job_id, status=JobStatus.FAILED, error=str(error))


def _order(
    options: Options, active: ModelVersion | None
) -> tuple[pipeline.Order, ModelVersion | None]:
    """Return what is to be trained, and the version that it starts from."""
    recipe = PLANS[options.kind]
    if options.epochs is not None:
        recipe = replace(recipe, epochs=options.epochs)
    parent = version_lookup.to_teach(active) if options.kind == Kind.FINE_TUNE else None
    if options.kind == Kind.FINE_TUNE and parent is None:
        raise BundleError(
            _("There is no active model with a network to start from. Train a new one.")
        )
    order = pipeline.Order(
        sources=frozenset(training_data.SOURCES),
        recipe=recipe,
        start_from=version_lookup.start_of(parent),
        limit=options.limit,
    )
    return order, parent


def _keep(
    job_id: UUID,
    options: Options,
    result: pipeline.Result,
    parent: ModelVersion | None,
    active: ModelVersion | None,
    reporter: Reporter,
) -> None:
    """Register the candidate, activate it if it may be, and end the job: all or nothing."""
    decision, name = result.decision, result.bundle.name
    activate = options.activate and decision.activate
    reporter.say(decision.reason)
    reporter.write()
    # A long run outlives the connection of many a database server.
    connection.close_if_unusable_or_obsolete()
    with transaction.atomic():
        job = training_jobs.lock(job_id=job_id)
        version = registry.register_model(bundle=result.bundle, parent=parent)
        if activate:
            registry.activate_model(name=name, cause=Cause.GATE, by=job.requested_by)
        outcome = JobResult(
            candidate=name,
            active=active.name if active else None,
            activated=activate,
            gate=decision,
        )
        training_jobs.succeed(job_id=job_id, result=outcome, version=version)


class Reporter:
    """Writes into the job how far its training is, once a second at most."""

    def __init__(self, job_id: UUID) -> None:
        self.job_id = job_id
        self.progress = JobProgress(phase=Phase.PREPARING)
        self.epochs = 0
        self.log = ""
        self.written_at = float("-inf")
        self.first_step_at: float | None = None

    def say(self, text: str) -> None:
        """Add a line to the log."""
        self.log += f"{timezone.localtime():%H:%M:%S} {text}\n"
        self.log = self.log[-2 * training_jobs.LOG_SIZE :]
        self.write()

    def downloaded(self, name: str, done: int, total: int) -> None:
        """Show how far a download is."""
        self.progress = replace(self.progress, download=Download(name, done, total))
        self.write_if_due()

    def planned(self, epochs: int) -> None:
        """Show how many epochs there will be."""
        self.epochs = epochs
        self.progress = JobProgress(phase=Phase.PREPARING, epochs=epochs)
        self.write()

    def stepped(self, epoch: int, step: int, steps: int, loss: float) -> None:
        """Show how far the training is, and how long the rest will take."""
        now = time.monotonic()
        if self.first_step_at is None:
            # Measured from here: the first step waits for TensorFlow to compile it.
            self.first_step_at = now
        done, total = epoch * steps + step, self.epochs * steps
        left = self.progress.seconds_left
        if done > 1:
            left = round((now - self.first_step_at) / (done - 1) * (total - done))
        self.progress = replace(
            self.progress,
            phase=Phase.TRAINING, epoch=epoch + 1, step=step, steps=steps, loss=loss,
            seconds_left=left,
        )  # fmt: skip
        self.write_if_due()

    def epoch_done(self, epoch: int, history: History) -> None:
        """Show what the epoch brought."""
        accuracy = history.validation_accuracy[-1]
        self.progress = replace(self.progress, accuracies=tuple(history.validation_accuracy))
        if epoch + 1 == self.epochs:
            self.progress = replace(self.progress, phase=Phase.MEASURING)
        self.say(
            _("Epoch %(epoch)s: loss %(loss)s, validation %(accuracy)s.")
            % {"epoch": epoch + 1, "loss": f"{history.loss[-1]:.4f}", "accuracy": f"{accuracy:.2%}"}
        )

    def write_if_due(self) -> None:
        """Write what is known now, unless it has just been written."""
        if time.monotonic() - self.written_at >= EVERY:
            self.write()

    def write(self) -> None:
        """Write what is known now; a database that is away or locked does not end a training."""
        try:
            training_jobs.report(job_id=self.job_id, progress=self.progress, log=self.log)
        except (OperationalError, InterfaceError):
            connection.close_if_unusable_or_obsolete()
        self.written_at = time.monotonic()
