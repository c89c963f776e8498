"""The review queue as a reviewer uses it: look, press a key, look at the next one."""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.utils import timezone
from playwright.sync_api import Page, Route, expect
from pytest_django.live_server_helper import LiveServer

from recognizer.labelling import labels as labelling_labels
from recognizer.models import LabelEvent, Prediction, ReviewClaim, ReviewSkip, Via
from recognizer.tests.browser.conftest import listen
from recognizer.tests.support.reviewing import (
    LIST,
    NOT_A_DIGIT,
    label_of,
    make_prediction,
    make_staff,
)

PATH = LIST + "review/"
OpenDesk = Callable[..., "ReviewDesk"]


class ReviewDesk:
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

    def open(self, query: str = "?order=newest") -> ReviewDesk:
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

    def open_one(who: User, query: str = "?order=newest", **options: Any) -> ReviewDesk:
        context = new_context(**options)
        listen(context, complaints)
        log_in(context, who)
        return ReviewDesk(context.new_page(), live_server.url).open(query)

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
    open_review: OpenDesk, ada: User, rows: list[Prediction]
) -> None:
    desk = open_review(ada)
    for row, key in zip(rows, ["7", "Enter", " ", "x", "X"], strict=True):
        desk.expect_shown(row)
        desk.press(key)
    expect(desk.done).to_be_visible()
    desk.expect_saved()
    assert labels(rows) == [7, 1, 2, NOT_A_DIGIT, NOT_A_DIGIT]
    assert set(LabelEvent.objects.values_list("by__username", "via")) == {("ada", "queue")}


def test_a_refused_drawing_is_confirmed_as_no_digit(open_review: OpenDesk, ada: User) -> None:
    row = make_prediction(7, verdict="not_a_digit")
    desk = open_review(ada)
    expect(desk.read).to_have_text("Rejected; closest to 7")
    expect(desk.page.locator("[data-slot=confirm]")).to_have_text("Confirm: not a digit Enter")
    desk.press("Enter")
    expect(desk.done).to_be_visible()
    assert label_of(row) == NOT_A_DIGIT


def test_the_mouse_does_the_same(open_review: OpenDesk, ada: User, rows: list[Prediction]) -> None:
    desk = open_review(ada)
    desk.button("Label 8").click()
    desk.expect_shown(rows[1])
    desk.button("Confirm: 1 Enter").click()
    desk.expect_shown(rows[2])
    desk.button("Not a digit X").click()
    desk.expect_shown(rows[3])
    desk.button("Skip S").click()
    desk.expect_shown(rows[4])
    desk.button("Undo U").click()
    desk.expect_shown(rows[3])
    desk.expect_saved()
    assert labels(rows) == [8, 1, NOT_A_DIGIT, None, None]
    assert not ReviewSkip.objects.exists()


def test_enter_after_a_click_confirms_and_does_not_click_again(
    open_review: OpenDesk, ada: User, rows: list[Prediction]
) -> None:
    desk = open_review(ada)
    desk.button("Label 8").click()
    desk.expect_shown(rows[1])
    desk.press("Enter")
    desk.expect_shown(rows[2])
    desk.expect_saved()
    assert labels(rows)[:2] == [8, 1]


def test_a_finger_does_the_same(open_review: OpenDesk, ada: User, rows: list[Prediction]) -> None:
    desk = open_review(ada, viewport={"width": 375, "height": 667}, has_touch=True)
    desk.button("Label 8").tap()
    desk.expect_shown(rows[1])
    desk.page.locator("[data-slot=confirm]").tap()
    desk.expect_shown(rows[2])
    desk.expect_saved()
    assert labels(rows)[:2] == [8, 1]


def test_twenty_keys_typed_fast_label_twenty_drawings_in_order(
    open_review: OpenDesk, ada: User
) -> None:
    rows = make_rows(60)
    wanted = [(index * 7 + 3) % 10 for index in range(20)]
    desk = open_review(ada)
    desk.page.keyboard.type("".join(map(str, wanted)))
    desk.expect_shown(rows[20])
    desk.expect_saved()
    assert labels(rows) == [*wanted, *[None] * 40]
    expect(desk.progress).to_have_text("20 of 60")


def test_a_key_held_down_labels_one_drawing(
    open_review: OpenDesk, ada: User, rows: list[Prediction]
) -> None:
    desk = open_review(ada)
    for _ in range(4):
        desk.page.keyboard.down("7")
    desk.page.keyboard.up("7")
    desk.expect_shown(rows[1])
    desk.expect_saved()
    assert labels(rows) == [7, None, None, None, None]


