"""MNIST and the UCI pen digits, as arrays to train and evaluate a network on.

Every image is a model input made by ``recognizer.imaging``, like a submitted drawing: uint8
(n, 28, 28), white on black. Labels are uint8 (n,): 0-9, and 10 for "not a digit".
"""

from __future__ import annotations

import hashlib
import os
import zipfile
from collections.abc import Callable, Hashable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from recognizer import imaging
from recognizer.imaging.strokes import Strokes
from training.data import downloads
from training.data.downloads import DataDamaged, Progress
from training.processes import workers
from training.synthesis.strokes import PLACEMENTS, Placement, draw_at

NOT_A_DIGIT = 10
MNIST_VALIDATION = 5000
"""Size of the validation set: the last images of MNIST's training half."""

HELD_OUT_WRITERS = (25, 26, 27, 28, 29, 30)
"""Pen writers of the test set."""

VALIDATION_WRITERS = (23, 24)
"""Pen writers of the validation set, on which temperature, thresholds and settings are chosen."""

_IMAGING = sorted(Path(imaging.__file__).parent.glob("*.py"))


@dataclass(frozen=True)
class Data:
    """Images uint8 (n, 28, 28) with labels uint8 (n,), and the sha256 of their source."""

    name: str
    images: NDArray[np.uint8]
    labels: NDArray[np.uint8]
    sha256: str = ""

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, index: NDArray[np.integer] | slice, name: str | None = None) -> Data:
        """Return the subset at ``index``."""
        return Data(name or self.name, self.images[index], self.labels[index], self.sha256)


class Handwritten(Protocol):
    """A digit or another character as strokes with y down, labelled 0-10, and its writer."""

    @property
    def strokes(self) -> Strokes: ...
    @property
    def label(self) -> int: ...
    @property
    def writer(self) -> Hashable: ...


@dataclass(frozen=True)
class PenDigit:
    """A digit of the UCI pen data: strokes with y down, label, writer (1-30), and its position
    among the digits of that writer (from 0).
    """

    strokes: Strokes
    label: int
    writer: int
    index: int = 0


# --- MNIST --------------------------------------------------------------------------------------


def read_npz(path: Path) -> dict[str, Data]:
    """Read an npz in Keras' layout (``x_train``, ``y_train``, ...), without preparing the images.

    Returns ``train``, ``test`` or both, whatever the file has. Raises as ``load_arrays``, and
    ``DataDamaged`` if these are not 28x28 digits.
    """
    arrays = load_arrays(path)
    found = {
        split: check_digits(arrays[f"x_{split}"], arrays[f"y_{split}"], str(path))
        for split in ("train", "test")
        if {f"x_{split}", f"y_{split}"} <= arrays.keys()
    }
    if not found:
        raise DataDamaged(f"{path} has neither x_train, y_train nor x_test, y_test")
    return found


def load_arrays(path: Path) -> dict[str, NDArray[Any]]:
    """Return the arrays of an npz file. Raises ``FileNotFoundError`` or ``DataDamaged``."""
    if not path.is_file():
        raise FileNotFoundError(f"no such file: {path}")
    try:
        # Opened here: np.load leaves a damaged zip file open.
        with path.open("rb") as file:
            archive = np.load(file, allow_pickle=False)
            if isinstance(archive, np.ndarray):
                raise DataDamaged(f"{path} holds one array, not an npz with x_test and y_test")
            return {name: archive[name] for name in archive.files}
    except DataDamaged:
        raise
    except (zipfile.BadZipFile, ValueError, OSError, EOFError, KeyError, TypeError) as error:
        raise DataDamaged(f"{path} is not a readable npz file: {error}") from error


