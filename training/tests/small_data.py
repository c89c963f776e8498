"""A ``DIGIT_DATA_DIR`` of a few kilobytes with a generated version of every public data set."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from recognizer.imaging.strokes import Strokes, render
from training.data import downloads, omniglot
from training.synthesis.allographs import generate_digit
from training.synthesis.nondigits import generate_nondigit
from training.synthesis.strokes import place


def write_small_data(folder: Path) -> Path:
    """Write MNIST (40 and 20 images), pen digits (30 writers, two each) and Omniglot (12)."""
    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(5)
    train, test = _grey_digits(40, rng), _grey_digits(20, rng)
    np.savez(
        folder / downloads.MNIST.filename,
        x_train=train, y_train=np.arange(40) % 10, x_test=test, y_test=np.arange(20) % 10,
    )  # fmt: skip
    (folder / downloads.PEN_FILE).write_text(_unipen(rng))
    (folder / downloads.OMNIGLOT.filename).write_bytes(_omniglot(rng))
    return folder


def _grey_digits(count: int, rng: np.random.Generator) -> NDArray[np.uint8]:
    """Return digits 0-9 by turns, uint8 (count, 28, 28), white on black, soft as MNIST's."""
    images = []
    for number in range(count):
        placed = place(generate_digit(number % 10, rng), canvas=112, size=0.7)
        ink = Image.fromarray(255 - render(placed, canvas=112, brush=9))
        images.append(np.asarray(ink.resize((28, 28), Image.Resampling.BOX)))
    return np.stack(images)


def _unipen(rng: np.random.Generator) -> str:
    lines = []
    for writer in range(1, 31):
        for digit in (writer % 10, (writer + 5) % 10):
            lines += [".SEGMENT DIGIT ? OK", f".COMMENT {digit} {writer} 0"]
            for stroke in generate_digit(digit, rng):
                lines.append(".PEN_DOWN")
                lines += [f"{400 * x:.0f} {400 * (1 - y):.0f}" for x, y in stroke]
                lines.append(".PEN_UP")
    return "\n".join(lines)


def _omniglot(rng: np.random.Generator) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for alphabet in (*omniglot.TRAIN_ALPHABETS, *omniglot.HELD_OUT_ALPHABETS):
            lookalike = min(omniglot.LOOKALIKES[alphabet])
            for character in (lookalike, "character98", "character99"):
                name = f"images/{alphabet}/{character}/1.png"
                archive.writestr(name, _character(generate_nondigit(rng, kind="letter")))
    return buffer.getvalue()


def _character(strokes: Strokes) -> bytes:
    buffer = io.BytesIO()
    pixels = render(place(strokes, canvas=omniglot.SIDE, size=0.8), canvas=omniglot.SIDE, brush=3)
    Image.fromarray(pixels).convert("1").save(buffer, "PNG")
    return buffer.getvalue()
