"""Numbers on the page: drawn, shown as one answer, and corrected in one movement."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from recognizer.models import Prediction
from recognizer.tests.browser.draw_page import DrawPage
from recognizer.tests.support.drawings import number_strokes

pytestmark = pytest.mark.django_db

SCREENS: dict[str, dict[str, Any]] = {
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True},
    "computer": {"viewport": {"width": 1280, "height": 800}},
}


@pytest.fixture(params=SCREENS)
def screen(request: pytest.FixtureRequest, open_draw_page: Any) -> DrawPage:
    draw_page: DrawPage = open_draw_page(**SCREENS[request.param])
    return draw_page


def draw_number(draw_page: DrawPage, number: str) -> None:
    """Draw a number, and wait until it is the live guess."""
    for stroke in number_strokes(number)["strokes"]:
        draw_page.drag(draw_page.at(x / 280, y / 280) for x, y in stroke)
    expect(draw_page.digit).to_have_text(number)
    expect(draw_page.answer).to_have_attribute("data-live", "")


def stored() -> tuple[str, str, int | None]:
    row = Prediction.objects.get()
    return row.number, row.number_suggestion, row.suggestion


def test_a_wrong_digit_typed_over_saves_the_drawing_with_the_number(screen: DrawPage) -> None:
    draw_number(screen, "42")
    expect(screen.sentence).to_have_text("That looks like the number 42.")
    wrong = screen.page.get_by_label("Digit 2 of 2")
    size, box = screen.page.viewport_size, wrong.bounding_box()
    assert size is not None
    assert box is not None
    # It can be corrected without scrolling.
    assert box["y"] + box["height"] <= size["height"]
    assert screen.has_no_sideways_scroll()

    wrong.click()
    screen.page.keyboard.type("7")

    expect(screen.page.locator("#feedback .feedback-thanks")).to_contain_text("the number 47")
    expect(screen.entries).to_contain_text("You: 47")
    assert stored() == ("42", "47", None)
    expect(wrong).to_have_value("7")

    screen.page.get_by_role("button", name="Undo my answer").click()

    expect(wrong).to_have_value("2")
    expect(screen.entries).not_to_contain_text("You: 47")
    assert stored() == ("42", "", None)


def test_the_whole_number_is_typed_on_the_keyboard(screen: DrawPage) -> None:
    draw_number(screen, "42")

    screen.page.keyboard.type("427")
    screen.page.keyboard.press("Enter")

    expect(screen.page.locator("#feedback .feedback-thanks")).to_contain_text("the number 427")
    assert stored() == ("42", "427", None)
    expect(screen.page.get_by_label("Digit 3 of 3")).to_have_value("7")


def test_one_press_says_that_a_number_is_correct(screen: DrawPage) -> None:
    draw_number(screen, "42")

    screen.page.keyboard.press("y")

    expect(screen.entries).to_contain_text("You: correct")
    assert stored() == ("42", "42", None)


def test_the_next_digit_is_no_number(screen: DrawPage) -> None:
    draw_number(screen, "42")
    screen.page.keyboard.press("Enter")
    expect(screen.entries).to_have_count(1)
    expect(screen.entries.locator("[data-slot=digit]")).to_have_text("42")

    screen.draw(3)

    screen.expect_answer(3)
    expect(screen.page.locator("#number")).to_be_hidden()
    expect(screen.page.get_by_role("button", name="3", exact=True)).to_be_visible()


def test_a_stored_number_is_shown_and_corrected_by_its_link(screen: DrawPage) -> None:
    draw_number(screen, "42")
    screen.page.keyboard.press("Enter")
    expect(screen.entries).to_have_count(1)
    identifier = Prediction.objects.get().pk

    screen.open(f"/?prediction={identifier}#answer")

    expect(screen.digit).to_have_text("42")
    screen.page.get_by_label("Digit 1 of 2").click()
    screen.page.keyboard.type("9")
    expect(screen.page.locator("#feedback .feedback-thanks")).to_contain_text("the number 92")
    assert stored() == ("42", "92", None)


def test_a_number_is_shown_and_corrected_without_javascript(
    open_draw_page: Any, new_context: Any
) -> None:
    draw_page = open_draw_page()
    draw_number(draw_page, "42")
    draw_page.page.keyboard.press("Enter")
    expect(draw_page.entries).to_have_count(1)
    identifier = Prediction.objects.get().pk
    state = draw_page.page.context.storage_state()
    plain = new_context(java_script_enabled=False, storage_state=state).new_page()

    plain.goto(f"{draw_page.url}/?prediction={identifier}")

    expect(plain.locator("#answer .answer-digit")).to_have_text("42")
    assert [each.input_value() for each in plain.locator(".number-part").all()] == ["4", "2"]
    plain.locator("#number [name=number]").fill("48")
    plain.locator("#number button").click()
    expect(plain.locator("#feedback .feedback-thanks")).to_contain_text("the number 48")
    assert stored() == ("42", "48", None)