def test_a_key_with_a_modifier_is_the_browsers(
    open_review: OpenDesk, ada: User, rows: list[Prediction]
) -> None:
    desk = open_review(ada)
    desk.press("Control+7", "Alt+x")
    desk.press("Enter")
    desk.expect_shown(rows[1])
    desk.expect_saved()
    assert labels(rows)[0] == 0


def test_the_next_drawings_are_loaded_before_their_turn(
    open_review: OpenDesk, ada: User, rows: list[Prediction]
) -> None:
    desk = open_review(ada)
    # Nothing is answered any more.
    desk.page.route("**/review/**", lambda route: None)
    for row in rows[1:]:
        desk.press("s")
        desk.expect_shown(row)
        width = desk.card.locator("[data-slot=picture] img").evaluate(
            "(image) => image.complete && image.naturalWidth"
        )
        assert width == 140


def test_no_page_is_loaded_again(open_review: OpenDesk, ada: User, rows: list[Prediction]) -> None:
    desk = open_review(ada)
    loads: list[str] = []
    desk.page.on("load", lambda page: loads.append(page.url))
    desk.press("1", "2", "3", "4", "5")
    expect(desk.done).to_be_visible()
    assert loads == []


# Undo -----------------------------------------------------------------------------------------


def test_ten_steps_are_taken_back(open_review: OpenDesk, ada: User) -> None:
    rows = make_rows(12)
    desk = open_review(ada)
    for index in range(12):
        desk.expect_shown(rows[index])
        desk.press("s" if index == 6 else "5")
    expect(desk.done).to_be_visible()
    expect(desk.steps).to_have_count(10)
    for index in reversed(range(2, 12)):
        desk.press("Backspace" if index % 2 else "u")
        desk.expect_shown(rows[index])
    desk.press("u")
    expect(desk.message).to_contain_text("Nothing to undo.")
    desk.expect_saved()
    assert labels(rows) == [5, 5, *[None] * 10]
    assert not ReviewSkip.objects.exists()
    expect(desk.progress).to_have_text("2 of 12")


def test_undo_right_after_a_key_leaves_no_label(
    open_review: OpenDesk, ada: User, rows: list[Prediction]
) -> None:
    desk = open_review(ada)
    desk.page.keyboard.type("7u8u9")
    desk.expect_shown(rows[1])
    desk.expect_saved()
    assert labels(rows) == [9, None, None, None, None]


def test_the_last_label_is_taken_back_by_mouse_when_all_is_done(
    open_review: OpenDesk, ada: User
) -> None:
    row = make_prediction(3)
    desk = open_review(ada)
    desk.press("8")
    expect(desk.done).to_be_visible()
    desk.button("Undo the last step").click()
    desk.expect_shown(row)
    desk.expect_saved()
    assert label_of(row) is None


def test_the_last_steps_are_shown(open_review: OpenDesk, ada: User, rows: list[Prediction]) -> None:
    desk = open_review(ada)
    desk.press("7", "x", "s")
    expect(desk.steps).to_have_count(3)
    assert [each.get_attribute("aria-label") for each in desk.steps.all()] == [
        "skipped",
        "not a digit",
        "7",
    ]


# What goes wrong ------------------------------------------------------------------------------


def test_a_label_that_is_not_sent_comes_back_with_a_message(
    open_review: OpenDesk, ada: User, rows: list[Prediction], complaints: list[str]
) -> None:
    desk = open_review(ada)
    desk.page.context.set_offline(True)
    desk.press("7")
    expect(desk.message).to_contain_text(
        "Not saved. The site can't be reached. You'll see it next."
    )
    # The drawing that is looked at stays: the next key is meant for it.
    desk.expect_shown(rows[1])
    expect(desk.progress).to_have_text("0 of 5")
    expect(desk.steps).to_have_count(0)
    desk.page.context.set_offline(False)
    desk.press("1")
    desk.expect_shown(rows[0])
    expect(desk.note).to_contain_text("Not saved. The site can't be reached.")
    desk.button("Label it 7 again").click()
    desk.expect_shown(rows[2])
    expect(desk.note).to_be_hidden()
    desk.expect_saved()
    assert labels(rows) == [7, 1, None, None, None]
    assert complaints
    complaints.clear()


