"""The page where it is narrow, dark, enlarged or calm, and for who can't see or point."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from recognizer.tests.browser.desk import Desk


@pytest.mark.parametrize("width", [320, 375, 768, 1280])
def test_nothing_scrolls_sideways_at_any_width(open_desk: Any, width: int) -> None:
    desk = open_desk(viewport={"width": width, "height": 800})
    assert desk.has_no_sideways_scroll()
    desk.draw(3)
    desk.page.keyboard.press("Enter")
    desk.expect_answer(3)
    assert desk.has_no_sideways_scroll()


def test_text_at_twice_its_size_still_fits_a_phone(open_desk: Any) -> None:
    desk = open_desk(viewport={"width": 320, "height": 800})
    desk.page.evaluate("document.documentElement.style.fontSize = '200%'")
    desk.draw(3)
    desk.predict.click()
    desk.expect_answer(3)
    assert desk.has_no_sideways_scroll()
    for part in (desk.predict, desk.clear, desk.sentence, desk.bar(3).locator("svg")):
        box = part.bounding_box()
        assert box is not None
        assert box["width"] > 30
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 320


@pytest.mark.parametrize("width", [320, 1280])
def test_it_draws_and_fits_where_text_runs_from_right_to_left(open_desk: Any, width: int) -> None:
    desk = open_desk(viewport={"width": width, "height": 800}, locale="he-IL")
    desk.page.evaluate("document.documentElement.dir = 'rtl'")
    desk.drag([desk.at(0.1, 0.5), desk.at(0.3, 0.5)])
    assert desk.has_ink(0.2, 0.5)
    assert not desk.has_ink(0.8, 0.5)
    desk.clear.click()
    desk.draw(3)
    desk.predict.click()
    desk.expect_answer(3)
    assert desk.has_no_sideways_scroll()


def test_nothing_moves_when_the_answer_comes(desk: Desk) -> None:
    def places() -> list[Any]:
        names = ("answer", "upload", "history")
        return [desk.page.locator(f"#{name}").bounding_box() for name in names]

    desk.draw(3)
    desk.predict.scroll_into_view_if_needed()
    before = places()
    desk.predict.click()
    desk.expect_answer(3)
    after = places()
    assert [(box["x"], box["y"], box["width"]) for box in before] == [
        (box["x"], box["y"], box["width"]) for box in after
    ]
    assert before[0]["height"] == after[0]["height"]


def test_dark_and_light_differ(open_desk: Any) -> None:
    def background(scheme: str) -> str:
        desk = open_desk(color_scheme=scheme)
        colour: str = desk.page.evaluate("getComputedStyle(document.body).backgroundColor")
        return colour

    assert background("dark") != background("light")


def test_nothing_moves_for_who_asks_for_calm(open_desk: Any) -> None:
    desk = open_desk(reduced_motion="reduce")
    durations: list[str] = desk.page.evaluate(
        """[...document.querySelectorAll("*")]
            .map((element) => getComputedStyle(element).transitionDuration)"""
    )
    assert set(durations) == {"0s"}


def test_nothing_comes_from_another_host(desk: Desk) -> None:
    hosts: set[str] = set()
    desk.page.on("request", lambda request: hosts.add("/".join(request.url.split("/")[:3])))
    desk.open()
    desk.draw(3)
    desk.predict.click()
    desk.expect_answer(3)
    assert hosts == {desk.url}


def test_everything_can_be_reached_and_named_with_the_keyboard(desk: Desk) -> None:
    names: list[str] = []
    for _ in range(15):
        desk.page.keyboard.press("Tab")
        names.append(
            desk.page.evaluate(
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
        "Canvas: draw one digit with the mouse, a finger or a pen",
        "Undo",
        "Redo",
        "Eraser",
        "Brush width",
        "Clear",
        "Predict",
        "Shortcuts",
        "Guess while I draw",
        "Or upload a picture of a digit: choose it, drop it on the page, or paste it",
        "Read picture",
    ]


def test_the_parts_have_names_for_a_screen_reader(desk: Desk) -> None:
    page = desk.page
    expect(page.get_by_role("application", name="Canvas: draw one digit")).to_be_visible()
    expect(page.get_by_role("region", name="Answer")).to_be_visible()
    expect(page.get_by_role("region", name="Your drawings")).to_be_visible()
    expect(page.get_by_role("list", name="How likely is each digit?")).to_be_visible()
    expect(page.get_by_role("button", name="Predict")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_have_text("Draw a digit")


def test_an_unknown_address_shows_the_way_home(desk: Desk, complaints: list[str]) -> None:
    response = desk.page.goto(desk.url + "/nothing-here")
    assert response is not None
    assert response.status == 404
    desk.page.get_by_role("link", name="Draw a digit").click()
    expect(desk.canvas).to_be_visible()
    complaints[:] = [text for text in complaints if "404" not in text]
