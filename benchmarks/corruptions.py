"""Measure a model on corrupted digits: fifteen kinds, after MNIST-C.

    python -m benchmarks.corruptions [FOLDER] [--n 1000]

FOLDER holds a bundle (default: recognizer/bundled). The kinds are those of Mu and Gilmer, "MNIST-C:
a robustness benchmark for computer vision" (2019), made anew by the code below at about their
strengths, applied to the first images of MNIST's test half before imaging.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from recognizer.classifier import BUNDLED, Classifier, load_bundle
from training import datasets, downloads, evaluate
from training.datasets import Data

Pixels = NDArray[np.uint8]
Corruption = Callable[[Pixels, np.random.Generator], Pixels]

SIDE = 28


def _clip(values: NDArray[np.floating[Any]]) -> Pixels:
    return np.rint(np.clip(values, 0, 255)).astype(np.uint8)


def shot_noise(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Add the noise of few photons."""
    return _clip(rng.poisson(image / 255.0 * 12) / 12 * 255)


def impulse_noise(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Set single px to black or white."""
    result, hit = image.copy(), rng.random(image.shape) < 0.15
    result[hit] = rng.choice([0, 255], int(hit.sum()))
    return result


def glass_blur(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Swap neighbouring px, then blur."""
    result = image.copy()
    for _ in range(2):
        for y in range(1, SIDE - 1):
            for x in range(1, SIDE - 1):
                dy, dx = rng.integers(-1, 2, 2)
                result[y, x], result[y + dy, x + dx] = result[y + dy, x + dx], result[y, x]
    return np.asarray(Image.fromarray(result).filter(ImageFilter.GaussianBlur(0.6)))


def motion_blur(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Blur along a line."""
    angle = rng.uniform(-np.pi / 4, np.pi / 4)
    steps = np.linspace(-3, 3, 7)
    moved = [_affine(image, shift=(s * np.cos(angle), s * np.sin(angle))) for s in steps]
    return _clip(np.mean(moved, 0) * 1.6)


def _affine(
    image: Pixels,
    matrix: tuple[float, float, float, float] = (1, 0, 0, 1),
    shift: tuple[float, float] = (0, 0),
) -> Pixels:
    """Resample about the middle: ``matrix`` maps where a px comes from."""
    a, b, c, d = matrix
    middle = (SIDE - 1) / 2
    x, y = middle - shift[0], middle - shift[1]
    coefficients = (a, b, middle - a * x - b * y, c, d, middle - c * x - d * y)
    made = Image.fromarray(image).transform(
        (SIDE, SIDE), Image.Transform.AFFINE, coefficients, Image.Resampling.BILINEAR
    )
    return np.asarray(made)


def shear(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Slant."""
    return _affine(image, (1, rng.choice([-0.6, 0.6]), 0, 1))


def scale(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Draw at six tenths of the size."""
    return _affine(image, (1.6, 0, 0, 1.6))


def rotate(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Turn by thirty degrees."""
    angle = np.pi / 6 * rng.choice([-1, 1])
    return _affine(image, (np.cos(angle), np.sin(angle), -np.sin(angle), np.cos(angle)))


def translate(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Move by up to six px, part of the digit off the edge."""
    return _affine(image, shift=tuple(rng.uniform(-6, 6, 2)))


def brightness(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Lighten the ground until little contrast is left."""
    return _clip(image * 0.4 + 153.0)


def stripe(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Invert three columns."""
    result = image.copy()
    at = int(rng.integers(6, 20))
    result[:, at : at + 3] = 255 - result[:, at : at + 3]
    return result


def fog(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Lay clouds over it."""
    clouds = np.zeros((SIDE, SIDE))
    for cells in (2, 4, 7, 14):
        noise = Image.fromarray(rng.random((cells, cells)).astype(np.float32))
        clouds += np.asarray(noise.resize((SIDE, SIDE), Image.Resampling.BICUBIC)) / cells
    clouds = (clouds - clouds.min()) / np.ptp(clouds)
    return _clip(image * 0.6 + clouds * 110)


def spatter(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Splash drops over it."""
    drawn = Image.fromarray(image)
    draw = ImageDraw.Draw(drawn)
    for _ in range(12):
        (x, y), radius = rng.uniform(0, SIDE, 2), rng.uniform(0.3, 1.3)
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=200)
    return np.asarray(drawn)


def dotted_line(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Draw a dotted line across."""
    result = image.copy()
    (x, y), (to_x, to_y) = rng.uniform(0, SIDE - 1, 2), rng.uniform(0, SIDE - 1, 2)
    for share in np.linspace(0, 1, 9):
        row, column = round(y + (to_y - y) * share), round(x + (to_x - x) * share)
        result[row, column] = 255
    return result


def zigzag(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Draw a thin zigzag across."""
    drawn = Image.fromarray(image)
    xs = np.linspace(0, SIDE - 1, 8)
    ys = rng.uniform(4, SIDE - 4) + 3 * (-1.0) ** np.arange(8)
    ImageDraw.Draw(drawn).line(list(zip(xs.tolist(), ys.tolist(), strict=True)), fill=255)
    return np.asarray(drawn)


def canny_edges(image: Pixels, rng: np.random.Generator) -> Pixels:
    """Keep the outline only."""
    enlarged = np.pad(image.astype(float), 1)
    across = enlarged[1:-1, 2:] - enlarged[1:-1, :-2]
    down = enlarged[2:, 1:-1] - enlarged[:-2, 1:-1]
    return np.where(np.hypot(across, down) > 220, 255, 0).astype(np.uint8)


KINDS: dict[str, Corruption] = {
    kind.__name__: kind
    for kind in (
        shot_noise, impulse_noise, glass_blur, motion_blur, shear, scale, rotate, brightness,
        translate, stripe, fog, spatter, dotted_line, zigzag, canny_edges,
    )
}  # fmt: skip


def main() -> None:
    """Print the error on clean and on corrupted digits."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=BUNDLED)
    parser.add_argument("--n", type=int, default=1000)
    options = parser.parse_args()
    classifier = Classifier(load_bundle(options.folder))
    raw = datasets.read_npz(downloads.mnist_file())["test"].take(slice(options.n))
    errors = []
    print(f"{classifier.name}: share misread, n = {len(raw):,} of each kind")
    for name, kind in {"clean": lambda image, rng: image, **KINDS}.items():
        rng = np.random.default_rng(15)
        seen = datasets.prepare(np.stack([kind(image, rng) for image in raw.images]))
        outcome = evaluate.run(classifier, Data(name, seen, raw.labels))
        error = 1 - float(outcome.right.mean())
        print(f"{name:14} {error:7.2%}")
        if name != "clean":
            errors.append(error)
    print(f"{'mean of 15':14} {np.mean(errors):7.2%}")


if __name__ == "__main__":
    main()
