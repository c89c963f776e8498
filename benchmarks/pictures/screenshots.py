"""Draw in Chromium and take the README's pictures of the page, a still one and a moving one.

    python -m benchmarks.pictures.screenshots [FOLDER]

They are screenshot.png and drawing.gif; the default folder is docs. The site runs on a temporary
database. The browser is the system's Chromium or Chrome, on the PATH or named by the variable
CHROMIUM.
"""

from __future__ import annotations

import io
from itertools import pairwise
from pathlib import Path

import numpy as np
from PIL import Image

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


# The strokes of a 5: points as shares of the canvas.
FIVE = (
    ((0.36, 0.2), (0.34, 0.46), (0.55, 0.44), (0.66, 0.58), (0.6, 0.76), (0.33, 0.8)),
    ((0.36, 0.2), (0.66, 0.19)),
)
FRAME_MS, LAST_FRAME_MS = 130, 1600


def film(address: str) -> bytes:
    """Return a GIF: a 5 is drawn and saved, and its prediction follows each stroke."""
    frames: list[Image.Image] = []
    viewport = {"width": 844, "height": 390}
    with browser_page(address, viewport=viewport, color_scheme="light") as page:
        page.wait_for_selector("html[data-ready]")
        box = page.locator("#canvas").bounding_box()

        def shoot() -> None:
            with Image.open(io.BytesIO(page.screenshot())) as image:
                frames.append(image.convert("RGB").resize((560, 259)))

        def at(point: tuple[float, float]) -> tuple[float, float]:
            return box["x"] + point[0] * box["width"], box["y"] + point[1] * box["height"]

        for stroke in FIVE:
            page.mouse.move(*at(stroke[0]))
            page.mouse.down()
            for start, end in pairwise(stroke):
                for share in (0.5, 1.0):
                    between = (
                        start[0] + share * (end[0] - start[0]),
                        start[1] + share * (end[1] - start[1]),
                    )
                    page.mouse.move(*at(between))
                    page.wait_for_timeout(80)
                    shoot()
            page.mouse.up()
        page.wait_for_timeout(800)
        shoot()
        page.click("#save")
        page.wait_for_timeout(1500)
        shoot()
    few = [frame.quantize(32, dither=Image.Dither.NONE) for frame in frames]
    out = io.BytesIO()
    times = [*([FRAME_MS] * (len(few) - 2)), LAST_FRAME_MS, LAST_FRAME_MS]
    few[0].save(out, "GIF", save_all=True, append_images=few[1:], duration=times, loop=0)
    return out.getvalue()


def main() -> None:
    parser = command_line.parser(__doc__, with_json=False)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "docs")
    folder: Path = parser.parse_args().folder
    find_browser()
    with running_site() as site:
        picture, moving = smaller(take(site.address)), film(site.address)
    write(picture, folder / "screenshot.png")
    write(moving, folder / "drawing.gif")


if __name__ == "__main__":
    main()
