"""Imports in the browser: upload a file, look at it, import it, undo it; axe-core finds nothing."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from recognizer.jobs import heartbeat, import_jobs
from recognizer.jobs.progress import CountedProgress
from recognizer.models import ImportJob, Prediction
from recognizer.tests.admin.imports.test_imports import zipped
from recognizer.tests.browser.conftest import listen
from recognizer.tests.support.reviewing import make_staff
from recognizer.transfer import import_task

pytestmark = pytest.mark.django_db(transaction=True)

ADD = "/admin/recognizer/importjob/add/"
RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}


@pytest.fixture
def importing(
    page: Page, context: BrowserContext, live_server: LiveServer, complaints: list[str], log_in: Any
) -> Page:
    """Return the page "Import drawings", with a worker that has just signed in."""
    person = make_staff("importer", "add_importjob", "delete_prediction", "view_labelevent")
    listen(context, complaints)
    log_in(context, person)
    heartbeat.beat(name="one", place="here")
    page.goto(live_server.url + ADD)
    return page


def send(page: Page, content: bytes) -> None:
    page.get_by_label("File").set_input_files(
        {"name": "drawings.zip", "mimeType": "application/zip", "buffer": content}
    )
    page.get_by_role("button", name="Look at the file").click()


def check(page: Page, complaints: list[str]) -> None:
    assert complaints == []
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, found.generate_report()
    # It tries inline styles, which the page's policy forbids.
    complaints.clear()


def test_a_file_is_looked_at_imported_and_the_import_undone(
    importing: Page, complaints: list[str]
) -> None:
    check(importing, complaints)
    send(importing, zipped([3, 1, 5, 8]))
    expect(importing.locator(".import-preview li")).to_have_count(4)
    expect(importing.get_by_text("4 of 4")).to_be_visible()
    shown = "image => image.complete && image.naturalWidth > 0"
    assert importing.locator(".import-preview img").first.evaluate(shown)
    check(importing, complaints)

    importing.get_by_role("button", name="Import", exact=True).click()
    expect(importing.get_by_role("status")).to_have_text("Waiting for a worker.")
    check(importing, complaints)
    job = ImportJob.objects.get()
    import_jobs.begin(job_id=job.pk)
    import_jobs.report(
        job_id=job.pk,
        progress=CountedProgress(step="Reading", done=3, total=4),
        log="",
    )
    expect(importing.get_by_role("progressbar")).to_have_attribute("value", "75")
    expect(importing.get_by_role("status")).to_have_text("Reading the file.")
    ImportJob.objects.filter(pk=job.pk).update(status="queued", started_at=None)
    import_task.run.func(str(job.pk))
    expect(importing.get_by_text("Digits imported")).to_be_visible()
    check(importing, complaints)

    importing.get_by_label("Delete the drawings too").check()
    importing.get_by_role("button", name="Undo this import").click()
    expect(importing.get_by_text("4 drawings deleted")).to_be_visible()
    assert not Prediction.objects.exists()


def test_labels_that_contradict_the_model_say_why(importing: Page, complaints: list[str]) -> None:
    send(importing, zipped([3, 7, 5, 0], [3, 3, 3, 3]))
    expect(importing.get_by_role("alert")).to_contain_text("Only 1 of 4 labels agree")
    expect(importing.get_by_role("button", name="Import", exact=True)).to_have_count(0)
    check(importing, complaints)

    importing.get_by_label("The labels are right, even if they contradict the model").check()
    importing.get_by_role("button", name="Look at it again").click()
    expect(importing.get_by_role("alert")).to_have_count(0)
    expect(importing.get_by_role("button", name="Import", exact=True)).to_be_visible()
