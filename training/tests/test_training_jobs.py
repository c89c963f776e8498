"""Training started in the admin and run by a real worker, on a few drawings."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.contrib.auth.models import User
from django.db import connection, transaction
from django.test import Client
from django.utils import timezone

from recognizer.jobs import training_jobs, training_outlook
from recognizer.labelling import labels
from recognizer.models import (
    UNFINISHED,
    Activation,
    JobStatus,
    ModelVersion,
    Owner,
    TrainingJob,
    Worker,
)
from recognizer.predictions import recognition, selectors
from recognizer.tests.support.drawings import DrawDigit
from training import job as training_job
from training.data import labelled
from training.model.train import History
from training.tests.small_data import write_small_data

# The worker is another process: it sees what is committed.
pytestmark = pytest.mark.django_db(transaction=True)

LIST = "/admin/recognizer/trainingjob/"
PATIENCE = 600
TRY = {"kind": "fast", "activate": "on", "epochs": "1", "limit": "40"}
StartWorker = Callable[[], subprocess.Popen[bytes]]


@pytest.fixture(scope="module")
def small_data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_small_data(tmp_path_factory.mktemp("data") / "small")


@pytest.fixture
def start_worker(
    small_data: Path, project_root: Path, tmp_path: Path, transactional_db: None
) -> Iterator[StartWorker]:
    """Return the function that starts a worker on the tests' database."""
    started: list[subprocess.Popen[bytes]] = []
    variables = {
        **os.environ, "DATABASE_URL": database_url(), "DIGIT_DATA_DIR": str(small_data),
        "PYTHONUNBUFFERED": "1",
    }  # fmt: skip
    command = [sys.executable, "manage.py", "db_worker", "--interval", "0.2", "--no-startup-delay"]

    def start() -> subprocess.Popen[bytes]:
        with (tmp_path / f"worker-{len(started)}.log").open("wb") as log:
            process = subprocess.Popen(
                command, cwd=project_root, env=variables, stdout=log, stderr=log
            )
        started.append(process)
        return process

    yield start
    for process in started:
        process.terminate()
    for process in started:
        process.wait(timeout=PATIENCE)


def database_url() -> str:
    """Return the URL of the tests' database."""
    place = connection.settings_dict
    if connection.vendor == "sqlite":
        return f"sqlite:///{place['NAME']}"
    return (
        f"postgres://{place['USER']}:{place['PASSWORD']}@{place['HOST']}:{place['PORT']}"
        f"/{place['NAME']}"
    )


