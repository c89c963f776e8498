"""axe-core finds nothing to complain of on any public page, in any state, light and dark."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from recognizer.tests.browser.draw_page import DrawPage
from recognizer.tests.support.drawings import DrawDigit

pytestmark = pytest.mark.django_db

State = Callable[[DrawPage, bytes], None]


def _empty(draw_page: DrawPage, png: bytes) -> None:
    """The page as a visitor finds it."""


def _guessed(draw_page: DrawPage, png: bytes) -> None:
    draw_page.draw(4)
    draw_page.expect_answer(4)


def _answered(draw_page: DrawPage, png: bytes) -> None:
    draw_page.draw(4)
    draw_page.save.click()
    expect(draw_page.entries).to_have_count(1)
    expect(draw_page.answer).to_have_attribute("aria-busy", "false")


def _thanked(draw_page: DrawPage, png: bytes) -> None:
    _answered(draw_page, png)
    draw_page.page.keyboard.press("9")
    expect(draw_page.page.locator("#feedback")).to_contain_text("Thank you.")


def _personal(draw_page: DrawPage, png: bytes) -> None:
    _thanked(draw_page, png)
    draw_page.clear.click()
    draw_page.draw(4)
    draw_page.save.click()
    expect(draw_page.entries).to_have_count(2)
    draw_page.expect_answer(9)


def _refused(draw_page: DrawPage, png: bytes) -> None:
    draw_page.drag(
        [
            draw_page.at(0.1, 0.1),
            draw_page.at(0.9, 0.9),
            draw_page.at(0.1, 0.9),
            draw_page.at(0.9, 0.1),
        ]
    )
    draw_page.drag([draw_page.at(0.1, 0.5), draw_page.at(0.9, 0.5)])
    draw_page.save.click()
    expect(draw_page.answer).to_have_attribute("data-verdict", "not_a_digit")
    expect(draw_page.entries).to_have_count(1)


def _complaining(draw_page: DrawPage, png: bytes) -> None:
    draw_page.save.click()
    expect(draw_page.message).not_to_be_empty()


def _picture(draw_page: DrawPage, png: bytes) -> None:
    draw_page.page.set_input_files(
        "#upload-image", {"name": "four.png", "mimeType": "image/png", "buffer": png}
    )
    expect(draw_page.page.locator("[data-slot=picture-box]")).to_be_visible()


def _help(draw_page: DrawPage, png: bytes) -> None:
    draw_page.page.keyboard.press("?")
    expect(draw_page.page.get_by_role("dialog", name="Shortcuts")).to_be_visible()


def _opened(draw_page: DrawPage, png: bytes) -> None:
    _answered(draw_page, png)
    draw_page.entries.first.click()
    draw_page.page.locator("#opened").get_by_text("Delete…").click()
    expect(draw_page.page.get_by_role("button", name="Delete this drawing")).to_be_visible()


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
    open_draw_page: Any, draw_digit: DrawDigit, scheme: str, state: State
) -> None:
    draw_page: DrawPage = open_draw_page(color_scheme=scheme)
    state(draw_page, draw_digit(4))

    _expect_no_violation(draw_page.page)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("path", ["/about/", "/nothing-here/"])
def test_the_other_pages_have_no_violation(
    open_draw_page: Any, complaints: list[str], path: str, scheme: str
) -> None:
    draw_page: DrawPage = open_draw_page(color_scheme=scheme)
    draw_page.page.goto(draw_page.url + path)

    _expect_no_violation(draw_page.page)
    complaints[:] = [text for text in complaints if "404" not in text]


@pytest.mark.parametrize("locale", ["de-DE", "ar"])
def test_other_languages_have_no_violation(open_draw_page: Any, locale: str) -> None:
    draw_page: DrawPage = open_draw_page(locale=locale)
    draw_page.draw(4)
    draw_page.expect_answer(4)

    _expect_no_violation(draw_page.page)


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