def test_all_that_waits_comes_back_in_order(
    open_review: OpenDesk, ada: User, rows: list[Prediction], complaints: list[str]
) -> None:
    desk = open_review(ada)
    held: list[Route] = []
    desk.page.route("**/review/label/", lambda route: held.append(route))
    desk.press("7", "8", "9")
    desk.expect_shown(rows[3])
    expect(desk.saving).to_have_text("saving…")
    desk.page.wait_for_timeout(0)
    held[0].abort()
    expect(desk.message).to_contain_text("The site can't be reached.")
    desk.page.unroute_all(behavior="ignoreErrors")
    desk.press("3")
    for row in rows[:3]:
        desk.expect_shown(row)
        desk.press("Enter")
    desk.expect_shown(rows[4])
    desk.expect_saved()
    assert labels(rows) == [0, 1, 2, 3, None]
    complaints.clear()


@pytest.mark.parametrize(
    ("status", "body", "message"),
    [
        (500, "<h1>Server Error</h1>", "Something went wrong on the site."),
        (502, "", "Something went wrong on the site."),
        (403, "<h1>CSRF</h1>", "You need to log in again."),
    ],
)
def test_an_error_of_the_site_brings_the_drawing_back(
    open_review: OpenDesk,
    ada: User,
    rows: list[Prediction],
    complaints: list[str],
    status: int,
    body: str,
    message: str,
) -> None:
    desk = open_review(ada)
    desk.page.route(
        "**/review/label/",
        lambda route: route.fulfill(status=status, body=body, content_type="text/html"),
    )
    desk.press("7")
    expect(desk.message).to_contain_text(f"Not saved. {message}")
    desk.page.unroute_all()
    desk.press("1")
    desk.expect_shown(rows[0])
    desk.press("0")
    desk.expect_shown(rows[2])
    desk.expect_saved()
    assert labels(rows)[:3] == [0, 1, None]
    complaints.clear()


def test_a_session_that_has_ended_shows_the_way_to_the_login(
    open_review: OpenDesk, ada: User, rows: list[Prediction], complaints: list[str]
) -> None:
    desk = open_review(ada)
    Session.objects.all().delete()
    desk.press("7")
    expect(desk.message).to_contain_text("You are logged out. Log in again.")
    expect(desk.page.get_by_role("link", name="Log in in another tab")).to_be_visible()
    assert labels(rows)[0] is None
    complaints.clear()


def test_a_drawing_deleted_meanwhile_is_left_out(
    open_review: OpenDesk, ada: User, rows: list[Prediction], complaints: list[str]
) -> None:
    desk = open_review(ada)
    Prediction.objects.filter(pk=rows[0].pk).delete()
    desk.press("7")
    expect(desk.message).to_contain_text("This drawing has been deleted.")
    desk.press("1", "2", "3", "4")
    expect(desk.done).to_be_visible()
    assert labels(rows[1:]) == [1, 2, 3, 4]
    complaints.clear()


def test_where_no_drawing_arrives_it_can_be_tried_again(
    open_review: OpenDesk, ada: User, rows: list[Prediction], complaints: list[str]
) -> None:
    desk = open_review(ada)
    desk.page.route("**/review/next/", lambda route: route.abort())
    desk.page.reload()
    expect(desk.message).to_contain_text("The site can't be reached.")
    desk.page.unroute_all()
    desk.button("Try again").click()
    desk.expect_shown(rows[0])
    complaints.clear()


def test_what_was_pressed_last_is_stored_although_the_page_is_left(
    open_review: OpenDesk, ada: User, rows: list[Prediction]
) -> None:
    desk = open_review(ada)
    desk.page.on("dialog", lambda dialog: dialog.accept())
    desk.page.keyboard.type("789")
    desk.page.goto(desk.url + LIST)
    expect(desk.page.get_by_role("link", name="Review queue")).to_be_visible()
    for _ in range(3000):
        if labels(rows)[:3] == [7, 8, 9] and not ReviewClaim.objects.exists():
            break
        desk.page.wait_for_timeout(100)
    assert labels(rows) == [7, 8, 9, None, None]
    assert not ReviewClaim.objects.exists()


# Two reviewers --------------------------------------------------------------------------------


def test_two_reviewers_see_different_drawings(
    open_review: OpenDesk, ada: User, grace: User
) -> None:
    rows = make_rows(30)
    first, second = open_review(ada), open_review(grace)
    first.expect_shown(rows[0])
    second.expect_shown(rows[24])
    for desk in (first, second):
        desk.press("7", "7", "7")
        expect(desk.steps).to_have_count(3)
        desk.expect_saved()
    assert LabelEvent.objects.filter(via=Via.QUEUE).count() == 6
    first.page.goto("about:blank")
    second.press("s", "s", "s")
    second.expect_shown(rows[3])


