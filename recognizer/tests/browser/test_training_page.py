"""The page of a training: it tells by itself how far it is, and the button stops it."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from recognizer.jobs import heartbeat, training_jobs
from recognizer.jobs.progress import JobProgress, Phase
from recognizer.models import JobStatus, TrainingJob
from recognizer.tests.admin.jobs.test_jobs import RESULT
from recognizer.tests.browser.conftest import listen
from recognizer.tests.support.reviewing import make_staff, make_version

pytestmark = pytest.mark.django_db(transaction=True)

ADD = "/admin/recognizer/trainingjob/add/"


@pytest.fixture
def trainer(live_server: LiveServer) -> User:
    return make_staff("trainer", "add_trainingjob", "view_modelversion")


@pytest.fixture
def training(
    page: Page,
    context: BrowserContext,
    live_server: LiveServer,
    complaints: list[str],
    trainer: User,
    log_in: Any,
) -> Page:
    """Return the page "Train now", with a worker that has just signed in."""
    listen(context, complaints)
    log_in(context, trainer)
    heartbeat.beat(name="one", place="here")
    page.goto(live_server.url + ADD)
    return page


def start(page: Page) -> TrainingJob:
    """Press the button; return the job, which a worker has begun with."""
    page.get_by_role("button", name="Train now").click()
    expect(page.get_by_role("status")).to_have_text("Waiting for a worker.")
    job = TrainingJob.objects.get()
    training_jobs.begin(job_id=job.pk)
    return job


def tell(job: TrainingJob, *, epoch: int, log: str, phase: Phase = Phase.TRAINING) -> None:
    progress = JobProgress(
        phase=phase, epoch=epoch, epochs=4, step=10, steps=10, loss=0.5 / epoch,
        accuracies=tuple(0.9 + 0.02 * each for each in range(epoch)), seconds_left=300 - epoch,
    )  # fmt: skip
    training_jobs.beat(job_id=job.pk)
    training_jobs.report(job_id=job.pk, progress=progress, log=log)


def test_progress_moves_without_reloading_and_ends_in_the_table(training: Page) -> None:
    job = start(training)
    status, bar = training.locator(".job-status"), training.get_by_role("progressbar")
    training.evaluate("window.untouched = true")

    tell(job, epoch=1, log="first line\n")
    expect(status).to_have_text("running")
    expect(bar).to_have_attribute("value", "25")
    expect(training.locator("[data-slot=epoch]")).to_have_text("1 of 4")
    expect(training.locator("[data-slot=accuracy]")).to_have_text("90.00\u00a0%")
    expect(training.locator("[data-slot=time_left]")).to_have_text("5 minutes")
    expect(training.locator("[data-slot=log]")).to_have_text("first line\n")

    tell(job, epoch=3, log="first line\n<b>second</b> line\n")
    expect(bar).to_have_attribute("value", "75")
    expect(training.locator("[data-slot=accuracy]")).to_have_text("94.00\u00a0%")
    expect(training.locator("[data-slot=log]")).to_have_text("first line\n<b>second</b> line\n")

    tell(job, epoch=4, log="", phase=Phase.MEASURING)
    expect(training.get_by_role("status")).to_have_text("Comparing with the active model.")
    assert bar.get_attribute("value") is None
    assert training.evaluate("window.untouched") is True

    training_jobs.succeed(job_id=job.pk, result=RESULT, version=make_version("trained-1"))
    expect(training.get_by_role("heading", name="Quality checks: not passed")).to_be_visible()
    expect(training.locator(".gate-table tbody tr")).to_have_count(3)
    training.get_by_role("link", name="trained-1").click()
    expect(training.get_by_role("heading", name="trained-1")).to_be_visible()


def test_the_button_cancels(training: Page) -> None:
    job = start(training)
    tell(job, epoch=1, log="")
    button = training.get_by_role("button", name="Cancel this training")
    expect(training.locator(".job-status")).to_have_text("running")

    button.focus()
    training.keyboard.press("Enter")

    expect(training.get_by_role("status")).to_have_text("Cancelling.")
    expect(button).to_be_disabled()
    assert not training_jobs.beat(job_id=job.pk)
    training_jobs.stop(job_id=job.pk, status=JobStatus.INTERRUPTED)
    expect(training.locator(".job-status")).to_have_text("cancelled")
    expect(training.get_by_text("No model version was stored.")).to_be_visible()


def test_a_problem_is_shown_until_it_is_over(training: Page, complaints: list[str]) -> None:
    job = start(training)
    expect(training.locator(".job-status")).to_have_text("running")
    training.route("**/status/", lambda route: route.abort())
    alert = training.get_by_role("alert")
    expect(alert).to_contain_text("Trying again")
    complaints.clear()

    training.unroute("**/status/")
    expect(alert).to_be_hidden()
    TrainingJob.objects.update(status=JobStatus.QUEUED, started_at=None, heartbeat_at=None)
    heartbeat.remove(name="one")
    expect(training.get_by_text("No worker is running.")).to_be_visible()
    expect(training.get_by_text("python manage.py db_worker")).to_be_visible()

    training_jobs.begin(job_id=job.pk)
    expect(training.get_by_text("python manage.py db_worker")).to_be_hidden()
    complaints.clear()


@pytest.mark.parametrize("width", [320, 1280])
def test_the_pages_fit_the_window_and_work_without_javascript(
    new_context: Any, live_server: LiveServer, trainer: User, log_in: Any, width: int
) -> None:
    context = new_context(java_script_enabled=False, viewport={"width": width, "height": 800})
    log_in(context, trainer)
    page = context.new_page()
    page.goto(live_server.url + ADD)
    page.get_by_role("button", name="Train now").click()
    job = TrainingJob.objects.get()
    expect(page.get_by_text("Waiting for a worker.")).to_be_visible()

    training_jobs.begin(job_id=job.pk)
    tell(job, epoch=2, log="line\n" * 200)
    page.get_by_role("link", name="Reload now").click()
    expect(page.locator("[data-slot=epoch]")).to_have_text("2 of 4")
    assert fits(page)

    training_jobs.succeed(job_id=job.pk, result=RESULT, version=make_version("trained-1"))
    # By itself: the page asks to be loaded anew.
    expect(page.get_by_role("heading", name="Quality checks: not passed")).to_be_visible()
    for path in (page.url, live_server.url + "/admin/recognizer/modelversion/"):
        page.goto(path)
        assert fits(page)


def fits(page: Page) -> bool:
    """Tell whether nothing sticks out of the window's width."""
    box = page.locator("html").evaluate("(html) => [html.scrollWidth, html.clientWidth]")
    return bool(box[0] <= box[1])
