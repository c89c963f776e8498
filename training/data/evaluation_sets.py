"""Test sets by name: what ``evaluate_model --on`` understands."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from training.data import datasets, downloads, nondigit_sets, omniglot, real_photos, user_files
from training.data.datasets import Data, PenDigit
from training.data.downloads import DataDamaged, DataUnavailable
from training.data.training_data import Labelled

NAMES = ("mnist", "pen", "nondigits", "labelled")


def load(spec: str, labelled: Callable[[], Labelled]) -> dict[str, Data]:
    """Return the sets that a name stands for, one or several.

    ``mnist`` (its test half), ``pen`` (held-out writers, five placements), ``nondigits``
    (see ``nondigits``), ``labelled`` (the fifth that is never trained on), ``npz:PATH`` (Keras'
    layout; the test half if there is one) or ``folder:PATH`` (images in folders ``0`` to ``9``
    and ``not_a_digit``).

    Raises ``ValueError`` for another name, ``DataDamaged``, ``DataUnavailable`` or
    ``FileNotFoundError`` where the data is no good or not to be had.
    """
    kind, _, rest = spec.partition(":")
    if kind == "npz" and rest:
        return {spec: user_files.read_npz(Path(rest))}
    if kind == "folder" and rest:
        return {spec: user_files.read_folder(Path(rest))}
    if spec == "mnist":
        return {"mnist test": mnist_test()}
    if spec == "pen":
        benches = datasets.pen_benches(held_out_pen())
        return {f"pen {name}": data for name, data in benches.items()}
    if spec == "nondigits":
        return nondigits()
    if spec == "labelled":
        judging = labelled().split()[1]
        if not len(judging):
            raise DataUnavailable("no labelled drawing is held out yet")
        return {judging.name: judging}
    raise ValueError(f"unknown set {spec!r}: {', '.join(NAMES)}, npz:PATH or folder:PATH")


def mnist_test() -> Data:
    """Return MNIST's test half as model inputs, without preparing the six times larger other."""
    path = downloads.mnist_file()
    found = datasets.read_npz(path)
    if "test" not in found:
        raise DataDamaged("this MNIST file has no x_test, y_test")
    raw, sha256 = found["test"], downloads.sha256_of(path)
    # The key of datasets.mnist: what a training run has prepared is not prepared again.
    return Data("mnist test", datasets.prepare(raw.images, f"{sha256}-test"), raw.labels, sha256)


def held_out_pen() -> list[PenDigit]:
    """Return the pen digits of the writers that are only ever measured."""
    digits = datasets.read_pen(downloads.pen_file())
    return datasets.by_writers(digits, datasets.HELD_OUT_WRITERS)


def nondigits(each: int = nondigit_sets.EACH) -> dict[str, Data]:
    """Return what is no digit, by kind; what is not on this machine is left out, not downloaded.

    Omniglot's held-out alphabets, with and without the characters that look like a digit; the
    sets of ``nondigit_sets``; photographs of other things (all of them once
    ``benchmarks.model.accuracy`` has fetched them, else the one that comes with matplotlib).
    """
    found: dict[str, Data] = {}
    if downloads.find(downloads.OMNIGLOT.filename):
        for lookalikes in (False, True):
            for alphabet in omniglot.HELD_OUT_ALPHABETS:
                data = omniglot.held_out(alphabet, lookalikes=lookalikes)
                found[data.name] = data
    pen = held_out_pen() if downloads.find(downloads.PEN_FILE) else []
    found |= nondigit_sets.by_kind(pen, each)
    if real_photos.photographs():
        photos = real_photos.load()
        found[photos.name] = photos
    return found