@pytest.mark.parametrize(
    ("choice", "final", "who"), [("Keep 7", 7, "grace"), ("Overrule: 3", 3, "ada")]
)
def test_a_label_that_somebody_set_meanwhile_is_shown_and_the_reviewer_decides(
    open_review: OpenDesk,
    ada: User,
    grace: User,
    rows: list[Prediction],
    complaints: list[str],
    choice: str,
    final: int,
    who: str,
) -> None:
    desk = open_review(ada)
    labelling_labels.label_predictions(predictions=[rows[0].pk], label=7, by=grace)
    desk.press("3")
    expect(desk.message).to_contain_text("grace has labelled this “7” in the meantime.")
    desk.press("1")
    desk.expect_shown(rows[0])
    expect(desk.note).to_contain_text("grace has labelled this “7” in the meantime.")
    assert label_of(rows[0]) == 7
    desk.button(choice).click()
    desk.expect_shown(rows[2])
    desk.expect_saved()
    rows[0].refresh_from_db()
    assert rows[0].labelled_by is not None
    assert (rows[0].label, rows[0].labelled_by.username) == (final, who)
    complaints.clear()


def test_a_page_that_was_looked_away_from_hears_of_a_label(
    open_review: OpenDesk, ada: User, grace: User, rows: list[Prediction]
) -> None:
    desk = open_review(ada)
    desk.page.clock.install()
    desk.open()
    labelling_labels.label_predictions(predictions=[rows[0].pk, rows[1].pk], label=7, by=grace)
    desk.page.clock.run_for("02:00")
    expect(desk.note).to_contain_text("grace has labelled this “7” in the meantime.")
    desk.button("Keep 7").click()
    desk.expect_shown(rows[2])


# Progress, order, random checks -----------------------------------------------------------------


def test_progress_and_pace_are_shown(
    open_review: OpenDesk, ada: User, rows: list[Prediction]
) -> None:
    desk = open_review(ada)
    expect(desk.progress).to_have_text("0 of 5")
    desk.press("1", "2", "3", "4")
    expect(desk.progress).to_have_text("4 of 5")
    expect(desk.page.locator("[data-slot=pace]")).to_have_text(re.compile(r"^[\d,]+ a minute$"))
    expect(desk.page.get_by_role("progressbar", name="Progress")).to_have_js_property("value", 4)


def test_another_order_is_chosen_and_remembered(
    open_review: OpenDesk, ada: User, rows: list[Prediction]
) -> None:
    Prediction.objects.filter(pk=rows[3].pk).update(margin=0.1)
    desk = open_review(ada)
    desk.page.locator("summary").click()
    desk.page.get_by_role("button", name="Least sure first").click()
    desk.expect_shown(rows[3])
    expect(desk.page.locator("[data-slot=order-why]")).to_contain_text("Settles 2009")
    expect(desk.page.get_by_role("button", name="Newest first")).to_be_hidden()
    desk.open("")
    expect(desk.page.locator("[data-slot=order-name]")).to_have_text("Least sure first")
    desk.expect_shown(rows[3])


def test_a_random_check_says_why_and_keeps_the_label_to_itself(
    open_review: OpenDesk, ada: User, grace: User, complaints: list[str]
) -> None:
    row = make_prediction(3, audit_key=0.5, label=NOT_A_DIGIT, labelled_by=grace)
    desk = open_review(ada)
    audit = desk.page.get_by_text("Random check.", exact=True)
    expect(audit).to_be_visible()
    assert "not a digit" not in desk.card.inner_text()
    desk.press("3")
    expect(desk.note).to_contain_text("grace has already labelled this “not a digit”.")
    desk.button("Overrule: 3").click()
    expect(desk.done).to_be_visible()
    row.refresh_from_db()
    assert (row.label, row.audited_at is not None) == (3, True)
    complaints.clear()


def test_a_queue_of_one_digit(open_review: OpenDesk, ada: User, rows: list[Prediction]) -> None:
    desk = open_review(ada, "?digit=3")
    desk.expect_shown(rows[3])
    desk.press("3")
    expect(desk.done).to_be_visible()
    desk.page.get_by_role("link", name="Review the rest of the queue").click()
    expect(desk.progress).to_have_text("0 of 4")


def test_all_done_says_what_to_do_next_and_sees_new_drawings(
    open_review: OpenDesk, ada: User, rows: list[Prediction]
) -> None:
    desk = open_review(ada)
    desk.press("s", "1", "2", "3", "4")
    expect(desk.done).to_be_visible()
    expect(desk.page.get_by_text("You have labelled 4. Thank you!")).to_be_visible()
    expect(desk.page.get_by_text("You skipped 1. You'll see them again")).to_be_visible()
    expect(
        desk.page.get_by_role("main").get_by_role("link", name="All drawings").last
    ).to_be_visible()
    desk.button("Check again").click()
    expect(desk.message).to_contain_text("No new drawings yet.")
    expect(desk.done).to_be_visible()
    new = make_prediction(9)
    desk.button("Check again").click()
    desk.expect_shown(new)


