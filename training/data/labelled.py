"""Reviewers' labels, from the database or from a file, and the fifth of them that is held out."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from recognizer import imaging
from recognizer.imaging import PenStrokes
from recognizer.transfer import formats
from recognizer.transfer.formats import BadItem, FormatError
from training.data.datasets import Data, black_if_blank
from training.data.downloads import DataDamaged

BRUSHES = (4 / 280, 26 / 280)
"""Widths that drawings are drawn anew with, as fractions of the canvas: those of ``BROAD``."""

DRAWN_ANEW = 0.5
"""Share of the drawings with strokes that are drawn anew for an epoch; the others stay as sent."""

HELD_OUT_SHARE = 5
"""One labelled drawing in five, chosen by a hash of its id, is held out for evaluation."""


@dataclass(frozen=True)
class LabelledData(Data):
    """Labelled drawings, with the strokes of those that were sent as strokes."""

    strokes: Sequence[PenStrokes | None] = ()

    def take(self, index: NDArray[np.integer] | slice, name: str | None = None) -> LabelledData:
        """Return the subset at ``index``."""
        chosen = np.arange(len(self))[index]
        return replace(
            self,
            name=name or self.name,
            images=self.images[index],
            labels=self.labels[index],
            strokes=[self.strokes[position] for position in chosen],
        )


def drawn_anew(data: Data, rng: np.random.Generator) -> Data:
    """Return labelled drawings, some of those that have strokes drawn with other brushes.

    The originals stay in the result's ``strokes``. What was partly erased stays as it is: another
    brush would leave something else.
    """
    if not isinstance(data, LabelledData):
        return data
    images = data.images.copy()
    for index, strokes in enumerate(data.strokes):
        if strokes is not None and not strokes.erasers and rng.random() < DRAWN_ANEW:
            anew = strokes.with_brush(rng.uniform(*BRUSHES))
            # At the edge of the canvas a narrower brush may leave nothing.
            with contextlib.suppress(imaging.ImageError):
                images[index] = imaging.model_input(anew.drawing())
    return replace(data, images=images)


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


_Found = tuple[NDArray[np.uint8], int, PenStrokes | None]


def read_labelled_file(path: Path) -> Labelled:
    """Read labels from a file or folder in any format that ``recognizer.transfer.formats`` reads.

    An export of this site gives what ``read_labelled_database`` gives for the same drawings.
    Where there are no ids, hashes of the pixels take their place.

    Raises ``DataDamaged`` or ``FileNotFoundError``.
    """
    if not path.exists():
        raise FileNotFoundError(f"no such file: {path}")
    found: dict[str, _Found] = {}
    try:
        for item in formats.read(path):
            if isinstance(item, BadItem):
                raise DataDamaged(f"{path}: {item.name} can't be used: {item.why}")
            if item.label is None:
                continue
            seen = black_if_blank(item.model_input)
            name = item.record.id if item.record else hashlib.sha256(seen.tobytes()).hexdigest()
            strokes = None if item.strokes is None else PenStrokes.unpack(item.strokes)
            found[name] = seen, item.label, strokes
    except (FormatError, imaging.ImageError) as error:
        raise DataDamaged(str(error)) from error
    if not found:
        raise DataDamaged(f"{path} holds no labelled drawing")
    return _labelled(found)


def read_labelled_database() -> Labelled:
    """Read reviewers' labels from the database, each drawing through ``imaging`` anew."""
    from recognizer.predictions import selectors

    found: dict[str, _Found] = {}
    for prediction in selectors.labelled_drawings().iterator(chunk_size=500):
        assert prediction.label is not None
        strokes = prediction.pen_strokes()
        found[str(prediction.pk)] = prediction.model_input(), prediction.label, strokes
    return _labelled(found)


def _labelled(found: Mapping[str, _Found]) -> Labelled:
    """Return drawings by id, in the order of the ids: the same wherever they were read from."""
    ids = sorted(found)
    shape = (len(ids), imaging.INPUT_SIDE, imaging.INPUT_SIDE)
    images = np.array([found[name][0] for name in ids], np.uint8).reshape(shape)
    labels = np.array([found[name][1] for name in ids], np.uint8)
    lines = "".join(f"{name} {label}\n" for name, label in zip(ids, labels, strict=True))
    digest = hashlib.sha256(lines.encode()).hexdigest()
    strokes = [found[name][2] for name in ids]
    return Labelled(LabelledData("labelled", images, labels, digest, strokes), ids)
