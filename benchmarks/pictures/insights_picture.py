"""Take the README's picture of the page of insights.

    python -m benchmarks.pictures.insights_picture [PATH] [--dark] [--width 1320] [--whole]

Starts the site on a database of its own, filled with invented drawings (`insights_data`), that is
gone afterwards. The browser is the one of `benchmarks.pictures.screenshots`.
"""

from __future__ import annotations

import argparse
import os
import secrets
import sys
from collections.abc import Sequence
from pathlib import Path

from benchmarks.common.running_site import ROOT, running_site
from benchmarks.pictures import screenshots
from benchmarks.site.insights import PAGE

DRAWINGS, DAYS = 120_000, 300
NAME = "picture"
HEIGHT = 1500
MARGIN = 16


def take(address: str, password: str, *, width: int, scheme: str, whole: bool) -> bytes:
    """Return a PNG of the page: down to the answers a day, or the whole of it."""
    from playwright.sync_api import FloatRect, sync_playwright

    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=screenshots.find_browser(), args=["--no-sandbox"] if is_root else []
        )
        page = browser.new_page(
            viewport={"width": width, "height": HEIGHT},
            color_scheme="dark" if scheme == "dark" else "light",
        )
        page.goto(address.rstrip("/") + PAGE)
        page.fill("#id_username", NAME)
        page.fill("#id_password", password)
        page.click("[type=submit]")
        page.wait_for_selector(".insights")
        if page.is_visible("#toggle-nav-sidebar"):
            page.click("#toggle-nav-sidebar")
        page.mouse.move(0, 0)
        page.evaluate("document.activeElement.blur()")
        # Boxes are in the window's coordinates: no scrolling before.
        page.evaluate("window.scrollTo(0, 0)")
        top = page.locator("#content").bounding_box()
        end = page.locator("section[aria-labelledby=answers-name]").bounding_box()
        assert top is not None
        assert end is not None
        height = end["y"] + end["height"] + MARGIN - top["y"]
        clip: FloatRect = {"x": 0, "y": top["y"], "width": width, "height": height}
        picture = page.screenshot(full_page=True, clip=None if whole else clip)
        browser.close()
    return picture


def main(arguments: Sequence[str] | None = None) -> None:
    """Take the picture and write it."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("path", nargs="?", type=Path, default=ROOT / "docs" / "insights.png")
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--width", type=int, default=1320, help="of the window, in pixels")
    parser.add_argument("--whole", action="store_true", help="the whole page, not its first part")
    options = parser.parse_args(arguments)
    screenshots.find_browser()
    password = secrets.token_urlsafe()
    fill = [
        sys.executable, "-m", "benchmarks.site.insights_data", "--drawings", str(DRAWINGS),
        "--days", str(DAYS), "--account", NAME, password,
    ]  # fmt: skip
    with running_site(fill) as site:
        picture = take(
            site.address,
            password,
            width=options.width,
            scheme="dark" if options.dark else "light",
            whole=options.whole,
        )
    screenshots.write(screenshots.smaller(picture), options.path)


if __name__ == "__main__":
    main()
