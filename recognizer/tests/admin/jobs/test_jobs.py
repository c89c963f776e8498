"""Training jobs without the training: states, one at a time, silent workers, the pages."""

from __future__ import annotations

import importlib.util
import re
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from recognizer.inference.gate_result import GateSuspect
from recognizer.jobs import heartbeat, training_jobs, training_outlook
from recognizer.jobs.job_result import JobResult
from recognizer.jobs.progress import JobProgress, Phase
from recognizer.jobs.training_jobs import Kind, Options
from recognizer.models import JobStatus, ModelVersion, SuspectLabel, TrainingJob, Worker
from recognizer.tests.support import bundled_model
from recognizer.tests.support.reviewing import make_prediction, make_staff, make_version
from training.evaluation import gate

pytestmark = [pytest.mark.django_db, pytest.mark.store]

LIST = "/admin/recognizer/trainingjob/"
ADD = LIST + "add/"
ENDS = [
    JobStatus.SUCCEEDED, JobStatus.FAILED, JobStatus.CANCELLED, JobStatus.INTERRUPTED,
]  # fmt: skip


def answers(n: int, mistakes: int) -> gate.Correct:
    return np.arange(n) >= mistakes


RESULT = JobResult(
    candidate="trained-1",
    active=bundled_model.NAME,
    activated=False,
    gate=gate.decide(
        {"generated": answers(1000, 27), "labelled": answers(40, 0)},
        {"generated": answers(1000, 17), "labelled": answers(40, 4)},
        reported=[gate.compare("mnist test", answers(10_000, 43), answers(10_000, 43))],
    ),
)


@pytest.fixture
def trainer(make_user: Callable[..., User]) -> User:
    """A member of staff who may start trainings, and nothing else."""
    return make_staff("trainer", "add_trainingjob")


@pytest.fixture
def training(client: Client, trainer: User) -> Client:
    """A browser in which the trainer is logged in."""
    client.force_login(trainer)
    return client


def ask(by: User, **options: Any) -> TrainingJob:
    return training_jobs.request(options=Options(**options), by=by)


def running(by: User) -> TrainingJob:
    job = ask(by)
    assert training_jobs.begin(job_id=job.pk)
    job.refresh_from_db()
    return job


def ended(by: User, status: JobStatus) -> TrainingJob:
    job = running(by)
    if status == JobStatus.SUCCEEDED:
        training_jobs.succeed(job_id=job.pk, result=RESULT, version=make_version("trained-1"))
    elif status == JobStatus.CANCELLED:
        training_jobs.cancel(job_id=job.pk)
        training_jobs.stop(job_id=job.pk, status=JobStatus.INTERRUPTED)
    else:
        training_jobs.stop(job_id=job.pk, status=status, error="For a reason.")
    job.refresh_from_db()
    return job


def stop_heartbeat(job: TrainingJob) -> None:
    """Move the last heartbeat of the job's worker into the past."""
    long_ago = timezone.now() - training_jobs.SILENCE - timedelta(seconds=1)
    TrainingJob.objects.filter(pk=job.pk).update(heartbeat_at=long_ago)
    DBTaskResult.objects.filter(pk=job.task_id).update(started_at=long_ago)


def status_of(job: TrainingJob) -> str:
    return str(TrainingJob.objects.values_list("status", flat=True).get(pk=job.pk))


def cells(row: str) -> list[str]:
    """The texts of a table's row."""
    found = re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row)
    return [re.sub(r"<[^>]+>", "", cell).strip() for cell in found]


def page_of(job: TrainingJob) -> str:
    return f"{LIST}{job.pk}/change/"


# States ---------------------------------------------------------------------------------------


def test_a_job_is_queued(trainer: User) -> None:
    job = ask(trainer, kind=Kind.FAST, activate=False, epochs=2, limit=50)

    task = DBTaskResult.objects.get(pk=job.task_id)
    assert task.args_kwargs["args"] == [str(job.pk)]
    stored = TrainingJob.objects.get(pk=job.pk)
    assert (stored.status, stored.requested_by) == (JobStatus.QUEUED, trainer)
    assert Options.from_json(stored.options) == Options(Kind.FAST, False, 2, 50)


