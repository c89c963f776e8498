"""The menu "Export these" above the list of predictions: by mouse, key and touch, on any screen."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from recognizer.models import Prediction
from recognizer.tests.browser.conftest import listen
from recognizer.tests.support.reviewing import LIST, make_prediction


@pytest.fixture
def seven(transactional_db: None) -> Prediction:
    make_prediction(3, label=3)
    return make_prediction(7, label=7)


@pytest.fixture
def reviewer_page(
    new_context: Any,
    log_in: Any,
    reviewer: User,
    seven: Prediction,
    complaints: list[str],
) -> Any:
    """Return the function that opens a page for a reviewer, with the browser's options."""

    def open_page(**options: Any) -> Page:
        context = new_context(**options)
        listen(context, complaints)
        log_in(context, reviewer)
        page: Page = context.new_page()
        return page

    return open_page


def test_the_keyboard_opens_the_menu_and_gets_what_the_list_shows(
    reviewer_page: Any, live_server: LiveServer, seven: Prediction, tmp_path: Path
) -> None:
    page = reviewer_page()
    page.goto(f"{live_server.url}{LIST}?digit=7")
    link = page.get_by_role("link", name="Keras arrays (.npz)")
    expect(link).to_be_hidden()
    page.locator(".export-tools summary").focus()
    page.keyboard.press("Enter")
    expect(link).to_be_visible()
    page.keyboard.press("Tab")
    expect(link).to_be_focused()

    with page.expect_download() as started:
        page.keyboard.press("Enter")

    assert started.value.suggested_filename.endswith(".npz")
    started.value.save_as(tmp_path / "labels.npz")
    with np.load(tmp_path / "labels.npz") as data:
        assert data["ids"].tolist() == [str(seven.pk)]


@pytest.mark.parametrize("width", [320, 768, 1280])
def test_the_menu_fits_on_the_screen(
    reviewer_page: Any, live_server: LiveServer, width: int
) -> None:
    page = reviewer_page(viewport={"width": width, "height": 800}, has_touch=True)
    page.goto(f"{live_server.url}{LIST}")

    page.locator(".export-tools summary").tap()

    links = page.locator(".export-tools a")
    expect(links.first).to_be_visible()
    for index in range(links.count()):
        box = links.nth(index).bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        # WCAG 2.2, target size.
        assert box["height"] >= 24
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_an_empty_export_shows_a_message_above_the_same_list(
    reviewer_page: Any, live_server: LiveServer
) -> None:
    page = reviewer_page()
    page.goto(f"{live_server.url}{LIST}?digit=4")
    page.locator(".export-tools summary").click()

    page.get_by_role("link", name="MNIST files (.zip)").click()

    expect(page.locator(".messagelist")).to_contain_text("Nothing to export")
    assert page.url.endswith("?digit=4")
