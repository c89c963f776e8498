"""Right, or what it was: said by mouse, touch and key, whatever the connection does."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from playwright.sync_api import Locator, Route, expect
from pytest_django import Settings

from recognizer.models import Label, Prediction, RememberedDrawing
from recognizer.tests.browser.draw_page import DrawPage

SUGGESTION = "**/suggestion/"
AT_ONCE = "Used for your drawings from now on."


def _choice(draw_page: DrawPage, name: str) -> Locator:
    """Return a button below the answer by its name: "4", "Not a digit", "Correct"."""
    return draw_page.page.locator("#feedback").get_by_role("button", name=name, exact=True)


def _thanks(draw_page: DrawPage) -> Locator:
    return draw_page.page.locator("#feedback [data-slot=thanks]")


def _error(draw_page: DrawPage) -> Locator:
    return draw_page.page.locator("#feedback [data-slot=feedback-error]")


def _said(draw_page: DrawPage, entry: int = 0) -> Locator:
    """Return what an entry of the history shows of the visitor's own word."""
    return draw_page.entries.nth(entry).locator("[data-slot=said]")


def _opened(draw_page: DrawPage) -> Locator:
    return draw_page.page.get_by_role("dialog")


def _ask(draw_page: DrawPage, digit: int = 3) -> DrawPage:
    """Draw a digit and wait for its answer."""
    draw_page.draw(digit, seed=0 if digit == 3 else 1)
    draw_page.save.click()
    draw_page.expect_answer(digit)
    return draw_page


def _stored() -> list[int | None]:
    return list(Prediction.objects.order_by("created_at").values_list("suggestion", flat=True))


def _expect_said(draw_page: DrawPage, name: str, sentence: str) -> None:
    """Wait until the site has what was said, and says so."""
    expect(_choice(draw_page, name)).to_have_attribute("aria-pressed", "true")
    expect(_thanks(draw_page)).to_have_text(f"Thank you. {sentence} {AT_ONCE}")


def test_a_click_corrects_the_answer_and_is_thanked_for(draw_page: DrawPage) -> None:
    _ask(draw_page)
    expect(_thanks(draw_page)).to_have_text("Saved. Say what it was, or go on with the next digit.")
    _choice(draw_page, "8").click()
    _expect_said(draw_page, "8", "You said: an 8.")
    expect(draw_page.status).to_have_text(f"Thank you. You said: an 8. {AT_ONCE}")
    expect(_said(draw_page)).to_have_text("You: 8")
    assert _stored() == [8]
    assert Prediction.objects.get().label is None
    assert RememberedDrawing.objects.get().label == 8
    # It is still there after a reload, and the page says so without thanking again.
    expect(_said(draw_page.open())).to_have_text("You: 8")


@pytest.mark.parametrize(
    ("name", "label", "sentence", "note"),
    [
        ("Correct", 3, "You said: a 3.", "You: correct"),
        ("3", 3, "You said: a 3.", "You: correct"),
        ("Not a digit", Label.NOT_A_DIGIT, "You said: not a digit.", "You: not a digit"),
        ("0", 0, "You said: a 0.", "You: 0"),
    ],
)
def test_it_works_by_touch(
    open_draw_page: Any, name: str, label: int, sentence: str, note: str
) -> None:
    draw_page = _ask(
        open_draw_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    )
    _choice(draw_page, name).tap()
    _expect_said(draw_page, name, sentence)
    expect(_said(draw_page)).to_have_text(note)
    assert _stored() == [label]


@pytest.mark.parametrize(
    ("key", "name", "label"),
    [
        ("4", "4", 4),
        ("0", "0", 0),
        ("x", "Not a digit", Label.NOT_A_DIGIT),
        ("X", "Not a digit", Label.NOT_A_DIGIT),
        ("y", "Correct", 3),
    ],
)
def test_it_works_by_keyboard(draw_page: DrawPage, key: str, name: str, label: int) -> None:
    _ask(draw_page).page.keyboard.press(key)
    expect(_choice(draw_page, name)).to_have_attribute("aria-pressed", "true")
    expect(_thanks(draw_page)).to_contain_text("Thank you.")
    assert _stored() == [label]


