"""The page as a person uses it: draw, press, read."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
from playwright.sync_api import FilePayload, Locator, Page, expect

from recognizer.imaging.strokes import Stroke
from training.synthesis.allographs import ALLOGRAPHS, generate_digit
from training.synthesis.strokes import place

# Reads the canvas in the next frame from a copy, which leaves the canvas itself as fast as it is.
PIXELS = """
    const pixels = (canvas) => new Promise((resolve) => requestAnimationFrame(() => {
        const copy = new OffscreenCanvas(canvas.width, canvas.height);
        const context = copy.getContext("2d", { willReadFrequently: true });
        context.drawImage(canvas, 0, 0);
        resolve(context.getImageData(0, 0, copy.width, copy.height));
    }));
"""


def send_picture(page: Page, data: bytes) -> None:
    """Choose a file of these bytes in the page's form and send it."""
    picture: FilePayload = {"name": "digit.png", "mimeType": "image/png", "buffer": data}
    page.set_input_files("#upload-image", picture)
    page.get_by_role("button", name="Recognise picture").click()


class DrawPage:
    """One visitor's page."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self.url = url
        self.canvas = page.locator("#canvas")
        self.save = page.locator("#save")
        self.clear = page.locator("#clear")
        self.answer = page.locator("#answer")
        self.digit = self.answer.locator("[data-slot=digit]")
        self.sentence = self.answer.locator("[data-slot=sentence]")
        self.message = page.locator("#answer > [data-slot=message]")
        self.status = page.locator("#status")
        self.entries = page.locator("#history .entry")

    def open(self, path: str = "/") -> DrawPage:
        """Go to the page and wait until it can be drawn on."""
        self.page.goto(self.url + path)
        self.page.wait_for_selector("html[data-ready]")
        return self

    def box(self) -> dict[str, float]:
        """Return where the canvas is in the window, in CSS pixels."""
        self.canvas.scroll_into_view_if_needed()
        box = self.canvas.bounding_box()
        assert box is not None
        return {"x": box["x"], "y": box["y"], "width": box["width"], "height": box["height"]}

    def strokes(self, digit: int, *, seed: int = 0, size: float = 0.6) -> list[Stroke]:
        """Return a digit's strokes in the pixels of the window, in the canvas' middle."""
        box = self.box()
        strokes = generate_digit(digit, np.random.default_rng(seed), allograph=ALLOGRAPHS[digit][0])
        placed = place(strokes, canvas=int(box["width"]), size=size)
        return [stroke + np.array([box["x"], box["y"]]) for stroke in placed]

    def draw(self, digit: int, *, seed: int = 0, size: float = 0.6) -> DrawPage:
        """Draw a digit with the mouse."""
        for stroke in self.strokes(digit, seed=seed, size=size):
            self.drag(stroke)
        return self

    def drag(self, points: Iterable[Any]) -> None:
        """Move the mouse from point to point of the window with its button down."""
        mouse = self.page.mouse
        (start_x, start_y), *others = points
        mouse.move(float(start_x), float(start_y))
        mouse.down()
        for x, y in others:
            mouse.move(float(x), float(y))
        mouse.up()

    def at(self, x: float, y: float) -> tuple[float, float]:
        """Return the point of the window at (x, y) of the canvas, both 0 to 1."""
        box = self.box()
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    def pixel(self, x: float, y: float) -> tuple[int, int, int, int]:
        """Return red, green, blue and opacity (0-255) of the canvas at (x, y), both 0 to 1."""
        red, green, blue, opacity = self.canvas.evaluate(
            "async (canvas, [x, y]) => {"
            + PIXELS
            + """
                const { data, width, height } = await pixels(canvas);
                const start = 4 * (Math.floor(y * height) * width + Math.floor(x * width));
                return [...data.slice(start, start + 4)];
            }""",
            [x, y],
        )
        return red, green, blue, opacity

    def has_ink(self, x: float, y: float) -> bool:
        """Tell whether the canvas is inked at (x, y), both 0 to 1."""
        return self.pixel(x, y)[3] > 127

    def ink(self) -> float:
        """Return the share of the canvas that is inked."""
        share: float = self.canvas.evaluate(
            "async (canvas) => {"
            + PIXELS
            + """
                const { data } = await pixels(canvas);
                let inked = 0;
                for (let i = 3; i < data.length; i += 4) { inked += data[i] > 127 ? 1 : 0; }
                return inked / (data.length / 4);
            }"""
        )
        return share

    def bar(self, digit: int) -> Locator:
        """Return the row of a digit's probability."""
        return self.answer.locator(".bar").nth(digit)

    def expect_answer(self, digit: int) -> None:
        """Wait until this digit is the answer."""
        expect(self.digit).to_have_text(str(digit))
        expect(self.answer).to_have_attribute("aria-busy", "false")
        expect(self.bar(digit)).to_have_class("bar bar--best")
        expect(self.answer).not_to_have_attribute("data-changed", "")

    def expect_kept(self, message: str) -> None:
        """Wait for a message of failure; the drawing must be there, ready to be sent again."""
        expect(self.message).to_contain_text(message)
        expect(self.message).to_contain_text("Your drawing is still here.")
        expect(self.answer).to_have_attribute("aria-busy", "false")
        expect(self.save).to_have_text("Save")
        assert self.ink() > 0.01

    def has_no_sideways_scroll(self) -> bool:
        """Tell whether everything fits the window's width."""
        fits: bool = self.page.evaluate(
            "document.documentElement.scrollWidth <= document.documentElement.clientWidth"
        )
        return fits
