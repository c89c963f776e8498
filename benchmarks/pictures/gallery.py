"""Take pictures of every page in every state, light and dark, on a desktop and on a phone.

    python -m benchmarks.pictures.gallery [FOLDER] [--only NAME] [--animation PATH]

Look at them before each release. FOLDER is reports/gallery by default. With --animation only the
README's animation is made: a digit being drawn and recognised. The browser is the system's
Chromium.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.common import command_line
from benchmarks.common.browser import browser_page, drag, draw, points_of
from benchmarks.common.running_site import ROOT, Site, running_site
from benchmarks.site.insights_data import fill_command
from recognizer.imaging import encode_png
from recognizer.imaging.strokes import render
from training.synthesis.allographs import generate_digit
from training.synthesis.strokes import place

PASSWORD = "gallery-gallery"
DEVICES: dict[str, dict[str, Any]] = {
    "desktop": {"viewport": {"width": 1280, "height": 900}},
    "phone": {
        "viewport": {"width": 360, "height": 740},
        "device_scale_factor": 2,
        "has_touch": True,
        "is_mobile": True,
    },
}
ANIMATION_SIZE = (560, 430)
FRAME_MS = 70

Prepare = Callable[[Any, str], None]


def _open(path: str) -> Prepare:
    def prepare(page: Any, address: str) -> None:
        page.goto(address + path)

    return prepare


def _drawn(digit: int) -> Prepare:
    def prepare(page: Any, address: str) -> None:
        page.wait_for_selector("html[data-ready]")
        drag(page, digit, np.random.default_rng(digit))
        page.wait_for_selector("#answer[data-live]")

    return prepare


def _answered(page: Any, address: str) -> None:
    page.wait_for_selector("html[data-ready]")
    draw(page, 4, np.random.default_rng(4))


def _thanked(page: Any, address: str) -> None:
    _answered(page, address)
    page.keyboard.press("9")
    page.wait_for_selector("#feedback[data-state=saved]")


def _personal(page: Any, address: str) -> None:
    _thanked(page, address)
    page.click("#clear")
    draw(page, 4, np.random.default_rng(4))


def _rejected(page: Any, address: str) -> None:
    page.wait_for_selector("html[data-ready]")
    box = page.locator("#canvas").bounding_box()
    corners = [(0.1, 0.1), (0.9, 0.9), (0.1, 0.9), (0.9, 0.1), (0.1, 0.5), (0.9, 0.5)]
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    page.mouse.down()
    for x, y in corners:
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=5)
    page.mouse.up()
    page.wait_for_selector("#answer[data-verdict=not_a_digit]")


def _picture(page: Any, address: str) -> None:
    page.wait_for_selector("html[data-ready]")
    strokes = place(generate_digit(5, np.random.default_rng(5)), canvas=400, size=0.4)
    png = encode_png(render(strokes, canvas=400, brush=20))
    page.set_input_files(
        "#upload-image", {"name": "five.png", "mimeType": "image/png", "buffer": png}
    )
    page.wait_for_selector("[data-slot=picture-box]:not([hidden])")


def _offline(page: Any, address: str) -> None:
    page.wait_for_selector("html[data-ready]")
    drag(page, 4, np.random.default_rng(4))
    page.context.set_offline(True)
    page.click("#save")
    page.wait_for_selector("#answer > [data-slot=message]:not(:empty)")


def _help(page: Any, address: str) -> None:
    page.wait_for_selector("html[data-ready]")
    page.keyboard.press("?")


def _opened(page: Any, address: str) -> None:
    _answered(page, address)
    page.locator(".entry-open").first.click()


def _german(page: Any, address: str) -> None:
    page.get_by_role("button", name="Deutsch").click()
    _answered(page, address)


def _log_in(page: Any, address: str) -> None:
    page.goto(f"{address}admin/login/")
    page.fill("#id_username", "gallery")
    page.fill("#id_password", PASSWORD)
    page.click("[type=submit]")


def _admin(path: str) -> Prepare:
    def prepare(page: Any, address: str) -> None:
        _log_in(page, address)
        page.goto(f"{address}admin/recognizer/{path}")

    return prepare


STATES: dict[str, Prepare] = {
    "start": _open(""),
    "live": _drawn(7),
    "answer": _answered,
    "thanks": _thanked,
    "personal": _personal,
    "rejected": _rejected,
    "picture": _picture,
    "offline": _offline,
    "keys": _help,
    "opened": _opened,
    "german": _german,
    "about": _open("about/"),
    "missing": _open("nothing-here/"),
    "review": _admin("prediction/review/"),
    "grid": _admin("prediction/grid/?digit=7"),
    "insights": _admin("prediction/insights/"),
    "predictions": _admin("prediction/"),
    "versions": _admin("modelversion/"),
    "trainings": _admin("trainingjob/"),
}


def take(site: Site, folder: Path, states: dict[str, Prepare]) -> Iterator[Path]:
    for name, prepare in states.items():
        for device, settings in DEVICES.items():
            for scheme in ("light", "dark"):
                with browser_page(site.address, color_scheme=scheme, **settings) as page:
                    prepare(page, site.address)
                    # Bars are animated; images load when they come near the window.
                    page.evaluate(
                        "[...document.images].forEach((image) => { image.loading = 'eager'; })"
                    )
                    page.wait_for_timeout(700)
                    path = folder / f"{name}-{device}-{scheme}.png"
                    page.screenshot(path=path, full_page=True)
                    yield path


def animate(site: Site, path: Path) -> None:
    """Write a GIF of a digit being drawn and recognised, with a frame for every few points."""
    frames: list[Image.Image] = []
    size = {"width": 1120, "height": 860}
    with browser_page(site.address, viewport=size) as page:
        page.wait_for_selector("html[data-ready]")

        def snap(times: int = 1) -> None:
            shot = Image.open(io.BytesIO(page.screenshot())).convert("RGB")
            small = shot.resize(ANIMATION_SIZE, Image.Resampling.LANCZOS)
            frames.extend([small] * times)

        snap(4)
        for stroke in points_of(page, 5, np.random.default_rng(12)):
            page.mouse.move(*stroke[0])
            page.mouse.down()
            for number, (x, y) in enumerate(stroke[1:]):
                page.mouse.move(x, y)
                if number % 3 == 0:
                    snap()
            page.mouse.up()
            for _ in range(5):
                page.wait_for_timeout(60)
                snap()
        page.click("#save")
        page.wait_for_timeout(600)
        snap(24)
    palette = frames[-1].quantize(64, dither=Image.Dither.NONE)
    few = [frame.quantize(palette=palette, dither=Image.Dither.NONE) for frame in frames]
    few[0].save(path, save_all=True, append_images=few[1:], duration=FRAME_MS, loop=0)
    print(f"{path}: {path.stat().st_size:,} bytes, {len(few)} frames")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line.parser(__doc__, with_json=False)
    parser.add_argument("folder", nargs="?", type=Path, default=ROOT / "reports" / "gallery")
    parser.add_argument("--only", choices=STATES, action="append", help="may be repeated")
    parser.add_argument("--animation", type=Path, metavar="PATH")
    options = parser.parse_args(arguments)
    if options.animation:
        with running_site() as site:
            animate(site, options.animation)
        return
    options.folder.mkdir(parents=True, exist_ok=True)
    with running_site(fill_command(600, 30, "gallery", PASSWORD)) as site:
        states = {name: STATES[name] for name in options.only or STATES}
        for path in take(site, options.folder, states):
            print(path)


if __name__ == "__main__":
    main()
