"""What a training run can use on this machine, and what is missing."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recognizer import imaging
from recognizer.inference.card import DataSource
from recognizer.transfer import formats
from recognizer.transfer.formats import BadItem, FormatError, Item
from training.data import datasets, downloads, omniglot
from training.data.datasets import Data, PenDigit
from training.data.downloads import DataDamaged, DataUnavailable, Progress
from training.data.synthetic import Fresh, Material, draw_fresh
from training.synthesis.strokes import PLACEMENTS

SOURCES = ("mnist", "pen", "generated", "omniglot", "labelled")
REAL = frozenset({"mnist", "pen"})
HELD_OUT_SHARE = 5
"""One labelled drawing in five, chosen by a hash of its id, only ever judges."""


@dataclass
class Collected:
    """The data of a run; what could not be had is None, and ``missing`` says why.

    Public data that is on this machine is here even if it is not trained on: it judges.
    """

    wanted: frozenset[str] = frozenset(SOURCES)
    mnist: dict[str, Data] | None = None
    pen: list[PenDigit] | None = None
    characters: NDArray[np.uint8] | None = None
    labelled: Data | None = None
    labelled_held_out: Data | None = None
    missing: list[str] = field(default_factory=list)

    @property
    def nothing_real(self) -> bool:
        """Whether there is neither MNIST nor pen strokes nor a labelled drawing."""
        return self.trainable_mnist() is None and not self.trainable_pen() and not self.labelled

    @property
    def generated(self) -> bool:
        """Whether generated strokes are trained on."""
        return "generated" in self.wanted

    def trainable_mnist(self) -> Data | None:
        """Return the part of MNIST that is trained on."""
        return self.mnist["train"] if self.mnist and "mnist" in self.wanted else None

    def trainable_pen(self) -> list[PenDigit]:
        """Return the pen digits, of the writers that may be trained on."""
        return datasets.training_writers(self.pen or []) if "pen" in self.wanted else []

    def material(self) -> Material:
        """Return what an epoch's drawings are made of."""
        material = Material(pen=self.trainable_pen())
        if self.characters is not None:
            material = replace(material, characters=self.characters)
        if self.mnist and "mnist" in self.wanted:
            material = replace(material, mnist=self.mnist["as it is"])
        return material

    def sources(self) -> dict[str, DataSource]:
        """Return what goes into the card: counts and hashes by source."""
        found: dict[str, DataSource] = {}
        if train := self.trainable_mnist():
            found["mnist"] = DataSource(len(train), sha256=train.sha256)
        if pen := self.trainable_pen():
            found["pen"] = DataSource(len(pen), sha256=downloads.PEN_SHA256)
        if self.characters is not None:
            found["omniglot"] = DataSource(len(self.characters), sha256=downloads.OMNIGLOT.sha256)
        if self.labelled is not None:
            found["labelled"] = DataSource(
                len(self.labelled), len(self.labelled_held_out or ()), self.labelled.sha256
            )
        if self.generated:
            found["generated"] = DataSource()
        return found


def collect(
    *,
    wanted: Iterable[str],
    mnist_path: Path | None,
    labelled: Callable[[], Labelled],
    progress: Progress | None = None,
    limit: int | None = None,
) -> Collected:
    """Bring together what is wanted and can be had.

    Raises ``DataDamaged`` or ``FileNotFoundError`` for files that are there and no good; what
    can't be downloaded is left out and named in ``missing``.
    """
    result = Collected(wanted=frozenset(wanted))
    if "mnist" in result.wanted or downloads.find(downloads.MNIST.filename):
        try:
            result.mnist = datasets.mnist(mnist_path, progress, limit)
        except DataUnavailable as error:
            result.missing.append(f"MNIST: {error}")
    if "pen" in result.wanted or downloads.find(downloads.PEN_FILE):
        try:
            result.pen = _thin_out(datasets.read_pen(downloads.pen_file(progress)), limit)
        except DataUnavailable as error:
            result.missing.append(f"pen strokes: {error}")
    if "omniglot" in result.wanted:
        try:
            characters = omniglot.training_images(progress)
            result.characters = characters[:limit]
        except DataUnavailable as error:
            result.missing.append(f"Omniglot: {error}")
    if "labelled" in result.wanted:
        found = labelled()
        if found.ids:
            result.labelled, result.labelled_held_out = found.split()
    return result


