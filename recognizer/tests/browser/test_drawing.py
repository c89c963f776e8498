"""What the canvas takes: mouse, touch, pen, keys; and what it keeps."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import CDPSession, expect

from recognizer.tests.browser.draw_page import DrawPage


def _touch(session: CDPSession, kind: str, *points: tuple[float, float, int]) -> None:
    session.send(
        "Input.dispatchTouchEvent",
        {"type": kind, "touchPoints": [{"x": x, "y": y, "id": id_} for x, y, id_ in points]},
    )


@pytest.fixture
def phone(open_draw_page: Any) -> DrawPage:
    """Return the page on a phone."""
    draw_page: DrawPage = open_draw_page(
        viewport={"width": 390, "height": 844},
        has_touch=True,
        is_mobile=True,
        device_scale_factor=3,
    )
    return draw_page


def test_the_mouse_leaves_ink_where_it_went(draw_page: DrawPage) -> None:
    draw_page.drag([draw_page.at(0.2, 0.5), draw_page.at(0.8, 0.5)])
    assert draw_page.has_ink(0.5, 0.5)
    assert not draw_page.has_ink(0.5, 0.3)


def test_a_click_leaves_a_round_dot_of_seven_per_cent(draw_page: DrawPage) -> None:
    draw_page.drag([draw_page.at(0.5, 0.5)])
    assert draw_page.ink() == pytest.approx(3.1416 * 0.035**2, rel=0.05)


def test_moving_the_mouse_with_no_button_or_another_one_draws_nothing(draw_page: DrawPage) -> None:
    draw_page.page.mouse.move(*draw_page.at(0.2, 0.5))
    draw_page.page.mouse.move(*draw_page.at(0.8, 0.5))
    draw_page.page.mouse.down(button="right")
    draw_page.page.mouse.move(*draw_page.at(0.2, 0.2))
    draw_page.page.mouse.up(button="right")
    assert draw_page.ink() == 0


def test_a_stroke_that_leaves_the_canvas_goes_on_where_it_comes_back(draw_page: DrawPage) -> None:
    draw_page.drag(
        [
            draw_page.at(0.5, 0.5),
            draw_page.at(1.3, 0.5),
            draw_page.at(1.3, 0.9),
            draw_page.at(0.5, 0.9),
        ]
    )
    assert draw_page.has_ink(0.9, 0.5)
    assert draw_page.has_ink(0.8, 0.9)
    draw_page.page.mouse.move(*draw_page.at(0.2, 0.2))
    assert not draw_page.has_ink(0.2, 0.2)


def test_a_button_released_outside_the_window_ends_the_stroke(draw_page: DrawPage) -> None:
    draw_page.drag([draw_page.at(0.5, 0.5), (-20, 300)])
    draw_page.page.mouse.move(*draw_page.at(0.8, 0.8))
    assert not draw_page.has_ink(0.7, 0.7)


def test_the_canvas_is_as_sharp_as_the_screen(open_draw_page: Any) -> None:
    draw_page = open_draw_page(device_scale_factor=2.5)
    assert draw_page.canvas.evaluate("(canvas) => canvas.width") == round(
        draw_page.box()["width"] * 2.5
    )


def test_resizing_the_window_keeps_the_drawing(draw_page: DrawPage) -> None:
    draw_page.drag([draw_page.at(0.2, 0.5), draw_page.at(0.8, 0.5)])
    before = draw_page.box()["width"]
    draw_page.page.set_viewport_size({"width": 360, "height": 700})
    assert draw_page.box()["width"] < before
    assert draw_page.has_ink(0.5, 0.5)
    assert draw_page.has_ink(0.25, 0.5)
    assert not draw_page.has_ink(0.5, 0.6)


def test_turning_the_phone_in_the_middle_of_a_stroke_keeps_what_is_drawn(
    draw_page: DrawPage,
) -> None:
    draw_page.page.set_viewport_size({"width": 360, "height": 740})
    mouse = draw_page.page.mouse
    mouse.move(*draw_page.at(0.2, 0.3))
    mouse.down()
    mouse.move(*draw_page.at(0.5, 0.3), steps=5)
    draw_page.page.set_viewport_size({"width": 740, "height": 500})
    mouse.move(*draw_page.at(0.5, 0.3))
    mouse.move(*draw_page.at(0.5, 0.7), steps=5)
    mouse.up()

    assert draw_page.has_ink(0.3, 0.3)
    assert draw_page.has_ink(0.5, 0.5)
    assert not draw_page.has_ink(0.2, 0.7)


def test_the_ink_follows_the_colours_of_the_page(draw_page: DrawPage) -> None:
    draw_page.page.emulate_media(color_scheme="light")
    draw_page.drag([draw_page.at(0.2, 0.5), draw_page.at(0.8, 0.5)])
    assert draw_page.pixel(0.5, 0.5)[0] < 100
    draw_page.page.emulate_media(color_scheme="dark")
    assert draw_page.pixel(0.5, 0.5)[0] > 150


def test_a_finger_draws_without_scrolling_the_page(phone: DrawPage) -> None:
    box = phone.box()
    session = phone.page.context.new_cdp_session(phone.page)
    _touch(session, "touchStart", (*phone.at(0.5, 0.8), 1))
    for step in range(1, 11):
        _touch(session, "touchMove", (*phone.at(0.5, 0.8 - 0.06 * step), 1))
    _touch(session, "touchEnd")
    assert phone.has_ink(0.5, 0.5)
    assert phone.page.evaluate("scrollY") == 0
    assert phone.box() == box


def test_only_the_first_finger_draws(phone: DrawPage) -> None:
    session = phone.page.context.new_cdp_session(phone.page)
    _touch(session, "touchStart", (*phone.at(0.2, 0.3), 1))
    _touch(session, "touchStart", (*phone.at(0.2, 0.3), 1), (*phone.at(0.2, 0.8), 2))
    _touch(session, "touchMove", (*phone.at(0.6, 0.3), 1), (*phone.at(0.6, 0.8), 2))
    _touch(session, "touchEnd", (*phone.at(0.6, 0.8), 2))
    _touch(session, "touchEnd")
    assert phone.has_ink(0.4, 0.3)
    assert not phone.has_ink(0.4, 0.8)
    assert not phone.has_ink(0.2, 0.8)


def test_a_cancelled_touch_ends_its_stroke_and_keeps_it(phone: DrawPage) -> None:
    session = phone.page.context.new_cdp_session(phone.page)
    _touch(session, "touchStart", (*phone.at(0.2, 0.3), 1))
    _touch(session, "touchMove", (*phone.at(0.6, 0.3), 1))
    _touch(session, "touchCancel")
    _touch(session, "touchStart", (*phone.at(0.2, 0.7), 2))
    _touch(session, "touchMove", (*phone.at(0.6, 0.7), 2))
    _touch(session, "touchEnd")
    assert phone.has_ink(0.4, 0.3)
    assert phone.has_ink(0.4, 0.7)
    assert not phone.has_ink(0.4, 0.5)


def test_a_pen_draws(draw_page: DrawPage) -> None:
    session = draw_page.page.context.new_cdp_session(draw_page.page)
    for kind, x in [("mousePressed", 0.2), ("mouseMoved", 0.8), ("mouseReleased", 0.8)]:
        at_x, at_y = draw_page.at(x, 0.5)
        session.send(
            "Input.dispatchMouseEvent",
            {
                "type": kind,
                "x": at_x,
                "y": at_y,
                "button": "left",
                "buttons": 1,
                "clickCount": 1,
                "pointerType": "pen",
            },
        )
    assert draw_page.has_ink(0.5, 0.5)


def test_a_digit_drawn_with_a_finger_is_recognised(phone: DrawPage) -> None:
    session = phone.page.context.new_cdp_session(phone.page)
    for stroke in phone.strokes(7, seed=1):
        _touch(session, "touchStart", (float(stroke[0][0]), float(stroke[0][1]), 1))
        for x, y in stroke[1:]:
            _touch(session, "touchMove", (float(x), float(y), 1))
        _touch(session, "touchEnd")
    assert phone.ink() > 0.01
    phone.save.tap()
    phone.expect_answer(7)


@pytest.mark.parametrize("key", ["Escape", "Delete"])
def test_a_key_clears_drawing_and_answer(draw_page: DrawPage, key: str) -> None:
    draw_page.draw(3)
    draw_page.page.keyboard.press("Enter")
    draw_page.expect_answer(3)
    draw_page.page.keyboard.press(key)
    assert draw_page.ink() == 0
    expect(draw_page.digit).to_be_empty()
    expect(draw_page.sentence).to_have_text("Draw a digit from 0 to 9.")
    expect(draw_page.status).to_have_text("Cleared.")
    expect(draw_page.entries).to_have_count(1)


def test_the_clear_button_clears(draw_page: DrawPage) -> None:
    draw_page.draw(3)
    assert draw_page.ink() > 0.01
    draw_page.clear.click()
    assert draw_page.ink() == 0


def test_keys_do_not_affect_fields_and_buttons(draw_page: DrawPage) -> None:
    draw_page.draw(3)
    draw_page.page.locator("#upload-image").focus()
    draw_page.page.keyboard.press("Delete")
    assert draw_page.ink() > 0.01
    draw_page.clear.focus()
    draw_page.page.keyboard.press("Enter")
    assert draw_page.ink() == 0
    expect(draw_page.entries).to_have_count(0)
