"""Generated grey images without digits, in place of photos that people upload.

They contain shaded shapes, rows, tiles, leaves, faces, and noise whose spectrum falls with
frequency as in natural scenes (Field, "Relations between the statistics of natural images and the
response properties of cortical cells", J. Opt. Soc. Am. A 4(12), 1987).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

Pixels = NDArray[np.uint8]
Floats = NDArray[np.float32]
Painter = Callable[[int, int, np.random.Generator], Floats]

_SMALLEST, _LARGEST = 100, 200  # px


def generate_texture(rng: np.random.Generator, *, kind: str | None = None) -> Pixels:
    """Return a grey image without a digit, uint8 (h, w), with sides of 100 to 200 px.

    ``kind`` is one of ``TEXTURES``, by default a random one. Raises ``ValueError`` for another.
    """
    if kind is None:
        kind = TEXTURES[int(rng.integers(len(TEXTURES)))]
    elif kind not in _KINDS:
        raise ValueError(f"no kind of texture is called {kind!r}: {TEXTURES}")
    height, width = (int(n) for n in rng.integers(_SMALLEST, _LARGEST + 1, 2))
    picture = _KINDS[kind](height, width, rng)
    low, high = float(picture.min()), float(picture.max())
    darkest = rng.uniform(0, 90)
    span = rng.uniform(80, 255 - darkest)
    picture = (picture - low) * np.float32(span / max(high - low, 1e-6)) + np.float32(darkest)
    if rng.random() < 0.5:
        picture += rng.standard_normal(picture.shape, np.float32) * np.float32(rng.uniform(1, 8))
    return picture.clip(0, 255).astype(np.uint8)


def _noise(height: int, width: int, rng: np.random.Generator) -> Floats:
    """Octaves of smooth noise, each twice as fine and weaker by a factor that sets the texture."""
    fall = rng.uniform(0.35, 0.9)
    picture = np.zeros((height, width), np.float32)
    nodes, strength = int(rng.integers(2, 5)), 1.0
    while nodes < _SMALLEST:
        grid = rng.standard_normal((nodes, nodes), np.float32)
        picture += np.float32(strength) * _enlarged(grid, height, width)
        nodes, strength = nodes * 2, strength * fall
    return picture


def _enlarged(grid: Floats, height: int, width: int) -> Floats:
    image = Image.fromarray(grid).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(image, np.float32)


def _gradient(height: int, width: int, rng: np.random.Generator) -> Floats:
    angle = rng.uniform(0, 2 * np.pi)
    x, y = np.meshgrid(np.linspace(-1, 1, width), np.linspace(-1, 1, height))
    slope = x * np.cos(angle) + y * np.sin(angle) + rng.uniform(-0.3, 0.3) * x * y
    return np.asarray(slope, np.float32)


def _scene(height: int, width: int, rng: np.random.Generator) -> Floats:
    picture = _gradient(height, width, rng) * np.float32(rng.uniform(0.2, 1.2))
    if rng.random() < 0.5:
        picture += _noise(height, width, rng) * np.float32(rng.uniform(0.05, 0.4))
    for _ in range(int(rng.integers(1, 7))):
        mask = _mask(height, width, _body(rng))
        shade = _gradient(height, width, rng) * np.float32(rng.uniform(0, 1))
        picture = np.where(mask, shade + np.float32(rng.normal(0, 1.5)), picture)
    return picture


def _silhouette(height: int, width: int, rng: np.random.Generator) -> Floats:
    """One to three dark shapes on a light background, or vice versa."""
    shapes = [_body(rng) for _ in range(int(rng.integers(1, 4)))]
    picture = _gradient(height, width, rng) * np.float32(rng.uniform(0, 0.15))
    sign = np.float32(rng.choice((-1.0, 1.0)))
    mask = _mask(height, width, [polygon for shape in shapes for polygon in shape])
    return picture + sign * mask.astype(np.float32)


def _body(rng: np.random.Generator) -> list[NDArray[np.float64]]:
    """Return a rounded, jagged or four-cornered outline: polygons (n, 2) in the unit square."""
    sort = rng.integers(3)
    count = (24, int(rng.integers(5, 12)), 4)[sort]
    angles = np.linspace(0, 2 * np.pi, count, endpoint=False) + rng.uniform(0, 2 * np.pi)
    if sort == 0:
        waves = np.arange(1, 5)
        bumps = rng.normal(0, 0.3, (2, 4)) / waves
        radius = 1 + np.cos(np.outer(angles, waves)) @ bumps[0]
        radius += np.sin(np.outer(angles, waves)) @ bumps[1]
    else:
        radius = rng.uniform(0.4, 1.0, count) if sort == 1 else np.ones(count)
    size = rng.uniform(0.1, 0.45, 2)
    # Not much narrower than high: a vertical bar is a 1.
    size[0] = max(size[0], size[1] * 0.8)
    outline = np.stack([np.cos(angles), np.sin(angles)], axis=1) * radius[:, None] * size
    return [outline + rng.uniform(0.15, 0.85, 2)]


def _mask(height: int, width: int, polygons: list[NDArray[np.float64]]) -> NDArray[np.bool_]:
    image = Image.new("1", (width, height))
    draw = ImageDraw.Draw(image)
    for polygon in polygons:
        draw.polygon([(float(x) * width, float(y) * height) for x, y in polygon], fill=1)
    return np.asarray(image)


def _stripes(height: int, width: int, rng: np.random.Generator) -> Floats:
    """Stripes or waves; sometimes two sets, which form a weave or checks."""
    sets = [_wave(height, width, rng) for _ in range(1 if rng.random() < 0.6 else 2)]
    picture = sets[0] if len(sets) == 1 else sets[0] * sets[1]
    return np.sign(picture) if rng.random() < 0.5 else picture


def _wave(height: int, width: int, rng: np.random.Generator) -> Floats:
    phase = _gradient(height, width, rng) * np.float32(rng.uniform(6, 40))
    if rng.random() < 0.4:
        bend = rng.standard_normal((3, 3), np.float32) * np.float32(rng.uniform(0.5, 3))
        phase = phase + _enlarged(bend, height, width)
    return np.asarray(np.sin(phase + np.float32(rng.uniform(0, 6))), np.float32)


def _grain(height: int, width: int, rng: np.random.Generator) -> Floats:
    """Contour lines of smooth noise: wood, marble, hair, maps."""
    grid = rng.standard_normal((4, 4), np.float32)
    level = _enlarged(grid, height, width) + _gradient(height, width, rng)
    picture = np.asarray(np.sin(level * np.float32(rng.uniform(6, 25))), np.float32)
    return -np.abs(picture) if rng.random() < 0.5 else picture


def _tiles(height: int, width: int, rng: np.random.Generator) -> Floats:
    """Bricks or tiles in different greys, or a checkerboard."""
    side, flat = rng.uniform(10, 45), rng.uniform(0.4, 1)
    y, x = np.indices((height, width), np.float32)
    row = np.floor(y / (side * flat))
    column = np.floor(x / side + rng.choice((0.0, 0.5)) * (row % 2))
    if rng.random() < 0.35:
        picture = (row + column) % 2
    else:
        greys = rng.normal(0, 1, (64, 64)).astype(np.float32) * np.float32(rng.uniform(0.1, 1))
        picture = greys[row.astype(int) % 64, column.astype(int) % 64]
    joint = (y % (side * flat) < 2) | ((x + side * (column * 0 + 0.5 * (row % 2))) % side < 2)
    return np.asarray(np.where(joint, rng.choice((-2, 2)), picture), np.float32)


def _rows(height: int, width: int, rng: np.random.Generator) -> Floats:
    """Rows of short marks, like a printed page from a distance."""
    image = Image.new("L", (width, height), 0)
    draw = ImageDraw.Draw(image)
    leading = int(rng.integers(7, 22))
    for y in range(int(rng.integers(2, leading)), height - leading // 2, leading):
        x = int(rng.integers(2, 14))
        edge = width - int(rng.integers(2, max(3, width // 3)))
        while x < edge:
            long = int(rng.integers(3, 5 + leading))
            draw.rectangle(
                (x, y, min(x + long, edge), y + leading // 2), int(rng.integers(90, 256))
            )
            x += long + int(rng.integers(2, 6))
    return np.asarray(image, np.float32) * np.float32(rng.choice((-1, 1)))


def _leaves(height: int, width: int, rng: np.random.Generator) -> Floats:
    image = Image.new("L", (width, height), int(rng.integers(40, 200)))
    draw = ImageDraw.Draw(image)
    count = int(rng.integers(40, 110))
    side = rng.uniform(6, 22)
    places = rng.uniform(0, (width, height), (count, 2))
    angle = rng.uniform(0, 2 * np.pi, count)
    along = np.stack([np.cos(angle), np.sin(angle)], axis=1) * side
    across = along[:, ::-1] * (0.35, -0.35)
    corners = np.stack([places - along, places + across, places + along, places - across], axis=1)
    for leaf, grey in zip(corners, rng.integers(0, 256, count), strict=True):
        draw.polygon([(float(x), float(y)) for x, y in leaf], fill=int(grey))
    return np.asarray(image, np.float32)


def _face(height: int, width: int, rng: np.random.Generator) -> Floats:
    """One to three faces: ovals with hair, eyes, nose and mouth."""
    image = Image.new("L", (width, height), int(rng.integers(60, 256)))
    draw = ImageDraw.Draw(image)
    count = int(rng.choice((1, 1, 2, 3)))
    for index in range(count):
        middle = width * (index + 0.5) / count + rng.normal(0, 4)
        level = height * rng.uniform(0.4, 0.6)
        high = height * rng.uniform(0.25, 0.42)
        wide = min(high * rng.uniform(0.65, 0.9), width / count * 0.48)
        skin, dark = int(rng.integers(110, 240)), int(rng.integers(0, 100))

        def oval(
            x: float,
            y: float,
            rx: float,
            ry: float,
            grey: int,
            at: tuple[float, float, float, float] = (middle, level, wide, high),
        ) -> None:
            left, top = at[0] + (x - rx) * at[2], at[1] + (y - ry) * at[3]
            draw.ellipse((left, top, left + 2 * rx * at[2], top + 2 * ry * at[3]), fill=grey)

        oval(0, 1.6, 1.5, 0.75, int(rng.integers(0, 256)))
        oval(0, -0.15, 1.12, 1.1, dark)
        oval(0, 0, 0.92, 1, skin)
        for side in (-1, 1):
            oval(0.4 * side, -0.15, 0.15, 0.08, dark)
            oval(0.4 * side, -0.36, 0.22, 0.04, dark)
        oval(0, 0.15, 0.1, 0.16, skin - 30)
        oval(0, 0.52, rng.uniform(0.25, 0.45), 0.07, dark)
    return np.asarray(image, np.float32) + _noise(height, width, rng) * np.float32(8)


def _pebbles(height: int, width: int, rng: np.random.Generator) -> Floats:
    """Many discs with a light and a dark side: peas, pebbles, coins."""
    image = Image.new("L", (width, height), int(rng.integers(0, 256)))
    draw = ImageDraw.Draw(image)
    biggest = rng.uniform(5, 26)
    for x, y in rng.uniform(0, (width, height), (int(rng.integers(8, 45)), 2)):
        r, grey = rng.uniform(0.4, 1) * biggest, int(rng.integers(30, 226))
        draw.ellipse((x - r, y - r, x + r, y + r), fill=grey)
        draw.ellipse((x - 0.7 * r, y - 0.8 * r, x + 0.5 * r, y + 0.4 * r), fill=grey + 30)
    return np.asarray(image, np.float32)


_KINDS: dict[str, Painter] = {
    "noise": _noise,
    "scene": _scene,
    "silhouette": _silhouette,
    "stripes": _stripes,
    "grain": _grain,
    "tiles": _tiles,
    "rows": _rows,
    "leaves": _leaves,
    "face": _face,
    "pebbles": _pebbles,
}
TEXTURES: tuple[str, ...] = tuple(_KINDS)
