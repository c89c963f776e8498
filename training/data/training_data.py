"""The data of a training run: what is available on this machine, and what is missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TypeVar

import numpy as np
from numpy.typing import NDArray

from recognizer.inference.card import DataSource
from recognizer.inference.gate_result import GateSuspect
from training.data import datasets, downloads, omniglot, unipen
from training.data.datasets import Data, Handwritten, PenDigit
from training.data.downloads import DataUnavailable, Progress
from training.data.labelled import Labelled
from training.data.synthetic import Material
from training.data.unipen import Drawing, Packs

Written = TypeVar("Written", bound=Handwritten)

SOURCES = ("mnist", "pen", "unipen", "generated", "omniglot", "labelled")


@dataclass
class Collected:
    """The data of a run. Unavailable data is None, and ``missing`` says why.

    Public data on this machine is included even if it is not trained on, for evaluation.
    """

    wanted: frozenset[str] = frozenset(SOURCES)
    mnist: dict[str, Data] | None = None
    pen: list[PenDigit] | None = None
    unipen: Packs | None = None
    characters: NDArray[np.uint8] | None = None
    labelled: Data | None = None
    labelled_held_out: Data | None = None
    labels: Labelled | None = None
    suspects_held_out: Sequence[GateSuspect] = ()
    missing: list[str] = field(default_factory=list)

    @property
    def nothing_real(self) -> bool:
        """Whether there is no MNIST, pen or UNIPEN digit or labelled drawing to train on."""
        written = self.trainable_pen() or self.trainable_unipen()
        return self.trainable_mnist() is None and not written and not self.labelled

    @property
    def generated(self) -> bool:
        return "generated" in self.wanted

    def trainable_mnist(self) -> Data | None:
        return self.mnist["train"] if self.mnist and "mnist" in self.wanted else None

    def trainable_pen(self) -> list[PenDigit]:
        return datasets.training_writers(self.pen or []) if "pen" in self.wanted else []

    def trainable_unipen(self) -> list[Drawing]:
        return self.unipen.trainable_digits() if self.unipen and "unipen" in self.wanted else []

    def trainable_letters(self) -> list[Drawing]:
        return self.unipen.trainable_letters() if self.unipen and "unipen" in self.wanted else []

    def material(self) -> Material:
        material = Material(
            pen=self.trainable_pen(),
            unipen=self.trainable_unipen(),
            letters=self.trainable_letters(),
        )
        if self.characters is not None:
            material = replace(material, characters=self.characters)
        if self.mnist and "mnist" in self.wanted:
            material = replace(material, mnist=self.mnist["as it is"])
        return material

    def sources(self) -> dict[str, DataSource]:
        found: dict[str, DataSource] = {}
        if train := self.trainable_mnist():
            found["mnist"] = DataSource(len(train), sha256=train.sha256)
        if pen := self.trainable_pen():
            found["pen"] = DataSource(len(pen), sha256=downloads.PEN_SHA256)
        if self.unipen and "unipen" in self.wanted:
            digits, letters = self.trainable_unipen(), self.trainable_letters()
            found["unipen"] = DataSource(len(digits), sha256=self.unipen.digits_sha256)
            found["unipen letters"] = DataSource(len(letters), sha256=self.unipen.others_sha256)
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
    """Collect the data that is wanted and available.

    Raises ``DataDamaged`` or ``FileNotFoundError`` for unusable files. Data that can't be
    downloaded is omitted and listed in ``missing``. ``limit`` is the most drawings per source.
    """
    result = Collected(wanted=frozenset(wanted))
    # First, since it is read fastest: an unusable file is reported at once.
    if "labelled" in result.wanted:
        found = labelled()
        if found.ids:
            result.labels = found
            result.labelled, result.labelled_held_out = found.split()
            result.suspects_held_out = [
                GateSuspect(found.ids[each.index], each.label, each.likely)
                for each in found.suspects_held_out()
            ]
    if "mnist" in result.wanted or downloads.find(downloads.MNIST.filename):
        try:
            result.mnist = datasets.mnist(mnist_path, progress)
            if limit:
                for part in ("train", "as it is"):
                    result.mnist[part] = result.mnist[part].take(slice(limit))
        except DataUnavailable as error:
            result.missing.append(f"MNIST: {error}")
    if "pen" in result.wanted or downloads.find(downloads.PEN_FILE):
        try:
            result.pen = _thin_out(datasets.read_pen(downloads.pen_file(progress)), limit)
        except DataUnavailable as error:
            result.missing.append(f"pen strokes: {error}")
    if "unipen" in result.wanted or unipen.available():
        try:
            packs = unipen.load(progress)
            result.unipen = replace(
                packs,
                digits=_thin_out(packs.digits, limit),
                others=_thin_out(packs.others, limit),
            )
        except DataUnavailable as error:
            result.missing.append(f"UNIPEN: {error}")
    if "omniglot" in result.wanted:
        try:
            characters = omniglot.training_images(progress)
            result.characters = characters[:limit]
        except DataUnavailable as error:
            result.missing.append(f"Omniglot: {error}")
    return result


def _thin_out(drawings: list[Written], limit: int | None) -> list[Written]:
    """Keep about ``limit`` drawings, from all writers."""
    return drawings[:: max(1, len(drawings) // limit)] if limit else drawings
