"""Reads drawings for an import: checks, compares with stored ones, classifies and buffers them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import numpy as np
from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone

from recognizer import imaging
from recognizer.inference.classifier import Answer
from recognizer.models import ModelVersion, Prediction, Source, answer_columns
from recognizer.transfer.formats import LABEL_NAMES, NOT_A_DIGIT, BadItem, Item, Record
from recognizer.transfer.import_buffer import BufferedDrawing, ImportBuffer
from recognizer.transfer.plausibility import LabelCheck
from recognizer.versions import active as active_version
from recognizer.versions import loading
from recognizer.versions.loading import LoadedVersion, LoadError

BATCH = 200
# Clocks may differ by time zones, but not by days.
FUTURE = timedelta(days=1)


@dataclass(frozen=True)
class Notice:
    name: str
    text: str


@dataclass
class Report:
    """What an import read; ``undecided`` drawings are stored without a label, for review."""

    digits: int = 0
    not_a_digit: int = 0
    undecided: int = 0
    duplicates: int = 0
    labelled: int = 0
    conflicting: int = 0
    unlabelled: int = 0
    bad: int = 0
    suspects: int = 0

    @property
    def imported(self) -> int:
        return self.digits + self.not_a_digit + self.undecided

    def count(self, label: int | None, by: int = 1) -> None:
        """Count a drawing that is stored with this label."""
        kind = {None: "undecided", NOT_A_DIGIT: "not_a_digit"}.get(label, "digits")
        setattr(self, kind, getattr(self, kind) + by)

    @property
    def read(self) -> int:
        return self.imported + self.duplicates + self.unlabelled + self.bad


class ImportReader:
    """Reads the drawings of a file one by one and buffers those to store."""

    def __init__(
        self,
        buffer: ImportBuffer,
        check: LabelCheck,
        by: User | None,
        notice: Callable[[Notice], object],
        *,
        transpose: bool = False,
    ) -> None:
        self.report = Report()
        self.check = check
        self.versions: set[int] = set()
        self._buffer = buffer
        self._by = by
        self._notice = notice
        self._transpose = transpose
        self._waiting: list[tuple[Item, imaging.Drawing, str]] = []
        self._versions = _Versions()
        self._accounts: dict[str, int | None] = {}
        self._start = timezone.now()
        self._added = 0

    def add(self, item: Item | BadItem) -> None:
        if isinstance(item, BadItem):
            self.check.reject(item.label)
            self._reject(item.name, item.why)
        elif item.label is None and not item.votes:
            self.report.unlabelled += 1
        elif item.record is not None and item.record.created_at > self._start + FUTURE:
            self._reject(item.name, "its date is in the future")
        else:
            try:
                drawing = item.drawing()
            except imaging.ImageError as error:
                self._reject(item.name, error.message)
                return
            if self._transpose:
                drawing = imaging.Drawing(drawing.pixels.T.copy())
            # Without the file, which may be much larger than the drawing.
            waiting = replace(item, image=b"")
            self._waiting.append((waiting, drawing, drawing.sha256()))
            if len(self._waiting) == BATCH:
                self.finish()

    def finish(self) -> None:
        """Buffer the drawings added so far."""
        waiting, self._waiting = self._waiting, []
        stored = rows_by_pixels(pixels for _, _, pixels in waiting)
        same_id = _rows_by_id(item.record for item, _, _ in waiting)
        for item, drawing, pixels in waiting:
            if (row := stored.get(pixels)) is not None:
                self._skip(item, row, row.label)
            elif self._buffer.has_pixels(pixels):
                self._skip(item, None, self._buffer.label_of(pixels))
            else:
                self._add(item, drawing, pixels, same_id)

    def _add(
        self, item: Item, drawing: imaging.Drawing, pixels: str, same_id: dict[UUID, Prediction]
    ) -> None:
        identifier = None if item.record is None else UUID(item.record.id)
        try:
            model_input = drawing.pixels if item.is_model_input else imaging.model_input(drawing)
        except imaging.ImageError as error:
            self._reject(item.name, error.message)
            return
        if identifier is not None and self._buffer.has_id(identifier):
            self._reject(item.name, "another drawing in this file has the same id")
            return
        if identifier is not None and (row := same_id.get(identifier)) is not None:
            if _has_model_input(row, model_input):
                # The model input of a drawing that is already stored.
                self._skip(item, row, row.label)
                return
            identifier = None
        loaded = self._versions.of(item.record)
        self.versions.add(loaded.version.pk)
        answer = loaded.classifier.classify(model_input)
        self.check.add(item, answer, model_input, pixels)
        values = {
            **answer_columns(answer),
            "image": drawing.to_png(),
            "strokes": None if self._transpose else item.strokes,
            "pixels_sha256": pixels,
            "is_model_input": item.is_model_input,
            "model_version_id": loaded.version.pk,
            "label": item.label,
            **self._history(item),
        }
        # One annotator's label is the drawing's, and in its history anyway.
        votes = item.votes if len(item.votes) > 1 else ()
        self._buffer.add(
            BufferedDrawing(
                identifier,
                values,
                tuple((vote.label, self._account(vote.by), vote.at) for vote in votes),
            )
        )
        self.report.count(item.label)

    def _history(self, item: Item) -> dict[str, Any]:
        # A microsecond apart, to keep the order of the file.
        now = self._start + timedelta(microseconds=self._added)
        self._added += 1
        found: dict[str, Any] = {
            "source": Source.IMPORT.value,
            "created_at": now,
            "labelled_at": None,
            "labelled_by_id": None,
        }
        if item.label is not None:
            annotator = self._account(item.votes[0].by) if len(item.votes) == 1 else None
            found["labelled_at"] = now
            found["labelled_by_id"] = annotator or (None if self._by is None else self._by.pk)
        record = item.record
        if record is None:
            return found
        found["created_at"] = record.created_at
        found["suggestion"] = record.suggestion
        if record.source in Source.values:
            found["source"] = record.source
        if record.label == item.label and item.label is not None:
            found["labelled_at"] = record.labelled_at
            found["labelled_by_id"] = self._account(record.labelled_by) or found["labelled_by_id"]
        return found

    def _account(self, name: str | None) -> int | None:
        if name is None:
            return None
        if name not in self._accounts:
            account = User.objects.filter(username=name).values_list("pk", flat=True).first()
            self._accounts[name] = account
        return self._accounts[name]

    def _skip(self, item: Item, row: Prediction | None, label: int | None) -> None:
        """Skip a drawing that is already stored, as ``row``, or buffered."""
        self.report.duplicates += 1
        if item.label is None:
            return
        if label is None and row is not None:
            self.check.add(item, row)
            self._buffer.add_label(row.pk, item.label)
        elif label is not None and label != item.label:
            self.report.conflicting += 1
            where = f"stored as {row.pk}" if row is not None else "in this file"
            text = (
                f"already {where}, with label {LABEL_NAMES[label]} instead of "
                f"{LABEL_NAMES[item.label]}; existing label kept"
            )
            self._notice(Notice(item.name, text))

    @property
    def classify(self) -> Callable[[imaging.Pixels], Answer]:
        """The active version's classifier."""
        return self._versions.of(None).classifier.classify

    def _reject(self, name: str, why: str) -> None:
        self.report.bad += 1
        self._notice(Notice(name, why.rstrip(".")))