def test_new_drawings_appear_by_themselves(
    open_review: OpenDesk, ada: User, rows: list[Prediction]
) -> None:
    desk = open_review(ada)
    desk.page.clock.install()
    desk.open()
    desk.press("0", "1", "2", "3", "4")
    expect(desk.done).to_be_visible()
    link = desk.page.get_by_role("region", name="All done").get_by_role("link").first
    link.focus()
    with desk.page.expect_response("**/review/next/") as nothing:
        desk.page.clock.run_for("01:10")
    assert nothing.value.json()["drawings"] == []
    expect(link).to_be_focused()
    new = make_prediction(9)
    for _ in range(20):
        # While an answer is on its way nothing more is asked.
        desk.page.clock.run_for("01:00")
        if desk.card.is_visible():
            break
    desk.expect_shown(new)


# For everybody ----------------------------------------------------------------------------------


def test_the_help_opens_and_closes_by_key(
    open_review: OpenDesk, ada: User, rows: list[Prediction]
) -> None:
    desk = open_review(ada)
    desk.press("?")
    dialog = desk.page.get_by_role("dialog", name="How the review queue works")
    expect(dialog).to_be_visible()
    desk.press("7", "x", "u")
    expect(dialog.get_by_role("row", name=re.compile("Undo, up to ten steps"))).to_be_visible()
    desk.press("Escape")
    expect(dialog).to_be_hidden()
    desk.button("Help ?").click()
    expect(dialog).to_be_visible()
    desk.press("?")
    expect(dialog).to_be_hidden()
    desk.expect_shown(rows[0])
    assert labels(rows) == [None] * 5


def test_single_keys_can_be_switched_off(
    open_review: OpenDesk, ada: User, rows: list[Prediction]
) -> None:
    desk = open_review(ada)
    desk.press("?")
    desk.page.get_by_label("Single-key shortcuts").uncheck()
    desk.button("Close").click()
    desk.press("7", "s", "Enter")
    desk.button("Label 8").click()
    desk.expect_shown(rows[1])
    desk.open()
    desk.press("7")
    desk.expect_shown(rows[1])
    desk.expect_saved()
    assert labels(rows) == [8, None, None, None, None]


def test_the_parts_have_names_for_a_screen_reader(
    open_review: OpenDesk, ada: User, rows: list[Prediction]
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
    open_review: OpenDesk, ada: User, rows: list[Prediction], width: int
) -> None:
    height = 640 if width < 768 else 800
    desk = open_review(ada, viewport={"width": width, "height": height})
    fits = "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    assert desk.page.evaluate(fits)
    parts = [
        desk.card.locator("[data-slot=picture] img"),
        desk.card.locator("[data-slot=seen] img"),
    ]
    parts += desk.page.locator("[data-slot=keys] button").all()
    for part in parts:
        expect(part).to_be_in_viewport(ratio=1)
    for button in desk.page.locator("[data-slot=keys] button").all():
        box = button.bounding_box()
        assert box is not None
        assert min(box["width"], box["height"]) >= 40


def test_nothing_moves_under_the_mouse_when_a_message_comes(
    open_review: OpenDesk, ada: User, rows: list[Prediction], complaints: list[str]
) -> None:
    desk = open_review(ada, viewport={"width": 1280, "height": 900})

    def place() -> Any:
        return desk.button("Label 7").bounding_box()

    before = place()
    desk.page.context.set_offline(True)
    desk.press("7")
    expect(desk.message).to_contain_text("Not saved.")
    assert place() == before
    desk.page.context.set_offline(False)
    desk.press("1")
    expect(desk.note).to_be_visible()
    assert place() == before
    complaints.clear()


def test_dark_and_light_differ(open_review: OpenDesk, ada: User, rows: list[Prediction]) -> None:
    def colours(scheme: str) -> list[str]:
        desk = open_review(ada, color_scheme=scheme)
        found: list[str] = desk.page.evaluate(
            """["#review", ".review-digit", "[data-slot=keys]"].map((part) => {
                const style = getComputedStyle(document.querySelector(part));
                return style.color + style.backgroundColor;
            })"""
        )
        return found

    assert all(light != dark for light, dark in zip(colours("light"), colours("dark"), strict=True))


def test_without_javascript_the_list_is_shown_as_the_way(
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
