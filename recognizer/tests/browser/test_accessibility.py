"""axe-core finds nothing to complain of on any public page, in any state, light and dark."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from recognizer.tests.browser.desk import Desk
from recognizer.tests.support.drawings import DrawDigit

pytestmark = pytest.mark.django_db

State = Callable[[Desk, bytes], None]


def _empty(desk: Desk, png: bytes) -> None:
    """The page as a visitor finds it."""


def _guessed(desk: Desk, png: bytes) -> None:
    desk.draw(4)
    desk.expect_answer(4)


def _answered(desk: Desk, png: bytes) -> None:
    desk.draw(4)
    desk.predict.click()
    expect(desk.entries).to_have_count(1)
    expect(desk.answer).to_have_attribute("aria-busy", "false")


def _thanked(desk: Desk, png: bytes) -> None:
    _answered(desk, png)
    desk.page.keyboard.press("9")
    expect(desk.page.locator("#feedback")).to_contain_text("Thank you.")


def _personal(desk: Desk, png: bytes) -> None:
    _thanked(desk, png)
    desk.clear.click()
    desk.draw(4)
    desk.predict.click()
    expect(desk.entries).to_have_count(2)
    desk.expect_answer(9)


def _refused(desk: Desk, png: bytes) -> None:
    desk.drag([desk.at(0.1, 0.1), desk.at(0.9, 0.9), desk.at(0.1, 0.9), desk.at(0.9, 0.1)])
    desk.drag([desk.at(0.1, 0.5), desk.at(0.9, 0.5)])
    desk.predict.click()
    expect(desk.answer).to_have_attribute("data-verdict", "not_a_digit")
    expect(desk.entries).to_have_count(1)


def _complaining(desk: Desk, png: bytes) -> None:
    desk.predict.click()
    expect(desk.message).not_to_be_empty()


def _picture(desk: Desk, png: bytes) -> None:
    desk.page.set_input_files(
        "#upload-image", {"name": "four.png", "mimeType": "image/png", "buffer": png}
    )
    expect(desk.page.locator("[data-slot=picture-box]")).to_be_visible()


def _help(desk: Desk, png: bytes) -> None:
    desk.page.keyboard.press("?")
    expect(desk.page.get_by_role("dialog", name="Shortcuts")).to_be_visible()


def _opened(desk: Desk, png: bytes) -> None:
    _answered(desk, png)
    desk.entries.first.click()
    desk.page.locator("#opened").get_by_text("Delete…").click()
    expect(desk.page.get_by_role("button", name="Delete this drawing")).to_be_visible()


STATES: list[State] = [
    _empty,
    _guessed,
    _answered,
    _thanked,
    _personal,
    _refused,
    _complaining,
    _picture,
    _help,
    _opened,
]


def _expect_no_violation(page: Page) -> None:
    # Colours that are on their way from one to another are nobody's choice.
    page.evaluate("Promise.all(document.getAnimations().map((each) => each.finished))")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("state", STATES, ids=lambda state: state.__name__.strip("_"))
def test_the_page_has_no_violation(
    open_desk: Any, draw_digit: DrawDigit, scheme: str, state: State
) -> None:
    desk: Desk = open_desk(color_scheme=scheme)
    state(desk, draw_digit(4))

    _expect_no_violation(desk.page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/about/", "/nothing-here/"])
def test_the_other_pages_have_no_violation(
    open_desk: Any, complaints: list[str], path: str, scheme: str
) -> None:
    desk: Desk = open_desk(color_scheme=scheme)
    desk.page.goto(desk.url + path)

    _expect_no_violation(desk.page)
    complaints[:] = [text for text in complaints if "404" not in text]


@pytest.mark.parametrize("locale", ["de-DE", "ar"])
def test_other_languages_have_no_violation(open_desk: Any, locale: str) -> None:
    desk: Desk = open_desk(locale=locale)
    desk.draw(4)
    desk.expect_answer(4)

    _expect_no_violation(desk.page)


def test_without_javascript_there_is_no_violation(
    browser: Any, live_server: Any, draw_digit: DrawDigit
) -> None:
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(live_server.url)
    page.set_input_files(
        "#upload-image", {"name": "four.png", "mimeType": "image/png", "buffer": draw_digit(4)}
    )
    page.locator("#upload button[type=submit]").click()
    expect(page.locator("#answer")).to_contain_text("4")
    state = context.storage_state()
    address = page.url
    context.close()

    # axe itself needs scripts: it looks at the same page as the server wrote it.
    with_scripts = browser.new_context(storage_state=state)
    seen = with_scripts.new_page()
    seen.goto(address)
    _expect_no_violation(seen)
    with_scripts.close()
