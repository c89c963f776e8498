"""Reviewers' labels, from the database or from a file, and the fifth of them that is held out."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recognizer import imaging
from recognizer.transfer import formats
from recognizer.transfer.formats import BadItem, FormatError
from training.data.datasets import Data, black_if_blank
from training.data.downloads import DataDamaged

HELD_OUT_SHARE = 5
"""One labelled drawing in five, chosen by a hash of its id, is held out for evaluation."""


@dataclass(frozen=True)
class Labelled:
    """Reviewers' labels: model inputs, labels 0-10, and the ids that decide what is held out."""

    data: Data
    ids: Sequence[str]

    def split(self) -> tuple[Data, Data]:
        """Return the part to train on and the held-out fifth."""
        held_out = np.array([is_held_out(identifier) for identifier in self.ids], bool)
        train = self.data.take(np.flatnonzero(~held_out))
        return train, self.data.take(np.flatnonzero(held_out), "labelled, held out")


def is_held_out(identifier: str) -> bool:
    """Whether a labelled drawing is never trained on. The same for an id in every run."""
    return hashlib.sha256(identifier.encode()).digest()[0] % HELD_OUT_SHARE == 0


def read_labelled_file(path: Path) -> Labelled:
    """Read labels from a file or folder in any format that ``recognizer.transfer.formats`` reads.

    An export of this site gives what ``read_labelled_database`` gives for the same drawings.
    Where there are no ids, hashes of the pixels take their place.

    Raises ``DataDamaged`` or ``FileNotFoundError``.
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
            seen = black_if_blank(item.model_input)
            name = item.record.id if item.record else hashlib.sha256(seen.tobytes()).hexdigest()
            found[name] = seen, item.label
    except (FormatError, imaging.ImageError) as error:
        raise DataDamaged(str(error)) from error
    if not found:
        raise DataDamaged(f"{path} holds no labelled drawing")
    return _labelled(found)


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
