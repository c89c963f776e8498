"""Reviewers' labels, from the database or from a file, and the fifth of them that is held out."""

from __future__ import annotations

import contextlib
import datetime
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from django.utils.crypto import salted_hmac
from numpy.typing import NDArray

from recognizer import imaging
from recognizer.imaging import PenStrokes
from recognizer.labelling.confident_learning import Suspect
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

KEYED_SINCE = datetime.datetime(2026, 12, 1, tzinfo=datetime.timezone.utc)
"""Drawings since then are chosen with the site's key. Earlier ones keep their place: a held-out
drawing that moved into the training would flatter every later evaluation."""


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
    """Reviewers' labels: model inputs, labels 0-10, ids, and which of them are held out.

    ``suspects`` are those that look wrong, if they have been searched.
    """

    data: Data
    ids: Sequence[str]
    held_out: NDArray[np.bool_]
    suspects: Sequence[Suspect] = ()

    def split(self) -> tuple[Data, Data]:
        """Return the part to train on and the held-out fifth."""
        train = self.data.take(np.flatnonzero(~self.held_out))
        return train, self.data.take(np.flatnonzero(self.held_out), "labelled, held out")

    def by_id(self) -> dict[str, int]:
        """Return the label of each drawing."""
        return dict(zip(self.ids, self.data.labels.tolist(), strict=True))

    def held_out_ids(self) -> set[str]:
        return {self.ids[index] for index in np.flatnonzero(self.held_out)}

    def suspects_held_out(self, held_out: bool = True) -> list[Suspect]:
        """Return the suspects in the held-out fifth, or in the part to train on."""
        return [each for each in self.suspects if bool(self.held_out[each.index]) == held_out]

    def without_suspects(self) -> Labelled:
        """Leave the suspects out of the training. The held-out fifth keeps its own: a test set
        without what the model contradicts would flatter the model.
        """
        left_out = {each.index for each in self.suspects_held_out(False)}
        kept = [index for index in range(len(self.ids)) if index not in left_out]
        place = {index: number for number, index in enumerate(kept)}
        data = self.data.take(np.array(kept, np.int64))
        ids = [self.ids[index] for index in kept]
        return Labelled(
            replace(data, sha256=_digest(ids, data.labels)),
            ids,
            self.held_out[kept],
            [replace(each, index=place[each.index]) for each in self.suspects_held_out()],
        )


def is_held_out(identifier: str, created_at: datetime.datetime | None = None) -> bool:
    """Whether a labelled drawing is never trained on: the same in every run and on every machine
    with the same SECRET_KEY.

    A visitor sees the id of a drawing, so without a key they could choose which of their drawings
    judge a model. Drawings without a date come from a file, not from a visitor.
    """
    if created_at is None or created_at < KEYED_SINCE:
        digest = hashlib.sha256(identifier.encode()).digest()
    else:
        digest = salted_hmac("training.held_out", identifier, algorithm="sha256").digest()
    return digest[0] % HELD_OUT_SHARE == 0


_Found = tuple[NDArray[np.uint8], int, PenStrokes | None, bool]


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
            created_at = None if item.record is None else item.record.created_at
            found[name] = seen, item.label, strokes, is_held_out(name, created_at)
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
        name = str(prediction.pk)
        held_out = is_held_out(name, prediction.created_at)
        found[name] = prediction.model_input(), prediction.label, strokes, held_out
    return _labelled(found)


def _labelled(found: Mapping[str, _Found]) -> Labelled:
    """Return drawings by id, in the order of the ids: the same wherever they were read from."""
    ids = sorted(found)
    shape = (len(ids), imaging.INPUT_SIDE, imaging.INPUT_SIDE)
    images = np.array([found[name][0] for name in ids], np.uint8).reshape(shape)
    labels = np.array([found[name][1] for name in ids], np.uint8)
    digest = _digest(ids, labels)
    strokes = [found[name][2] for name in ids]
    held_out = np.array([found[name][3] for name in ids], bool)
    return Labelled(LabelledData("labelled", images, labels, digest, strokes), ids, held_out)


def _digest(ids: Sequence[str], labels: NDArray[np.uint8]) -> str:
    lines = "".join(f"{name} {label}\n" for name, label in zip(ids, labels, strict=True))
    return hashlib.sha256(lines.encode()).hexdigest()
