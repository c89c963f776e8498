"""Draw a digit in Chromium and take the README's picture of the page.

    python -m benchmarks.pictures.screenshots [PATH]

The default is docs/screenshot.png. The site runs on a temporary database. The browser is the
system's Chromium or Chrome, on the PATH or named by the variable CHROMIUM.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from benchmarks.common import command_line
from benchmarks.common.browser import browser_page, draw, find_browser
from benchmarks.common.running_site import ROOT, running_site
from benchmarks.pictures.files import smaller, write

# Drawings in the history, and the digit in the picture.
EARLIER = (5, 2, 0, 9, 4, 8)
DRAWN = 3


def take(address: str) -> bytes:
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
        # Images without a source are filled in later.
        page.evaluate(
            """Promise.all([...document.images]
                .filter((image) => image.hasAttribute("src")).map((image) => image.decode()))"""
        )
        # The bars are animated.
        page.wait_for_timeout(800)
        picture: bytes = page.screenshot()
    return picture


def main() -> None:
    parser = command_line.parser(__doc__, with_json=False)
    parser.add_argument("path", nargs="?", type=Path, default=ROOT / "docs" / "screenshot.png")
    path: Path = parser.parse_args().path
    find_browser()
    with running_site() as site:
        picture = smaller(take(site.address))
    write(picture, path)


if __name__ == "__main__":
    main()