def test_digit_keys_work_without_shift_on_a_french_keyboard(draw_page: DrawPage) -> None:
    _ask(draw_page).page.evaluate(
        """document.body.dispatchEvent(
            new KeyboardEvent("keydown", { key: "&", code: "Digit1", bubbles: true })
        )"""
    )
    _expect_said(draw_page, "1", "You said: a 1.")


def test_one_press_saves_a_drawing_with_its_correction(draw_page: DrawPage) -> None:
    draw_page.draw(3)
    draw_page.expect_answer(3)
    _choice(draw_page, "8").click()
    _expect_said(draw_page, "8", "You said: an 8.")
    draw_page.draw(7, seed=1)
    draw_page.expect_answer(7)
    draw_page.page.keyboard.press("y")
    _expect_said(draw_page, "7", "You said: a 7.")
    assert _stored() == [8, 7]
    expect(_said(draw_page, 0)).to_have_text("You: correct")
    expect(_said(draw_page, 1)).to_have_text("You: 8")


def test_a_label_said_while_the_drawing_is_being_saved_arrives_with_it(draw_page: DrawPage) -> None:
    held: list[Route] = []
    draw_page.page.route("**/api/v1/predictions/", lambda route: held.append(route))
    draw_page.draw(3)
    draw_page.expect_answer(3)
    draw_page.page.keyboard.press("Enter")
    expect(_thanks(draw_page)).to_have_text("Saving…")
    draw_page.page.keyboard.press("5")
    expect(_choice(draw_page, "5")).to_have_attribute("aria-pressed", "true")
    held[0].continue_()
    _expect_said(draw_page, "5", "You said: a 5.")
    assert _stored() == [5]


def test_a_correction_made_offline_arrives_with_its_drawing(
    draw_page: DrawPage, complaints: list[str]
) -> None:
    draw_page.draw(3)
    draw_page.expect_answer(3)
    draw_page.page.context.set_offline(True)
    draw_page.page.keyboard.press("8")
    draw_page.expect_kept("Can't reach the site.")
    # The next digit can be drawn meanwhile.
    draw_page.drag([draw_page.at(0.5, 0.2), draw_page.at(0.5, 0.8)])
    draw_page.page.context.set_offline(False)
    expect(_said(draw_page)).to_have_text("You: 8")
    assert _stored() == [8]
    complaints[:] = [text for text in complaints if "ERR_INTERNET_DISCONNECTED" not in text]


def test_keys_do_nothing_where_they_are_ambiguous(draw_page: DrawPage) -> None:
    keyboard = draw_page.page.keyboard
    keyboard.press("4")  # There is no drawing yet.
    draw_page.draw(3)
    draw_page.expect_answer(3)
    keyboard.press("Control+4")
    keyboard.press("a")
    # The pen is down.
    draw_page.page.mouse.move(*draw_page.at(0.1, 0.9))
    draw_page.page.mouse.down()
    keyboard.press("4")
    draw_page.page.mouse.up()
    draw_page.clear.click()
    keyboard.press("4")
    draw_page.page.wait_for_timeout(300)
    assert not Prediction.objects.exists()


def test_the_keys_can_be_turned_off_permanently(draw_page: DrawPage) -> None:
    _ask(draw_page)
    name = re.compile("Shortcuts: Y correct, 0–9 what it was")
    draw_page.page.get_by_role("checkbox", name=name).uncheck()
    draw_page.page.keyboard.press("4")
    draw_page.open()
    _ask(draw_page)
    toggle = draw_page.page.get_by_role("checkbox", name=re.compile("Shortcuts:"))
    expect(toggle).not_to_be_checked()
    draw_page.page.keyboard.press("5")
    toggle.check()
    draw_page.page.keyboard.press("6")
    _expect_said(draw_page, "6", "You said: a 6.")
    assert _stored() == [None, 6]


