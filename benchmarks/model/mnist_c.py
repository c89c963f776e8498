"""The fifteen corruptions of MNIST-C, reimplemented.

After Mu and Gilmer, "MNIST-C: a robustness benchmark for computer vision" (2019). Kinds and
strengths are those of the authors' published generator, stated with each function; single pixels
can differ. Every function takes float64 (28, 28) in 0-1, white on black, and a random generator,
and returns the same shape; values outside 0-1 are clipped afterwards.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from PIL import Image

Floats = NDArray[np.float64]
Corruption = Callable[[Floats, np.random.Generator], Floats]

SIDE = 28
_axis = np.arange(SIDE, dtype=np.float64)


def corrupt(images: NDArray[np.uint8], kind: str, seed: int = 15) -> NDArray[np.uint8]:
    """Return a corrupted copy of uint8 (n, 28, 28). Raises ``KeyError`` for an unknown kind."""
    rng, made = np.random.default_rng(seed), KINDS[kind]
    changed = np.stack([made(image / 255.0, rng) for image in images])
    return np.rint(np.clip(changed, 0, 1) * 255).astype(np.uint8)


# --- noise and blur -----------------------------------------------------------------------------


def shot_noise(image: Floats, rng: np.random.Generator) -> Floats:
    """Replace each px by a Poisson count, with a mean of 3 where the ink is full."""
    return np.asarray(rng.poisson(image * 3) / 3)


def impulse_noise(image: Floats, rng: np.random.Generator) -> Floats:
    """Set 17 % of the px to black or white."""
    hit = rng.random(image.shape) < 0.17
    return np.where(hit, rng.integers(0, 2, image.shape), image)


def glass_blur(image: Floats, rng: np.random.Generator) -> Floats:
    """Blur by 0.7 px; twice over, swap every second px with a neighbour; blur again."""
    result = _blurred(image, 0.7)
    for _ in range(2):
        swapped = rng.random(image.shape) < 0.5
        shifts = rng.integers(-1, 1, (*image.shape, 2))
        for y in range(SIDE - 1, 1, -1):
            for x in range(SIDE - 1, 1, -1):
                if swapped[y, x]:
                    at = (y + shifts[y, x, 0], x + shifts[y, x, 1])
                    result[y, x], result[at] = result[at], result[y, x]
    return _blurred(result, 0.7)


def motion_blur(image: Floats, rng: np.random.Generator) -> Floats:
    """Drag along a line at up to 45 degrees, fading as half a Gaussian of 3 px."""
    angle = np.radians(rng.uniform(-45, 45))
    steps = np.arange(11)
    weights = np.exp(-(steps**2) / (2 * 3.0**2))
    result = np.zeros_like(image)
    for step, weight in zip(steps, weights / weights.sum(), strict=True):
        away = (step * np.cos(angle), step * np.sin(angle))
        result += weight * _moved(image, (1, 0, 0, 1), away)
    return result


@lru_cache(maxsize=4)
def _blur_matrix(sigma: float) -> Floats:
    """Return the 28x28 matrix that blurs an axis; the border is extended."""
    reach = int(4 * sigma + 0.5)
    offsets = np.arange(-reach, reach + 1)
    weights = np.exp(-(offsets**2) / (2 * sigma**2))
    matrix = np.zeros((SIDE, SIDE))
    for row in range(SIDE):
        np.add.at(matrix[row], np.clip(row + offsets, 0, SIDE - 1), weights / weights.sum())
    return matrix


def _blurred(image: Floats, sigma: float) -> Floats:
    matrix = _blur_matrix(sigma)
    return np.asarray(matrix @ image @ matrix.T)


# --- place and shape ----------------------------------------------------------------------------


def shear(image: Floats, rng: np.random.Generator) -> Floats:
    """Slant by 0.4."""
    return _moved(image, (1, rng.choice([-0.4, 0.4]), 0, 1))


def scale(image: Floats, rng: np.random.Generator) -> Floats:
    """Shrink to seven tenths."""
    return _moved(image, (1 / 0.7, 0, 0, 1 / 0.7))


def rotate(image: Floats, rng: np.random.Generator) -> Floats:
    """Turn by 0.4 radians, 23 degrees."""
    angle = 0.4 * rng.choice([-1, 1])
    return _moved(image, (np.cos(angle), np.sin(angle), -np.sin(angle), np.cos(angle)))


def translate(image: Floats, rng: np.random.Generator) -> Floats:
    """Move by three px across and three px up or down."""
    x, y = rng.choice([-3, 3], 2)
    return _moved(image, (1, 0, 0, 1), (float(x), float(y)))


def _moved(
    image: Floats, matrix: tuple[float, ...], shift: tuple[float, float] = (0.0, 0.0)
) -> Floats:
    """Resample around the centre, bilinearly; ``matrix`` maps target to source px."""
    a, b, c, d = matrix
    middle = SIDE / 2
    x, y = middle + shift[0], middle + shift[1]
    coefficients = (a, b, middle - a * x - b * y, c, d, middle - c * x - d * y)
    moved = Image.fromarray(image.astype(np.float32)).transform(
        (SIDE, SIDE), Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR
    )
    return np.asarray(moved, np.float64)


# --- light and dirt -----------------------------------------------------------------------------


def brightness(image: Floats, rng: np.random.Generator) -> Floats:
    """Add 0.5 everywhere."""
    return image + 0.5


def stripe(image: Floats, rng: np.random.Generator) -> Floats:
    """Invert the left and the right quarter."""
    result = image.copy()
    result[:, :7], result[:, 21:] = 1 - result[:, :7], 1 - result[:, 21:]
    return result


def fog(image: Floats, rng: np.random.Generator) -> Floats:
    """Add a cloud three times as strong as the ink, and rescale to 0-1.

    The cloud is a part of a plasma of 256 px: each octave has half the size and 1/1.96 of the
    strength of the one before.
    """
    plasma = np.zeros((256, 256))
    for octave in range(8):
        cells = 2 ** (octave + 1)
        bumps = Image.fromarray(rng.uniform(-1, 1, (cells, cells)).astype(np.float32))
        plasma += np.asarray(bumps.resize((256, 256), Image.Resampling.BILINEAR)) / 1.96**octave
    plasma = (plasma - plasma.min()) / np.ptp(plasma)
    brightest = image.max()
    return np.asarray((image + 3 * plasma[114:142, 114:142]) * brightest / (brightest + 3))


def spatter(image: Floats, rng: np.random.Generator) -> Floats:
    """Add dark blots where blurred noise is high."""
    liquid = _blurred(rng.normal(0.65, 0.3, image.shape), 1.0)
    mud = _blurred((liquid > 0.65).astype(np.float64), 1.5)
    mud[mud < 0.8] = 0
    return image * (1 - mud) + 63 / 255 * mud


def dotted_line(image: Floats, rng: np.random.Generator) -> Floats:
    """Draw a line of dots of two columns from one side to the other."""
    left, right = rng.integers(0, 27, 2)
    line = _line(0, left, 27, right)
    line[:, _axis.astype(int) // 2 % 2 == 0] = 0
    return image + line


def zigzag(image: Floats, rng: np.random.Generator) -> Floats:
    """Draw a zigzag from side to side, 2 px up and down every 4 px.

    The authors' code also thresholds the digit; this one keeps its greys.
    """
    start = float(rng.integers(0, 27))
    turn = np.arctan(rng.integers(-5, 5) / 23)
    along = np.array([0, *np.arange(2, 23 / np.cos(turn), 4), 23 / np.cos(turn)])
    across = np.array([0, *(2 * (-1.0) ** np.arange(len(along) - 2)), 0])
    columns = 2 + along * np.cos(turn) - across * np.sin(turn)
    rows = start + along * np.sin(turn) + across * np.cos(turn)
    result = image.copy()
    for k in range(len(along) - 1):
        result += _line(columns[k], rows[k], columns[k + 1], rows[k + 1])
    return result


def _line(column: float, row: float, to_column: float, to_row: float) -> Floats:
    """Return a soft line about 3 px high, between two columns, float64 (28, 28)."""
    if to_column == column:
        return np.zeros((SIDE, SIDE))
    at = row + (to_row - row) / (to_column - column) * (_axis - column)
    away = np.minimum(np.abs(_axis[:, None] - at) / 2.3, 1 - 1e-9)
    line = np.clip(np.log(1 - away) + 1, 0, 1)
    line[:, (_axis < np.floor(column)) | (_axis >= np.ceil(to_column))] = 0
    return np.asarray(line)


# --- edges --------------------------------------------------------------------------------------


def canny_edges(image: Floats, rng: np.random.Generator) -> Floats:
    """Keep the outline only: Canny's edges at 1 px blur, thresholds 0.1 and 0.2.

    Canny, "A computational approach to edge detection", IEEE TPAMI 8(6), 1986.
    """
    padded = np.pad(_blurred(image, 1.0), 1, mode="edge")
    smooth_x = padded[:-2] + 2 * padded[1:-1] + padded[2:]
    smooth_y = padded[:, :-2] + 2 * padded[:, 1:-1] + padded[:, 2:]
    across, down = smooth_x[:, 2:] - smooth_x[:, :-2], smooth_y[2:] - smooth_y[:-2]
    strength = np.hypot(across, down)
    # An edge is stronger than both its neighbours across it, in the nearest of four directions.
    sector = np.rint(np.arctan2(down, across) / (np.pi / 4)).astype(int) % 4
    steps = np.array([(0, 1), (1, 1), (1, 0), (1, -1)])[sector]
    y, x = np.mgrid[1 : SIDE + 1, 1 : SIDE + 1]
    around = np.pad(strength, 1)
    one = around[y + steps[..., 0], x + steps[..., 1]]
    other = around[y - steps[..., 0], x - steps[..., 1]]
    ridge = (strength >= one) & (strength > other)
    ridge[[0, -1]] = ridge[:, [0, -1]] = False
    return _connected(ridge & (strength > 0.2), ridge & (strength > 0.1)).astype(np.float64)


def _connected(strong: NDArray[np.bool_], weak: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the weak px that are connected with a strong one."""
    kept, before = strong, -1
    while (count := int(kept.sum())) > before:
        before = count
        wide = np.pad(kept, 1)
        wide = wide[:-2] | wide[1:-1] | wide[2:]
        kept = weak & (wide[:, :-2] | wide[:, 1:-1] | wide[:, 2:])
    return kept


KINDS: dict[str, Corruption] = {
    kind.__name__: kind
    for kind in (
        shot_noise, impulse_noise, glass_blur, motion_blur, shear, scale, rotate, brightness,
        translate, stripe, fog, spatter, dotted_line, zigzag, canny_edges,
    )
}  # fmt: skip
