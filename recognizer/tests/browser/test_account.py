"""The account pages in a browser: sign up, a token, deletion; on a phone and on a desktop."""

from __future__ import annotations

from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from django.contrib.auth.models import User
from playwright.sync_api import Page, expect
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from recognizer.tests.browser.conftest import listen
from recognizer.tests.browser.draw_page import DrawPage
from recognizer.tests.support.accounts import make_token

pytestmark = pytest.mark.django_db

PHONE = {"viewport": {"width": 320, "height": 700}, "has_touch": True, "is_mobile": True}
DESKTOP = {"viewport": {"width": 1280, "height": 800}}


def expect_good(page: Page) -> None:
    """Check that nothing is wider than the page, and that axe finds nothing."""
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    found = Axe().run(page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("screen", [PHONE, DESKTOP], ids=["phone", "desktop"])
def test_a_person_signs_up_makes_a_token_and_leaves(
    open_draw_page: Any, settings: Settings, complaints: list[str], screen: Any, scheme: str
) -> None:
    settings.SIGN_UP = True
    draw_page: DrawPage = open_draw_page(color_scheme=scheme, **screen)
    page = draw_page.page
    draw_page.draw(4)
    draw_page.save.click()
    expect(draw_page.entries).to_have_count(1)

    page.get_by_role("link", name="Log in").click()
    expect_good(page)
    page.get_by_role("link", name="Create an account").click()
    page.locator("#id_username").fill("grace")
    page.locator("#id_password1").fill("123")
    page.locator("#id_password2").fill("123")
    page.get_by_role("button", name="Create the account").click()
    expect(page.get_by_role("alert").first).to_be_visible()
    expect_good(page)
    # The browser reports the answer 400.
    complaints.clear()
    page.locator("#id_password1").fill("a-long-enough-1")
    page.locator("#id_password2").fill("a-long-enough-1")
    page.get_by_role("button", name="Create the account").click()

    expect(page.get_by_role("heading", name="Your account", exact=True)).to_be_visible()
    page.locator("#id_name").fill("a scanner")
    page.get_by_role("button", name="Create the token").click()
    expect(page.locator("#new-token")).to_contain_text("digitsite_")
    expect_good(page)
    page.get_by_role("button", name="Revoke a scanner").click()
    expect(page.get_by_text("You have no tokens.")).to_be_visible()

    page.get_by_role("link", name="DigitSite").click()
    expect(draw_page.entries).to_have_count(1)
    page.get_by_role("link", name="Account").click()
    page.get_by_role("link", name="Delete the account").click()
    expect_good(page)
    page.locator("#id_password").fill("a-long-enough-1")
    page.get_by_role("button", name="Delete the account").click()
    expect(page.get_by_role("link", name="Log in")).to_be_visible()
    expect(draw_page.entries).to_have_count(0)
    assert not User.objects.exists()


def test_long_names_fit_a_phone(
    new_context: Any, log_in: Any, live_server: LiveServer, user: User, complaints: list[str]
) -> None:
    make_token(user, "predict", "read", "review", "export", name="x" * 100)
    context = new_context(**PHONE)
    listen(context, complaints)
    log_in(context, user)
    page = context.new_page()

    page.goto(live_server.url + "/account/")

    expect(page.get_by_role("heading", name="x" * 100)).to_be_visible()
    expect_good(page)
