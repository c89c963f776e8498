"""Take the documentation's picture of the page Insights.

    python -m benchmarks.pictures.insights_picture [PATH] [--dark] [--width 1320] [--whole]

The site runs on a temporary database with invented drawings (``benchmarks.site.insights_data``).
The browser is the system's Chromium.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path

from benchmarks.common import command_line
from benchmarks.common.browser import browser_page, find_browser
from benchmarks.common.running_site import ROOT, running_site
from benchmarks.pictures.files import smaller, write
from benchmarks.site.insights import PAGE
from benchmarks.site.insights_data import fill_command

DRAWINGS, DAYS = 120_000, 300
NAME = "picture"
HEIGHT = 1500
MARGIN = 16


def take(address: str, password: str, *, width: int, scheme: str, whole: bool) -> bytes:
    """Return a PNG of the page: down to the predictions per day, or the whole of it."""
    window = {"width": width, "height": HEIGHT}
    with browser_page(address.rstrip("/") + PAGE, viewport=window, color_scheme=scheme) as page:
        page.fill("#id_username", NAME)
        page.fill("#id_password", password)
        page.click("[type=submit]")
        page.wait_for_selector(".insights")
        if page.is_visible("#toggle-nav-sidebar"):
            page.click("#toggle-nav-sidebar")
        page.mouse.move(0, 0)
        page.evaluate("document.activeElement.blur()")
        # Boxes are in coordinates of the window: scroll to its top first.
        page.evaluate("window.scrollTo(0, 0)")
        top = page.locator("#content").bounding_box()
        end = page.locator("section[aria-labelledby=answers-name]").bounding_box()
        height = end["y"] + end["height"] + MARGIN - top["y"]
        clip = {"x": 0, "y": top["y"], "width": width, "height": height}
        picture: bytes = page.screenshot(full_page=True, clip=None if whole else clip)
    return picture


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line.parser(__doc__, with_json=False)
    parser.add_argument("path", nargs="?", type=Path, default=ROOT / "docs" / "insights.png")
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--width", type=int, default=1320, help="of the window, in px")
    parser.add_argument(
        "--whole", action="store_true", help="the whole page, not only its first part"
    )
    options = parser.parse_args(arguments)
    find_browser()
    password = secrets.token_urlsafe()
    fill = fill_command(DRAWINGS, DAYS, NAME, password)
    with running_site(fill) as site:
        picture = take(
            site.address,
            password,
            width=options.width,
            scheme="dark" if options.dark else "light",
            whole=options.whole,
        )
    write(smaller(picture), options.path)


if __name__ == "__main__":
    main()