def save_arrays(path: Path, **arrays: NDArray[Any]) -> None:
    """Write an npz file that ``load_arrays`` reads, under its name once it is complete.

    Raises ``OSError``.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    with partial.open("wb") as file:
        np.savez(file, **arrays)  # type: ignore[arg-type]
        file.flush()
        # Without this a power cut may leave the new name with the old disk's content.
        os.fsync(file.fileno())
    partial.replace(path)


def check_digits(images: NDArray[np.uint8], labels: NDArray[np.uint8], source: str) -> Data:
    """Return arrays as ``Data``. Raises ``DataDamaged`` unless they are 28x28 digits."""
    if images.ndim != 3 or images.shape[1:] != (28, 28):
        raise DataDamaged(f"{source}: images have shape {images.shape}, expected (n, 28, 28)")
    if images.dtype != np.uint8:
        raise DataDamaged(f"{source}: images are {images.dtype}, expected uint8")
    if labels.shape != images.shape[:1]:
        raise DataDamaged(f"{source}: {labels.shape} labels for {len(images)} images")
    if not np.issubdtype(labels.dtype, np.integer) or (labels < 0).any() or (labels > 9).any():
        raise DataDamaged(f"{source}: labels must be whole numbers from 0 to 9")
    return Data(source, images, labels.astype(np.uint8))


def mnist(path: Path | None = None, progress: Progress | None = None) -> dict[str, Data]:
    """Return MNIST as model inputs: ``train`` (55,000), ``validation`` (5,000), ``test``.

    ``as it is`` is ``train`` without imaging.

    Preparing 70,000 images takes half a minute on two cores. The result is cached under a hash of
    the file and of the imaging code. Raises as ``downloads.download`` and ``read_npz``.
    """
    path = path or downloads.mnist_file(progress)
    raw = read_npz(path)
    if "train" not in raw:
        raise DataDamaged(f"{path} has no x_train, y_train")
    sha256 = downloads.sha256_of(path)
    prepared = {
        split: Data(
            f"mnist {split}", prepare(data.images, f"{sha256}-{split}"), data.labels, sha256
        )
        for split, data in raw.items()
    }
    train = prepared.pop("train")
    kept = max(len(train) - MNIST_VALIDATION, len(train) // 2)
    return {
        "train": train.take(slice(kept)),
        "validation": train.take(slice(kept, None), "mnist validation"),
        "as it is": raw["train"].take(slice(kept)),
        **prepared,
    }


def prepare(images: NDArray[np.uint8], key: str | None = None) -> NDArray[np.uint8]:
    """Return the model inputs of grey images, uint8 (n, h, w); black for a blank one.

    With ``key`` the result is cached.
    """
    cached: Path | None = None
    if key:
        code = hashlib.sha256(b"".join(path.read_bytes() for path in _IMAGING)).hexdigest()
        name = hashlib.sha256(f"{key}{code}".encode()).hexdigest()[:24]
        cached = downloads.CACHE / f"inputs-{name}.npy"
        if cached.is_file():
            return np.asarray(np.load(cached))
    result = np.concatenate(_in_parallel(_prepare_chunk, _chunks(images)))
    if cached:
        cached.parent.mkdir(exist_ok=True)
        partial = cached.with_suffix(f".{os.getpid()}.part.npy")
        np.save(partial, result)
        partial.replace(cached)
    return result


def _prepare_chunk(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.stack([model_input_of(image) for image in images])


def model_input_of(pixels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the model input (28, 28) of a grey drawing (h, w); black if it is blank."""
    return black_if_blank(lambda: imaging.model_input(imaging.drawing_from_array(pixels)))


def black_if_blank(model_input: Callable[[], NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """Return what ``model_input`` returns, or a black input where it raises ``BlankDrawing``.

    A black input counts as rejected in an evaluation, as the site rejects a blank drawing.
    """
    try:
        return model_input()
    except imaging.BlankDrawing:
        return np.zeros((imaging.INPUT_SIDE, imaging.INPUT_SIDE), np.uint8)


def _chunks(images: NDArray[np.uint8], size: int = 2500) -> list[NDArray[np.uint8]]:
    return [images[start : start + size] for start in range(0, max(1, len(images)), size)]


def _in_parallel(
    work: Callable[[NDArray[np.uint8]], NDArray[np.uint8]], parts: list[NDArray[np.uint8]]
) -> list[NDArray[np.uint8]]:
    if len(parts) == 1:
        return [work(parts[0])]
    with workers(os.cpu_count() or 1) as pool:
        return list(pool.map(work, parts))


# --- pen strokes --------------------------------------------------------------------------------


def read_pen(path: Path) -> list[PenDigit]:
    """Read the UCI pen trajectories (UNIPEN text, y up). Raises ``DataDamaged``."""
    digits: list[PenDigit] = []
    strokes: list[list[tuple[float, float]]] = []
    label = writer = index = -1

    def finish() -> None:
        kept = [np.array(stroke, np.float64) for stroke in strokes if stroke]
        if label >= 0 and kept:
            digits.append(PenDigit(kept, label, writer, index))

    try:
        for line in path.read_text(encoding="latin-1").splitlines():
            words = line.split()
            if not words:
                continue
            if words[0] == ".SEGMENT":
                finish()
                strokes, label = [], -1
            elif words[0] == ".COMMENT" and len(words) == 4:
                label, writer, index = (int(word) for word in words[1:])
            elif words[0] == ".PEN_DOWN":
                strokes.append([])
            elif words[0][0] != "." and strokes:
                strokes[-1].append((float(words[0]), -float(words[1])))
        finish()
    except (ValueError, IndexError) as error:
        raise DataDamaged(f"{path} is not UNIPEN text: {error}") from error
    if not digits:
        raise DataDamaged(f"{path} has no pen digits")
    return digits


def by_writers(digits: Iterable[PenDigit], writers: Iterable[int]) -> list[PenDigit]:
    wanted = set(writers)
    return [digit for digit in digits if digit.writer in wanted]


def training_writers(digits: Iterable[PenDigit]) -> list[PenDigit]:
    """Return the digits of the training writers: neither in the test nor the validation set."""
    apart = {*HELD_OUT_WRITERS, *VALIDATION_WRITERS}
    return [digit for digit in digits if digit.writer not in apart]


def draw_pen(
    digits: Sequence[Handwritten], placement: Placement, seed: int, name: str = "pen"
) -> Data:
    """Draw each character once on a 280 px canvas, with a placement."""
    rng = np.random.default_rng(seed)
    images = [model_input_of(draw_at(digit.strokes, placement, rng)) for digit in digits]
    return Data(name, np.stack(images), np.array([d.label for d in digits], np.uint8))


def pen_test_sets(digits: Sequence[PenDigit], seed: int = 20) -> dict[str, Data]:
    """Return pen digits drawn in each of the five placements, as "pen PLACEMENT"."""
    return {
        f"pen {name}": draw_pen(digits, placement, seed, f"pen {name}")
        for name, placement in PLACEMENTS.items()
    }
