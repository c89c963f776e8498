"""What versions learned and unlearned, in the browser; axe-core finds nothing."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from recognizer.jobs import heartbeat, regression_jobs
from recognizer.labelling import learned, styles
from recognizer.models import ModelVersion, RegressionJob
from recognizer.tests.browser.conftest import listen
from recognizer.tests.browser.test_training_page import fits
from recognizer.tests.support.insights import PAGE as INSIGHTS
from recognizer.tests.support.reviewing import make_prediction, make_staff
from recognizer.tests.support.trained_versions import trained
from recognizer.tests.versions.test_comparison import candidate

pytestmark = pytest.mark.django_db(transaction=True)

RULES = {"runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"]}


@pytest.fixture
def staff(page: Page, context: BrowserContext, complaints: list[str], log_in: Any) -> Page:
    """A page of somebody who sees versions and drawings and may start trainings."""
    person = make_staff("trainer", "view_modelversion", "view_prediction", "add_trainingjob")
    listen(context, complaints)
    log_in(context, person)
    heartbeat.beat(name="one", place="here")
    return page


def check(page: Page, complaints: list[str]) -> None:
    assert complaints == []
    for width in (320, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        assert fits(page)
    found = Axe().run(page, options=RULES)
    assert found.violations_count == 0, found.generate_report()
    # It tries inline styles, which the page's policy forbids.
    complaints.clear()


def test_a_version_is_asked_what_it_unlearned(
    staff: Page, live_server: LiveServer, complaints: list[str]
) -> None:
    before, after = ModelVersion.objects.get(is_active=True), candidate("strict", not_a_digit=1.1)
    ada = User.objects.create_user("ada")
    row = make_prediction(3, label=3, labelled_by=ada, model_version=before)
    refused = make_prediction(8, label=10, labelled_by=ada, model_version=before)
    given = {str(row.pk): 3, str(refused.pk): 10}
    learned.record(version=after, given=given, held_out=set())
    # From the strict version back: what it rejected is no longer rejected.
    staff.goto(f"{live_server.url}/admin/recognizer/modelversion/{before.pk}/change/")
    staff.get_by_role("combobox", name="Compared with").select_option("strict")
    staff.get_by_role("button", name="Search").click()
    expect(staff.get_by_role("status")).to_have_text("Waiting for a worker.")
    check(staff, complaints)

    job = RegressionJob.objects.get()
    regression_jobs.run.func(str(job.pk))

    expect(staff.get_by_role("heading", name="Unlearned drawings")).to_be_visible()
    expect(staff.locator(".changed li")).to_have_count(1)
    shown = "image => image.complete && image.naturalWidth > 0"
    assert staff.locator(".changed img").evaluate(shown)
    check(staff, complaints)
    staff.goto(f"{live_server.url}/admin/recognizer/modelversion/{after.pk}/change/")
    expect(staff.get_by_role("heading", name="Labels it learned")).to_be_visible()
    expect(staff.get_by_role("rowheader", name="ada")).to_be_visible()
    check(staff, complaints)


def test_the_insights_and_train_now_show_what_more_labels_bring(
    staff: Page, live_server: LiveServer, complaints: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(styles, "ENOUGH", 10)
    active = ModelVersion.objects.get(is_active=True)
    for number in range(20):
        make_prediction(3, shown=number % 10, label=number % 10, model_version=active)
    for name, labels, mistakes in (("a", 100, 40), ("b", 200, 28), ("c", 400, 20)):
        trained(name, labels=labels, mistakes=mistakes, before=100)
    styles.find_styles()

    staff.goto(live_server.url + INSIGHTS)
    expect(staff.get_by_text("Another 100 labels would save about")).to_be_visible()
    expect(staff.locator(".styles img").first).to_be_visible()
    check(staff, complaints)
    staff.goto(f"{live_server.url}/admin/recognizer/trainingjob/add/")
    expect(staff.get_by_role("heading", name="What it may bring")).to_be_visible()
    check(staff, complaints)
