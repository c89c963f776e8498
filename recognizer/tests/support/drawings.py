"""Digits for tests, drawn as strokes; the fixtures of the same names hand these out."""

from __future__ import annotations

import base64
import itertools
from typing import Any, Protocol

import numpy as np

from recognizer import imaging
from recognizer.imaging.strokes import render
from training.synthesis.allographs import ALLOGRAPHS, generate_digit
from training.synthesis.strokes import place


class DrawDigit(Protocol):
    """Draws a digit as a person would and gives the PNG file."""

    def __call__(
        self,
        digit: int = 3,
        *,
        seed: int = 0,
        canvas: int = 280,
        size: float = 0.6,
        brush: float = 20.0,
        centre: tuple[float, float] | None = None,
        allograph: str | None = None,
    ) -> bytes: ...


def digit_png(
    digit: int = 3,
    *,
    seed: int = 0,
    canvas: int = 280,
    size: float = 0.6,
    brush: float = 20.0,
    centre: tuple[float, float] | None = None,
    allograph: str | None = None,
) -> bytes:
    """Return the PNG of a digit drawn with a round brush, black on white.

    The same arguments draw the same picture; `canvas` and `brush` are in pixels. Without an
    `allograph` it is the most legible one.
    """
    allograph = allograph or ALLOGRAPHS[digit][0]
    strokes = generate_digit(digit, np.random.default_rng(seed), allograph=allograph)
    placed = place(strokes, canvas=canvas, size=size, centre=centre)
    return imaging.encode_png(render(placed, canvas=canvas, brush=brush))


# A 4 as a cross, which the bundled model refuses: two strokes, in widths of the canvas.
CROSS = (((0.2, 0.5), (0.8, 0.5)), ((0.5, 0.2), (0.5, 0.8)))


def cross_png(*, canvas: int = 280, lean: float = 0.0) -> bytes:
    """Return the PNG of `CROSS`, leaning to the right by `lean` widths of the canvas."""
    points = [np.array([(x + lean * (0.5 - y), y) for x, y in stroke]) for stroke in CROSS]
    strokes = [canvas * stroke for stroke in points]
    return imaging.encode_png(render(strokes, canvas=canvas, brush=0.07 * canvas))


def data_url(png: bytes) -> str:
    """Return a PNG file as a data URL, as a canvas gives it."""
    return "data:image/png;base64," + base64.b64encode(png).decode()


def number_strokes(number: str, *, seed: int = 0) -> dict[str, Any]:
    """Return the strokes of a number of at most four digits as the API takes them."""
    rng = np.random.default_rng(seed)
    step = 280 / len(number)
    strokes = [
        [[round(x, 1), round(y, 1)] for x, y in stroke]
        for index, digit in enumerate(map(int, number))
        for stroke in place(
            generate_digit(digit, rng, allograph=ALLOGRAPHS[digit][0]),
            canvas=280,
            size=0.7 / len(number),
            centre=((index + 0.5) * step, 140),
        )
    ]
    return {"strokes": strokes, "width": 8, "size": [280, 280]}


def digit_strokes(digit: int = 3, *, seed: int = 0, times: bool = False) -> dict[str, Any]:
    """Return a digit's strokes as the API takes them, drawn as `digit_png` draws it."""
    strokes = generate_digit(digit, np.random.default_rng(seed), allograph=ALLOGRAPHS[digit][0])
    clock = itertools.count(1000, 8)
    return {
        "strokes": [
            [[round(x, 1), round(y, 1), *([next(clock)] if times else [])] for x, y in stroke]
            for stroke in place(strokes, canvas=280, size=0.6)
        ],
        "width": 20,
        "size": [280, 280],
    }
