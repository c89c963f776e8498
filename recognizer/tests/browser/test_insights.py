"""The page of insights in a real browser: narrow, dark, by mouse and by key."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import Page, expect
from pytest_django.live_server_helper import LiveServer

from recognizer.tests.browser.conftest import listen
from recognizer.tests.support.insights import PAGE, act, store
from recognizer.tests.support.reviewing import NOT_A_DIGIT, make_version

CHARTS = ("accuracy", "reliability", "confusion", "digits", "answers", "shares", "suggestions")


@pytest.fixture
def open_page(
    new_context: Any, log_in: Any, reviewer: User, live_server: LiveServer, complaints: list[str]
) -> Any:
    """Return the function that opens the page, in which there is something to see."""
    version = make_version("a-version-with-a-name-as-long-as-names-may-be-" + "x" * 50)
    store(90, 4, 4, model_version=version, suggestion=4)
    store(12, 9, 4, model_version=version, confidence=0.55, verdict="uncertain", suggestion=4)
    store(11, 9, 9, model_version=version)
    store(10, 7, NOT_A_DIGIT, model_version=version, verdict="not_a_digit", confidence=0.4)
    act(reviewer, timezone.now(), range(0, 300, 3))

    def open_one(query: str = "?version=all", **options: Any) -> Page:
        context = new_context(**options)
        listen(context, complaints)
        log_in(context, reviewer)
        page: Page = context.new_page()
        page.goto(live_server.url + PAGE + query)
        return page

    return open_one


def fits(page: Page) -> bool:
    found: bool = page.evaluate(
        "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
    )
    return found


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [320, 768, 1280])
def test_nothing_scrolls_sideways_with_every_table_open(
    open_page: Any, width: int, scheme: str
) -> None:
    page = open_page(viewport={"width": width, "height": 800}, color_scheme=scheme)
    assert fits(page)
    for summary in page.locator("summary").all():
        summary.click()
    assert fits(page)
    for chart in page.locator("svg[role]").all():
        box = chart.bounding_box()
        assert box is not None
        assert box["width"] > 200
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width


def test_the_charts_follow_the_colour_scheme(open_page: Any) -> None:
    def colours(scheme: str) -> list[str]:
        page = open_page(color_scheme=scheme)
        found: list[str] = page.evaluate(
            """["svg .row-name", "svg .whisker circle", "svg .cell.wrong .heat", "svg .under"]
                .map((name) => getComputedStyle(document.querySelector(name)).fill)"""
        )
        return found

    for light, dark in zip(colours("light"), colours("dark"), strict=True):
        assert light != dark


def test_text_in_the_heat_map_can_be_read_in_both_schemes(open_page: Any) -> None:
    for scheme in ("light", "dark"):
        page = open_page(color_scheme=scheme)
        ratios: list[float] = page.evaluate(CONTRASTS)
        assert len(ratios) >= 4
        assert min(ratios) >= 4.5, scheme


# The contrast (WCAG 2.1) of each cell's text with its colour laid over the page's.
CONTRASTS = """
() => {
    const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number).slice(0, 3);
    const light = (channels) => {
        const [r, g, b] = channels.map((channel) => {
            const share = channel / 255;
            return share <= 0.03928 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
        });
        return 0.2126 * r + 0.7152 * g + 0.0722 * b;
    };
    const paper = numbers(getComputedStyle(document.body).backgroundColor);
    return [...document.querySelectorAll(".heat-map a")].map((cell) => {
        const heat = getComputedStyle(cell.querySelector(".heat"));
        const fill = numbers(heat.fill);
        const share = Number(heat.fillOpacity);
        const mixed = fill.map((channel, i) => share * channel + (1 - share) * paper[i]);
        const text = light(numbers(getComputedStyle(cell.querySelector("text")).fill));
        const behind = light(mixed);
        return (Math.max(text, behind) + 0.05) / (Math.min(text, behind) + 0.05);
    });
}
"""


def test_a_cell_opens_its_drawings_by_mouse_and_by_key(open_page: Any) -> None:
    page = open_page()
    name = "12 drawings labelled “4”, predicted “9”"
    cell = page.get_by_role("link", name=name).first
    cell.click()
    expect(page.locator("#result_list tbody tr")).to_have_count(12)
    page.go_back()
    cell.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#result_list tbody tr")).to_have_count(12)


def test_another_choice_needs_no_javascript(open_page: Any) -> None:
    page = open_page(java_script_enabled=False)
    page.get_by_label("Drawings", exact=True).select_option("labelled")
    page.get_by_label("Drawn in").select_option("7")
    page.get_by_role("button", name="Show").click()
    expect(page.get_by_label("Drawings", exact=True)).to_have_value("labelled")
    expect(page.get_by_label("Drawn in")).to_have_value("7")
    expect(page.get_by_label("Model version")).to_have_value("all")


def test_the_parts_have_names_for_a_screen_reader(open_page: Any) -> None:
    page = open_page()
    for name in CHARTS:
        expect(page.locator(f"section[aria-labelledby={name}-name]")).to_be_visible()
    image = page.get_by_role("img", name="Calibration")
    expect(image).to_have_accessible_description(
        "Drawings labelled as digits: 113. Mean confidence 86.3\u00a0%, correct 89.4\u00a0%. "
        "The expected calibration error is 14.8 points."
    )
    expect(page.get_by_role("group", name="Confusion matrix")).to_be_visible()


def test_forced_colours_are_kept(open_page: Any) -> None:
    page = open_page(forced_colors="active", color_scheme="dark")
    text, cell, bar = page.evaluate(
        """[".heat-map .right text", ".heat-map .right .heat", ".plain .under"]
            .map((name) => getComputedStyle(document.querySelector(name)))
            .map((style) => [style.fill, style.stroke])"""
    )
    assert text[0] != cell[0]
    assert cell[1] != cell[0]
    assert bar[1] != bar[0]