class _Versions:
    """Finds the model version for a drawing: the one in its record, or the active one."""

    def __init__(self) -> None:
        self._active = active_version.current_version()
        self._loaded: dict[tuple[str, str], LoadedVersion] = {}

    def of(self, record: Record | None) -> LoadedVersion:
        if record is None:
            return self._active
        key = (record.model_version, record.model_sha256)
        if key not in self._loaded:
            if len(self._loaded) == 8:
                # Limits memory, whatever number of versions a file names.
                self._loaded.clear()
            self._loaded[key] = self._load(*key)
        return self._loaded[key]

    def _load(self, name: str, sha256: str) -> LoadedVersion:
        version = ModelVersion.objects.only("name").filter(name=name, sha256=sha256).first()
        if version is None:
            return self._active
        try:
            return loading.load(version)
        except LoadError:
            return self._active


def rows_by_pixels(hashes: Iterable[str]) -> dict[str, Prediction]:
    """Return the stored drawings with these pixels by hash; of duplicates, a labelled one."""
    columns = ("pixels_sha256", "label", "digit", "verdict", "confidence")
    # With the condition of the index, without which SQLite reads all rows.
    rows = Prediction.objects.filter(~Q(pixels_sha256=""), pixels_sha256__in=set(hashes)).only(
        *columns
    )
    return {row.pixels_sha256: row for row in sorted(rows, key=lambda row: row.label is not None)}


def _rows_by_id(records: Iterable[Record | None]) -> dict[UUID, Prediction]:
    ids = {record.id for record in records if record is not None}
    if not ids:
        return {}
    rows = Prediction.objects.filter(pk__in=ids).only(
        "image", "is_model_input", "label", "digit", "verdict", "confidence"
    )
    return {row.pk: row for row in rows}


def _has_model_input(row: Prediction, model_input: imaging.Pixels) -> bool:
    try:
        return np.array_equal(row.model_input(), model_input)
    except imaging.ImageError:
        return False
