"""The replay of a drawing's strokes on its page in the admin."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer
from rest_framework.test import APIClient

from recognizer.models import Prediction
from recognizer.tests.browser.conftest import listen
from recognizer.tests.browser.draw_page import PIXELS
from recognizer.tests.support.drawings import DrawDigit, digit_strokes

pytestmark = pytest.mark.django_db

INK = """
    let inked = 0;
    for (let i = 3; i < data.length; i += 4) { inked += data[i] > 127 ? 1 : 0; }
    return inked / (data.length / 4);
"""


@pytest.fixture
def open_drawing(
    new_context: Any,
    live_server: LiveServer,
    complaints: list[str],
    reviewer: User,
    log_in: Any,
) -> Callable[..., Page]:
    """Return the function that opens the page of the only drawing."""

    def open_one(**options: Any) -> Page:
        context = new_context(**options)
        listen(context, complaints)
        log_in(context, reviewer)
        page: Page = context.new_page()
        pk = Prediction.objects.get().pk
        page.goto(f"{live_server.url}/admin/recognizer/prediction/{pk}/change/")
        return page

    return open_one


def ink(page: Page) -> float:
    share: float = page.locator("#replay canvas").evaluate(
        "async (canvas) => {" + PIXELS + "const { data } = await pixels(canvas);" + INK + "}"
    )
    return share


def test_the_strokes_are_replayed(api: APIClient, open_drawing: Callable[..., Page]) -> None:
    api.post("/api/v1/predictions/", digit_strokes(8, times=True))
    page = open_drawing()
    slider = page.get_by_label("Time in the drawing")
    whole = ink(page)
    assert 0.02 < whole < 0.3

    page.get_by_role("button", name="Replay").press("Enter")

    end = slider.get_attribute("max") or ""
    expect(slider).not_to_have_value(end)
    expect(slider).to_have_value(end)
    assert ink(page) == pytest.approx(whole)


def test_the_slider_shows_a_part_from_the_keyboard(
    api: APIClient, open_drawing: Callable[..., Page]
) -> None:
    api.post("/api/v1/predictions/", digit_strokes(8))
    page = open_drawing(reduced_motion="reduce")
    expect(page.get_by_role("button", name="Replay")).to_be_hidden()
    slider = page.get_by_label("Time in the drawing")
    whole = ink(page)

    slider.press("Home")
    start = ink(page)
    for _ in range(100):
        slider.press("ArrowRight")
    part = ink(page)

    assert 0 < start < part < whole


def test_a_picture_has_no_replay(
    api: APIClient,
    draw_digit: DrawDigit,
    data_url: Callable[[bytes], str],
    open_drawing: Callable[..., Page],
) -> None:
    api.post("/api/v1/predictions/", {"image": data_url(draw_digit(8))})

    page = open_drawing()

    expect(page.get_by_text("As drawn")).to_be_visible()
    assert page.locator("#replay").count() == 0


@pytest.mark.parametrize(
    "sent",
    [
        {"strokes": [[[0.5, 1], [0.5, 7]]], "size": [1, 8]},
        {"strokes": [[[1, 0.5], [7, 0.5]]], "size": [8, 1]},
        {"strokes": [[[14, 14]]], "size": [28, 28]},
        {"strokes": [[[14, 14, 5], [14, 20, 0]], [[20, 14, -900]]], "size": [28, 28]},
    ],
    ids=["tall", "wide", "a point", "a clock set back"],
)
def test_unusual_strokes_are_replayed(
    api: APIClient, open_drawing: Callable[..., Page], sent: dict[str, Any]
) -> None:
    assert api.post("/api/v1/predictions/", sent).status_code == 201
    page = open_drawing()

    for picture in ("#replay canvas", ".drawing-large"):
        box = page.locator(picture).bounding_box()
        assert box is not None
        assert max(box["height"], box["width"]) <= 320
    assert ink(page) > 0
    page.get_by_role("button", name="Replay").press("Enter")
    slider = page.get_by_label("Time in the drawing")
    expect(slider).to_have_value(slider.get_attribute("max") or "")
