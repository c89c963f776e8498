"""Draw a digit in Chromium and take the README's picture of the page.

    python -m benchmarks.pictures.screenshots [PATH]        (docs/screenshot.png)

Starts the site on a database of its own that is gone afterwards. The browser is the system's
Chromium or Chrome, on the PATH or named by the variable CHROMIUM.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.common.running_site import ROOT, running_site
from training.synthesis.allographs import generate_digit
from training.synthesis.strokes import place

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
# What the history holds before the picture is taken, and the digit in the picture.
EARLIER = (5, 2, 0, 9, 4, 8)
DRAWN = 3
MAX_BYTES = 150_000


def find_browser() -> str:
    """Return the browser's path; leave with a sentence if there is none."""
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
    """Return a digit's strokes in the window's pixels, in the canvas' middle."""
    box = page.locator("#canvas").bounding_box()
    placed = place(generate_digit(digit, rng), canvas=int(box["width"]), size=0.68)
    return [[(box["x"] + float(x), box["y"] + float(y)) for x, y in stroke] for stroke in placed]


def drag(page: Any, digit: int, rng: np.random.Generator) -> None:
    """Draw a digit on the page's canvas with the mouse."""
    for points in points_of(page, digit, rng):
        page.mouse.move(*points[0])
        page.mouse.down()
        for x, y in points[1:]:
            page.mouse.move(x, y)
        page.mouse.up()


def draw(page: Any, digit: int, rng: np.random.Generator) -> None:
    """Draw a digit on the page's canvas with the mouse and wait for the answer that is kept."""
    drag(page, digit, rng)
    page.click("#predict")
    page.wait_for_selector(
        "#answer:not([data-live]):not([data-verdict=none]):not([data-changed])[aria-busy=false]"
    )


def take(address: str) -> bytes:
    """Return a PNG of the page after a drawing has been read."""
    rng = np.random.default_rng(7)
    viewport = {"width": 1200, "height": 1390}
    with browser_page(address, viewport=viewport, color_scheme="light") as page:
        page.wait_for_selector("html[data-ready]")
        for digit in EARLIER:
            draw(page, digit, rng)
            page.click("#clear")
        draw(page, DRAWN, rng)
        page.mouse.move(0, 0)
        page.evaluate("document.activeElement.blur()")
        # Those that wait for a personal answer, or for an entry to be opened, show nothing yet.
        page.evaluate(
            """Promise.all([...document.images]
                .filter((image) => image.hasAttribute("src")).map((image) => image.decode()))"""
        )
        # The bars are moving.
        page.wait_for_timeout(800)
        picture: bytes = page.screenshot()
    return picture


def smaller(png: bytes) -> bytes:
    """Return the picture in at most 256 colours: drawings and text need no more."""
    with Image.open(io.BytesIO(png)) as image:
        few = image.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    out = io.BytesIO()
    few.save(out, "PNG", optimize=True)
    return out.getvalue()


def main() -> None:
    """Take the picture and write it."""
    parser = argparse.ArgumentParser(description="Take the README's picture of the page.")
    parser.add_argument("path", nargs="?", type=Path, default=ROOT / "docs" / "screenshot.png")
    path: Path = parser.parse_args().path
    find_browser()
    with running_site() as site:
        picture = smaller(take(site.address))
    write(picture, path)


def write(picture: bytes, path: Path) -> None:
    """Write a picture whole or not at all; leave with a sentence if it is too large."""
    if len(picture) > MAX_BYTES:
        raise SystemExit(
            f"The picture has {len(picture):,} bytes; at most {MAX_BYTES:,} are meant."
        )
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".tmp")
    temporary.write_bytes(picture)
    temporary.replace(path)
    print(f"{path}: {len(picture):,} bytes")


if __name__ == "__main__":
    main()