def wait_until(happens: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while not happens():
        if time.monotonic() > deadline:
            pytest.fail(f"timed out waiting until {what}")
        time.sleep(0.1)


def start_training(browser: Client, **form: str) -> TrainingJob:
    response = browser.post(LIST + "add/", {**TRY, **form})
    assert response.status_code == 302, response.content.decode()
    return TrainingJob.objects.get(pk=response.headers["Location"].split("/")[-3])


def wait_for(browser: Client, job: TrainingJob, *phases: str) -> None:
    """Wait until a job has one of these statuses or phases."""

    def says() -> bool:
        shown = browser.get(f"{LIST}{job.pk}/status/").json()
        return shown["status"] in phases or shown["phase"] in phases

    wait_until(says, f"the job is {phases}")
    job.refresh_from_db()


def page_of(browser: Client, job: TrainingJob) -> str:
    return browser.get(f"{LIST}{job.pk}/change/").content.decode()


def processes_of(job: TrainingJob) -> list[str]:
    """Return the processes that were started for a job, where the system shows them."""
    return [
        place.parent.name
        for place in Path("/proc").glob("[0-9]*/cmdline")
        if str(job.pk).encode() in read(place)
    ]


def read(place: Path) -> bytes:
    try:
        return place.read_bytes()
    except OSError:
        return b""


def test_the_button_trains_on_the_labels_and_the_gate_decides(
    admin_client: Client,
    admin_user: User,
    start_worker: StartWorker,
    draw_digit: DrawDigit,
    tmp_path: Path,
) -> None:
    held_out: list[bool] = []
    # A fifth is held out, by a hash of the id: as many as it takes to have one.
    while len(held_out) < 12 or not any(held_out):
        digit = len(held_out) % 10
        drawing = recognition.recognise(
            data=draw_digit(digit, seed=len(held_out)), source="api", owner=Owner(user=admin_user)
        )
        labels.label_predictions(predictions=[drawing.pk], label=digit, by=admin_user)
        held_out.append(labelled.is_held_out(str(drawing.pk), drawing.created_at))
    before = selectors.active_model()
    start_worker()

    job = start_training(admin_client, kind="fine-tune")
    wait_for(
        admin_client,
        job,
        "Training.",
        "Comparing with the active model.",
    )
    assert processes_of(job) or not Path("/proc").is_dir()
    wait_for(admin_client, job, *map(str, (set(JobStatus) - set(UNFINISHED))))

    assert (job.status, job.error) == (JobStatus.SUCCEEDED, "")
    version = job.model_version
    assert version is not None
    assert version.parent == before
    assert version.card["data"]["labelled"]["n"] == held_out.count(False)
    learned = version.learned_labels.all()
    assert sum(each.n for each in learned) == held_out.count(False)
    assert sum(each.held_out for each in learned) == held_out.count(True)
    assert {each.by for each in learned} == {admin_user}
    assert job.result["gate"] == version.card["gate"]
    assert job.progress["accuracies"] == version.card["history"]["validation_accuracy"]
    assert "Learning from: labelled drawings" in job.log
    page = page_of(admin_client, job)
    assert job.result["gate"]["reason"] in page
    assert 'scope="row">labelled</th>' in page
    assert 'scope="row">mnist test</th>' in page
    latest = Activation.objects.all()[0]
    if job.result["gate"]["activate"]:
        assert selectors.active_model() == version
        assert (latest.cause, latest.by) == ("gate", admin_user)
    else:
        assert selectors.active_model() == before
        assert latest.cause == "installed"
    assert training_outlook.outlook().new == 0
    wait_until(lambda: not processes_of(job), "the process has ended")
    assert f"Training {job.pk} failed" not in (tmp_path / "worker-0.log").read_text()


def test_the_log_moves_while_a_training_prepares_trains_and_evaluates(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert training_job.LOG_INTERVAL < 10
    monkeypatch.setattr(training_job, "LOG_INTERVAL", 0.05)
    monkeypatch.setattr(training_job, "UPDATE_INTERVAL", 0.0)
    training = training_jobs.request(options=training_jobs.Options(), by=None)
    training_jobs.begin(job_id=training.pk)
    reporter = training_job.Reporter(training.pk)

    def log() -> str:
        training.refresh_from_db()
        return training.log

    with reporter.in_thread():
        reporter.say("Preparing replay data ...")
        wait_until(lambda: "Preparing for" in log(), "the log says that it prepares")
        reporter.planned(1)
        reporter.stepped(0, 3, 10, 0.25)
        wait_until(lambda: "Epoch 1, step 3 of 10: loss 0.2500." in log(), "the log has the step")
        assert "Preparing for" not in log()
        reporter.epoch_done(0, History(loss=[0.2], validation_accuracy=[0.99]))
        wait_until(lambda: "Evaluating for" in log(), "the log says that it evaluates")
    reporter.say("Better.")

    lines = [line.split(" ", 1)[1] for line in log().splitlines()]
    assert lines == [
        "Preparing replay data ...",
        "Epoch 1: loss 0.2000, validation 99.00%.",
        "Better.",
    ]


def test_a_training_is_cancelled_while_it_prepares(
    admin_client: Client, start_worker: StartWorker
) -> None:
    start_worker()
    job = start_training(admin_client)
    wait_for(admin_client, job, "Preparing the data.")

    admin_client.post(f"{LIST}{job.pk}/cancel/")
    wait_for(admin_client, job, "cancelled")

    wait_until(lambda: not processes_of(job), "the process is gone")
    assert not ModelVersion.objects.filter(is_bundled=False).exists()
    assert "No model version was stored." in page_of(admin_client, job)
    # The worker is free for the next.
    wait_for(admin_client, start_training(admin_client), "running")


def test_errors_are_shown_as_a_sentence(
    admin_client: Client, start_worker: StartWorker, tmp_path: Path
) -> None:
    ModelVersion.objects.update(training=b"")
    start_worker()

    job = start_training(admin_client, kind="fine-tune")
    wait_for(admin_client, job, "failed")
    page = page_of(admin_client, job)
    assert "There is no active model with a network to start from. Train a new one." in page
    assert "Traceback" not in page

    # An unexpected error: here, options that the form does not allow.
    with transaction.atomic():
        job = training_jobs.request(options=training_jobs.Options(), by=User.objects.get())
        TrainingJob.objects.filter(pk=job.pk).update(options={"kind": "alchemy"})
    wait_until(lambda: training_jobs.unfinished() is None, "the job has ended")
    page = page_of(admin_client, job)
    assert "An unexpected error occurred." in page
    assert "Traceback" not in page
    wait_until(
        lambda: "alchemy" in (tmp_path / "worker-0.log").read_text(),
        "the worker's output says more",
    )


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="nothing is killed like this here")
def test_a_killed_worker_leaves_an_interrupted_job_and_the_next_one_starts(
    admin_client: Client, start_worker: StartWorker
) -> None:
    worker = start_worker()
    job = start_training(admin_client)
    wait_for(admin_client, job, "running")

    worker.kill()
    worker.wait()

    wait_until(lambda: not processes_of(job), "the process has ended with its worker")
    job.refresh_from_db()
    assert job.status == JobStatus.RUNNING
    long_ago = timezone.now() - training_jobs.SILENCE - timedelta(seconds=1)
    TrainingJob.objects.filter(pk=job.pk).update(heartbeat_at=long_ago)
    assert "The worker was stopped or killed." in page_of(admin_client, job)
    job.refresh_from_db()
    assert job.status == JobStatus.INTERRUPTED

    following = start_training(admin_client)
    another = start_worker()
    wait_for(admin_client, following, "running")

    # On Ctrl-C a worker does not wait for the end of the training.
    another.send_signal(signal.SIGINT)
    another.wait(timeout=PATIENCE)
    following.refresh_from_db()
    assert (following.status, following.error) == (
        JobStatus.INTERRUPTED, "The worker was stopped."
    )  # fmt: skip
    assert not processes_of(following)
    assert not Worker.objects.exclude(place__endswith=f" {worker.pid}").exists()


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="nothing is killed like this here")
def test_a_training_that_is_killed_is_interrupted_at_once(
    admin_client: Client, start_worker: StartWorker
) -> None:
    start_worker()
    job = start_training(admin_client)
    wait_until(lambda: bool(processes_of(job)), "the process is there")

    for pid in processes_of(job):
        os.kill(int(pid), signal.SIGKILL)
    wait_for(admin_client, job, "interrupted")

    assert job.error == "The process was ended by SIGKILL, perhaps because memory ran out."


@pytest.mark.skipif(not hasattr(signal, "SIGKILL"), reason="nothing is killed like this here")
def test_the_next_worker_goes_on_with_the_training_of_a_killed_one(
    admin_client: Client, start_worker: StartWorker
) -> None:
    worker = start_worker()
    job = start_training(admin_client, epochs="5")

    def has_trained() -> bool:
        job.refresh_from_db()
        return bool(job.progress.get("accuracies"))

    wait_until(has_trained, "the first epoch is done")
    worker.kill()
    worker.wait()
    wait_until(lambda: not processes_of(job), "the process has ended with its worker")
    job.refresh_from_db()
    done = len(job.progress["accuracies"])
    assert done < 5
    long_ago = timezone.now() - training_jobs.SILENCE - timedelta(seconds=1)
    TrainingJob.objects.filter(pk=job.pk).update(heartbeat_at=long_ago)

    start_worker()
    wait_for(admin_client, job, "interrupted")
    wait_for(admin_client, job, "succeeded")

    assert "The training goes on from its last epoch." in job.log
    assert all(job.log.count(f"Epoch {epoch}:") == 1 for epoch in range(1, 6))
    assert job.model_version is not None
    assert len(job.model_version.card["history"]["loss"]) == 5
    assert job.error == ""
