"""What people send that is no clean drawing: generated from pen strokes, one function a kind.

Each takes strokes and a random generator and returns the bytes of a file. ``photos`` are by
``training.synthesis.photos``; frames, lines, crops and light ink are added here.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from recognizer.imaging.strokes import Strokes
from training.synthesis.photos import KINDS as CONDITIONS
from training.synthesis.photos import Conditions, as_jpeg, photograph
from training.synthesis.strokes import Placement, draw_at

Pixels = NDArray[np.uint8]
Maker = Callable[[Strokes, np.random.Generator], bytes]

SIDE = 280
FRAMED = Placement(size=(0.35, 0.7), brush=(8, 22), anywhere=False)
EVEN = Conditions(size=(0.2, 0.5))
"""Photos with room for a frame or a line beside the digit."""


def png(pixels: Pixels) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def _ink_box(grey: Pixels) -> tuple[int, int, int, int]:
    """Return left, top, right, bottom of what is much darker than the rest of an even picture."""
    dark = grey < 0.66 * np.median(grey)
    rows, columns = np.flatnonzero(dark.sum(1) > 1), np.flatnonzero(dark.sum(0) > 1)
    return int(columns[0]), int(rows[0]), int(columns[-1]) + 1, int(rows[-1]) + 1


def _jpeg(picture: Pixels, rng: np.random.Generator) -> bytes:
    return as_jpeg(picture, int(rng.integers(50, 91)))


# --- drawings with a frame or a line ------------------------------------------------------------


def frame(at_edge: bool) -> Maker:
    """A frame of 1 to 20 px on two, three or four sides, dark on light or light on dark."""

    def made(strokes: Strokes, rng: np.random.Generator) -> bytes:
        grey = draw_at(strokes, FRAMED, rng).copy()
        away = 0 if at_edge else int(rng.integers(4, 22))
        width = int(rng.choice([1, 2, 3, 6, 10, 20] if at_edge else [1, 2, 3, 6]))
        shade = int(rng.choice([0, 0, 60, 120]))
        sides = rng.permutation(4)[: int(rng.choice([2, 3, 4, 4]))]
        ink = grey.copy()
        near, far = slice(away, away + width), slice(SIDE - away - width, SIDE - away)
        along = slice(away, SIDE - away)
        for side in sides:
            index = [(near, along), (far, along), (along, near), (along, far)][side]
            grey[index] = np.minimum(ink[index], shade)
        return png(grey if rng.random() < 0.6 else 255 - grey)

    return made


def line(where: str) -> Maker:
    """A margin line over the full height, or a line under or over the digit."""

    def made(strokes: Strokes, rng: np.random.Generator) -> bytes:
        grey = draw_at(strokes, FRAMED, rng).copy()
        left, top, right, bottom = _ink_box(grey)
        width, shade = int(rng.choice([1, 2, 3, 5])), int(rng.choice([0, 60, 120]))
        if where == "margin":
            at = int(rng.integers(3, max(4, left - width - 3)))
            at = at if rng.random() < 0.7 else SIDE - at - width
            grey[:, at : at + width] = np.minimum(grey[:, at : at + width], shade)
        else:
            gap = int(rng.integers(5, 25))
            at = min(bottom + gap, SIDE - width) if where == "under" else max(top - gap - width, 0)
            reach = 1.15 * max(right - left, bottom - top) * rng.uniform(1, 1.4) / 2
            start = max(0, int((left + right) / 2 - reach))
            stop = min(SIDE, int((left + right) / 2 + reach))
            part = (slice(at, at + width), slice(start, stop))
            grey[part] = np.minimum(grey[part], shade)
        return png(grey if rng.random() < 0.7 else 255 - grey)

    return made


# --- photos with a frame, a line or a table -----------------------------------------------------


def photo_with(what: str) -> Maker:
    """A photo with a printed box, a frame at the edge, a line, or the edge of a dark table."""

    def made(strokes: Strokes, rng: np.random.Generator) -> bytes:
        picture = photograph(strokes, rng, EVEN)
        height, width = picture.shape[:2]
        left, top, right, bottom = _ink_box(np.asarray(Image.fromarray(picture).convert("L")))
        side = max(right - left, bottom - top)
        layer = Image.new("L", (width, height), 0)
        draw = ImageDraw.Draw(layer)
        thick, gap = int(rng.integers(2, 7)), int(side * rng.uniform(0.12, 0.3)) + 8
        if what == "box":
            draw.rectangle(
                (left - gap, top - gap, right + gap, bottom + gap), outline=1, width=thick
            )
        elif what == "edge":
            draw.rectangle((0, 0, width - 1, height - 1), outline=1, width=int(rng.integers(2, 21)))
        elif what == "underline":
            middle, reach = (left + right) / 2, 0.5 * side * rng.uniform(1.15, 1.5)
            start, stop = bottom + gap, bottom + gap + int(rng.integers(-6, 7))
            draw.line((middle - reach, start, middle + reach, stop), fill=1, width=thick)
        elif what == "margin":
            at = max(6, int(left * rng.uniform(0.3, 0.8)))
            draw.line((at, 0, at + int(rng.integers(-12, 13)), height), fill=1, width=thick)
        else:
            at = max(8, int(left * rng.uniform(0.2, 0.9)))
            draw.polygon(
                [(0, 0), (at, 0), (at + int(rng.integers(-6, 7)), height), (0, height)], fill=1
            )
        ink = np.array(rng.uniform(25, 70, 3)) + rng.normal(0, 3, (height, width, 1))
        soft = np.asarray(layer.point(lambda value: 255 * value), np.float32)[:, :, None] / 255
        mixed = picture * (1 - 0.93 * soft) + 0.93 * soft * ink
        return _jpeg(np.clip(mixed, 0, 255).astype(np.uint8), rng)

    return made


# --- light ink in photos ------------------------------------------------------------------------


def light_ink(what: str) -> Maker:
    """A photo of an inverted scan, a chalkboard or a dark screen, in every light."""

    def made(strokes: Strokes, rng: np.random.Generator) -> bytes:
        names = [name for name in CONDITIONS if name not in ("ruled", "squared", "everything")]
        conditions = CONDITIONS[names[int(rng.integers(len(names)))]]
        if what == "inverted":
            return _jpeg(255 - photograph(strokes, rng, conditions), rng)
        if what == "dark":
            return _jpeg(photograph(strokes, rng, conditions), rng)
        page = photograph(strokes, rng, Conditions(size=conditions.size, noise=(1, 3)))
        ink = np.clip(1.05 - page.mean(2, keepdims=True) / page.mean(2).max(), 0, 1)
        board = np.array((0.13, 0.2, 0.15) if what == "chalk" else (0.07, 0.07, 0.09))
        chalk = np.array((0.8, 0.8, 0.76) if what == "chalk" else (0.75, 0.85, 0.9))
        y, x = np.mgrid[0:1:750j, 0:1:1000j]
        angle, fall = rng.uniform(0, 2 * np.pi), rng.uniform(0, 0.5)
        light = 1 - fall * (0.5 + 0.5 * (np.cos(angle) * (2 * x - 1) + np.sin(angle) * (2 * y - 1)))
        made = 255 * light[:, :, None] * (board + (chalk - board) * np.minimum(1.25 * ink, 1))
        return _jpeg(np.clip(made + rng.normal(0, 4, made.shape), 0, 255).astype(np.uint8), rng)

    return made


# --- crops --------------------------------------------------------------------------------------


def tight(margin: float) -> Maker:
    """A photo cropped to the digit, with a margin as a share of its longer side."""

    def made(strokes: Strokes, rng: np.random.Generator) -> bytes:
        picture = photograph(strokes, rng, Conditions(size=(0.3, 0.75)))
        left, top, right, bottom = _ink_box(np.asarray(Image.fromarray(picture).convert("L")))
        room = round(margin * max(right - left, bottom - top))
        rows, columns = (
            slice(max(0, top - room), bottom + room),
            slice(max(0, left - room), right + room),
        )
        return _jpeg(np.ascontiguousarray(picture[rows, columns]), rng)

    return made


def bar(strokes: Strokes, rng: np.random.Generator) -> bytes:
    """An upright stroke without any margin: a rectangle, or with round ends and a lean."""
    length, width = int(rng.integers(60, 300)), int(rng.integers(5, 30))
    width = min(width, length // 4)
    if rng.random() < 0.3:
        return png(np.full((length, width), int(rng.integers(0, 60)), np.uint8))
    lean = int(rng.choice([0, 0, 1, 2, 4]))
    image = Image.new("L", (2 * (width + lean), 2 * length), 255)
    draw = ImageDraw.Draw(image)
    ends = (width, width), (width + 2 * lean, 2 * length - width)
    draw.line(ends, fill=0, width=2 * width)
    for x, y in ends:
        draw.ellipse((x - width, y - width, x + width, y + width), fill=0)
    return png(np.asarray(image.reduce(2)))


def blank(name: str) -> Maker:
    """A photo of ruled or squared paper with nothing on it."""

    def made(strokes: Strokes, rng: np.random.Generator) -> bytes:
        return _jpeg(photograph([], rng, CONDITIONS[name]), rng)

    return made


def plain(strokes: Strokes, rng: np.random.Generator) -> bytes:
    return png(draw_at(strokes, Placement(size=(0.25, 0.9), brush=(8, 24), anywhere=True), rng))


KINDS: dict[str, Maker] = {
    "drawing as it is": plain,
    "frame at the edge": frame(at_edge=True),
    "frame inside": frame(at_edge=False),
    "margin line": line("margin"),
    "line under": line("under"),
    "line over": line("over"),
    "photo: dark ink": light_ink("dark"),
    "photo: inverted scan": light_ink("inverted"),
    "photo: chalkboard": light_ink("chalk"),
    "photo: dark screen": light_ink("screen"),
    "photo: printed box": photo_with("box"),
    "photo: frame at the edge": photo_with("edge"),
    "photo: underlined": photo_with("underline"),
    "photo: margin line": photo_with("margin"),
    "photo: edge of a table": photo_with("table"),
    "photo: margin 0 %": tight(0),
    "photo: margin 5 %": tight(0.05),
    "photo: margin 15 %": tight(0.15),
    "bar without margin": bar,
    "blank ruled paper": blank("ruled"),
    "blank squared paper": blank("squared"),
}
"""Files of each kind. A bar is a 1, and blank paper is blank; the rest show the strokes' digit."""


def of_kind(
    name: str, digits: Sequence[tuple[Strokes, int]], n: int, seed: int
) -> list[tuple[bytes, int | None]]:
    """Return n files of a kind with the digit each shows, None for blank paper."""
    rng = np.random.default_rng([seed, list(KINDS).index(name)])
    files: list[tuple[bytes, int | None]] = []
    for index in rng.integers(len(digits), size=n):
        strokes, label = digits[int(index)]
        right = 1 if name.startswith("bar") else None if name.startswith("blank") else label
        files.append((KINDS[name](strokes, rng), right))
    return files
