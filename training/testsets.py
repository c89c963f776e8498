"""Test sets by name: what ``evaluate_model --on`` understands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np

from recognizer import imaging
from training import datasets, downloads, omniglot
from training.collect import Labelled
from training.datasets import NOT_A_DIGIT, Data, Fresh
from training.downloads import DataDamaged, DataUnavailable

NAMES = ("mnist", "pen", "nondigits", "labelled")


def load(spec: str, labelled: Callable[[], Labelled]) -> dict[str, Data]:
    """Return the sets that a name stands for, one or several.

    ``mnist`` (its test half), ``pen`` (held-out writers, five placements), ``nondigits``
    (Omniglot's held-out alphabets where they are, and generated ones), ``labelled`` (the fifth
    that is never trained on), ``npz:PATH`` (Keras' layout; the test half if there is one) or
    ``folder:PATH`` (images in folders ``0`` to ``9`` and ``not_a_digit``).

    Raises ``ValueError`` for another name, ``DataDamaged``, ``DataUnavailable`` or
    ``FileNotFoundError`` where the data is no good or not to be had.
    """
    kind, _, rest = spec.partition(":")
    if kind == "npz" and rest:
        return {spec: read_npz(Path(rest))}
    if kind == "folder" and rest:
        return {spec: read_folder(Path(rest))}
    if spec == "mnist":
        prepared = datasets.mnist()
        if "test" not in prepared:
            raise DataDamaged("this MNIST file has no x_test, y_test")
        return {"mnist test": prepared["test"]}
    if spec == "pen":
        digits = datasets.read_pen(downloads.pen_file())
        held_out = datasets.by_writers(digits, datasets.HELD_OUT_WRITERS)
        benches = datasets.pen_benches(held_out)
        return {f"pen {name}": data for name, data in benches.items()}
    if spec == "nondigits":
        return nondigits()
    if spec == "labelled":
        judging = labelled().split()[1]
        if not len(judging):
            raise DataUnavailable("no labelled drawing is held out yet")
        return {judging.name: judging}
    raise ValueError(f"unknown set {spec!r}: {', '.join(NAMES)}, npz:PATH or folder:PATH")


def read_npz(path: Path) -> Data:
    """Return an npz in Keras' layout as model inputs: its test half, else its training half."""
    found = datasets.read_npz(path)
    raw = found.get("test") or found["train"]
    return Data(path.name, datasets.prepare(raw.images), raw.labels)


def read_folder(path: Path) -> Data:
    """Return images in folders named by their label, each file read as a submitted one is.

    Raises ``DataDamaged`` naming the files that can't be read, and where there are none.
    """
    if not path.is_dir():
        raise FileNotFoundError(f"no such folder: {path}")
    images, labels, bad = [], [], []
    names = {**{str(digit): digit for digit in range(10)}, "not_a_digit": NOT_A_DIGIT}
    for name, label in names.items():
        for file in sorted((path / name).glob("*")):
            if file.name.startswith(".") or not file.is_file():
                continue
            try:
                images.append(imaging.model_input(imaging.read_drawing(file.read_bytes())))
                labels.append(label)
            except imaging.ImageError as error:
                bad.append(f"{file}: {error.message}")
    if bad:
        more = f" and {len(bad) - 5} more" if len(bad) > 5 else ""
        raise DataDamaged(f"{'; '.join(bad[:5])}{more}")
    if not images:
        raise DataDamaged(f"{path} has no images in folders 0 to 9 or not_a_digit")
    return Data(path.name, np.stack(images), np.array(labels, np.uint8))


def nondigits() -> dict[str, Data]:
    """Return what is no digit: generated ones and, if they are here, Omniglot's held-out alphabets.

    Each alphabet is there twice: without the characters that look like a digit, and with all.
    """
    found = {"generated non-digits": datasets.draw_fresh([], Fresh(0, 0, 2000), 102)}
    if downloads.find(downloads.OMNIGLOT.filename):
        for alphabet in omniglot.HELD_OUT_ALPHABETS:
            for lookalikes in (False, True):
                data = omniglot.held_out(alphabet, lookalikes=lookalikes)
                found[data.name] = data
    return found
