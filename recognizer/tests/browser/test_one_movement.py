"""Drawing and correcting in one movement: on the screens of phones and of a computer."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import Locator, expect

from recognizer.models import Prediction, PublicLink, RememberedDrawing
from recognizer.tests.browser.draw_page import DrawPage
from recognizer.tests.support import drawings

pytestmark = pytest.mark.django_db

SCREENS: dict[str, dict[str, Any]] = {
    "small phone": {"viewport": {"width": 360, "height": 640}, "has_touch": True},
    "phone": {"viewport": {"width": 390, "height": 844}, "has_touch": True},
    "phone, sideways": {"viewport": {"width": 844, "height": 390}, "has_touch": True},
    "computer": {"viewport": {"width": 1280, "height": 800}},
}


def _open(name: str, open_draw_page: Any) -> DrawPage:
    options = SCREENS[name]
    draw_page: DrawPage = open_draw_page(**options, is_mobile="has_touch" in options)
    return draw_page


@pytest.fixture(params=SCREENS)
def screen(request: pytest.FixtureRequest, open_draw_page: Any) -> DrawPage:
    return _open(request.param, open_draw_page)


@pytest.fixture(params=["small phone", "computer"])
def draw_page(request: pytest.FixtureRequest, open_draw_page: Any) -> DrawPage:
    """Return the page on the smallest screen, and on a large one."""
    return _open(request.param, open_draw_page)


def _is_on_screen(draw_page: DrawPage, part: Locator) -> bool:
    """Tell whether all of a part can be seen without scrolling."""
    box, size = part.bounding_box(), draw_page.page.viewport_size
    assert box is not None
    assert size is not None
    return box["y"] >= 0 and box["y"] + box["height"] <= size["height"]


def _boxes(draw_page: DrawPage) -> dict[str, Any]:
    """Return where the canvas, the answer and each button for a correction are."""
    parts = {
        "canvas": draw_page.canvas,
        "answer": draw_page.sentence,
        "save": draw_page.save,
        "undo": draw_page.page.locator("#undo"),
        "clear": draw_page.clear,
    }
    buttons = draw_page.page.locator("#feedback button[aria-pressed]:visible").all()
    parts |= {f"button {number}": button for number, button in enumerate(buttons)}
    return {name: part.bounding_box() for name, part in parts.items()}


def test_ten_digits_are_drawn_and_corrected_by_a_press_each_without_scrolling(
    screen: DrawPage,
) -> None:
    size = screen.page.viewport_size
    assert size is not None
    before = None
    for digit in range(10):
        for stroke in screen.strokes(digit, seed=1):
            screen.drag(stroke)
        expect(screen.answer).to_have_attribute("data-live", "")
        boxes = _boxes(screen)
        for name, box in boxes.items():
            assert box is not None, name
            assert box["y"] >= 0, name
            assert box["y"] + box["height"] <= size["height"], name
            assert box["x"] + box["width"] <= size["width"], name
        # What is pressed stays where it is.
        places = {name: (box["x"], box["y"]) for name, box in boxes.items() if "button" in name}
        assert before is None or len(places) != len(before) or places == before
        before = places
        said = (digit + 1) % 10
        screen.page.locator(f"#feedback .feedback-digits button[value='{said}']").click()
        expect(screen.entries).to_have_count(digit + 1)
        expect(screen.page.locator("#feedback")).to_have_attribute("data-state", "saved")
    assert screen.page.evaluate("scrollY") == 0
    assert screen.has_no_sideways_scroll()
    stored = Prediction.objects.order_by("created_at").values_list("suggestion", flat=True)
    assert list(stored) == [(digit + 1) % 10 for digit in range(10)]


def test_a_refusal_shows_a_question_mark_and_one_button_for_it(draw_page: DrawPage) -> None:
    for stroke in drawings.CROSS:
        draw_page.drag([draw_page.at(x, y) for x, y in stroke])
    expect(draw_page.digit).to_have_text("?")
    expect(draw_page.answer).to_contain_text("Draw one digit, or say what it is.")
    feedback = draw_page.page.locator("#feedback")
    expect(feedback.locator("[data-slot=right]")).to_be_hidden()
    expect(feedback.get_by_role("button", name="Not a digit")).to_have_count(1)
    # "Correct" by key is what the person was told.
    draw_page.page.keyboard.press("y")
    expect(feedback).to_contain_text("You said: not a digit.")
    expect(draw_page.entries.first.locator("[data-slot=digit]")).to_have_text("?")
    expect(draw_page.entries.first.locator("[data-slot=said]")).to_have_text("You: correct")


def test_the_correction_that_decided_a_guess_can_be_undone_there(draw_page: DrawPage) -> None:
    def cross(lean: float) -> None:
        for stroke in drawings.CROSS:
            draw_page.drag([draw_page.at(x + lean * (0.5 - y), y) for x, y in stroke])

    cross(0)
    expect(draw_page.digit).to_have_text("?")
    draw_page.page.keyboard.press("4")
    expect(draw_page.page.locator("#feedback")).to_contain_text("Thank you.")
    cross(0.03)
    draw_page.expect_answer(4)
    personal = draw_page.page.locator("#personal")
    expect(personal).to_contain_text("From your corrections.")

    undo = personal.get_by_role("button", name="Undo that correction")
    assert _is_on_screen(draw_page, undo)
    undo.click()

    expect(draw_page.digit).to_have_text("?")
    expect(personal).to_be_hidden()
    assert not RememberedDrawing.objects.exists()
    assert Prediction.objects.get().suggestion is None


def test_after_a_save_the_next_stroke_begins_a_new_drawing_and_undo_brings_the_last_back(
    draw_page: DrawPage,
) -> None:
    draw_page.draw(3)
    draw_page.save.click()
    expect(draw_page.save).to_have_text("Saved")

    draw_page.drag([draw_page.at(0.5, 0.2), draw_page.at(0.5, 0.8)])

    draw_page.expect_answer(1)
    expect(draw_page.save).to_have_text("Save")
    expect(draw_page.page.locator("#feedback")).to_contain_text("Nothing is saved until")
    draw_page.page.locator("#undo").click()
    draw_page.expect_answer(3)
    expect(draw_page.save).to_have_text("Saved")
    expect(draw_page.page.locator("#feedback")).to_contain_text("Saved. Say what it was")
    assert Prediction.objects.count() == 1


def test_clear_gives_the_pen_back(draw_page: DrawPage) -> None:
    eraser = draw_page.page.get_by_role("button", name="Eraser")
    draw_page.drag([draw_page.at(0.5, 0.2), draw_page.at(0.5, 0.8)])
    eraser.click()
    draw_page.clear.click()
    expect(eraser).to_have_attribute("aria-pressed", "false")
    draw_page.drag([draw_page.at(0.5, 0.2), draw_page.at(0.5, 0.8)])
    assert draw_page.has_ink(0.5, 0.5)


def test_the_eraser_leaves_no_slivers(draw_page: DrawPage, complaints: list[str]) -> None:
    line = [draw_page.at(0.2 + x / 50, 0.5) for x in range(31)]
    draw_page.drag(line)
    draw_page.page.get_by_role("button", name="Eraser").click()
    # As steady as a hand is.
    draw_page.drag([(x, y + (-1) ** index * 3) for index, (x, y) in enumerate(line)])
    assert draw_page.ink() == 0
    expect(draw_page.sentence).to_have_text("Draw a digit from 0 to 9.")
    expect(draw_page.digit).to_be_empty()
    # The browser reports the refused guess.
    complaints.clear()


def test_offline_the_note_says_so(draw_page: DrawPage, complaints: list[str]) -> None:
    draw_page.page.context.set_offline(True)
    draw_page.draw(3)
    expect(draw_page.sentence).to_have_text("Can't reach the site. Live guesses are paused.")
    draw_page.save.click()
    draw_page.expect_kept("It will be sent automatically when the site can be reached again.")
    assert _is_on_screen(draw_page, draw_page.message)
    complaints.clear()


def test_a_link_shows_its_drawing_and_can_be_made_public(
    draw_page: DrawPage, live_server: Any
) -> None:
    draw_page.draw(3)
    draw_page.save.click()
    expect(draw_page.entries).to_have_count(1)
    own = draw_page.answer.get_by_role("link", name="Link to this").get_attribute("href")
    draw_page.answer.get_by_role("button", name="Make a public link").click()
    field = draw_page.answer.locator("[data-slot=public-url]")
    expect(field).to_be_visible()
    url = field.input_value()
    assert Client().get(url.removeprefix(live_server.url)).status_code == 200

    draw_page.open(f"/{own}")
    picture = draw_page.page.locator("#board-picture")
    expect(picture).to_be_visible()
    width = picture.evaluate("(image) => image.decode().then(() => image.naturalWidth)")
    assert width == 512
    assert _is_on_screen(draw_page, picture)
    expect(draw_page.save).to_have_text("Saved")
    draw_page.answer.get_by_role("button", name="Revoke the public link").click()
    expect(field).to_be_hidden()
    assert not PublicLink.objects.exists()
    # The next stroke begins a new drawing.
    draw_page.drag([draw_page.at(0.5, 0.2), draw_page.at(0.5, 0.8)])
    expect(picture).to_be_hidden()
    draw_page.expect_answer(1)
