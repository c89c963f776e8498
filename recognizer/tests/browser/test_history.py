"""The visitor's own history on the page."""

from __future__ import annotations

import re
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from playwright.sync_api import expect

from recognizer.models import Owner, Prediction, Source
from recognizer.predictions import recognition
from recognizer.tests.browser.draw_page import DrawPage


def _digits(draw_page: DrawPage) -> list[str]:
    return draw_page.entries.locator("[data-slot=digit]").all_inner_texts()


def _visitor() -> UUID:
    visitor = Prediction.objects.latest("created_at").visitor
    assert visitor is not None
    return visitor


def test_newest_first_and_still_there_after_a_reload(draw_page: DrawPage) -> None:
    for count, digit in enumerate([1, 3, 7], start=1):
        draw_page.draw(digit, seed=1)
        draw_page.save.click()
        expect(draw_page.entries).to_have_count(count)
        draw_page.clear.click()
    assert _digits(draw_page) == ["7", "3", "1"]
    prepended = draw_page.page.locator("[data-slot=entries]").inner_html()
    draw_page.open()
    assert _digits(draw_page) == ["7", "3", "1"]
    # What JavaScript adds is what the server writes, to the letter.
    rendered = draw_page.page.locator("[data-slot=entries]").inner_html()
    assert re.sub(r"</li>\s+", "</li>", rendered).strip() == prepended.strip()


def test_thumbnails_show_the_drawing_and_load_only_when_seen(draw_page: DrawPage) -> None:
    draw_page.draw(3)
    draw_page.save.click()
    thumbnail = draw_page.entries.first.get_by_role("img", name="Your drawing")
    thumbnail.scroll_into_view_if_needed()
    width = thumbnail.evaluate("(image) => image.decode().then(() => image.naturalWidth)")
    assert width == 512
    assert thumbnail.get_attribute("loading") == "lazy"


def test_two_visitors_do_not_see_each_others(draw_page: DrawPage, open_draw_page: Any) -> None:
    draw_page.draw(3)
    draw_page.save.click()
    draw_page.expect_answer(3)
    stranger = open_draw_page()
    expect(stranger.entries).to_have_count(0)
    expect(stranger.page.get_by_text("No drawings yet")).to_be_visible()
    stranger.draw(7, seed=1)
    stranger.save.click()
    stranger.expect_answer(7)
    assert _digits(draw_page.open()) == ["3"]
    assert _digits(stranger.open()) == ["7"]
    image = draw_page.entries.first.locator("img").get_attribute("src")
    assert stranger.page.request.get(stranger.url + str(image)).status == 404


def test_two_tabs_of_one_visitor_share_their_history(draw_page: DrawPage) -> None:
    draw_page.draw(3)
    draw_page.save.click()
    draw_page.expect_answer(3)
    other = DrawPage(draw_page.page.context.new_page(), draw_page.url).open()
    assert _digits(other) == ["3"]


def test_a_logged_in_user_sees_the_drawings_of_their_account(
    draw_page: DrawPage, user: User, log_in: Any, draw_digit: Any
) -> None:
    recognition.recognise(data=draw_digit(3), source=Source.CANVAS, owner=Owner(user=user))
    log_in(draw_page.page.context, user)
    assert _digits(draw_page.open()) == ["3"]


@pytest.fixture
def long_history(draw_page: DrawPage, draw_digit: Any) -> DrawPage:
    """Return the page of a visitor with 45 drawings."""
    draw_page.draw(3)
    draw_page.save.click()
    draw_page.expect_answer(3)
    visitor = _visitor()
    pictures = {digit: draw_digit(digit, seed=1) for digit in (1, 7)}
    for each in range(44):
        recognition.recognise(
            data=pictures[1 if each % 2 else 7], source=Source.API, owner=Owner(visitor=visitor)
        )
    # And one of somebody else.
    recognition.recognise(data=pictures[1], source=Source.API, owner=Owner(visitor=uuid4()))
    return draw_page.open()


def test_show_more_appends_older_drawings_until_there_are_none(long_history: DrawPage) -> None:
    draw_page = long_history
    more = draw_page.page.get_by_role("link", name="Show more")
    expect(draw_page.entries).to_have_count(20)
    more.click()
    expect(draw_page.entries).to_have_count(40)
    expect(draw_page.status).to_have_text("20 more shown.")
    more.click()
    expect(draw_page.entries).to_have_count(45)
    expect(more).to_be_hidden()
    expect(draw_page.entries.nth(40)).to_be_focused()
    assert _digits(draw_page)[-1] == "3"
    images = draw_page.entries.locator("img")
    assert len({image.get_attribute("src") for image in images.all()}) == 45


def test_show_more_that_fails_says_so_and_can_be_tried_again(
    long_history: DrawPage, complaints: list[str]
) -> None:
    draw_page = long_history
    more = draw_page.page.get_by_role("link", name="Show more")
    draw_page.page.context.set_offline(True)
    more.click()
    expect(draw_page.page.locator("[data-slot=more-error]")).to_contain_text("Can't reach the site")
    draw_page.page.context.set_offline(False)
    more.click()
    expect(draw_page.entries).to_have_count(40)
    complaints[:] = [text for text in complaints if "ERR_INTERNET_DISCONNECTED" not in text]


def test_show_more_is_a_plain_link_without_javascript(long_history: DrawPage, browser: Any) -> None:
    context = browser.new_context(
        java_script_enabled=False, storage_state=long_history.page.context.storage_state()
    )
    page = context.new_page()
    page.goto(long_history.url)
    page.get_by_role("link", name="Show more").click()
    page.get_by_role("link", name="Show more").click()
    expect(page.locator(".entry")).to_have_count(5)
    expect(page.get_by_role("link", name="Show more")).to_have_count(0)
    page.get_by_role("link", name="Back to the newest").click()
    expect(page.locator(".entry")).to_have_count(20)
    context.close()