def _thin_out(digits: list[PenDigit], limit: int | None) -> list[PenDigit]:
    """Keep about ``limit`` digits, spread over all writers."""
    return digits[:: max(1, len(digits) // limit)] if limit else digits


@dataclass(frozen=True)
class Labelled:
    """Reviewers' labels: model inputs, labels 0-10, and the ids that say who judges."""

    data: Data
    ids: Sequence[str]

    def split(self) -> tuple[Data, Data]:
        """Return the part to train on and the fifth that judges."""
        judges = np.array([is_held_out(identifier) for identifier in self.ids], bool)
        train, held_out = self.data.take(np.flatnonzero(~judges)), np.flatnonzero(judges)
        return train, self.data.take(held_out, "labelled, held out")


def is_held_out(identifier: str) -> bool:
    """Whether a labelled drawing judges and is never trained on; fixed for an id for ever."""
    return hashlib.sha256(identifier.encode()).digest()[0] % HELD_OUT_SHARE == 0


def read_labelled_file(path: Path) -> Labelled:
    """Read labels from a file or folder in any format that ``recognizer.transfer.formats`` reads.

    An export of ours gives what ``read_labelled_database`` gives of the same drawings. Without
    ids the pixels themselves say who judges. Raises ``DataDamaged`` or ``FileNotFoundError``.
    """
    if not path.exists():
        raise FileNotFoundError(f"no such file: {path}")
    found: dict[str, tuple[NDArray[np.uint8], int]] = {}
    try:
        for item in formats.read(path):
            if isinstance(item, BadItem):
                raise DataDamaged(f"{path}: {item.name} can't be used: {item.why}")
            if item.label is None:
                continue
            seen = _model_input(item)
            name = item.record.id if item.record else hashlib.sha256(seen.tobytes()).hexdigest()
            found[name] = seen, item.label
    except (FormatError, imaging.ImageError) as error:
        raise DataDamaged(str(error)) from error
    if not found:
        raise DataDamaged(f"{path} holds no labelled drawing")
    return _labelled(found)


def _model_input(item: Item) -> NDArray[np.uint8]:
    try:
        return item.model_input()
    except imaging.BlankDrawing:
        return np.zeros((imaging.INPUT_SIDE, imaging.INPUT_SIDE), np.uint8)


def read_labelled_database() -> Labelled:
    """Read reviewers' labels from the database, each drawing through ``imaging`` anew."""
    from recognizer.predictions import selectors

    found: dict[str, tuple[NDArray[np.uint8], int]] = {}
    for prediction in selectors.labelled_drawings().iterator(chunk_size=500):
        assert prediction.label is not None
        found[str(prediction.pk)] = prediction.model_input(), prediction.label
    return _labelled(found)


def _labelled(found: Mapping[str, tuple[NDArray[np.uint8], int]]) -> Labelled:
    """Return drawings by id, in the order of the ids: the same wherever they were read from."""
    ids = sorted(found)
    shape = (len(ids), imaging.INPUT_SIDE, imaging.INPUT_SIDE)
    images = np.array([found[name][0] for name in ids], np.uint8).reshape(shape)
    labels = np.array([found[name][1] for name in ids], np.uint8)
    lines = "".join(f"{name} {label}\n" for name, label in zip(ids, labels, strict=True))
    digest = hashlib.sha256(lines.encode()).hexdigest()
    return Labelled(Data("labelled", images, labels, digest), ids)


def validation(data: Collected) -> Data:
    """Return the digits that choose temperature and thresholds: never trained on, never test.

    Each pen digit is drawn once. Drawn in all five ways, the two or three that nobody can read
    would be ten or fifteen, and would set the temperature for everything.
    """
    parts = []
    if data.mnist:
        parts.append(data.mnist["validation"])
    if data.pen:
        digits = datasets.by_writers(data.pen, datasets.VALIDATION_WRITERS)
        if digits:
            parts.append(datasets.draw_pen(digits, PLACEMENTS["wild"], 31))
    if not parts:
        parts.append(_generated(Fresh(generated=2000), 32))
    images = np.concatenate([part.images for part in parts])
    return Data("validation", images, np.concatenate([part.labels for part in parts]))


@functools.cache
def _generated(amounts: Fresh, seed: int) -> Data:
    """Return generated drawings, drawn once in this process."""
    return draw_fresh(Material(), amounts, seed)


def benches(data: Collected) -> dict[str, Data]:
    """Return what judges a candidate against the active model."""
    found: dict[str, Data] = {}
    if data.mnist:
        found["mnist validation"] = data.mnist["validation"]
    if data.pen:
        digits = datasets.by_writers(data.pen, datasets.VALIDATION_WRITERS)
        if digits:
            wild = PLACEMENTS["wild"]
            found["pen validation"] = datasets.draw_pen(digits, wild, 33, "pen validation")
    if data.labelled_held_out:
        found["labelled"] = data.labelled_held_out
    # Enough of them that harm shows, and where MNIST is missing these stand in for it.
    found["generated"] = _generated(Fresh(generated=2000), 34)
    found["non-digits"] = _generated(Fresh(nondigits=2000), 35)
    return {name: bench for name, bench in found.items() if len(bench)}


def tests(data: Collected) -> dict[str, Data]:
    """Return the test sets: measured once at the end and reported, never chosen by."""
    found: dict[str, Data] = {}
    if data.mnist and "test" in data.mnist:
        found["mnist test"] = data.mnist["test"]
    if data.pen:
        digits = datasets.by_writers(data.pen, datasets.HELD_OUT_WRITERS)
        if digits:
            for name, bench in datasets.pen_benches(digits).items():
                found[f"pen {name}"] = bench
    return found