def test_another_click_changes_the_correction(draw_page: DrawPage) -> None:
    _ask(draw_page)
    _choice(draw_page, "8").click()
    _expect_said(draw_page, "8", "You said: an 8.")
    _choice(draw_page, "5").click()
    _expect_said(draw_page, "5", "You said: a 5.")
    expect(_choice(draw_page, "8")).to_have_attribute("aria-pressed", "false")
    expect(_said(draw_page)).to_have_text("You: 5")
    assert _stored() == [5]


def test_a_correction_can_be_undone(draw_page: DrawPage) -> None:
    _ask(draw_page)
    back = _choice(draw_page, "Undo my answer")
    expect(back).to_be_hidden()
    _choice(draw_page, "8").click()
    _expect_said(draw_page, "8", "You said: an 8.")
    back.focus()
    draw_page.page.keyboard.press("Enter")
    removed = "Your answer has been removed. The drawing is still saved."
    expect(_thanks(draw_page)).to_have_text(removed)
    expect(draw_page.status).to_have_text(removed)
    expect(draw_page.page.locator("#feedback [aria-pressed=true]")).to_have_count(0)
    expect(_said(draw_page)).to_be_empty()
    # The button that had the focus is gone: the focus stays among the choices.
    expect(back).to_be_hidden()
    expect(_choice(draw_page, "0")).to_be_focused()
    assert _stored() == [None]
    assert RememberedDrawing.objects.count() == 0


def test_the_last_of_several_fast_clicks_is_stored(draw_page: DrawPage) -> None:
    held: list[Route] = []
    sent: list[Any] = []

    def hold_the_first(route: Route) -> None:
        sent.append(route.request.post_data_json)
        if held:
            route.continue_()
        else:
            held.append(route)

    _ask(draw_page)
    draw_page.page.route(SUGGESTION, hold_the_first)
    for name in ("1", "2", "7"):
        _choice(draw_page, name).click()
    expect(_thanks(draw_page)).to_have_text("Saving…")
    held[0].continue_()
    _expect_said(draw_page, "7", "You said: a 7.")
    assert sent == [{"digit": 1}, {"digit": 7}]
    assert _stored() == [7]


@pytest.mark.parametrize(
    ("status", "body", "sentence"),
    [
        (500, "<h1>Internal Server Error</h1>", "Something went wrong on our side."),
        (502, "", "The site is temporarily unavailable."),
        (403, "<html>CSRF</html>", "Reload the page"),
        (404, json.dumps({"errors": [{"code": "not_found", "detail": "Gone."}]}), "Gone."),
    ],
)
def test_an_error_says_what_happened_and_keeps_the_choice(
    draw_page: DrawPage, complaints: list[str], status: int, body: str, sentence: str
) -> None:
    _ask(draw_page)
    draw_page.page.route(SUGGESTION, lambda route: route.fulfill(status=status, body=body))
    _choice(draw_page, "8").click()
    expect(_error(draw_page)).to_contain_text(sentence)
    expect(_error(draw_page)).to_contain_text("Your answer is still here.")
    assert _error(draw_page).get_attribute("role") == "alert"
    expect(_choice(draw_page, "8")).to_have_attribute("aria-pressed", "true")
    expect(_thanks(draw_page)).to_be_empty()
    expect(_said(draw_page)).to_have_text("Not sent yet")
    assert _stored() == [None]
    draw_page.page.unroute(SUGGESTION)
    again = _choice(draw_page, "Try again")
    again.focus()
    draw_page.page.keyboard.press("Enter")
    _expect_said(draw_page, "8", "You said: an 8.")
    expect(_error(draw_page)).to_be_empty()
    expect(again).to_be_hidden()
    expect(_choice(draw_page, "8")).to_be_focused()
    expect(_said(draw_page)).to_have_text("You: 8")
    assert _stored() == [8]
    complaints[:] = [text for text in complaints if "Failed to load resource" not in text]


