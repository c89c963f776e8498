"""Disturbances of a drawing: dust, grain, stray lines, blur, haze, bars, cropping.

They are applied before imaging, as in real submissions. Imaging redraws the strokes, so a speck or
a gap in the drawing becomes a blot or a bend in the model input.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

Floats = NDArray[np.float32]
Clutter = Callable[[Floats, np.random.Generator], Floats]


def clutter(pixels: NDArray[np.uint8], rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return a drawing, grey uint8 (h, w), with one or two kinds of clutter, white on black.

    The clutter scales with the drawing. The result may be blank.
    """
    ink = pixels.astype(np.float32) / 255
    if np.median(ink[:, 0]) > 0.5:
        ink = 1 - ink
    for kind in rng.choice(len(_KINDS), 1 if rng.random() < 0.7 else 2, replace=False):
        ink = np.clip(_KINDS[kind](ink, rng), 0, 1)
    return np.rint(ink * 255).astype(np.uint8)


def _unit(ink: Floats) -> float:
    return max(ink.shape) / 28


def _image(ink: Floats) -> Image.Image:
    return Image.fromarray(np.rint(ink * 255).astype(np.uint8))


def _array(image: Image.Image) -> Floats:
    return np.asarray(image, np.float32) / np.float32(255)


def _smooth_noise(shape: tuple[int, ...], cells: int, rng: np.random.Generator) -> Floats:
    noise = Image.fromarray(rng.random((cells, cells)).astype(np.float32))
    return np.array(noise.resize((shape[1], shape[0]), Image.Resampling.BICUBIC), np.float32)


def _specks(ink: Floats, rng: np.random.Generator) -> Floats:
    image, unit = _image(ink), _unit(ink)
    draw = ImageDraw.Draw(image)
    for _ in range(int(rng.integers(1, 14))):
        x, y = rng.random(2) * (ink.shape[1], ink.shape[0])
        wide, high = rng.uniform(0.2, 1.4, 2) * unit
        draw.ellipse((x - wide, y - high, x + wide, y + high), fill=int(rng.integers(60, 256)))
    return _array(image)


def _grain(ink: Floats, rng: np.random.Generator) -> Floats:
    noisy = ink + rng.normal(0, rng.uniform(0.02, 0.2), ink.shape).astype(np.float32)
    hit = rng.random(ink.shape) < rng.uniform(0, 0.1) * (rng.random() < 0.6)
    noisy[hit] = rng.integers(0, 2, int(hit.sum()))
    return noisy


def _strokes(ink: Floats, rng: np.random.Generator) -> Floats:
    """Draw one or two thin lines across, straight, bent or broken."""
    image, unit = _image(ink), _unit(ink)
    draw = ImageDraw.Draw(image)
    for _ in range(1 if rng.random() < 0.7 else 2):
        count = int(rng.integers(2, 9))
        start, stop = rng.random((2, 2)) * (ink.shape[1], ink.shape[0])
        points = start + (stop - start) * np.linspace(0, 1, count)[:, None]
        points[1:-1] += rng.normal(0, rng.uniform(0, 3) * unit, (count - 2, 2))
        width, grey = max(1, round(rng.uniform(0.3, 1.1) * unit)), int(rng.integers(110, 256))
        if rng.random() < 0.3:
            for (x, y), (to_x, to_y) in zip(points[:-1:2], points[1::2], strict=False):
                draw.line((x, y, to_x, to_y), fill=grey, width=width)
        else:
            draw.line([(float(x), float(y)) for x, y in points], fill=grey, width=width)
    return _array(image)


def _blur(ink: Floats, rng: np.random.Generator) -> Floats:
    unit = _unit(ink)
    if rng.random() < 0.5:
        blurred = _array(_image(ink).filter(ImageFilter.GaussianBlur(rng.uniform(0.4, 1.3) * unit)))
    else:
        angle, length = rng.uniform(0, np.pi), rng.uniform(1, 3) * unit
        moves = np.linspace(-length, length, 7)
        blurred = np.mean(
            [
                np.roll(ink, (round(m * np.sin(angle)), round(m * np.cos(angle))), (0, 1))
                for m in moves
            ],
            0,
            dtype=np.float32,
        )
    return blurred * np.float32(rng.uniform(1, 1.8))


def _haze(ink: Floats, rng: np.random.Generator) -> Floats:
    clouds = np.zeros(ink.shape, np.float32)
    for cells in (2, 5, 9):
        clouds += _smooth_noise(ink.shape, cells, rng) / cells
    clouds = (clouds - clouds.min()) / max(1e-6, float(np.ptp(clouds)))
    strength = rng.uniform(0.1, 0.45)
    result: Floats = ink * np.float32(1 - strength) + clouds * np.float32(strength)
    return result


def _bar(ink: Floats, rng: np.random.Generator) -> Floats:
    """Cover, fade or invert a strip."""
    result = ink.copy()
    # A view: changes to the transposed image change the result.
    strips = result.T if rng.random() < 0.5 else result
    width = max(1, round(rng.uniform(0.5, 3.5) * _unit(ink)))
    at = int(rng.integers(0, max(1, strips.shape[0] - width)))
    strip = strips[at : at + width]
    choice = rng.random()
    strip[:] = 0 if choice < 0.5 else 1 - strip if choice < 0.8 else strip * 0.5
    return result


def _cut(ink: Floats, rng: np.random.Generator) -> Floats:
    """Cut off up to a sixth of the ink at a border."""
    cells = [np.flatnonzero(ink.max(axis) > 0.4) for axis in (0, 1)]
    if not cells[0].size:
        return ink
    axis = int(rng.integers(2))
    lost = int(rng.uniform(0, 0.16) * (np.ptp(cells[axis]) + 1))
    moved = ink.T if axis == 0 else ink
    first, last = int(cells[axis][0]), int(cells[axis][-1])
    kept = moved[first + lost :] if rng.random() < 0.5 else moved[: last + 1 - lost]
    return np.ascontiguousarray(kept.T if axis == 0 else kept)


def _shaken(ink: Floats, rng: np.random.Generator) -> Floats:
    """Move each pixel by up to about one 28th of the image, as through bubbled glass."""
    reach = rng.uniform(0.4, 1.1) * _unit(ink)
    height, width = ink.shape
    cells = max(height, width) // max(1, round(_unit(ink)))
    down, across = (
        np.asarray(
            Image.fromarray(rng.normal(0, reach, (cells, cells)).astype(np.float32)).resize(
                (width, height), Image.Resampling.NEAREST
            )
        )
        for _ in range(2)
    )
    rows = np.clip(np.arange(height)[:, None] + np.rint(down), 0, height - 1).astype(int)
    columns = np.clip(np.arange(width)[None] + np.rint(across), 0, width - 1).astype(int)
    return _array(_image(ink[rows, columns]).filter(ImageFilter.GaussianBlur(0.5 * _unit(ink))))


def _hollow(ink: Floats, rng: np.random.Generator) -> Floats:
    """Keep only the outline, like a digit drawn in double lines."""
    image = _image(ink)
    size = 2 * max(1, round(0.5 * _unit(ink))) + 1
    return _array(image.filter(ImageFilter.MaxFilter(size))) - _array(
        image.filter(ImageFilter.MinFilter(size))
    )


_KINDS: tuple[Clutter, ...] = (
    _specks,
    _specks,
    _grain,
    _strokes,
    _strokes,
    _blur,
    _haze,
    _bar,
    _cut,
    _shaken,
    _hollow,
)
