"""The grid as a reviewer uses it: by mouse, keyboard and touch, alone and beside another one."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import BrowserContext, Locator, Page, expect
from pytest_django.live_server_helper import LiveServer

from recognizer.models import LabelEvent, Prediction, ReviewClaim, Via
from recognizer.tests.browser.conftest import listen
from recognizer.tests.support.reviewing import (
    LIST,
    drawing,
    label_of,
    make_prediction,
    make_staff,
    make_version,
    prediction,
)

GRID = LIST + "grid/?digit=7"


class Grid:
    """One reviewer's page of what was predicted as 7."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.cells = page.locator(".grid-cell")
        self.save = page.locator("[data-slot=save]")
        self.undo = page.locator("[data-slot=undo]")
        self.said = page.locator("[data-slot=said]")
        self.status = page.locator("#grid-status")

    def open(self, path: str = GRID, *, scripted: bool = True) -> Grid:
        self.page.goto(self.url + path)
        if scripted:
            self.page.wait_for_selector("html[data-ready]")
        return self

    def cell(self, row: Prediction) -> Locator:
        return self.page.locator(f"#drawing-{row.pk}")

    def shown(self) -> list[str]:
        """The ids of the drawings on the page."""
        names: list[str] = self.cells.evaluate_all("all => all.map(one => one.id.slice(8))")
        return names

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)

    def has_no_sideways_scroll(self) -> bool:
        fits: bool = self.page.evaluate(
            "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        )
        return fits


@pytest.fixture
def open_grid(new_context: Any, live_server: LiveServer, complaints: list[str], log_in: Any) -> Any:
    """Return the function that logs a reviewer in to a browser of their own, with its options."""

    def open_one(user: User, *, path: str = GRID, **options: Any) -> Grid:
        context: BrowserContext = new_context(**options)
        listen(context, complaints)
        log_in(context, user)
        grid = Grid(context.new_page(), live_server.url)
        return grid.open(path, scripted=options.get("java_script_enabled", True))

    return open_one


@pytest.fixture
def sevens(live_server: LiveServer) -> list[Prediction]:
    """Return 70 drawings predicted as 7, in the order in which the grid shows them."""
    version = make_version()
    return Prediction.objects.bulk_create(
        [
            prediction(
                7,
                image=drawing(1 if each in (2, 5, 14) else 7, seed=each % 8),
                margin=0.5 + each / 1000,
                confidence=0.6 if each == 0 else 0.999,
                model_version=version,
            )
            for each in range(70)
        ]
    )


def labels_of(rows: list[Prediction]) -> list[int | None]:
    return [label_of(row) for row in rows]


def test_wrong_ones_are_corrected_and_the_rest_confirmed_with_one_click(
    open_grid: Any, reviewer: User, sevens: list[Prediction]
) -> None:
    grid = open_grid(reviewer)
    expect(grid.cells).to_have_count(60)
    expect(grid.save).to_have_text("Confirm 60")

    for n in (2, 5, 14):
        grid.cell(sevens[n]).click()
    expect(grid.page.get_by_text("3 selected: correct to")).to_be_visible()
    expect(grid.save).to_have_text("Confirm 57, leave 3 undecided")
    grid.page.get_by_role("button", name="1", exact=True).click()
    expect(grid.save).to_have_text("Confirm 57, correct 3")
    expect(grid.cell(sevens[5]).locator(".grid-badge")).to_have_text("1")
    grid.save.click()

    expect(grid.said).to_have_text("57 confirmed, 3 corrected.")
    expect(grid.cells).to_have_count(10)
    assert labels_of(sevens[:6]) == [7, 7, 1, 7, 7, 1]
    events = LabelEvent.objects.filter(by=reviewer, via=Via.GRID)
    assert events.count() == 60
    assert events.values("batch").distinct().count() == 1


def test_it_works_by_keyboard_alone(
    open_grid: Any, reviewer: User, sevens: list[Prediction]
) -> None:
    grid = open_grid(reviewer)
    expect(grid.cell(sevens[0])).to_be_focused()

    grid.press("ArrowRight", "ArrowRight", "Space")
    expect(grid.cell(sevens[2])).to_have_attribute("aria-selected", "true")
    # 60 drawings stand in rows of twelve here.
    grid.press("ArrowDown", "Space", "1")
    expect(grid.cell(sevens[2]).locator(".grid-badge")).to_have_text("1")
    expect(grid.cell(sevens[14]).locator(".grid-badge")).to_have_text("1")
    grid.press("Home", "ArrowLeft", "ArrowUp")
    expect(grid.cell(sevens[0])).to_be_focused()
    # With none marked, a digit is for the drawing that one is on.
    grid.press("End", "x")
    expect(grid.cell(sevens[59]).locator(".grid-badge")).to_have_text("✗")
    grid.press("ArrowLeft", "Space", "Space", "ArrowLeft", "4", "7", "ArrowLeft", "Space")
    expect(grid.save).to_have_text("Confirm 56, correct 3, leave 1 undecided")
    grid.press("Enter")

    expect(grid.said).to_have_text("56 confirmed, 3 corrected, 1 undecided.")
    assert labels_of([sevens[n] for n in (0, 2, 14, 56, 57, 58, 59)]) == [7, 1, 1, None, 7, 7, 10]
    # The next page is there, and it goes on from its first drawing.
    expect(grid.cell(sevens[60])).to_be_focused()
    grid.press("?")
    expect(grid.page.get_by_text("undo the last batch and show it again")).to_be_visible()
    grid.press("u")
    expect(grid.said).to_have_text("59 labels undone.")
    assert set(labels_of(sevens)) == {None}


def test_an_undone_page_comes_back_with_its_corrections_and_marks(
    open_grid: Any, reviewer: User, sevens: list[Prediction]
) -> None:
    grid = open_grid(reviewer)
    grid.cell(sevens[2]).click()
    grid.press("1")
    grid.press("Enter")
    expect(grid.cells).to_have_count(10)
    grid.cell(sevens[61]).click()

    grid.undo.click()

    expect(grid.cells).to_have_count(60)
    expect(grid.cell(sevens[2]).locator(".grid-badge")).to_have_text("1")
    expect(grid.save).to_have_text("Confirm 59, correct 1")
    grid.cell(sevens[2]).click()
    grid.press("Enter")
    # What had been marked before the undo is marked still.
    expect(grid.save).to_have_text("Confirm 9, leave 1 undecided")
    assert label_of(sevens[2]) == 7


def test_an_older_page_is_undone_from_the_list(
    open_grid: Any, reviewer: User, sevens: list[Prediction]
) -> None:
    grid = open_grid(reviewer)
    grid.press("Enter")
    expect(grid.cells).to_have_count(10)
    grid.press("Enter")
    expect(grid.page.get_by_text("No drawings predicted as 7 are waiting.")).to_be_visible()

    lines = grid.page.locator(".grid-batches li")
    expect(lines).to_have_count(2)
    lines.nth(1).get_by_role("button", name="Undo").click()

    expect(grid.cells).to_have_count(60)
    assert [label_of(sevens[0]), label_of(sevens[65])] == [None, 7]
    # U goes further back each time.
    grid.press("u")
    expect(grid.said).to_have_text("10 labels undone.")
    assert set(labels_of(sevens)) == {None}


def test_another_reviewers_new_label_is_shown_not_overwritten(
    open_grid: Any, reviewer: User, sevens: list[Prediction]
) -> None:
    grid = open_grid(reviewer)
    grace = make_staff("grace")
    Prediction.objects.filter(pk=sevens[3].pk).update(
        label=1, labelled_by=grace, labelled_at=timezone.now()
    )

    grid.press("Enter")

    expect(grid.said).to_have_text(
        "59 confirmed. 1 was already labelled by another reviewer and was not changed."
    )
    others = grid.page.get_by_role("region", name="Already labelled by another reviewer")
    expect(others).to_contain_text("grace says “1”")
    assert labels_of(sevens[2:5]) == [7, 1, 7]
    others.get_by_role("link").click()
    expect(grid.page).to_have_url(re.compile(f"{sevens[3].pk}/change/"))


def test_two_reviewers_at_once_get_different_drawings(
    open_grid: Any, reviewer: User, sevens: list[Prediction]
) -> None:
    # Half of them are claimed ahead, so that they can be loaded.
    one = open_grid(reviewer)
    two = open_grid(make_staff("grace", "view_prediction", "label_prediction"))
    assert len(one.shown()) == 60
    assert two.shown() == []
    expect(two.page.get_by_text("reserved for someone else")).to_be_visible()

    one.page.locator(".grid-menu a").filter(has_text="3").click()
    one.page.wait_for_url("**digit=3**")

    two.open()
    assert len(two.shown()) == 60
    assert ReviewClaim.objects.filter(reviewer__username="grace").count() == 70


def test_the_next_page_comes_without_a_reload_and_without_a_jump(
    open_grid: Any, reviewer: User, sevens: list[Prediction]
) -> None:
    # Enough for two whole pages.
    Prediction.objects.bulk_create(
        [prediction(7, margin=0.9, model_version=make_version()) for _ in range(60)]
    )
    grid = open_grid(reviewer)
    grid.page.wait_for_load_state("networkidle")
    grid.page.evaluate("window.isStillHere = true")
    pictures: list[str] = []
    grid.page.on(
        "request",
        lambda request: pictures.append(request.url) if "thumbnail" in request.url else None,
    )
    before = grid.cells.first.bounding_box(), grid.save.bounding_box()
    old = grid.shown()

    grid.press("Enter")
    expect(grid.said).to_have_text("60 confirmed.")

    assert grid.page.evaluate("window.isStillHere")
    assert not set(old) & set(grid.shown())
    places = [box["y"] for box in (grid.cells.first.bounding_box(), grid.save.bounding_box())]
    assert places == [box["y"] for box in before if box is not None]
    # Its pictures had been loaded before it was asked for.
    loaded: list[bool] = grid.cells.locator("img").evaluate_all(
        "all => all.map(image => image.complete && image.naturalWidth > 0)"
    )
    assert all(loaded)
    shown = grid.shown()
    assert not [url for url in pictures if any(pk in url for pk in shown)]


def test_a_save_that_fails_keeps_the_marks_and_can_be_tried_again(
    open_grid: Any, reviewer: User, sevens: list[Prediction], complaints: list[str]
) -> None:
    grid = open_grid(reviewer)
    grid.cell(sevens[2]).click()
    grid.press("1")

    grid.page.context.set_offline(True)
    grid.press("Enter")
    expect(grid.said).to_contain_text("The site can't be reached.")
    expect(grid.save).to_have_text("Confirm 59, correct 1")
    grid.page.context.set_offline(False)
    cookies = grid.page.context.cookies()
    grid.page.context.clear_cookies(name="sessionid")
    grid.press("Enter")
    expect(grid.said).to_contain_text("Log in again in another tab")
    assert set(labels_of(sevens)) == {None}
    grid.page.context.add_cookies([each for each in cookies if each["name"] == "sessionid"])
    grid.press("Enter")

    expect(grid.said).to_have_text("59 confirmed, 1 corrected.")
    assert label_of(sevens[2]) == 1
    complaints[:] = [text for text in complaints if "ERR_INTERNET_DISCONNECTED" not in text]


def test_it_works_by_touch_on_a_narrow_phone(
    open_grid: Any, reviewer: User, sevens: list[Prediction]
) -> None:
    phone = {"viewport": {"width": 320, "height": 640}, "has_touch": True, "is_mobile": True}
    grid = open_grid(reviewer, **phone)
    assert grid.has_no_sideways_scroll()
    expect(grid.page.locator("[data-slot=digits]")).to_be_hidden()

    grid.cell(sevens[2]).tap()
    grid.cell(sevens[5]).tap()
    digits = grid.page.locator("[data-slot=digits] button")
    boxes = [box for each in digits.all() if (box := each.bounding_box())]
    assert len(boxes) == 11
    assert all(box["width"] >= 40 and box["height"] >= 40 for box in boxes)
    grid.page.get_by_role("button", name="1", exact=True).tap()
    assert grid.has_no_sideways_scroll()
    grid.save.tap()

    expect(grid.said).to_have_text("58 confirmed, 2 corrected.")
    assert label_of(sevens[5]) == 1
    assert grid.has_no_sideways_scroll()
    grid.undo.tap()
    expect(grid.said).to_have_text("60 labels undone.")


@pytest.mark.parametrize("scripted", [True, False], ids=["scripted", "plain"])
@pytest.mark.parametrize("width", [320, 768, 1280])
def test_nothing_scrolls_sideways(
    open_grid: Any, reviewer: User, sevens: list[Prediction], width: int, scripted: bool
) -> None:
    make_prediction(3, verdict="not_a_digit")
    view = {"viewport": {"width": width, "height": 800}, "java_script_enabled": scripted}
    grid = open_grid(reviewer, **view)
    assert grid.has_no_sideways_scroll()
    for path in (LIST + "grid/", LIST + "grid/?digit=not_a_digit", LIST + "grid/?digit=5"):
        grid.open(path, scripted=False)
        assert grid.has_no_sideways_scroll()


def test_it_works_without_javascript(
    open_grid: Any, reviewer: User, sevens: list[Prediction]
) -> None:
    grid = open_grid(reviewer, java_script_enabled=False, viewport={"width": 320, "height": 700})
    choice = grid.page.get_by_label("Drawing 3, predicted as 7")
    expect(choice).to_be_visible()
    choice.select_option("1")
    grid.page.get_by_label("Drawing 4, predicted as 7").select_option("undecided")
    grid.page.get_by_role("button", name="Save this page").click()

    expect(grid.said).to_have_text("58 confirmed, 1 corrected, 1 undecided.")
    expect(grid.cells).to_have_count(10)
    assert labels_of(sevens[:4]) == [7, 7, 1, None]

    grid.undo.click()
    expect(grid.said).to_have_text("59 labels undone.")
    expect(grid.page.get_by_label("Drawing 3, predicted as 7")).to_have_value("1")


def test_a_screen_reader_can_name_every_part(
    open_grid: Any, reviewer: User, sevens: list[Prediction]
) -> None:
    grid = open_grid(reviewer)
    box = grid.page.get_by_role("listbox", name="60 drawings predicted as 7")
    expect(box).to_have_attribute("aria-multiselectable", "true")
    first = box.get_by_role("option", name="Drawing 1, predicted as 7, 60.0\u00a0%", exact=True)
    expect(first).to_have_attribute("aria-selected", "false")
    expect(box.locator("[tabindex='0']")).to_have_count(1)

    first.click()
    expect(grid.status).to_have_text("Drawing 1, predicted as 7, 60.0\u00a0%, selected as wrong")
    grid.press("x")
    corrected = "Drawing 1, predicted as 7, 60.0\u00a0%, corrected to not a digit"
    expect(grid.status).to_have_text(corrected)
    expect(box.get_by_role("option", name=corrected)).to_have_attribute("aria-selected", "true")
    grid.press("Enter")
    expect(grid.status).to_have_text("59 confirmed, 1 corrected. 10 drawings predicted as 7")


def test_keys_do_nothing_in_fields(
    open_grid: Any, reviewer: User, sevens: list[Prediction]
) -> None:
    grid = open_grid(reviewer)
    grid.page.locator("#nav-filter").fill("7x")
    grid.press("1", "Enter")
    expect(grid.save).to_have_text("Confirm 60")
    grid.cells.first.focus()
    grid.press("Control+x", "Alt+1")
    expect(grid.save).to_have_text("Confirm 60")
    assert not LabelEvent.objects.exists()


def test_the_dark_page_differs_and_its_marks_are_seen(
    open_grid: Any, reviewer: User, sevens: list[Prediction]
) -> None:
    def colours(scheme: str) -> tuple[str, str, str]:
        # The other page is closed: its drawings are free again.
        ReviewClaim.objects.all().delete()
        grid = open_grid(reviewer, color_scheme=scheme)
        grid.cell(sevens[0]).click()
        grid.press("1")
        grid.cell(sevens[1]).click()
        style = "(cell) => getComputedStyle(cell).borderTopColor"
        ground: str = grid.page.evaluate("getComputedStyle(document.body).backgroundColor")
        return (
            ground,
            grid.cell(sevens[0]).evaluate(style),
            grid.cell(sevens[1]).evaluate(style),
        )

    light, dark = colours("light"), colours("dark")
    assert all(one != other for one, other in zip(light, dark, strict=True))
    assert len(set(light)) == len(set(dark)) == 3
