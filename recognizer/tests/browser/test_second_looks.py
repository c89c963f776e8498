"""Suspect labels and second opinions in the review queue, as reviewers use it."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from recognizer.labelling import labels
from recognizer.models import Opinion, Prediction, SuspectLabel
from recognizer.tests.browser.conftest import listen
from recognizer.tests.browser.test_review import ReviewPage
from recognizer.tests.support.reviewing import label_of, make_prediction, make_staff

Open = Callable[..., ReviewPage]

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def open_queue(new_context: Any, live_server: LiveServer, log_in: Any, complaints: Any) -> Open:
    """Return the function that opens the queue for a reviewer in a browser of their own."""

    def open_one(who: User, query: str) -> ReviewPage:
        context = new_context()
        listen(context, complaints)
        log_in(context, who)
        return ReviewPage(context.new_page(), live_server.url).open(query)

    return open_one


def reviewer(name: str) -> User:
    return make_staff(name, "view_prediction", "label_prediction")


def suspect(digit: int, label: int, score: float, by: User) -> Prediction:
    row = make_prediction(digit)
    labels.label_predictions(predictions=[row.pk], label=label, by=by)
    SuspectLabel.objects.create(
        prediction=row, label=label, labelled_by=by, likely=digit, score=score
    )
    return row


def test_suspect_labels_are_changed_or_kept(open_queue: Open, transactional_db: None) -> None:
    ada, grace = reviewer("ada"), reviewer("grace")
    doubtful, wrong = suspect(4, 9, 0.6, ada), suspect(7, 1, 0.9, ada)

    queue = open_queue(grace, "?order=suspect")

    queue.expect_shown(wrong)
    expect(queue.note).to_contain_text("ada labelled this “1”. It looks like “7”.")
    # Of the rest of the page much is Django's own.
    assert not Axe().run(queue.page, context=".review-note").response["violations"]
    queue.press("Enter")
    queue.expect_shown(doubtful)
    queue.button("Keep 9").click()
    expect(queue.done).to_be_visible()
    queue.expect_saved()
    assert (label_of(wrong), label_of(doubtful)) == (7, 9)
    queue.page.reload()
    expect(queue.done).to_be_visible()


def test_a_label_that_was_kept_can_be_undone(open_queue: Open, transactional_db: None) -> None:
    row = suspect(4, 9, 0.6, reviewer("ada"))
    queue = open_queue(reviewer("grace"), "?order=suspect")
    queue.button("Keep 9").click()
    expect(queue.done).to_be_visible()

    queue.press("u")
    queue.expect_shown(row)
    queue.press("4")

    expect(queue.done).to_be_visible()
    queue.expect_saved()
    assert label_of(row) == 4


def test_claims_are_renewed_and_the_suspects_stay(open_queue: Open, transactional_db: None) -> None:
    ada = reviewer("ada")
    rows = [suspect(7, 1, score, ada) for score in (0.9, 0.8)]
    queue = open_queue(reviewer("grace"), "?order=suspect")
    queue.page.clock.install()
    queue.open("?order=suspect")

    with queue.page.expect_response(re.compile("/review/renew/")):
        queue.page.clock.run_for(61_000)

    queue.expect_shown(rows[0])
    queue.press("7")
    queue.expect_shown(rows[1])


def test_a_disagreement_goes_to_a_third_who_decides(
    open_queue: Open, transactional_db: None, settings: Settings
) -> None:
    settings.SECOND_OPINION_SHARE = 1
    ada, grace, edsger = (reviewer(name) for name in ("ada", "grace", "edsger"))
    row = make_prediction(7)
    labels.label_predictions(predictions=[row.pk], label=1, by=ada)

    second = open_queue(grace, "?order=newest")
    second.expect_shown(row)
    expect(second.note).to_be_hidden()
    expect(second.page.locator("#review")).not_to_contain_text("ada")
    second.press("7")
    expect(second.done).to_be_visible()
    second.expect_saved()
    assert label_of(row) == 1

    third = open_queue(edsger, "?order=opinions")
    third.expect_shown(row)
    expect(third.note).to_be_hidden()
    third.press("7")
    expect(third.done).to_be_visible()
    third.expect_saved()
    assert label_of(row) == 7
    assert Opinion.objects.filter(label=None, kind="third").count() == 0
    third.page.goto(third.url + f"/admin/recognizer/prediction/{row.pk}/change/")
    expect(third.page.get_by_text("confirmed by a second reviewer")).to_be_visible()
