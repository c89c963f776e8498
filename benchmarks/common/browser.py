"""Chromium on a page of the running site, and a digit drawn on its canvas."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from training.synthesis.allographs import generate_digit
from training.synthesis.strokes import place

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")


def find_browser() -> str:
    """Return the path of the browser; exit with a message if there is none."""
    named = os.environ.get("CHROMIUM")
    found = shutil.which(named) if named else next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise SystemExit("No Chromium or Chrome on the PATH; the variable CHROMIUM can name one.")
    return found


@contextmanager
def browser_page(address: str, **settings: Any) -> Iterator[Any]:
    """Yield a page of the site in Chromium; ``settings`` are those of a Playwright context."""
    from playwright.sync_api import sync_playwright

    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=find_browser(), args=["--no-sandbox"] if is_root else []
        )
        page = browser.new_context(**settings).new_page()
        page.goto(address)
        yield page
        browser.close()


def points_of(page: Any, digit: int, rng: np.random.Generator) -> list[list[tuple[float, float]]]:
    """Return a digit's strokes in pixels of the window, in the centre of the canvas."""
    box = page.locator("#canvas").bounding_box()
    placed = place(generate_digit(digit, rng), canvas=int(box["width"]), size=0.68)
    return [[(box["x"] + float(x), box["y"] + float(y)) for x, y in stroke] for stroke in placed]


def drag(page: Any, digit: int, rng: np.random.Generator) -> None:
    for points in points_of(page, digit, rng):
        page.mouse.move(*points[0])
        page.mouse.down()
        for x, y in points[1:]:
            page.mouse.move(x, y)
        page.mouse.up()


def draw(page: Any, digit: int, rng: np.random.Generator) -> None:
    """Draw a digit with the mouse, store it, and wait for its prediction."""
    drag(page, digit, rng)
    page.click("#save")
    page.wait_for_selector(
        "#answer:not([data-live]):not([data-verdict=none]):not([data-changed])[aria-busy=false]"
    )
