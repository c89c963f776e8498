"""The page where it is narrow, dark, enlarged or calm, and for who can't see or point."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from recognizer.tests.browser.draw_page import DrawPage


@pytest.mark.parametrize("width", [320, 375, 768, 1280])
def test_nothing_scrolls_sideways_at_any_width(open_draw_page: Any, width: int) -> None:
    draw_page = open_draw_page(viewport={"width": width, "height": 800})
    assert draw_page.has_no_sideways_scroll()
    draw_page.draw(3)
    draw_page.page.keyboard.press("Enter")
    draw_page.expect_answer(3)
    assert draw_page.has_no_sideways_scroll()


def test_text_at_twice_its_size_still_fits_a_phone(open_draw_page: Any) -> None:
    draw_page = open_draw_page(viewport={"width": 320, "height": 800})
    draw_page.page.evaluate("document.documentElement.style.fontSize = '200%'")
    draw_page.draw(3)
    draw_page.save.click()
    draw_page.expect_answer(3)
    assert draw_page.has_no_sideways_scroll()
    for part in (
        draw_page.save,
        draw_page.clear,
        draw_page.sentence,
        draw_page.bar(3).locator("svg"),
    ):
        box = part.bounding_box()
        assert box is not None
        assert box["width"] > 30
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 320


@pytest.mark.parametrize("width", [320, 1280])
def test_it_draws_and_fits_where_text_runs_from_right_to_left(
    open_draw_page: Any, width: int
) -> None:
    draw_page = open_draw_page(viewport={"width": width, "height": 800}, locale="he-IL")
    draw_page.page.evaluate("document.documentElement.dir = 'rtl'")
    draw_page.drag([draw_page.at(0.1, 0.5), draw_page.at(0.3, 0.5)])
    assert draw_page.has_ink(0.2, 0.5)
    assert not draw_page.has_ink(0.8, 0.5)
    draw_page.clear.click()
    draw_page.draw(3)
    draw_page.save.click()
    draw_page.expect_answer(3)
    assert draw_page.has_no_sideways_scroll()


def test_nothing_moves_when_the_answer_comes(draw_page: DrawPage) -> None:
    def places() -> list[Any]:
        names = ("answer", "upload", "history")
        return [draw_page.page.locator(f"#{name}").bounding_box() for name in names]

    draw_page.draw(3)
    draw_page.save.scroll_into_view_if_needed()
    before = places()
    draw_page.save.click()
    draw_page.expect_answer(3)
    after = places()
    assert [(box["x"], box["y"], box["width"]) for box in before] == [
        (box["x"], box["y"], box["width"]) for box in after
    ]
    assert before[0]["height"] == after[0]["height"]


def test_dark_and_light_differ(open_draw_page: Any) -> None:
    def background(scheme: str) -> str:
        draw_page = open_draw_page(color_scheme=scheme)
        colour: str = draw_page.page.evaluate("getComputedStyle(document.body).backgroundColor")
        return colour

    assert background("dark") != background("light")


def test_nothing_moves_with_reduced_motion(open_draw_page: Any) -> None:
    draw_page = open_draw_page(reduced_motion="reduce")
    durations: list[str] = draw_page.page.evaluate(
        """[...document.querySelectorAll("*")]
            .map((element) => getComputedStyle(element).transitionDuration)"""
    )
    assert set(durations) == {"0s"}


def test_nothing_comes_from_another_host(draw_page: DrawPage) -> None:
    hosts: set[str] = set()
    draw_page.page.on("request", lambda request: hosts.add("/".join(request.url.split("/")[:3])))
    draw_page.open()
    draw_page.draw(3)
    draw_page.save.click()
    draw_page.expect_answer(3)
    assert hosts == {draw_page.url}


def test_everything_can_be_reached_and_named_with_the_keyboard(draw_page: DrawPage) -> None:
    names: list[str] = []
    for _ in range(17):
        draw_page.page.keyboard.press("Tab")
        names.append(
            draw_page.page.evaluate(
                """() => {
                    const { ariaLabel, labels, textContent } = document.activeElement;
                    return ariaLabel ?? labels?.[0]?.textContent ?? textContent;
                }"""
            ).strip()
        )
    assert names == [
        "Skip to the content",
        "DigitSite",
        "About",
        "API",
        "Log in",
        "Canvas: draw one digit with the mouse, a finger or a pen",
        "Undo",
        "Redo",
        "Eraser",
        "Brush width",
        "Clear",
        "Shortcuts",
        "Save",
        "Guess while I draw",
        "Shortcuts: Y correct, 0–9 what it was, X not a digit",
        "Or upload a picture of a digit: choose it, drop it on the page, or paste it",
        "Recognise picture",
    ]


def test_the_parts_have_names_for_a_screen_reader(draw_page: DrawPage) -> None:
    page = draw_page.page
    expect(page.get_by_role("application", name="Canvas: draw one digit")).to_be_visible()
    expect(page.get_by_role("region", name="Answer")).to_be_visible()
    expect(page.get_by_role("region", name="Your drawings")).to_be_visible()
    expect(page.get_by_role("list", name="How likely is each digit?")).to_be_visible()
    expect(page.get_by_role("button", name="Save")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Draw a digit")


def test_an_unknown_address_links_to_the_home_page(
    draw_page: DrawPage, complaints: list[str]
) -> None:
    response = draw_page.page.goto(draw_page.url + "/nothing-here")
    assert response is not None
    assert response.status == 404
    draw_page.page.get_by_role("link", name="Draw a digit").click()
    expect(draw_page.canvas).to_be_visible()
    complaints[:] = [text for text in complaints if "404" not in text]
