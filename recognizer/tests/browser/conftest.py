"""Tests in the Chromium of the system; `playwright install` is not needed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from django.test import Client
from playwright.sync_api import BrowserContext, Page, expect
from pytest_django.live_server_helper import LiveServer

from recognizer.tests.browser.draw_page import DrawPage
from recognizer.tests.support.required import skip_or_fail

# Playwright's synchronous API keeps an event loop in the main thread, and Django would take every
# query there for one from asynchronous code. Until the session's end: so does the loop.
os.environ.setdefault("DJANGO_ALLOW_ASYNC_UNSAFE", "true")

# Milliseconds that a page may take, on a machine that does much else. Only failures wait so long.
PATIENCE = 120_000
expect.set_options(timeout=PATIENCE)

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def find_browser() -> str | None:
    """Return the path of Chromium or Chrome: the one that CHROMIUM names, or one on the PATH."""
    named = os.environ.get("CHROMIUM")
    if named:
        return shutil.which(named)
    return next(filter(None, map(shutil.which, NAMES)), None)


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """Launch the system's browser; without one, skip, or fail where one is required."""
    executable = find_browser()
    if executable is None:
        reason = "no Chromium or Chrome on the PATH; the variable CHROMIUM can name one"
        skip_or_fail(reason, variable="REQUIRE_BROWSER")
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    return {
        **browser_type_launch_args,
        "executable_path": executable,
        # Chromium's sandbox refuses to work for root.
        "args": ["--no-sandbox"] if is_root else [],
    }


@pytest.fixture(scope="session")
def base_url() -> None:
    """Replace the plugin's fixture, which is written in a way that pytest deprecates."""


@pytest.fixture
def complaints() -> list[str]:
    """Return what browsers wrote to their consoles; a test that provokes errors empties it."""
    return []


@pytest.fixture(autouse=True)
def _no_complaints(complaints: list[str]) -> Iterator[None]:
    yield
    assert complaints == []


def listen(context: BrowserContext, complaints: list[str]) -> None:
    """Collect the errors and warnings of all pages: blocked by the CSP, thrown, missing."""
    context.set_default_timeout(PATIENCE)
    context.on(
        "console",
        lambda message: (
            complaints.append(message.text) if message.type in ("error", "warning") else None
        ),
    )
    context.on("weberror", lambda error: complaints.append(str(error.error)))


@pytest.fixture
def draw_page(
    page: Page, context: BrowserContext, live_server: LiveServer, complaints: list[str]
) -> DrawPage:
    """Return the page, opened by a visitor who comes for the first time."""
    listen(context, complaints)
    return DrawPage(page, live_server.url).open()


@pytest.fixture
def open_draw_page(new_context: Any, live_server: LiveServer, complaints: list[str]) -> Any:
    """Return the function that opens the page in a browser of its own, with its options."""

    def open_one(*, path: str = "/", **options: Any) -> DrawPage:
        context = new_context(**options)
        listen(context, complaints)
        return DrawPage(context.new_page(), live_server.url).open(path)

    return open_one


@pytest.fixture
def log_in(live_server: LiveServer) -> Any:
    """Return the function that logs a user in to a browser without a password."""

    def log_in(context: BrowserContext, user: Any) -> None:
        client = Client()
        client.force_login(user)
        session = client.cookies["sessionid"].value
        context.add_cookies([{"name": "sessionid", "value": session, "url": live_server.url}])

    return log_in