def test_a_second_job_is_refused_until_the_first_has_ended(trainer: User) -> None:
    job = ask(trainer)
    for _ in range(2):
        with pytest.raises(training_jobs.JobError, match="Another training is waiting or running"):
            ask(trainer)
        training_jobs.begin(job_id=job.pk)
    assert DBTaskResult.objects.count() == 1

    training_jobs.stop(job_id=job.pk, status=JobStatus.FAILED, error="For a reason.")

    assert ask(trainer).status == JobStatus.QUEUED


@pytest.mark.django_db(transaction=True)
def test_of_many_simultaneous_requests_one_succeeds(trainer: User) -> None:
    together = threading.Barrier(8)
    got: list[bool] = []

    def go() -> None:
        together.wait()
        try:
            ask(trainer)
            got.append(True)
        except training_jobs.JobError:
            got.append(False)
        finally:
            connection.close()

    threads = [threading.Thread(target=go) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(got) == [False] * 7 + [True]
    assert TrainingJob.objects.count() == DBTaskResult.objects.count() == 1


def test_a_waiting_job_is_cancelled_at_once_and_never_starts(trainer: User) -> None:
    job = ask(trainer)

    training_jobs.cancel(job_id=job.pk)

    assert status_of(job) == JobStatus.CANCELLED
    assert not training_jobs.begin(job_id=job.pk)
    assert status_of(job) == JobStatus.CANCELLED


def test_a_cancelled_running_job_stores_nothing(trainer: User) -> None:
    job = running(trainer)
    assert training_jobs.beat(job_id=job.pk)

    training_jobs.cancel(job_id=job.pk)

    assert not training_jobs.beat(job_id=job.pk)
    version = make_version("too-late")
    with pytest.raises(training_jobs.JobOver):
        training_jobs.succeed(job_id=job.pk, result=RESULT, version=version)
    training_jobs.stop(job_id=job.pk, status=JobStatus.INTERRUPTED, error="The worker was stopped.")
    job.refresh_from_db()
    assert (job.status, job.error, job.result) == (JobStatus.CANCELLED, "", {})


@pytest.mark.parametrize("status", ENDS)
def test_a_job_that_has_ended_is_not_changed(trainer: User, status: JobStatus) -> None:
    job = ended(trainer, status)
    before = TrainingJob.objects.values().get(pk=job.pk)

    with pytest.raises(training_jobs.JobError, match="already ended"):
        training_jobs.cancel(job_id=job.pk)
    training_jobs.report(job_id=job.pk, progress=JobProgress(phase=Phase.MEASURING), log="late")
    training_jobs.stop(job_id=job.pk, status=JobStatus.FAILED, error="late")
    with pytest.raises(training_jobs.JobOver):
        training_jobs.succeed(job_id=job.pk, result=RESULT, version=make_version("late"))

    assert not training_jobs.beat(job_id=job.pk)
    assert not training_jobs.begin(job_id=job.pk)
    assert TrainingJob.objects.values().get(pk=job.pk) == before


def test_a_missing_job_can_not_be_cancelled() -> None:
    with pytest.raises(training_jobs.JobError, match="does not exist"):
        training_jobs.cancel(job_id=uuid4())


def test_only_the_end_of_a_long_log_is_kept(trainer: User) -> None:
    job = running(trainer)
    log = "".join(f"line {n}\n" for n in range(20_000))

    training_jobs.report(job_id=job.pk, progress=JobProgress(), log=log)

    job.refresh_from_db()
    assert len(job.log) == training_jobs.LOG_SIZE
    assert job.log.endswith("line 19999\n")


# Lost jobs ------------------------------------------------------------------------------------


def test_a_job_without_heartbeat_is_interrupted_and_the_next_may_start(
    trainer: User,
) -> None:
    job = running(trainer)
    DBTaskResult.objects.update(status="RUNNING")
    assert training_jobs.reap() is None

    stop_heartbeat(job)
    following = ask(trainer)

    job.refresh_from_db()
    assert (job.status, job.error) == (
        JobStatus.INTERRUPTED, "The worker was stopped or killed."
    )  # fmt: skip
    assert status_of(following) == JobStatus.QUEUED
    assert DBTaskResult.objects.get(pk=job.task_id).status == "FAILED"


def test_a_slow_worker_notices_that_its_job_was_interrupted(trainer: User) -> None:
    job = running(trainer)
    stop_heartbeat(job)
    training_jobs.reap()

    assert not training_jobs.beat(job_id=job.pk)
    with pytest.raises(training_jobs.JobOver), transaction.atomic():
        training_jobs.lock(job_id=job.pk)


@pytest.mark.parametrize("fate", ["taken", "failed", "gone"])
def test_a_job_whose_task_was_lost_does_not_wait_forever(trainer: User, fate: str) -> None:
    job = ask(trainer)
    assert training_jobs.reap() is None
    task = DBTaskResult.objects.filter(pk=job.task_id)
    if fate == "gone":
        task.delete()
    else:
        task.update(status="RUNNING" if fate == "taken" else "FAILED", started_at=timezone.now())
        stop_heartbeat(job)

    training_jobs.reap()

    assert status_of(job) == JobStatus.INTERRUPTED


@pytest.mark.store
def test_a_worker_whose_clock_is_late_keeps_its_job(
    trainer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    if connection.vendor == "sqlite":
        pytest.skip("the database has no clock of its own")
    late = timezone.now() - training_jobs.SILENCE - timedelta(seconds=10)
    job = ask(trainer)
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(timezone, "now", lambda: late)
        heartbeat.beat(name="late", place="elsewhere")
        DBTaskResult.objects.get(pk=job.task_id).claim("late")
        assert training_jobs.reap() is None
    assert training_jobs.reap() is None
    assert heartbeat.worker_state().is_running

    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(timezone, "now", lambda: late)
        training_jobs.begin(job_id=job.pk)
        training_jobs.beat(job_id=job.pk)

    assert training_jobs.reap() is None
    assert status_of(job) == JobStatus.RUNNING


@pytest.mark.parametrize("look", ["list", "page", "status", "add"])
def test_every_page_shows_a_lost_job_as_interrupted(
    training: Client, trainer: User, look: str
) -> None:
    job = running(trainer)
    stop_heartbeat(job)
    address = {"list": LIST, "page": page_of(job), "status": f"{LIST}{job.pk}/status/", "add": ADD}

    training.get(address[look])

    assert status_of(job) == JobStatus.INTERRUPTED


# Workers --------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_a_worker_counts_as_running_until_it_exits() -> None:
    assert heartbeat.worker_state() == heartbeat.WorkerState(is_running=False, last_seen=None)

    with heartbeat.beating(name="one", place="here"):
        assert heartbeat.worker_state().is_running

    assert not heartbeat.worker_state().is_running
    assert not Worker.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_a_worker_interrupts_a_job_that_another_one_left_behind(trainer: User) -> None:
    job = running(trainer)
    stop_heartbeat(job)
    noticed = threading.Event()

    with heartbeat.beating(name="one", place="here"):
        for _ in range(200):
            if status_of(job) == JobStatus.INTERRUPTED:
                noticed.set()
                break
            noticed.wait(0.05)

    assert noticed.is_set()


def test_a_killed_worker_counts_as_stopped_and_is_deleted_later(training: Client) -> None:
    heartbeat.beat(name="killed", place="here")
    Worker.objects.update(seen_at=timezone.now() - timedelta(minutes=3))

    assert "No worker has been running for 3 minutes." in training.get(ADD).content.decode()

    Worker.objects.update(seen_at=timezone.now() - timedelta(days=2))
    heartbeat.beat(name="another", place="here")
    assert list(Worker.objects.values_list("pk", flat=True)) == ["another"]
    assert "db_worker" not in training.get(ADD).content.decode()


@pytest.mark.parametrize("package", ["training", "tensorflow"])
def test_a_worker_that_could_not_train_does_not_start(
    monkeypatch: pytest.MonkeyPatch, package: str
) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(
        "importlib.util.find_spec", lambda name: None if name == package else found(name)
    )

    with pytest.raises(
        CommandError, match=f"{package}, which is not installed. Run: python -m pip"
    ):
        call_command("db_worker")

    assert not Worker.objects.exists()


# The pages ------------------------------------------------------------------------------------


def test_the_button_starts_a_training_and_leads_to_its_page(
    training: Client, trainer: User
) -> None:
    response = training.post(ADD, {"kind": "fast", "activate": "on", "epochs": "", "limit": ""})

    job = TrainingJob.objects.get()
    assert response.headers["Location"] == page_of(job)
    assert Options.from_json(job.options) == Options(Kind.FAST)
    page = training.get(page_of(job)).content.decode()
    assert "Waiting for a worker." in page
    assert "No worker is running. Start one with:" in page
    assert "python manage.py db_worker" in page


@pytest.mark.parametrize(
    "form",
    [
        {"kind": "alchemy"},
        {},
        {"kind": "fast", "epochs": "0"},
        {"kind": "fast", "epochs": "many"},
        {"kind": "fast", "limit": "-1"},
    ],
)
def test_an_invalid_form_starts_nothing(training: Client, form: dict[str, str]) -> None:
    response = training.post(ADD, form)

    assert response.status_code == 200
    assert "errorlist" in response.content.decode()
    assert not TrainingJob.objects.exists()


def test_the_page_links_to_a_job_that_is_running(training: Client, trainer: User) -> None:
    job = running(trainer)

    page = training.get(ADD).content.decode()
    refused = training.post(ADD, {"kind": "fast"}, follow=True).content.decode()

    assert page_of(job) in page
    assert 'name="kind"' not in page
    assert "Another training is waiting or running." in refused


def counted() -> tuple[int, int, datetime | None]:
    """The labels, those since the last training, and when that was."""
    found = training_outlook.outlook()
    return found.total, found.new, found.last_training


def test_labels_are_counted_and_those_since_the_last_training(
    training: Client, trainer: User
) -> None:
    for number in range(3):
        make_prediction(number, label=number)
    make_prediction(4)
    assert counted() == (3, 3, None)

    job = ended(trainer, JobStatus.SUCCEEDED)
    make_prediction(5, label=5)

    assert counted() == (4, 1, job.started_at)
    assert "Labelled since the last training" in training.get(ADD).content.decode()


def test_a_training_by_the_command_counts_as_the_last_one() -> None:
    make_prediction(1, label=1)
    version = make_version("by-hand", card={"data": {"labelled": {"n": 1}}})
    make_version("without-labels", card={"data": {"mnist": {"n": 1}}})

    assert counted() == (1, 0, version.created_at)


def test_the_page_of_a_running_job_shows_its_progress(training: Client, trainer: User) -> None:
    job = running(trainer)
    progress = JobProgress(
        phase=Phase.TRAINING, epoch=3, epochs=8, step=50, steps=100, loss=0.04321,
        accuracies=(0.95, 0.9912), seconds_left=330,
    )  # fmt: skip
    training_jobs.report(job_id=job.pk, progress=progress, log="12:00:00 Training on <much>.\n")

    page = training.get(page_of(job)).content.decode()
    status = training.get(f"{LIST}{job.pk}/status/").json()

    assert status == {
        "status": "running", "status_word": "running", "is_unfinished": True,
        "phase": "Training.", "percent": 31, "epoch": "3 of 8",
        "accuracy": "99.12\u00a0%", "loss": "0.0432", "time_left": "6 minutes",
        "running_for": status["running_for"], "notice": "", "wants_worker": False,
        "is_cancelling": False, "log": "12:00:00 Training on <much>.\n",
    }  # fmt: skip
    assert 'value="31"' in page
    assert "Training on &lt;much&gt;." in page
    assert '<meta http-equiv="refresh" content="5">' in page


def test_the_page_says_how_long_a_worker_has_not_responded(training: Client, trainer: User) -> None:
    job = running(trainer)
    TrainingJob.objects.update(heartbeat_at=timezone.now() - timedelta(seconds=30))

    assert "responded for 30 seconds" in training.get(page_of(job)).content.decode()


def test_the_page_of_a_finished_job_has_the_table_and_the_sentence(
    training: Client, trainer: User
) -> None:
    job = ended(trainer, JobStatus.SUCCEEDED)

    page = re.sub(r"[ \n]+", " ", training.get(page_of(job)).content.decode())

    assert "Quality checks: not passed" in page
    assert "Significantly worse on generated (27 mistakes, active model 17)." in page
    assert "Active model unchanged." in page
    gate_part = page[page.index("gate-table") :]
    assert [cells(row) for row in re.findall("<tr[ >].*?</tr>", gate_part)[1:]] == [
        [
            "generated", "1,000", "97.30\u00a0% (27)", "98.30\u00a0% (17)", "−1.00",
            "significantly worse (p\u00a00.001)",
        ],
        [
            "labelled", "40", "100.00\u00a0% (0)", "90.00\u00a0% (4)", "+10.00",
            "fewer mistakes; may be chance (p\u00a00.062)",
        ],
        [
            "mnist test", "10,000", "99.57\u00a0% (43)", "99.57\u00a0% (43)", "0.00",
            "reported only",
        ],
    ]  # fmt: skip
    assert f"/admin/recognizer/modelversion/{job.model_version_id}/change/" in page
    assert "refresh" not in page


@pytest.mark.parametrize("status", [JobStatus.FAILED, JobStatus.INTERRUPTED])
def test_the_page_of_a_job_without_result_says_why(
    training: Client, trainer: User, status: JobStatus
) -> None:
    job = ended(trainer, status)

    page = training.get(page_of(job)).content.decode()

    assert "For a reason." in page
    assert "No model version was stored." in page


def test_cancelling_takes_a_post_and_says_so(training: Client, trainer: User) -> None:
    job = running(trainer)
    address = f"{LIST}{job.pk}/cancel/"

    assert training.get(address).status_code == 405
    page = training.post(address, follow=True).content.decode()
    assert "Cancelling." in page
    training_jobs.stop(job_id=job.pk, status=JobStatus.INTERRUPTED)
    late = training.post(address, follow=True).content.decode()

    assert "This training has already ended." in late
    assert status_of(job) == JobStatus.CANCELLED


def test_the_list_shows_every_status(
    training: Client, trainer: User, django_assert_max_num_queries: Any
) -> None:
    for status in ENDS:
        ended(trainer, status)
    running(trainer)

    with django_assert_max_num_queries(10):
        page = training.get(LIST).content.decode()

    for word in ("finished", "failed", "cancelled", "interrupted", "running"):
        assert f">{word}</span>" in page
    assert "trained-1" in page
    assert "For a reason." in page


def test_the_status_takes_few_queries_and_no_bytes(training: Client, trainer: User) -> None:
    job = running(trainer)

    with CaptureQueriesContext(connection) as queries:
        training.get(f"{LIST}{job.pk}/status/")

    # PostgreSQL is asked for its time.
    assert len(queries) <= 8
    assert not any('"serving"' in query["sql"] for query in queries)
    assert not any(query["sql"].startswith("UPDATE") for query in queries)


def test_a_user_with_view_permission_can_not_start_or_cancel(client: Client, trainer: User) -> None:
    job = running(trainer)
    client.force_login(make_staff("viewer", "view_trainingjob"))

    assert client.get(LIST).status_code == 200
    page = client.get(page_of(job)).content.decode()
    assert "Cancel this training" not in page
    assert client.get(ADD).status_code == 403
    assert client.post(ADD, {"kind": "fast"}).status_code == 403
    assert client.post(f"{LIST}{job.pk}/cancel/").status_code == 403
    assert status_of(job) == JobStatus.RUNNING


def test_a_user_without_permission_sees_nothing(client: Client, trainer: User) -> None:
    job = running(trainer)
    client.force_login(make_staff("nobody"))

    for address in (LIST, ADD, page_of(job), f"{LIST}{job.pk}/status/"):
        assert client.get(address).status_code == 403


@pytest.mark.parametrize("pk", [str(UUID(int=5)), "no-uuid"])
def test_a_missing_job_is_not_found(training: Client, pk: str) -> None:
    assert training.get(f"{LIST}{pk}/change/").status_code == 404


def test_no_job_can_be_deleted_or_changed(admin_client: Client, admin_user: User) -> None:
    job = ended(admin_user, JobStatus.FAILED)

    assert admin_client.post(f"{LIST}{job.pk}/delete/", {"post": "yes"}).status_code == 403
    admin_client.post(page_of(job), {"status": "succeeded"})

    assert status_of(job) == JobStatus.FAILED


def test_a_machine_without_the_training_code_leaves_the_queue_to_a_worker(
    training: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(training_jobs, "_enqueue", None)
        training.post(ADD, {"kind": "fast"})
        job = TrainingJob.objects.get()
        assert "Waiting for a worker." in training.get(page_of(job)).content.decode()
        # A worker of that kind can't do it either.
        training_jobs.queue_waiting()
        assert not DBTaskResult.objects.exists()

    training_jobs.queue_waiting()
    training_jobs.queue_waiting()

    job.refresh_from_db()
    task = DBTaskResult.objects.get(pk=job.task_id)
    assert task.args_kwargs["args"] == [str(job.pk)]
    assert status_of(job) == JobStatus.QUEUED


def test_a_version_outlives_its_job_and_a_job_its_version(trainer: User) -> None:
    job = ended(trainer, JobStatus.SUCCEEDED)

    ModelVersion.objects.filter(name="trained-1").delete()

    job.refresh_from_db()
    assert job.model_version is None
    assert job.result["candidate"] == "trained-1"


# Labels that look wrong -----------------------------------------------------------------------


def make_suspect() -> None:
    row = make_prediction(7, label=1)
    SuspectLabel.objects.create(prediction=row, label=1, likely=7, score=0.9)


@pytest.mark.parametrize(("button", "without"), [({"without_suspects": "on"}, True), ({}, False)])
def test_a_training_can_leave_out_labels_that_look_wrong(
    training: Client, button: dict[str, str], without: bool
) -> None:
    make_suspect()

    page = training.get(ADD).content.decode()
    training.post(ADD, {"kind": "fine-tune", "activate": "on", **button})

    assert "1 label looks wrong." in page
    assert "Train without them" in page
    assert "Train anyway" in page
    assert Options.from_json(TrainingJob.objects.get().options).without_suspects is without


def test_without_such_labels_there_is_one_button(training: Client) -> None:
    make_prediction(7, label=7)

    page = training.get(ADD).content.decode()

    assert "Train now" in page
    assert "Train anyway" not in page


def test_a_job_of_an_older_version_keeps_all_labels(trainer: User) -> None:
    stored = {"kind": "fine-tune", "activate": True, "epochs": None, "limit": None}
    assert Options.from_json(stored).without_suspects is False


def test_the_quality_checks_name_held_out_labels_that_look_wrong(
    training: Client, trainer: User
) -> None:
    row = make_prediction(7, label=1)
    job = running(trainer)
    named = [GateSuspect(str(row.pk), 1, 7), GateSuspect("0" * 64 + "-no-id", 3, 5)]
    result = replace(RESULT, gate=replace(RESULT.gate, suspects=tuple(named)))
    training_jobs.succeed(job_id=job.pk, result=result, version=make_version("trained-1"))

    page = training.get(f"{LIST}{job.pk}/change/").content.decode()

    assert "Held-out labels that look wrong" in page
    assert f"{row.pk}/change/" in page
    assert "3, looks like 5" in page
