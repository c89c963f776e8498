"""Simulated photographs of handwritten digits: paper, ruling, pen, light, shadow, lens, sensor.

They take the place of the phone photos that ``recognizer.imaging.photo`` processes. An image is
computed from the light on a page and the reflectance of paper and ink, with lengths in
millimetres; nothing here is the inverse of what the imaging code does. Uses only NumPy and Pillow.
"""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from recognizer.imaging.strokes import Stroke

Rgb = NDArray[np.uint8]
Floats = NDArray[np.float32]
Ruling = Literal["none", "ruled", "squared"]
Shadow = Literal["none", "soft", "hard"]
Pen = Literal["ballpoint", "fineliner", "felt"]

_PAPER = 0.97  # reflectance of white paper
_INKS = ((0.10, 0.14, 0.42), (0.08, 0.08, 0.10), (0.16, 0.20, 0.50), (0.13, 0.13, 0.15))
_RULES = ((0.62, 0.76, 0.90), (0.72, 0.74, 0.76), (0.66, 0.72, 0.84), (0.80, 0.72, 0.76))
_NIBS: dict[str, tuple[float, float]] = {
    "ballpoint": (0.45, 0.8),
    "fineliner": (0.4, 1.0),
    "felt": (1.5, 3.5),
}  # widths in mm


@dataclass(frozen=True)
class Conditions:
    """The conditions of a photograph.

    ``darkest`` is the lowest brightness relative to the highest (1: even light), ``tilt`` the
    largest rotation of the page in degrees, ``size`` the range of the digit's height relative to
    the frame's, ``noise`` the range of the sensor's noise in grey levels of white paper.
    """

    darkest: float = 0.93
    shadow: Shadow = "none"
    ruling: Ruling = "none"
    tilt: float = 3.0
    size: tuple[float, float] = (0.15, 0.6)
    noise: tuple[float, float] = (1.5, 5.0)


KINDS: dict[str, Conditions] = {
    "plain": Conditions(),
    "gradient": Conditions(darkest=0.44),
    "soft shadow": Conditions(darkest=0.8, shadow="soft"),
    "hard shadow": Conditions(darkest=0.8, shadow="hard"),
    "ruled": Conditions(darkest=0.8, ruling="ruled"),
    "squared": Conditions(darkest=0.8, ruling="squared"),
    "rotated": Conditions(tilt=15.0),
    "small": Conditions(size=(0.05, 0.12)),
    "everything": Conditions(
        darkest=0.5, shadow="hard", ruling="squared", tilt=15.0, size=(0.08, 0.7), noise=(2, 8)
    ),
}
"""The kinds of photographs that accuracy is reported for."""


def photograph(
    strokes: Sequence[Stroke],
    rng: np.random.Generator,
    conditions: Conditions | None = None,
    *,
    width: int = 1000,
    height: int = 750,
) -> Rgb:
    """Return a photograph of strokes on paper: uint8 RGB (height, width, 3).

    ``strokes`` are (n, 2) arrays of points, y down, of any scale; without any the paper is blank.
    Everything that ``conditions`` do not set (pen, colours, position, size) is drawn from ``rng``.
    """
    chosen = conditions or Conditions()
    share = float(rng.uniform(*chosen.size))
    # Digits are 7 mm to 6 cm high, which determines how much of the page the frame shows.
    tall_mm = float(np.exp(rng.uniform(np.log(7 + 10 * share), np.log(14 + 45 * share))))
    scale = share * height / tall_mm  # px to one mm
    angle = np.radians(rng.uniform(-chosen.tilt, chosen.tilt))
    keystone = rng.uniform(-0.06, 0.06, 2) / max(width, height)

    page = _page(rng, width, height)
    if chosen.ruling != "none":
        across, down = _page_coordinates(width, height, scale, float(angle), keystone)
        pitch, colour = float(rng.uniform(5, 10)), _RULES[int(rng.integers(len(_RULES)))]
        _rule(page, down, scale, pitch, colour, rng)
        if chosen.ruling == "squared":
            _rule(page, across, scale, pitch, colour, rng)
    middle = (width / 2, height / 2)
    if strokes:
        middle = _write(page, strokes, rng, share * height, scale, float(angle))
    page *= _light(rng, width, height, chosen.darkest)[:, :, None]
    if chosen.shadow != "none":
        page *= _shadow(rng, width, height, middle, hard=chosen.shadow == "hard")[:, :, None]
    return _expose(page, rng, float(rng.uniform(*chosen.noise)))


