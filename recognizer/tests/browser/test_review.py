"""The review queue as a reviewer uses it: look, press a key, look at the next one."""

from __future__ import annotations

import datetime
import re
import time
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.signals import request_started
from django.utils import timezone
from playwright.sync_api import Page, Route, expect
from pytest_django.live_server_helper import LiveServer
from rest_framework.test import APIClient

from recognizer.labelling import labels as labelling_labels
from recognizer.models import LabelEvent, Prediction, ReviewClaim, ReviewNote, ReviewSkip, Via
from recognizer.tests.browser.conftest import listen
from recognizer.tests.support.drawings import number_strokes
from recognizer.tests.support.reviewing import (
    LIST,
    NOT_A_DIGIT,
    label_of,
    make_prediction,
    make_staff,
)

PATH = LIST + "review/"
OpenReview = Callable[..., "ReviewPage"]


class ReviewPage:
    """One reviewer's page."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.card = page.get_by_role("region", name="Drawing", exact=True)
        self.read = page.locator("[data-slot=read]")
        self.message = page.get_by_role("alert")
        self.note = page.locator("[data-slot=note]")
        self.progress = page.locator("[data-slot=progress]")
        self.saving = page.locator("[data-slot=saving]")
        self.steps = page.locator("[data-slot=steps] li")
        self.done = page.get_by_role("heading", name="All done")

    def open(self, query: str = "?order=newest") -> ReviewPage:
        """Go to the page and wait until it has drawings, or none."""
        self.page.goto(self.url + PATH + query)
        expect(self.card.or_(self.done)).to_be_visible()
        return self

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def button(self, name: str) -> Any:
        return self.page.get_by_role("button", name=name, exact=True)

    def expect_shown(self, row: Prediction) -> None:
        """Wait until this drawing is looked at."""
        expect(self.page.locator("[data-slot=link]")).to_have_attribute(
            "href", re.compile(str(row.pk))
        )

    def expect_saved(self) -> None:
        """Wait until the site has answered everything."""
        expect(self.saving).to_be_empty()


@pytest.fixture
def open_review(new_context: Any, live_server: LiveServer, log_in: Any, complaints: Any) -> Any:
    """Return the function that opens the queue for a reviewer in a browser of their own."""

    def open_one(who: User, query: str = "?order=newest", **options: Any) -> ReviewPage:
        context = new_context(**options)
        listen(context, complaints)
        log_in(context, who)
        return ReviewPage(context.new_page(), live_server.url).open(query)

    return open_one


@pytest.fixture
def ada(transactional_db: None) -> User:
    return make_staff("ada", "view_prediction", "label_prediction")


@pytest.fixture
def grace(transactional_db: None) -> User:
    return make_staff("grace", "view_prediction", "label_prediction")


@pytest.fixture
def rows(transactional_db: None) -> list[Prediction]:
    """Five drawings, the newest first: 0, 1, 2, 3, 4."""
    return make_rows(5)


def make_rows(count: int, **fields: Any) -> list[Prediction]:
    now = timezone.now()
    return [
        make_prediction(
            index % 10, created_at=now - datetime.timedelta(minutes=index + 1), **fields
        )
        for index in range(count)
    ]


def labels(rows: list[Prediction]) -> list[int | None]:
    return [label_of(row) for row in rows]


# Keys, mouse, touch ---------------------------------------------------------------------------


def test_each_key_labels_and_the_next_drawing_is_there(
    open_review: OpenReview, ada: User, rows: list[Prediction]
) -> None:
    review_page = open_review(ada)
    for row, key in zip(rows, ["7", "Enter", " ", "x", "X"], strict=True):
        review_page.expect_shown(row)
        review_page.press(key)
    expect(review_page.done).to_be_visible()
    review_page.expect_saved()
    assert labels(rows) == [7, 1, 2, NOT_A_DIGIT, NOT_A_DIGIT]
    assert set(LabelEvent.objects.values_list("by__username", "via")) == {("ada", "queue")}


def test_a_rejected_drawing_is_confirmed_as_not_a_digit(open_review: OpenReview, ada: User) -> None:
    row = make_prediction(7, verdict="not_a_digit")
    review_page = open_review(ada)
    expect(review_page.read).to_have_text("Rejected; closest to 7")
    expect(review_page.page.locator("[data-slot=confirm]")).to_have_text(
        "Confirm: not a digit Enter"
    )
    review_page.press("Enter")
    expect(review_page.done).to_be_visible()
    assert label_of(row) == NOT_A_DIGIT


def test_the_mouse_does_the_same(
    open_review: OpenReview, ada: User, rows: list[Prediction]
) -> None:
    review_page = open_review(ada)
    review_page.button("Label 8").click()
    review_page.expect_shown(rows[1])
    review_page.button("Confirm: 1 Enter").click()
    review_page.expect_shown(rows[2])
    review_page.button("Not a digit X").click()
    review_page.expect_shown(rows[3])
    review_page.button("Skip S").click()
    review_page.expect_shown(rows[4])
    review_page.button("Undo U").click()
    review_page.expect_shown(rows[3])
    review_page.expect_saved()
    assert labels(rows) == [8, 1, NOT_A_DIGIT, None, None]
    assert not ReviewSkip.objects.exists()


def test_enter_after_a_click_confirms_and_does_not_click_again(
    open_review: OpenReview, ada: User, rows: list[Prediction]
) -> None:
    review_page = open_review(ada)
    review_page.button("Label 8").click()
    review_page.expect_shown(rows[1])
    review_page.press("Enter")
    review_page.expect_shown(rows[2])
    review_page.expect_saved()
    assert labels(rows)[:2] == [8, 1]


def test_a_finger_does_the_same(open_review: OpenReview, ada: User, rows: list[Prediction]) -> None:
    review_page = open_review(ada, viewport={"width": 375, "height": 667}, has_touch=True)
    review_page.button("Label 8").tap()
    review_page.expect_shown(rows[1])
    review_page.page.locator("[data-slot=confirm]").tap()
    review_page.expect_shown(rows[2])
    review_page.expect_saved()
    assert labels(rows)[:2] == [8, 1]


SIZES = pytest.mark.parametrize("size", [(1280, 800), (390, 844)], ids=["desktop", "phone"])


def viewport(size: tuple[int, int]) -> dict[str, int]:
    return {"width": size[0], "height": size[1]}


@SIZES
def test_v_labels_as_the_visitor_said(
    open_review: OpenReview, ada: User, size: tuple[int, int]
) -> None:
    rows = [
        make_prediction(1, suggestion=7, created_at=timezone.now()),
        make_prediction(3, suggestion=8, created_at=timezone.now() - datetime.timedelta(minutes=1)),
        make_prediction(4, created_at=timezone.now() - datetime.timedelta(minutes=2)),
    ]
    review_page = open_review(ada, viewport=viewport(size))
    review_page.press("v")
    review_page.expect_shown(rows[1])
    review_page.page.locator("[data-action=visitor]").click()
    review_page.expect_shown(rows[2])
    review_page.press("v")
    expect(review_page.message).to_contain_text("The visitor has not said what it is.")
    review_page.expect_shown(rows[2])
    review_page.expect_saved()
    assert labels(rows) == [7, 8, None]


def test_n_opens_the_field_for_a_number_and_undo_takes_it_back(
    open_review: OpenReview, ada: User
) -> None:
    APIClient().post("/api/v1/predictions/", number_strokes("42"))
    row = Prediction.objects.get()
    review_page = open_review(ada)
    expect(review_page.read).to_have_text("Predicted 42")
    expect(review_page.button("Confirm: 42 Enter")).to_be_visible()

    review_page.press("n")
    field = review_page.page.get_by_label("The number, two to eight digits:")
    expect(field).to_be_focused()
    # It begins with the answer; what is typed replaces it.
    expect(field).to_have_value("42")
    review_page.press("4", "2", "Enter")

    expect(review_page.done).to_be_visible()
    review_page.expect_saved()
    expect(review_page.steps).to_have_text(["42"])
    row.refresh_from_db()
    assert (row.label, row.number_label) == (NOT_A_DIGIT, "42")
    assert Prediction.objects.filter(part_of=row).count() == 2

    review_page.press("u")

    review_page.expect_shown(row)
    review_page.expect_saved()
    row.refresh_from_db()
    assert (row.label, row.number_label) == (None, "")
    # Enter confirms the number as it was predicted.
    review_page.press("Enter")
    expect(review_page.done).to_be_visible()
    review_page.expect_saved()
    assert Prediction.objects.filter(part_of=row).count() == 2


@SIZES
def test_f_flags_with_a_note_and_the_next_key_labels(
    open_review: OpenReview,
    ada: User,
    grace: User,
    rows: list[Prediction],
    size: tuple[int, int],
) -> None:
    review_page = open_review(ada, viewport=viewport(size))
    review_page.press("f")
    expect(review_page.page.get_by_label("Note for other reviewers")).to_be_focused()
    review_page.page.keyboard.type("0 or 6?")
    review_page.press("Enter", "6")
    review_page.expect_shown(rows[1])
    expect(review_page.page.get_by_label("Note for other reviewers")).to_have_value("")
    review_page.expect_saved()
    note = ReviewNote.objects.get()
    assert (note.prediction, note.text, note.is_flagged) == (rows[0], "0 or 6?", True)
    assert label_of(rows[0]) == 6

    other = open_review(grace, "?order=flagged", viewport=viewport(size))
    other.expect_shown(rows[0])
    expect(other.note).to_contain_text("It is labelled “6”.")
    expect(other.page.get_by_label("Note for other reviewers")).to_have_value("0 or 6?")
    expect(other.page.locator("[data-slot=said]")).to_contain_text("ada")
    other.press("0")
    expect(other.done).to_be_visible()
    other.expect_saved()
    assert label_of(rows[0]) == 0
    assert not ReviewNote.objects.get().is_flagged


@SIZES
def test_the_digit_is_chosen_on_the_page(
    open_review: OpenReview, ada: User, rows: list[Prediction], size: tuple[int, int]
) -> None:
    review_page = open_review(ada, viewport=viewport(size))
    choice = review_page.page.get_by_role("combobox", name="Digit", exact=True)
    expect(choice).to_be_in_viewport()
    choice.select_option("3")
    review_page.expect_shown(rows[3])
    expect(choice).to_have_value("3")
    choice.select_option("")
    review_page.expect_shown(rows[0])


def test_twenty_keys_typed_fast_label_twenty_drawings_in_order(
    open_review: OpenReview, ada: User
) -> None:
    rows = make_rows(60)
    wanted = [(index * 7 + 3) % 10 for index in range(20)]
    review_page = open_review(ada)
    review_page.page.keyboard.type("".join(map(str, wanted)))
    review_page.expect_shown(rows[20])
    review_page.expect_saved()
    assert labels(rows) == [*wanted, *[None] * 40]
    expect(review_page.progress).to_have_text("20 of 60")


def test_a_key_held_down_labels_one_drawing(
    open_review: OpenReview, ada: User, rows: list[Prediction]
) -> None:
    review_page = open_review(ada)
    for _ in range(4):
        review_page.page.keyboard.down("7")
    review_page.page.keyboard.up("7")
    review_page.expect_shown(rows[1])
    review_page.expect_saved()
    assert labels(rows) == [7, None, None, None, None]


def test_a_key_with_a_modifier_is_the_browsers(
    open_review: OpenReview, ada: User, rows: list[Prediction]
) -> None:
    review_page = open_review(ada)
    review_page.press("Control+7", "Alt+x")
    review_page.press("Enter")
    review_page.expect_shown(rows[1])
    review_page.expect_saved()
    assert labels(rows)[0] == 0


def test_the_next_drawings_are_loaded_before_their_turn(
    open_review: OpenReview, ada: User, rows: list[Prediction]
) -> None:
    review_page = open_review(ada)
    # Nothing is answered any more.
    review_page.page.route("**/review/**", lambda route: None)
    for row in rows[1:]:
        review_page.press("s")
        review_page.expect_shown(row)
        width = review_page.card.locator("[data-slot=picture] img").evaluate(
            "(image) => image.complete && image.naturalWidth"
        )
        assert width == 140


def test_no_page_is_loaded_again(
    open_review: OpenReview, ada: User, rows: list[Prediction]
) -> None:
    review_page = open_review(ada)
    loads: list[str] = []
    review_page.page.on("load", lambda page: loads.append(page.url))
    review_page.press("1", "2", "3", "4", "5")
    expect(review_page.done).to_be_visible()
    assert loads == []


# Undo -----------------------------------------------------------------------------------------


def test_ten_steps_are_undone(open_review: OpenReview, ada: User) -> None:
    rows = make_rows(12)
    review_page = open_review(ada)
    for index in range(12):
        review_page.expect_shown(rows[index])
        review_page.press("s" if index == 6 else "5")
    expect(review_page.done).to_be_visible()
    expect(review_page.steps).to_have_count(10)
    for index in reversed(range(2, 12)):
        review_page.press("Backspace" if index % 2 else "u")
        review_page.expect_shown(rows[index])
    review_page.press("u")
    expect(review_page.message).to_contain_text("Nothing to undo.")
    review_page.expect_saved()
    assert labels(rows) == [5, 5, *[None] * 10]
    assert not ReviewSkip.objects.exists()
    expect(review_page.progress).to_have_text("2 of 12")


def test_undo_right_after_a_key_leaves_no_label(
    open_review: OpenReview, ada: User, rows: list[Prediction]
) -> None:
    review_page = open_review(ada)
    review_page.page.keyboard.type("7u8u9")
    review_page.expect_shown(rows[1])
    review_page.expect_saved()
    assert labels(rows) == [9, None, None, None, None]


def test_the_last_label_is_undone_by_mouse_at_the_end(open_review: OpenReview, ada: User) -> None:
    row = make_prediction(3)
    review_page = open_review(ada)
    review_page.press("8")
    expect(review_page.done).to_be_visible()
    review_page.button("Undo the last step").click()
    review_page.expect_shown(row)
    review_page.expect_saved()
    assert label_of(row) is None


def test_the_last_steps_are_shown(
    open_review: OpenReview, ada: User, rows: list[Prediction]
) -> None:
    review_page = open_review(ada)
    review_page.press("7", "x", "s")
    expect(review_page.steps).to_have_count(3)
    assert [each.get_attribute("aria-label") for each in review_page.steps.all()] == [
        "skipped",
        "not a digit",
        "7",
    ]


# What goes wrong ------------------------------------------------------------------------------


def test_labels_are_sent_by_themselves_when_the_connection_is_back(
    open_review: OpenReview, ada: User, rows: list[Prediction], complaints: list[str]
) -> None:
    review_page = open_review(ada)
    review_page.page.context.set_offline(True)
    review_page.press("7")
    expect(review_page.message).to_contain_text(
        "The site can't be reached. Your labels are kept and sent as soon as it answers."
    )
    review_page.press("8", "9")
    # The message stays, and says how many.
    expect(review_page.message).to_contain_text("The site can't be reached.")
    expect(review_page.saving).to_have_text("not saved yet: 3")
    review_page.expect_shown(rows[3])
    assert labels(rows) == [None] * 5

    review_page.page.context.set_offline(False)

    review_page.expect_saved()
    expect(review_page.message).to_be_hidden()
    review_page.expect_shown(rows[3])
    expect(review_page.progress).to_have_text("3 of 5")
    assert labels(rows) == [7, 8, 9, None, None]
    assert complaints
    complaints.clear()


def test_a_label_is_stored_once_although_its_answer_was_lost(
    open_review: OpenReview, ada: User, rows: list[Prediction], complaints: list[str]
) -> None:
    review_page = open_review(ada)
    sent: list[Route] = []

    def lose_the_first_answer(route: Route) -> None:
        sent.append(route)
        if len(sent) == 1:
            route.fetch()
            route.abort()
        else:
            route.continue_()

    review_page.page.route("**/review/label/", lose_the_first_answer)
    review_page.press("7")
    expect(review_page.message).to_contain_text("Your labels are kept")
    review_page.expect_saved()
    assert len(sent) == 2
    assert labels(rows) == [7, None, None, None, None]
    assert LabelEvent.objects.count() == 1
    complaints.clear()


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (500, "<h1>Server Error</h1>", "Something went wrong on the site."),
        (403, "<h1>CSRF</h1>", "You need to log in again."),
    ],
)
def test_an_error_of_the_site_brings_the_drawing_back(
    open_review: OpenReview,
    ada: User,
    rows: list[Prediction],
    complaints: list[str],
    status: int,
    body: str,
    message: str,
) -> None:
    review_page = open_review(ada)
    review_page.page.route(
        "**/review/label/",
        lambda route: route.fulfill(status=status, body=body, content_type="text/html"),
    )
    review_page.press("7")
    expect(review_page.message).to_contain_text(f"Not saved. {message}")
    review_page.page.unroute_all()
    review_page.press("1")
    review_page.expect_shown(rows[0])
    review_page.press("0")
    review_page.expect_shown(rows[2])
    review_page.expect_saved()
    assert labels(rows)[:3] == [0, 1, None]
    complaints.clear()


def test_a_session_that_has_ended_shows_the_way_to_the_login(
    open_review: OpenReview, ada: User, rows: list[Prediction], complaints: list[str]
) -> None:
    review_page = open_review(ada)
    Session.objects.all().delete()
    review_page.press("7")
    expect(review_page.message).to_contain_text("You are logged out. Log in again.")
    expect(review_page.page.get_by_role("link", name="Log in in another tab")).to_be_visible()
    assert labels(rows)[0] is None
    complaints.clear()


def test_a_deleted_drawing_is_skipped(
    open_review: OpenReview, ada: User, rows: list[Prediction], complaints: list[str]
) -> None:
    review_page = open_review(ada)
    Prediction.objects.filter(pk=rows[0].pk).delete()
    review_page.press("7")
    expect(review_page.message).to_contain_text("This drawing has been deleted.")
    review_page.press("1", "2", "3", "4")
    expect(review_page.done).to_be_visible()
    assert labels(rows[1:]) == [1, 2, 3, 4]
    complaints.clear()


def test_a_failed_request_for_drawings_can_be_repeated(
    open_review: OpenReview, ada: User, rows: list[Prediction], complaints: list[str]
) -> None:
    review_page = open_review(ada)
    review_page.page.route("**/review/next/", lambda route: route.abort())
    review_page.page.reload()
    expect(review_page.message).to_contain_text("The site can't be reached.")
    review_page.page.unroute_all()
    review_page.button("Try again").click()
    review_page.expect_shown(rows[0])
    complaints.clear()


@pytest.mark.parametrize("is_slow", [False, True], ids=["", "the site is slow"])
def test_the_last_label_is_stored_when_the_page_is_closed(
    open_review: OpenReview, ada: User, rows: list[Prediction], is_slow: bool
) -> None:
    def answer_late(environ: dict[str, Any], **options: Any) -> None:
        if is_slow and environ["PATH_INFO"].endswith("/review/label/"):
            time.sleep(0.5)

    review_page = open_review(ada)
    review_page.page.on("dialog", lambda dialog: dialog.accept())
    # The browser aborts the request under way just before it says that the page is left.
    request_started.connect(answer_late)
    review_page.page.keyboard.type("789")
    review_page.page.goto(review_page.url + LIST)
    expect(review_page.page.get_by_role("link", name="Review queue")).to_be_visible()
    for _ in range(300):
        if labels(rows)[:3] == [7, 8, 9] and not ReviewClaim.objects.exists():
            break
        review_page.page.wait_for_timeout(100)
    assert labels(rows) == [7, 8, 9, None, None]
    assert not ReviewClaim.objects.exists()


# Two reviewers --------------------------------------------------------------------------------


def test_two_reviewers_see_different_drawings(
    open_review: OpenReview, ada: User, grace: User
) -> None:
    rows = make_rows(30)
    first, second = open_review(ada), open_review(grace)
    first.expect_shown(rows[0])
    second.expect_shown(rows[24])
    for review_page in (first, second):
        review_page.press("7", "7", "7")
        expect(review_page.steps).to_have_count(3)
        review_page.expect_saved()
    assert LabelEvent.objects.filter(via=Via.QUEUE).count() == 6
    first.page.goto("about:blank")
    second.press("s", "s", "s")
    second.expect_shown(rows[3])


@pytest.mark.parametrize(
    ("choice", "final", "who"), [("Keep 7", 7, "grace"), ("Overrule: 3", 3, "ada")]
)
def test_another_reviewers_new_label_is_shown_and_the_reviewer_decides(
    open_review: OpenReview,
    ada: User,
    grace: User,
    rows: list[Prediction],
    complaints: list[str],
    choice: str,
    final: int,
    who: str,
) -> None:
    review_page = open_review(ada)
    labelling_labels.label_predictions(predictions=[rows[0].pk], label=7, by=grace)
    review_page.press("3")
    expect(review_page.message).to_contain_text("grace has labelled this “7” in the meantime.")
    review_page.press("1")
    review_page.expect_shown(rows[0])
    expect(review_page.note).to_contain_text("grace has labelled this “7” in the meantime.")
    assert label_of(rows[0]) == 7
    review_page.button(choice).click()
    review_page.expect_shown(rows[2])
    review_page.expect_saved()
    rows[0].refresh_from_db()
    assert rows[0].labelled_by is not None
    assert (rows[0].label, rows[0].labelled_by.username) == (final, who)
    complaints.clear()


def test_a_hidden_page_is_notified_of_a_label(
    open_review: OpenReview, ada: User, grace: User, rows: list[Prediction]
) -> None:
    review_page = open_review(ada)
    review_page.page.clock.install()
    review_page.open()
    labelling_labels.label_predictions(predictions=[rows[0].pk, rows[1].pk], label=7, by=grace)
    review_page.page.clock.run_for("02:00")
    expect(review_page.note).to_contain_text("grace has labelled this “7” in the meantime.")
    review_page.button("Keep 7").click()
    review_page.expect_shown(rows[2])


# Progress, order, random checks -----------------------------------------------------------------


def test_progress_and_pace_are_shown(
    open_review: OpenReview, ada: User, rows: list[Prediction]
) -> None:
    review_page = open_review(ada)
    expect(review_page.progress).to_have_text("0 of 5")
    review_page.press("1", "2", "3", "4")
    expect(review_page.progress).to_have_text("4 of 5")
    expect(review_page.page.locator("[data-slot=pace]")).to_have_text(
        re.compile(r"^[\d,]+ a minute$")
    )
    expect(review_page.page.get_by_role("progressbar", name="Progress")).to_have_js_property(
        "value", 4
    )


def test_another_order_is_chosen_and_remembered(
    open_review: OpenReview, ada: User, rows: list[Prediction]
) -> None:
    Prediction.objects.filter(pk=rows[3].pk).update(margin=0.1)
    review_page = open_review(ada)
    review_page.page.locator("summary").click()
    review_page.page.get_by_role("button", name="Least sure first").click()
    review_page.expect_shown(rows[3])
    expect(review_page.page.locator("[data-slot=order-why]")).to_contain_text("Settles 2009")
    expect(review_page.page.get_by_role("button", name="Newest first")).to_be_hidden()
    review_page.open("")
    expect(review_page.page.locator("[data-slot=order-name]")).to_have_text("Least sure first")
    review_page.expect_shown(rows[3])


def test_an_audit_explains_itself_and_does_not_disclose_the_label(
    open_review: OpenReview, ada: User, grace: User, complaints: list[str]
) -> None:
    row = make_prediction(3, audit_key=0.5, label=NOT_A_DIGIT, labelled_by=grace)
    review_page = open_review(ada)
    audit = review_page.page.get_by_text("Random check.", exact=True)
    expect(audit).to_be_visible()
    assert "not a digit" not in review_page.card.inner_text()
    review_page.press("3")
    expect(review_page.note).to_contain_text("grace has already labelled this “not a digit”.")
    review_page.button("Overrule: 3").click()
    expect(review_page.done).to_be_visible()
    row.refresh_from_db()
    assert (row.label, row.audited_at is not None) == (3, True)
    complaints.clear()


def test_a_queue_of_one_digit(open_review: OpenReview, ada: User, rows: list[Prediction]) -> None:
    review_page = open_review(ada, "?digit=3")
    review_page.expect_shown(rows[3])
    review_page.press("3")
    expect(review_page.done).to_be_visible()
    review_page.page.get_by_role("link", name="Review the rest of the queue").click()
    expect(review_page.progress).to_have_text("0 of 4")


def test_the_end_of_the_queue_says_what_to_do_next_and_finds_new_drawings(
    open_review: OpenReview, ada: User, rows: list[Prediction]
) -> None:
    review_page = open_review(ada)
    review_page.press("s", "1", "2", "3", "4")
    expect(review_page.done).to_be_visible()
    expect(review_page.page.get_by_text("You have labelled 4. Thank you!")).to_be_visible()
    expect(review_page.page.get_by_text("Skipped by you: 1.")).to_be_visible()
    expect(
        review_page.page.get_by_role("main").get_by_role("link", name="Predictions").last
    ).to_be_visible()
    review_page.button("Check again").click()
    expect(review_page.message).to_contain_text("No new drawings yet.")
    expect(review_page.done).to_be_visible()
    new = make_prediction(9)
    review_page.button("Check again").click()
    review_page.expect_shown(new)


def test_new_drawings_appear_by_themselves(
    open_review: OpenReview, ada: User, rows: list[Prediction]
) -> None:
    review_page = open_review(ada)
    review_page.page.clock.install()
    review_page.open()
    review_page.press("0", "1", "2", "3", "4")
    expect(review_page.done).to_be_visible()
    link = review_page.page.get_by_role("region", name="All done").get_by_role("link").first
    link.focus()
    with review_page.page.expect_response("**/review/next/") as nothing:
        review_page.page.clock.run_for("01:10")
    assert nothing.value.json()["drawings"] == []
    expect(link).to_be_focused()
    new = make_prediction(9)
    for _ in range(20):
        # While an answer is on its way nothing more is asked.
        review_page.page.clock.run_for("01:00")
        if review_page.card.is_visible():
            break
    review_page.expect_shown(new)


# For everybody ----------------------------------------------------------------------------------


def test_the_help_opens_and_closes_by_key(
    open_review: OpenReview, ada: User, rows: list[Prediction]
) -> None:
    review_page = open_review(ada)
    review_page.press("?")
    dialog = review_page.page.get_by_role("dialog", name="How the review queue works")
    expect(dialog).to_be_visible()
    review_page.press("7", "x", "u")
    expect(dialog.get_by_role("row", name=re.compile("Undo, up to ten steps"))).to_be_visible()
    review_page.press("Escape")
    expect(dialog).to_be_hidden()
    review_page.button("Help ?").click()
    expect(dialog).to_be_visible()
    review_page.press("?")
    expect(dialog).to_be_hidden()
    review_page.expect_shown(rows[0])
    assert labels(rows) == [None] * 5


def test_single_keys_can_be_switched_off(
    open_review: OpenReview, ada: User, rows: list[Prediction]
) -> None:
    review_page = open_review(ada)
    review_page.press("?")
    review_page.page.get_by_label("Single-key shortcuts").uncheck()
    review_page.button("Close").click()
    review_page.press("7", "s", "Enter")
    review_page.button("Label 8").click()
    review_page.expect_shown(rows[1])
    review_page.open()
    review_page.press("7")
    review_page.expect_shown(rows[1])
    review_page.expect_saved()
    assert labels(rows) == [8, None, None, None, None]


def test_the_parts_have_names_for_a_screen_reader(
    open_review: OpenReview, ada: User, rows: list[Prediction]
) -> None:
    page = open_review(ada).page
    expect(page.get_by_role("heading", level=1)).to_have_text("Review queue")
    expect(page.get_by_role("navigation", name="Review")).to_be_visible()
    expect(page.get_by_role("img", name="The drawing, predicted as 0")).to_be_visible()
    expect(page.get_by_role("table", name="The three most likely digits")).to_be_visible()
    expect(page.get_by_role("group", name="Label")).to_be_visible()
    for digit in range(10):
        expect(page.get_by_role("button", name=f"Label {digit}", exact=True)).to_be_visible()
    expect(page.get_by_role("status")).to_have_text("Predicted 0, 90.0\u00a0%.")
    unnamed = page.evaluate(
        """[...document.querySelectorAll("#review button, #review a, #review meter, #review input")]
            .filter((element) => element.checkVisibility())
            .filter((element) => !(element.textContent.trim() || element.ariaLabel
                || element.labels?.length))
            .map((element) => element.outerHTML)"""
    )
    assert unnamed == []


@pytest.mark.parametrize("width", [320, 375, 768, 1280])
def test_drawing_and_buttons_are_in_sight_at_any_width(
    open_review: OpenReview, ada: User, rows: list[Prediction], width: int
) -> None:
    height = 640 if width < 768 else 800
    review_page = open_review(ada, viewport={"width": width, "height": height})
    fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    assert review_page.page.evaluate(fits)
    parts = [
        review_page.card.locator("[data-slot=picture] img"),
        review_page.card.locator("[data-slot=seen] img"),
    ]
    parts += review_page.page.locator("[data-slot=keys] button:visible").all()
    for part in parts:
        expect(part).to_be_in_viewport(ratio=1)
    for button in review_page.page.locator("[data-slot=keys] button:visible").all():
        box = button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 40


def test_nothing_moves_under_the_mouse_when_a_message_comes(
    open_review: OpenReview, ada: User, rows: list[Prediction], complaints: list[str]
) -> None:
    review_page = open_review(ada, viewport={"width": 1280, "height": 900})

    def place() -> Any:
        return review_page.button("Label 7").bounding_box()

    before = place()
    review_page.page.route("**/review/label/", lambda route: route.fulfill(status=500))
    review_page.press("7")
    expect(review_page.message).to_contain_text("Not saved.")
    assert place() == before
    review_page.page.unroute_all()
    review_page.press("1")
    expect(review_page.note).to_be_visible()
    assert place() == before
    complaints.clear()


def test_dark_and_light_differ(open_review: OpenReview, ada: User, rows: list[Prediction]) -> None:
    def colours(scheme: str) -> list[str]:
        review_page = open_review(ada, color_scheme=scheme)
        found: list[str] = review_page.page.evaluate(
            """["#review", ".review-digit", "[data-slot=keys]"].map((part) => {
                const style = getComputedStyle(document.querySelector(part));
                return style.color + style.backgroundColor;
            })"""
        )
        return found

    assert all(light != dark for light, dark in zip(colours("light"), colours("dark"), strict=True))


def test_without_javascript_the_page_links_to_the_list(
    new_context: Any, live_server: LiveServer, log_in: Any, ada: User, rows: list[Prediction]
) -> None:
    context = new_context(java_script_enabled=False)
    log_in(context, ada)
    page = context.new_page()
    page.goto(live_server.url + PATH)
    # Playwright's text selectors pass over what stands in a <noscript>.
    expect(page.locator("noscript p")).to_contain_text("This page needs JavaScript.")
    expect(page.locator("#review")).to_be_hidden()
    page.locator("noscript a").click()
    expect(page.get_by_role("table").get_by_role("row")).to_have_count(6)


def test_a_reviewer_who_logs_in_is_one_click_from_the_queue(
    page: Page, live_server: LiveServer, ada: User, rows: list[Prediction]
) -> None:
    ada.set_password("correct horse")
    ada.save()
    page.goto(live_server.url + "/admin/")
    page.get_by_label("Username").fill("ada")
    page.get_by_label("Password").fill("correct horse")
    page.get_by_role("button", name="Log in").click()
    page.get_by_role("link", name="Review queue").click()
    expect(page.get_by_role("region", name="Drawing", exact=True)).to_be_visible()
    first = page.locator("[data-slot=link]").get_attribute("href") or ""
    assert UUID(first.split("/")[-3]) in {row.pk for row in rows}
