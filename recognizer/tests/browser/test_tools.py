"""The tools of the canvas: undo, redo, clear, eraser, widths; pens, palms and keys that draw."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import Page, expect

from recognizer.tests.browser.draw_page import DrawPage


@pytest.fixture
def calm(draw_page: DrawPage) -> DrawPage:
    """The page with its live guess switched off, so that nothing is asked but what a test asks."""
    draw_page.page.get_by_label("Guess while I draw").uncheck()
    return draw_page


def _line(draw_page: DrawPage, y: float) -> None:
    draw_page.drag([draw_page.at(0.2, y), draw_page.at(0.8, y)])


def test_strokes_are_undone_and_redone_by_buttons_and_keys(calm: DrawPage) -> None:
    _line(calm, 0.3)
    _line(calm, 0.7)

    calm.page.get_by_role("button", name="Undo").click()
    assert (calm.has_ink(0.5, 0.3), calm.has_ink(0.5, 0.7)) == (True, False)
    calm.page.keyboard.press("Control+z")
    assert calm.ink() == 0

    calm.page.keyboard.press("Control+Shift+z")
    calm.page.keyboard.press("Control+y")
    assert (calm.has_ink(0.5, 0.3), calm.has_ink(0.5, 0.7)) == (True, True)
    calm.page.get_by_role("button", name="Undo").click()
    calm.page.get_by_role("button", name="Redo").click()
    assert calm.has_ink(0.5, 0.7)


def test_clearing_can_be_undone(calm: DrawPage) -> None:
    calm.draw(3)
    ink = calm.ink()

    calm.page.keyboard.press("Delete")
    assert calm.ink() == 0
    calm.page.keyboard.press("Control+z")

    assert calm.ink() == pytest.approx(ink, rel=0.02)
    calm.save.click()
    calm.expect_answer(3)


def test_buttons_that_can_do_nothing_say_so_and_keep_the_focus(calm: DrawPage) -> None:
    undo = calm.page.get_by_role("button", name="Undo")
    expect(undo).to_be_disabled()
    _line(calm, 0.5)
    expect(undo).to_be_enabled()

    undo.focus()
    calm.page.keyboard.press("Enter")

    expect(undo).to_be_disabled()
    expect(undo).to_be_focused()


def test_the_eraser_also_erases_what_is_sent(calm: DrawPage) -> None:
    calm.draw(1, seed=1)
    # A line across everything, to be rubbed out again.
    _line(calm, 0.9)
    calm.page.get_by_role("button", name="Eraser").click()
    expect(calm.page.get_by_role("button", name="Eraser")).to_have_attribute("aria-pressed", "true")
    for _ in range(4):
        calm.page.keyboard.press("]")
    for y in (0.86, 0.9, 0.94):
        calm.drag([calm.at(0.1, y), calm.at(0.9, y)])
    assert not calm.has_ink(0.5, 0.9)

    calm.save.click()
    calm.expect_answer(1)


def test_a_wider_brush_leaves_more_ink_and_is_remembered(calm: DrawPage) -> None:
    _line(calm, 0.2)
    thin = calm.ink()
    calm.page.keyboard.press("]")
    calm.page.keyboard.press("]")
    calm.page.keyboard.press("Delete")
    _line(calm, 0.2)
    assert calm.ink() > 1.7 * thin

    calm.page.reload()
    calm.page.wait_for_selector("html[data-ready]")
    assert calm.page.get_by_label("Brush width").input_value() == "4"


def _pen(page: Page, points: list[tuple[float, float, float]], pointer: str = "pen") -> None:
    """Send a stroke of (x, y, pressure) as a pen's driver does."""
    page.evaluate(
        """([points, pointerType]) => {
            const canvas = document.getElementById("canvas");
            canvas.setPointerCapture = () => {};
            points.forEach(([clientX, clientY, pressure], index) => {
                const name = index === 0 ? "pointerdown" : "pointermove";
                canvas.dispatchEvent(new PointerEvent(name, {
                    clientX, clientY, pressure, pointerType, pointerId: 7, button: 0, buttons: 1,
                    bubbles: true, cancelable: true,
                }));
            });
            canvas.dispatchEvent(new PointerEvent("pointerup", { pointerType, pointerId: 7 }));
        }""",
        [points, pointer],
    )