def test_a_lost_connection_loses_no_choice(draw_page: DrawPage, complaints: list[str]) -> None:
    _ask(draw_page)
    draw_page.page.context.set_offline(True)
    draw_page.page.keyboard.press("8")
    expect(_error(draw_page)).to_contain_text("Can't reach the site.")
    # One may think again meanwhile.
    draw_page.page.keyboard.press("9")
    expect(_choice(draw_page, "9")).to_have_attribute("aria-pressed", "true")
    expect(_error(draw_page)).to_contain_text("Can't reach the site.")
    draw_page.page.context.set_offline(False)
    _choice(draw_page, "Try again").click()
    _expect_said(draw_page, "9", "You said: a 9.")
    assert _stored() == [9]
    complaints[:] = [text for text in complaints if "ERR_INTERNET_DISCONNECTED" not in text]


def test_the_sites_own_sentence_is_shown_when_it_throttles(
    draw_page: DrawPage, complaints: list[str], settings: Settings
) -> None:
    settings.REST_FRAMEWORK = {
        **settings.REST_FRAMEWORK,
        "DEFAULT_THROTTLE_RATES": {"anon": "1/min", "user": "1/min"},
    }
    _ask(draw_page)
    _choice(draw_page, "8").click()
    expect(_error(draw_page)).to_contain_text("Too many requests.")
    expect(_choice(draw_page, "8")).to_have_attribute("aria-pressed", "true")
    complaints[:] = [text for text in complaints if "429" not in text]


def test_drawing_goes_on_while_a_choice_is_on_its_way(draw_page: DrawPage) -> None:
    held: list[Route] = []
    _ask(draw_page)
    draw_page.page.route(SUGGESTION, lambda route: held.append(route))
    _choice(draw_page, "8").click()
    expect(_thanks(draw_page)).to_have_text("Saving…")
    draw_page.clear.click()
    _ask(draw_page, 7)
    expect(draw_page.page.locator("#feedback [aria-pressed=true]")).to_have_count(0)
    held[0].continue_()
    expect(_said(draw_page, 1)).to_have_text("You: 8")
    expect(draw_page.status).to_contain_text("Thank you. You said: an 8.")
    # The new answer's question is not touched by it.
    expect(draw_page.page.locator("#feedback [aria-pressed=true]")).to_have_count(0)
    expect(_said(draw_page, 0)).to_be_empty()
    assert _stored() == [8, None]


def test_a_late_failure_is_shown_in_the_history(draw_page: DrawPage, complaints: list[str]) -> None:
    held: list[Route] = []
    _ask(draw_page)
    draw_page.page.route(SUGGESTION, lambda route: held.append(route))
    _choice(draw_page, "8").click()
    draw_page.clear.click()
    held[0].abort()
    expect(_said(draw_page)).to_have_text("Not sent yet")
    expect(draw_page.status).to_contain_text("Can't reach the site.")
    draw_page.page.unroute(SUGGESTION)
    draw_page.entries.first.get_by_role("link").click()
    expect(_opened(draw_page).get_by_role("alert")).to_contain_text("Can't reach the site.")
    _opened(draw_page).get_by_role("button", name="Try again").click()
    expect(_opened(draw_page)).to_contain_text("Thank you. You said: an 8.")
    expect(_said(draw_page)).to_have_text("You: 8")
    assert _stored() == [8]
    complaints[:] = [text for text in complaints if "ERR_FAILED" not in text]


def test_nothing_moves_when_the_answer_is_corrected(draw_page: DrawPage) -> None:
    def places() -> list[Any]:
        names = ("board", "answer", "upload", "history")
        return [draw_page.page.locator(f"#{name}").bounding_box() for name in names]

    _ask(draw_page)
    before = places()
    _choice(draw_page, "8").click()
    _expect_said(draw_page, "8", "You said: an 8.")
    # But for the history, whose entry has a line more.
    assert places()[:-1] == before[:-1]


# The history ------------------------------------------------------------------------------------


