"""The sets that models are evaluated on: by name, and those of a training run."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.data import (
    datasets,
    downloads,
    nondigit_sets,
    omniglot,
    real_photos,
    unipen,
    user_files,
)
from training.data.datasets import Data, Handwritten, PenDigit
from training.data.downloads import DataDamaged, DataUnavailable
from training.data.labelled import read_labelled_database
from training.data.synthetic import Fresh, Material, draw_fresh
from training.data.training_data import Collected
from training.synthesis.strokes import PLACEMENTS

NAMES = ("mnist", "pen", "unipen", "nondigits", "labelled")

EACH = 2500
"""Validation drawings of each source, so that each weighs the same."""

OWN_LEAST = 200
"""Held-out labelled digits, of about a thousand, from which on they are a source of their own.
A threshold chosen on fewer would say more about those few than about what the site is sent."""


def load(spec: str) -> dict[str, Data]:
    """Return the sets that ``evaluate_model --on`` calls ``spec``, by name.

    ``mnist`` (its test half), ``pen`` (held-out writers, five placements), ``unipen``
    (see ``unipen.held_out_sets``), ``nondigits`` (see ``nondigits``), ``labelled`` (the held-out
    fifth), ``npz:PATH`` (Keras' layout; the test half if there is one) or ``folder:PATH`` (images
    in folders ``0`` to ``9`` and ``not_a_digit``).

    Raises ``ValueError`` for an unknown name, and ``DataDamaged``, ``DataUnavailable`` or
    ``FileNotFoundError``.
    """
    kind, _, rest = spec.partition(":")
    if kind == "npz" and rest:
        return {spec: user_files.read_npz(Path(rest))}
    if kind == "folder" and rest:
        return {spec: user_files.read_folder(Path(rest))}
    if spec == "mnist":
        return {"mnist test": mnist_test()}
    if spec == "pen":
        return datasets.pen_test_sets(held_out_pen())
    if spec == "unipen":
        return unipen.held_out_sets(unipen.load())
    if spec == "nondigits":
        return nondigits()
    if spec == "labelled":
        held_out = read_labelled_database().split()[1]
        if not len(held_out):
            raise DataUnavailable("no labelled drawing is held out yet")
        return {held_out.name: held_out}
    raise ValueError(f"unknown set {spec!r}: {', '.join(NAMES)}, npz:PATH or folder:PATH")


def mnist_test() -> Data:
    """Return MNIST's test half as model inputs, without preparing the training half."""
    path = downloads.mnist_file()
    found = datasets.read_npz(path)
    if "test" not in found:
        raise DataDamaged("this MNIST file has no x_test, y_test")
    raw, sha256 = found["test"], downloads.sha256_of(path)
    # The same key as in datasets.mnist, so that a training run and an evaluation share the cache.
    return Data("mnist test", datasets.prepare(raw.images, f"{sha256}-test"), raw.labels, sha256)


def held_out_pen() -> list[PenDigit]:
    digits = datasets.read_pen(downloads.pen_file())
    return datasets.by_writers(digits, datasets.HELD_OUT_WRITERS)


def nondigits(each: int = nondigit_sets.EACH) -> dict[str, Data]:
    """Return the sets of non-digits that need no download, by name.

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


# --- the sets of a training run ------------------------------------------------------------------


def validation(data: Collected) -> Data:
    """Return the digits that temperature and thresholds are fitted to: no training or test data.

    MNIST, pen and UNIPEN, whatever is available, ``EACH`` drawings of each: what is promised of
    the share of digits accepted holds for the mean of the three, not for the largest. Digits of a
    smaller source are drawn several times, each time in another place and size.
    """
    parts = []
    if data.mnist:
        mnist = data.mnist["validation"]
        parts.append(mnist.take(slice(None, None, max(1, len(mnist) // EACH))))
    parts += [
        datasets.draw_pen(_times(digits, EACH), PLACEMENTS["wild"], 31)
        for digits in validation_digits(data).values()
    ]
    if not parts:
        parts.append(_generated(Fresh(generated=2000), 32))
    images = np.concatenate([part.images for part in parts])
    return Data("validation", images, np.concatenate([part.labels for part in parts]))


def validation_digits(data: Collected) -> dict[str, Sequence[Handwritten]]:
    """Return the digits of validation writers by source, those that there are."""
    pen = datasets.by_writers(data.pen or [], datasets.VALIDATION_WRITERS)
    digits = data.unipen.digits if data.unipen else []
    found: dict[str, Sequence[Handwritten]] = {
        "UNIPEN": unipen.of_role(digits, unipen.Role.VALIDATION),
        "pen": pen,
    }
    return {source: digits for source, digits in found.items() if digits}


def labelled_digits(data: Collected) -> Data | None:
    """Return the held-out labelled digits as one more source of ``validation``, ``EACH`` drawings.

    None if there are fewer than ``OWN_LEAST``. Labels that look wrong stay: a digit that is refused
    looks like a wrong label.
    """
    if data.labelled_held_out is None:
        return None
    digits = np.flatnonzero(data.labelled_held_out.labels != datasets.NOT_A_DIGIT)
    if len(digits) < OWN_LEAST:
        return None
    return data.labelled_held_out.take(digits[_evenly(len(digits), EACH)])


def _times(digits: Sequence[Handwritten], count: int) -> list[Handwritten]:
    """Return ``count`` digits: each equally often, give or take one, evenly over the writers."""
    return [digits[index] for index in _evenly(len(digits), count)]


def _evenly(n: int, count: int) -> NDArray[np.int64]:
    """Return ``count`` indexes below n, (count,): each equally often, give or take one."""
    whole, rest = divmod(count, n)
    some = np.linspace(0, n - 1, rest).round().astype(np.int64)
    return np.concatenate([np.tile(np.arange(n), whole), some])


@functools.cache
def _generated(amounts: Fresh, seed: int) -> Data:
    return draw_fresh(Material(), amounts, seed)


def gate_sets(data: Collected) -> dict[str, Data]:
    """Return the sets on which the gate compares a candidate with the active model.

    Here and in ``test_sets`` what people draw comes first: a version's card keeps the order.
    """
    found: dict[str, Data] = {}
    if data.labelled_held_out:
        found["labelled"] = data.labelled_held_out
    for source, digits in validation_digits(data).items():
        name = f"{source} validation"
        found[name] = datasets.draw_pen(digits, PLACEMENTS["wild"], 33, name)
    if data.mnist:
        found["mnist validation"] = data.mnist["validation"]
    # Large enough to show a regression, and a substitute where MNIST is missing.
    found["generated"] = _generated(Fresh(generated=2000), 34)
    found["non-digits"] = _generated(Fresh(nondigits=2000), 35)
    return {name: data for name, data in found.items() if len(data)}


def test_sets(data: Collected) -> dict[str, Data]:
    """Return the test sets: measured once at the end and reported, never used to choose."""
    found: dict[str, Data] = {}
    if data.unipen:
        found |= unipen.held_out_sets(data.unipen)
    if data.pen:
        digits = datasets.by_writers(data.pen, datasets.HELD_OUT_WRITERS)
        if digits:
            found |= datasets.pen_test_sets(digits)
    if data.mnist and "test" in data.mnist:
        found["mnist test"] = data.mnist["test"]
    return found
