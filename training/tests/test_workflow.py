"""The command and the training job run the same workflow and record the same causes."""

from __future__ import annotations

from io import StringIO
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command

from recognizer.jobs import training_jobs
from recognizer.jobs.training_jobs import Kind, Options
from recognizer.models import Activation, Cause, JobStatus, ModelVersion, TrainingJob
from training import job
from training.data import downloads
from training.tests.small_data import write_small_data

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def without_active_model(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Little data, and no active model: the gate accepts any candidate."""
    monkeypatch.setenv("DIGIT_DATA_DIR", str(write_small_data(tmp_path / "data")))
    monkeypatch.setattr(downloads, "CACHE", tmp_path / "cache")
    ModelVersion.objects.update(is_active=False)


def run_command(report: Path, *arguments: str) -> str:
    out = StringIO()
    call_command(
        "train_model", "--fast", "--limit", "20", "--epochs", "1", "--report", str(report),
        *arguments, stdout=out,
    )  # fmt: skip
    return out.getvalue()


def run_job(by: User, **options: bool) -> TrainingJob:
    """Run a job in this process, as ``train_job`` does in its own."""
    requested = training_jobs.request(
        options=Options(kind=Kind.FAST, epochs=1, limit=20, **options), by=by
    )
    assert training_jobs.begin(job_id=requested.pk)
    job.run(requested.pk)
    requested.refresh_from_db()
    return requested


def test_what_the_gate_activates_is_recorded_as_its_decision(
    tmp_path: Path, admin_user: User
) -> None:
    output = run_command(tmp_path / "report", "--name", "by-command")
    assert "by-command activated." in output
    activation = Activation.objects.all()[0]
    assert (activation.version.name, activation.cause) == ("by-command", Cause.GATE)
    assert activation.by is None

    ModelVersion.objects.update(is_active=False)
    finished = run_job(admin_user)
    assert finished.status == JobStatus.SUCCEEDED
    assert finished.result["activated"]
    activation = Activation.objects.all()[0]
    assert (activation.version, activation.cause) == (finished.model_version, Cause.GATE)
    assert activation.by == admin_user


def test_what_is_activated_on_request_is_recorded_as_the_command(tmp_path: Path) -> None:
    run_command(tmp_path / "report", "--name", "forced", "--activate", "always")
    activation = Activation.objects.all()[0]
    assert (activation.version.name, activation.cause) == ("forced", Cause.COMMAND)


def test_nothing_is_activated_if_that_was_ruled_out(tmp_path: Path, admin_user: User) -> None:
    activations = list(Activation.objects.all())
    output = run_command(tmp_path / "report", "--name", "kept", "--activate", "never")
    assert "Saved as model version kept." in output
    assert "Active model unchanged." in output

    finished = run_job(admin_user, activate=False)
    assert finished.status == JobStatus.SUCCEEDED
    assert finished.model_version is not None
    assert not finished.result["activated"]
    assert list(Activation.objects.all()) == activations


def test_a_job_that_is_cancelled_at_the_end_stores_nothing(
    admin_user: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cancel(reporter: job.Reporter, *arguments: object) -> None:
        training_jobs.cancel(job_id=reporter.job_id)

    monkeypatch.setattr(job.Reporter, "epoch_done", cancel)
    with pytest.raises(training_jobs.JobOver):
        run_job(admin_user)
    assert not ModelVersion.objects.filter(is_bundled=False).exists()
