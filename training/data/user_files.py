"""Test sets of a user: an npz in Keras' layout, or a tree of image files.

Images may have any size and be grey or in colour: each is processed by ``imaging``, like a
submitted one. A blank image becomes a black input, which counts as rejected.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recognizer import imaging
from recognizer.transfer.formats.items import as_pixels, levels_of
from training.data import datasets
from training.data.datasets import NOT_A_DIGIT, Data, black_if_blank
from training.data.downloads import DataDamaged

LABELS = {**{str(digit): digit for digit in range(10)}, "not_a_digit": NOT_A_DIGIT}
"""The label of the images in a folder, by its name."""

_HALVES = (("x_test", "y_test"), ("x_train", "y_train"))
_OTHERS = "x_not_a_digit"  # what export_drawings adds
_LITTER = {"Thumbs.db", "desktop.ini"}


def read_npz(path: Path) -> Data:
    """Return an npz in Keras' layout as model inputs: its test half, else its training half.

    Images are (n, h, w), (n, h, w, 1) or (n, h, w, 3), of any numbers: like imported ones, they are
    scaled to the range that they use, unless that is 0-1 or 0-255. Labels are 0-9, or 10 for "not a
    digit". ``x_not_a_digit``, if present, is added with label 10.
    Raises ``FileNotFoundError`` or ``DataDamaged``.
    """
    arrays = datasets.load_arrays(path)
    parts = [
        (
            _model_inputs(arrays[x], f"{path}: {x}"),
            _labels(arrays[y], len(arrays[x]), f"{path}: {y}"),
        )
        for x, y in [half for half in _HALVES if set(half) <= set(arrays)][:1]
    ]
    if _OTHERS in arrays and len(arrays[_OTHERS]):
        others = _model_inputs(arrays[_OTHERS], f"{path}: {_OTHERS}")
        parts.append((others, np.full(len(others), NOT_A_DIGIT, np.uint8)))
    if not parts:
        there = ", ".join(sorted(arrays)) or "nothing"
        raise DataDamaged(f"{path} has neither x_test, y_test nor x_train, y_train, only {there}")
    images, labels = (np.concatenate(part) for part in zip(*parts, strict=True))
    return Data(path.name, images, labels)


def _model_inputs(images: NDArray[Any], source: str) -> NDArray[np.uint8]:
    """Return images as model inputs, uint8 (n, 28, 28)."""
    is_image = images.ndim == 3 or (images.ndim == 4 and images.shape[3] in (1, 3))
    if not is_image or not images.size:
        raise DataDamaged(
            f"{source} has shape {images.shape}, expected (n, height, width) or "
            "(n, height, width, 1 or 3)"
        )
    if images.dtype.kind not in "uifb":
        raise DataDamaged(f"{source} is {images.dtype}, not numbers")
    low, high = float(images.min()), float(images.max())
    if not math.isfinite(high - low):
        raise DataDamaged(f"{source} has values from {low:g} to {high:g}: no images")
    levels = levels_of(low, high)
    scaled = np.stack([as_pixels(image, levels) for image in images])
    if scaled.ndim == 3:
        return datasets.prepare(scaled)
    return np.stack([_from_colour(image) for image in scaled])


def _from_colour(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return black_if_blank(lambda: datasets.model_input_of(imaging.to_grey(Image.fromarray(image))))


def _labels(labels: NDArray[Any], n: int, source: str) -> NDArray[np.uint8]:
    """Return labels uint8 (n,), given as (n,) or (n, 1)."""
    if labels.ndim == 2 and labels.shape[1] == 1:
        labels = labels[:, 0]
    if labels.shape != (n,):
        raise DataDamaged(f"{source} has shape {labels.shape} for {n} images, expected ({n},)")
    wrong = not np.issubdtype(labels.dtype, np.integer)
    if wrong or (labels < 0).any() or (labels > NOT_A_DIGIT).any():
        raise DataDamaged(f"{source}: labels must be whole numbers: 0-9, or 10 (not a digit)")
    return labels.astype(np.uint8)


def read_folder(path: Path) -> Data:
    """Return the images of a folder tree, labelled by folder.

    The label is the name of the nearest parent folder called ``0`` to ``9`` or ``not_a_digit``, so
    ``3/ann/a.png`` and ``test/3/a.jpg`` both work; files in no such folder are ignored. Every image
    format of the site is supported.

    Raises ``FileNotFoundError``, or ``DataDamaged`` if images can't be read or there are none.
    """
    if not path.is_dir():
        raise FileNotFoundError(f"no such folder: {path}")
    images: list[NDArray[np.uint8]] = []
    labels: list[int] = []
    bad: list[str] = []
    for file in sorted(path.rglob("*")):
        below = file.relative_to(path)
        label = next((LABELS[part] for part in below.parts[-2::-1] if part in LABELS), None)
        hidden = any(part.startswith(".") for part in below.parts) or file.name in _LITTER
        if label is None or hidden or not file.is_file():
            continue
        try:
            images.append(model_input_of_file(file.read_bytes()))
            labels.append(label)
        except imaging.ImageError as error:
            bad.append(f"{file}: {error.message}")
    if bad:
        more = f" and {len(bad) - 5} more" if len(bad) > 5 else ""
        raise DataDamaged(f"{'; '.join(bad[:5])}{more}")
    if not images:
        raise DataDamaged(f"{path} has no images in folders 0 to 9 or not_a_digit")
    return Data(path.name, np.stack(images), np.array(labels, np.uint8))


def model_input_of_file(content: bytes) -> NDArray[np.uint8]:
    """Return the model input (28, 28) of an image file; black if it is blank.

    Raises ``ImageError`` if it is not an image.
    """
    return black_if_blank(lambda: imaging.model_input(imaging.read_drawing(content)))