def test_a_pen_draws_wider_the_harder_it_is_pressed(calm: DrawPage) -> None:
    def width_at(y: float) -> int:
        return sum(calm.has_ink(x / 100, y) for x in range(20, 80))

    steps = [0.1 + 0.02 * step for step in range(40)]
    _pen(calm.page, [(*calm.at(0.5, y), 0.1 if y < 0.5 else 0.95) for y in steps])

    assert width_at(0.25) * 2 < width_at(0.8)


def test_a_finger_and_a_mouse_draw_the_same_whatever_pressure_they_report(calm: DrawPage) -> None:
    points = [(*calm.at(0.5, 0.2), 1.0), (*calm.at(0.5, 0.8), 1.0)]
    _pen(calm.page, points, "touch")
    finger = calm.ink()
    calm.page.keyboard.press("Delete")
    calm.drag([calm.at(0.5, 0.2), calm.at(0.5, 0.8)])

    assert finger == pytest.approx(calm.ink(), rel=0.05)


def test_a_palm_beside_a_pen_draws_nothing(calm: DrawPage) -> None:
    _pen(calm.page, [(*calm.at(0.5, 0.2), 0.5), (*calm.at(0.5, 0.4), 0.5)])
    ink = calm.ink()

    _pen(calm.page, [(*calm.at(0.2, 0.8), 0.5), (*calm.at(0.4, 0.8), 0.5)], "touch")

    assert calm.ink() == ink


def test_a_digit_is_drawn_and_recognised_by_keyboard_alone(calm: DrawPage) -> None:
    press = calm.page.keyboard.press
    calm.canvas.focus()
    for _ in range(5):
        press("ArrowUp")
    press("Space")
    expect(calm.status).to_have_text("Pen down.")
    for _ in range(16):
        press("ArrowDown")
    press("Space")
    expect(calm.status).to_have_text("Pen up.")

    press("Enter")

    calm.expect_answer(1)
    press("y")
    expect(calm.page.locator("#feedback")).to_contain_text("Thank you.")


def test_the_keyboards_pen_shows_where_it_is_only_while_it_is_used(calm: DrawPage) -> None:
    mark = calm.page.locator("#cursor")
    expect(mark).to_be_hidden()
    calm.canvas.focus()
    calm.page.keyboard.press("ArrowLeft")
    expect(mark).to_be_visible()
    before = mark.bounding_box()
    calm.page.keyboard.press("Shift+ArrowLeft")
    after = mark.bounding_box()
    assert before is not None
    assert after is not None
    assert 0 < before["x"] - after["x"] < 0.02 * calm.box()["width"]

    calm.page.keyboard.press("Tab")
    expect(mark).to_be_hidden()


def test_a_question_mark_lists_the_keys(calm: DrawPage) -> None:
    calm.page.keyboard.press("?")
    dialog = calm.page.get_by_role("dialog", name="Shortcuts")
    expect(dialog).to_be_visible()
    for words in ("save", "undo", "thinner, thicker brush", "put the pen down, lift it"):
        expect(dialog.get_by_text(words, exact=True)).to_be_visible()

    calm.page.keyboard.press("Escape")
    expect(dialog).to_be_hidden()
    calm.page.get_by_role("button", name="Shortcuts").click()
    dialog.get_by_role("button", name="Close").click()
    expect(dialog).to_be_hidden()


def test_the_page_scrolls_with_arrow_keys_where_the_canvas_has_no_focus(
    open_draw_page: Any,
) -> None:
    draw_page: DrawPage = open_draw_page(viewport={"width": 600, "height": 400})
    draw_page.page.locator("#bars-heading").click()
    draw_page.page.keyboard.press("ArrowDown")
    # In a promise: the content security policy forbids the page's own `eval`.
    draw_page.page.evaluate(
        """new Promise((done) =>
            scrollY > 0 ? done() : addEventListener("scroll", done, { once: true }))"""
    )