def test_an_entry_opens_and_takes_a_correction(draw_page: DrawPage) -> None:
    _ask(draw_page)
    draw_page.clear.click()
    _ask(draw_page, 7)
    for _ in range(2):
        link = draw_page.entries.nth(1).get_by_role("link")
        link.click()
        opened = _opened(draw_page)
        expect(opened).to_be_visible()
        expect(opened.get_by_role("heading", level=2)).to_have_text("That looks like a 3.")
        picture = opened.get_by_role("img", name="Your drawing")
        assert picture.evaluate("(image) => image.decode().then(() => image.naturalWidth)") == 512
        opened.get_by_role("button", name="5", exact=True).click()
        expect(opened).to_contain_text("You said: a 5.")
        expect(opened.get_by_role("status")).to_contain_text("Thank you. You said: a 5.")
        opened.get_by_role("button", name="Close").click()
        expect(opened).to_be_hidden()
        expect(_said(draw_page, 1)).to_have_text("You: 5")
        assert _stored() == [5, None]
        # The second time it is the server's entry and no longer this page's.
        draw_page.open()


def test_an_entry_is_opened_corrected_and_closed_by_keys(draw_page: DrawPage) -> None:
    _ask(draw_page)
    link = draw_page.entries.first.get_by_role("link", name=re.compile("^Your drawing 3"))
    link.focus()
    draw_page.page.keyboard.press("Enter")
    opened = _opened(draw_page)
    expect(opened.get_by_role("heading", level=2)).to_be_focused()
    draw_page.page.keyboard.press("5")
    expect(opened).to_contain_text("Thank you. You said: a 5.")
    draw_page.page.keyboard.press("Escape")
    expect(opened).to_be_hidden()
    expect(link).to_be_focused()
    # Esc closed the dialog and did not clear the drawing.
    draw_page.expect_answer(3)
    assert draw_page.ink() > 0.01
    # It is the same drawing as that of the answer: both show what was said.
    _expect_said(draw_page, "5", "You said: a 5.")
    assert _stored() == [5]


def test_a_click_beside_the_dialog_closes_it(draw_page: DrawPage) -> None:
    _ask(draw_page)
    draw_page.entries.first.get_by_role("link").click()
    expect(_opened(draw_page)).to_be_visible()
    draw_page.page.mouse.click(5, 5)
    expect(_opened(draw_page)).to_be_hidden()


def test_a_correction_from_another_tab_is_shown_when_an_entry_is_opened(
    draw_page: DrawPage,
) -> None:
    _ask(draw_page)
    _choice(draw_page, "8").click()
    _expect_said(draw_page, "8", "You said: an 8.")
    draw_page.open()
    draw_page.entries.first.get_by_role("link").click()
    opened = _opened(draw_page)
    eight = opened.get_by_role("button", name="8", exact=True)
    expect(eight).to_have_attribute("aria-pressed", "true")
    expect(opened.locator("[data-slot=thanks]")).to_have_text("You said: an 8.")
    opened.get_by_role("button", name="Undo my answer").click()
    expect(opened.locator("[data-slot=thanks]")).to_have_text(
        "Your answer has been removed. The drawing is still saved."
    )
    assert _stored() == [None]


# How it looks and sounds ------------------------------------------------------------------------


def test_a_screen_reader_announces_the_question_and_its_choices(draw_page: DrawPage) -> None:
    _ask(draw_page)
    _choice(draw_page, "4").click()
    _expect_said(draw_page, "4", "You said: a 4.")
    expect(draw_page.page.locator("#feedback")).to_match_aria_snapshot(
        """
        - form "What did you draw?":
          - group "What did you draw?":
            - text: What did you draw?
            - button "0"
            - button "1"
            - button "2"
            - button "3"
            - button "4" [pressed]
            - button "5"
            - button "6"
            - button "7"
            - button "8"
            - button "9"
            - button /Correct/
            - button "Not a digit"
          - paragraph: /Thank you\\. You said.* a 4\\./
          - button "Undo my answer"
        """
    )