def as_jpeg(picture: Rgb, quality: int, *, orientation: int = 1) -> bytes:
    """Return an image as JPEG bytes with an EXIF ``orientation``, as phones save it.

    The pixels are rotated so that the image is upright once the orientation is applied.
    """
    turned = {1: picture, 3: np.rot90(picture, 2), 6: np.rot90(picture), 8: np.rot90(picture, -1)}
    exif = Image.Exif()
    exif[0x0112] = orientation
    buffer = io.BytesIO()
    Image.fromarray(np.ascontiguousarray(turned[orientation])).save(
        buffer, "JPEG", quality=quality, exif=exif
    )
    return buffer.getvalue()


def _page(rng: np.random.Generator, width: int, height: int) -> Floats:
    """Return empty paper, float32 (h, w, 3): nearly white and slightly mottled."""
    tint = _PAPER - rng.uniform(0, 0.05, 3) * rng.uniform(0, 1)
    mottle = _clouds(rng, width, height, 40) * 0.012
    return np.asarray(tint.astype(np.float32) * (1 - mottle[:, :, None]), np.float32)


def _clouds(rng: np.random.Generator, width: int, height: int, cells: int) -> Floats:
    """Return smooth noise, float32 (h, w), 0 to 1, with about ``cells`` bumps across."""
    small = rng.random((max(2, cells * height // width), cells)).astype(np.float32)
    return np.asarray(Image.fromarray(small).resize((width, height), Image.Resampling.BICUBIC))


def _page_coordinates(
    width: int, height: int, scale: float, angle: float, keystone: NDArray[np.float64]
) -> tuple[Floats, Floats]:
    """Return the position on the page, in mm across and down, of each px of the frame."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    x -= width / 2
    y -= height / 2
    # Slight perspective: a phone is never exactly parallel to the page.
    depth = (1 + keystone[0] * x + keystone[1] * y) * np.float32(scale)
    cos, sin = np.float32(np.cos(angle)), np.float32(np.sin(angle))
    return (cos * x + sin * y) / depth, (cos * y - sin * x) / depth


def _rule(
    page: Floats,
    position: Floats,
    scale: float,
    pitch: float,
    colour: tuple[float, float, float],
    rng: np.random.Generator,
) -> None:
    """Print lines on the page, slightly uneven in spacing and darkness."""
    first = int(np.floor(position.min() / pitch)) - 1
    count = int(np.ceil(position.max() / pitch)) + 2 - first
    offset = rng.uniform(0, pitch)
    at = offset + pitch * (first + np.arange(count)) + rng.normal(0, 0.03 * pitch, count)
    strength = rng.uniform(0.55, 1.0, count).astype(np.float32)
    nearest = np.clip(np.rint((position - offset) / pitch).astype(np.int32) - first, 0, count - 1)
    distance = np.abs(position - at.astype(np.float32)[nearest])
    half = rng.uniform(0.1, 0.2)
    # A line narrower than a px covers only part of it.
    reach = np.float32(max(half, 0.5 / scale))
    cover = np.clip((reach - distance) * np.float32(scale) + 0.5, 0, 1) * np.float32(half) / reach
    cover *= strength[nearest]
    page *= 1 - cover[:, :, None] * (1 - np.array(colour, np.float32))


def _write(
    page: Floats,
    strokes: Sequence[Stroke],
    rng: np.random.Generator,
    tall: float,
    scale: float,
    angle: float,
) -> tuple[float, float]:
    """Write strokes on the page, ``tall`` px high, and return their centre (x, y) in px."""
    height, width = page.shape[:2]
    pen: Pen = ("ballpoint", "fineliner", "felt")[int(rng.integers(3))]
    nib = float(rng.uniform(*_NIBS[pen])) * scale
    nib = min(nib, tall / 6)
    points = np.concatenate(strokes)
    low, high = points.min(0), points.max(0)
    extent = high - low
    factor = tall / max(float(extent[1]), float(extent[0]) * 0.6, 1e-6)
    turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
    turned = [(stroke - (low + high) / 2) * factor @ turn for stroke in strokes]
    reach = np.abs(np.concatenate(turned)).max(0) + nib + 3
    room = np.maximum((width, height) - 2 * reach, 0)
    middle = np.minimum(reach, np.array((width, height)) / 2) + rng.random(2) * room

    box = np.ceil(2 * reach).astype(int)
    fine = 3 if tall < 400 else 2
    mask = Image.new("L", (int(box[0]) * fine, int(box[1]) * fine), 0)
    draw = ImageDraw.Draw(mask)
    phase = rng.uniform(0, 6)
    for stroke in turned:
        dense = _resample((stroke + box / 2) * fine, max(1.0, nib * fine / 4))
        # Pen pressure varies along the stroke.
        press = 1 + 0.12 * np.sin(phase + np.arange(len(dense)) * nib / max(tall, 1) * 2)
        for (x, y), pressed in zip(dense.tolist(), press.tolist(), strict=True):
            radius = max(nib * fine * pressed / 2, 0.5)
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    cover = np.asarray(mask.reduce(fine), np.float32) / 255
    if pen == "ballpoint":
        cover = cover * (1 - 0.35 * _clouds(rng, cover.shape[1], cover.shape[0], 24) ** 2)
    cover = cover * np.float32(0.95)
    left, top = np.floor(middle - box / 2).astype(int)
    x0, y0, x1, y1 = max(left, 0), max(top, 0), min(left + box[0], width), min(top + box[1], height)
    part = cover[y0 - top : y1 - top, x0 - left : x1 - left, None]
    ink = np.array(_INKS[int(rng.integers(len(_INKS)))], np.float32)
    page[y0:y1, x0:x1] *= 1 - part * (1 - ink)
    return float(middle[0]), float(middle[1])


def _resample(stroke: Stroke, step: float) -> Stroke:
    """Return points at most ``step`` apart along a stroke."""
    lengths = np.hypot(*np.diff(stroke, axis=0).T)
    walked = np.concatenate(([0.0], np.cumsum(lengths)))
    at = np.linspace(0, walked[-1], max(2, int(walked[-1] / step) + 1))
    return np.stack([np.interp(at, walked, stroke[:, axis]) for axis in (0, 1)], axis=1)


def _light(rng: np.random.Generator, width: int, height: int, darkest: float) -> Floats:
    """Return the light on the page, float32 (h, w), from ``darkest`` to 1."""
    y, x = np.mgrid[:height, :width].astype(np.float32)
    x, y = x / width - 0.5, y / height - 0.5
    angle = rng.uniform(0, 2 * np.pi)
    side = np.float32(np.cos(angle)) * x + np.float32(np.sin(angle)) * y
    fall = side + np.float32(rng.uniform(0.2, 0.8)) * (x * x + y * y)
    fall += np.float32(0.3) * _clouds(rng, width, height, 3)
    fall = (fall - fall.min()) / np.ptp(fall)
    light: Floats = 1 - np.float32(1 - darkest) * fall ** np.float32(rng.uniform(0.8, 1.6))
    return light


def _shadow(
    rng: np.random.Generator, width: int, height: int, middle: tuple[float, float], *, hard: bool
) -> Floats:
    """Return the light in and around a shadow whose edge crosses the writing, float32 (h, w)."""
    small = 4 if max(width, height) > 2000 else 1
    size = (width // small, height // small)
    mask = Image.new("L", size, 0)
    angle, reach = rng.uniform(0, 2 * np.pi), 2.0 * max(size)
    forward = np.array((np.cos(angle), np.sin(angle)))
    sideways = np.array((-forward[1], forward[0]))
    edge = np.array(middle) / small + forward * rng.normal(0, 0.05) * size[1]
    # The edge of a hand or a phone, which is not straight.
    along = np.linspace(-1, 1, 9)
    bend = np.cumsum(rng.normal(0, 0.06, 9)) * size[1] * 0.5
    bend -= bend[4]
    line = [edge + sideways * reach * a + forward * b for a, b in zip(along, bend, strict=True)]
    outline = [*line, line[-1] + forward * reach, line[0] + forward * reach]
    ImageDraw.Draw(mask).polygon([(float(x), float(y)) for x, y in outline], fill=255)
    blur = rng.uniform(0.0005, 0.003) if hard else rng.uniform(0.015, 0.06)
    mask = mask.filter(ImageFilter.GaussianBlur(blur * max(size)))
    dark = np.asarray(mask.resize((width, height), Image.Resampling.BILINEAR), np.float32) / 255
    return np.asarray(1 - (1 - rng.uniform(0.45, 0.75)) * dark, np.float32)


def _expose(page: Floats, rng: np.random.Generator, noise: float) -> Rgb:
    """Return the sensor's image: white balance, focus, noise, 8 bits."""
    balance = (1 + rng.normal(0, 0.02, 3)).astype(np.float32) * np.float32(rng.uniform(225, 255))
    levels = np.clip(page * balance, 0, 255).astype(np.uint8)
    focus = max(page.shape) / 1000 * rng.uniform(0.2, 0.8)
    blurred = Image.fromarray(levels).filter(ImageFilter.GaussianBlur(focus))
    result = np.asarray(blurred, np.float32)
    grain = rng.standard_normal(result.shape, np.float32)
    # Photon noise grows with the square root of the light; the sensor adds a constant part.
    grain *= np.float32(noise) * np.sqrt(result / 255 * 0.8 + 0.2)
    picture: Rgb = np.clip(np.rint(result + grain), 0, 255).astype(np.uint8)
    return picture