def test_the_tab_key_goes_through_the_choices_in_order(draw_page: DrawPage) -> None:
    _ask(draw_page)
    draw_page.save.focus()
    names = []
    for _ in range(13):
        draw_page.page.keyboard.press("Tab")
        names.append(draw_page.page.evaluate("document.activeElement.textContent.trim()"))
    assert names[:12] == [*map(str, range(10)), "Correct", "Not a digit"]
    assert names[12] == "Copy result"


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [100, 200])
def test_a_narrow_phone_has_room_for_it(open_draw_page: Any, scheme: str, size: int) -> None:
    draw_page = open_draw_page(
        viewport={"width": 320, "height": 800}, has_touch=True, is_mobile=True, color_scheme=scheme
    )
    draw_page.page.evaluate(f"document.documentElement.style.fontSize = '{size}%'")
    _ask(draw_page)
    _choice(draw_page, "8").tap()
    _expect_said(draw_page, "8", "You said: an 8.")
    for where in ("#feedback", "#memory", "#opened"):
        if where == "#opened":
            draw_page.entries.first.get_by_role("link").tap()
            expect(_opened(draw_page)).to_be_visible()
        buttons = draw_page.page.locator(f"{where} :is(button, summary):visible")
        for box in [button.bounding_box() for button in buttons.all()]:
            assert box is not None
            assert box["width"] >= 44
            assert box["height"] >= 44
            assert box["x"] >= 0
            assert box["x"] + box["width"] <= 320
    assert draw_page.has_no_sideways_scroll()


def test_it_fits_where_text_runs_from_right_to_left(open_draw_page: Any) -> None:
    draw_page = open_draw_page(viewport={"width": 320, "height": 800})
    draw_page.page.evaluate("document.documentElement.dir = 'rtl'")
    _ask(draw_page)
    _choice(draw_page, "8").click()
    _expect_said(draw_page, "8", "You said: an 8.")
    assert draw_page.has_no_sideways_scroll()
    boxes = [_choice(draw_page, name).bounding_box() for name in ("0", "1")]
    assert boxes[0]["x"] > boxes[1]["x"]  # type: ignore[index]


# The contrast of a text with what is behind it, by WCAG 2.2.
CONTRAST = """
    (element) => {
        const rgb = (colour) => colour.match(/[\\d.]+/g).map(Number);
        let ground = element;
        while (rgb(getComputedStyle(ground).backgroundColor)[3] === 0) {
            ground = ground.parentElement;
        }
        const light = (colour) => rgb(colour).slice(0, 3)
            .map((value) => value / 255)
            .map((value) => (value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4))
            .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
        const both = [getComputedStyle(element).color, getComputedStyle(ground).backgroundColor];
        const [low, high] = both.map(light).sort((a, b) => a - b);
        return (high + 0.05) / (low + 0.05);
    }
"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_all_text_has_enough_contrast(
    open_draw_page: Any, complaints: list[str], scheme: str
) -> None:
    draw_page = open_draw_page(color_scheme=scheme, reduced_motion="reduce")
    _ask(draw_page)
    words = [
        _choice(draw_page, "Correct"),
        _thanks(draw_page),
        draw_page.page.locator("#memory-heading"),
    ]
    _choice(draw_page, "8").click()
    _expect_said(draw_page, "8", "You said: an 8.")
    draw_page.page.locator("#memory summary").click()
    words += [
        _choice(draw_page, "8"),
        _said(draw_page),
        _choice(draw_page, "Undo my answer"),
        draw_page.page.get_by_role("button", name="Reset personal learning", exact=True),
    ]
    assert min(word.evaluate(CONTRAST) for word in words) >= 4.5
    draw_page.page.route(SUGGESTION, lambda route: route.abort())
    _choice(draw_page, "9").click()
    expect(_error(draw_page)).not_to_be_empty()
    words = [_choice(draw_page, "9"), _error(draw_page), _choice(draw_page, "Try again")]
    assert min(word.evaluate(CONTRAST) for word in words) >= 4.5
    complaints[:] = [text for text in complaints if "ERR_FAILED" not in text]
