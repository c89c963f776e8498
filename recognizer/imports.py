"""Labelled drawings out of a file and into the database, all of them or none.

First everything is read, checked and answered; what is to be stored waits on disk. Then it is
stored in one transaction, which on SQLite keeps others from writing only for that short while.
"""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from recognizer import answering, formats, imaging, labelling, services, serving
from recognizer.answering import Answerer, CantAnswer
from recognizer.formats import LABEL_NAMES, NOT_A_DIGIT, BadItem, Format, FormatError, Item, Record
from recognizer.models import ModelVersion, Prediction, Source, Via
from recognizer.staging import Staged, Staging

BATCH = 200
# A clock may be wrong by time zones, not by days.
FUTURE = timedelta(days=1)

Bar = Callable[[str, int | None], AbstractContextManager[Callable[[], object]]]
"""Shows how far a part of the work is: its name, of how many; gives what moves it on by one."""


def no_bar(name: str, total: int | None) -> AbstractContextManager[Callable[[], object]]:
    """Show nothing."""
    return contextlib.nullcontext(lambda: None)


class ImportRefused(ValueError):
    """An import that is not made; the message says why and what to do. Nothing is stored."""


@dataclass(frozen=True)
class Notice:
    """Something to tell of one drawing of a file."""

    name: str
    text: str


@dataclass
class Report:
    """What became of the drawings of a file."""

    digits: int = 0
    not_a_digit: int = 0
    duplicates: int = 0
    labelled: int = 0
    disagreeing: int = 0
    unlabelled: int = 0
    bad: int = 0

    @property
    def imported(self) -> int:
        """How many drawings were stored."""
        return self.digits + self.not_a_digit

    @property
    def read(self) -> int:
        """How many drawings the file holds."""
        return self.imported + self.duplicates + self.unlabelled + self.bad


def import_drawings(
    *,
    path: Path,
    by: User | None = None,
    format: Format | None = None,
    with_manifest: bool = True,
    skip_bad: bool = False,
    notice: Callable[[Notice], object] = lambda notice: None,
    bar: Bar = no_bar,
) -> Report:
    """Store the labelled drawings of a file or a folder, in any format of `formats`.

    A drawing whose pixels are here already is skipped and counted; if it has no label here, it
    gets that of the file, and if it has another one, the label here stays. An export of ours
    keeps its ids where they are free, its times, its suggestions, the labellers that have an
    account here, and is answered by the version that answered then if that one is here; all else
    is answered by the active one. Nothing of an import counts as a random sample: it never
    belongs to the audit.

    ``by`` is who gives the labels; ``notice`` is told of each bad or disagreeing drawing.

    Raises ImportRefused where the file can't be read or holds nothing, where there are bad
    drawings and not ``skip_bad``, and where no model can answer.
    """
    with Staging() as staging:
        try:
            format = format or formats.tell(path)
            reader = _Reader(staging, by, notice)
            with bar("Reading", formats.count(path, format)) as step:
                for item in formats.read(path, format, with_manifest=with_manifest):
                    reader.take(item)
                    step()
            reader.finish()
        except FormatError as error:
            raise ImportRefused(f"{error} Nothing was imported.") from error
        except serving.NoModel as error:
            raise ImportRefused(f"{error} Nothing was imported.") from error
        report = reader.report
        if report.bad and not skip_bad:
            raise ImportRefused(
                f"{report.bad} of {report.read} drawings can't be used; nothing was imported. "
                "Mend them, or import the others with --skip-bad."
            )
        if not report.read:
            raise ImportRefused(f"{path} holds no drawings.")
        with bar("Storing", len(staging)) as step:
            _store(staging, reader.versions, by, report, step)
    return report


class _Reader:
    """Takes the drawings of a file and stages those that are to be stored."""

    def __init__(
        self, staging: Staging, by: User | None, notice: Callable[[Notice], object]
    ) -> None:
        self.report = Report()
        self.versions: set[int] = set()
        self._staging = staging
        self._by = by
        self._notice = notice
        self._waiting: list[tuple[Item, imaging.Drawing, str]] = []
        self._answerers = _Answerers()
        self._accounts: dict[str, int | None] = {}
        self._start = timezone.now()
        self._taken = 0

    def take(self, item: Item | BadItem) -> None:
        """Take the next drawing of the file."""
        if isinstance(item, BadItem):
            self._refuse(item.name, item.why)
        elif item.label is None:
            self.report.unlabelled += 1
        elif item.record is not None and item.record.created_at > self._start + FUTURE:
            self._refuse(item.name, "its date lies in the future")
        else:
            try:
                drawing = item.drawing()
            except imaging.ImageError as error:
                self._refuse(item.name, error.message)
                return
            self._waiting.append((item, drawing, services.pixels_sha256(drawing)))
            if len(self._waiting) == BATCH:
                self.finish()

    def finish(self) -> None:
        """Stage what was taken so far."""
        waiting, self._waiting = self._waiting, []
        here = _rows_by_pixels(pixels for _, _, pixels in waiting)
        same_id = _rows_by_id(item.record for item, _, _ in waiting)
        for item, drawing, pixels in waiting:
            assert item.label is not None
            if (row := here.get(pixels)) is not None:
                self._skip(item, row.pk, row.label)
            elif (label := self._staging.label_of(pixels)) is not None:
                self._skip(item, None, label)
            else:
                self._stage(item, drawing, pixels, same_id)

    def _stage(
        self, item: Item, drawing: imaging.Drawing, pixels: str, same_id: dict[UUID, Prediction]
    ) -> None:
        assert item.label is not None
        identifier = None if item.record is None else UUID(item.record.id)
        try:
            seen = drawing.pixels if item.is_model_input else imaging.model_input(drawing)
        except imaging.ImageError as error:
            self._refuse(item.name, error.message)
            return
        if identifier is not None and self._staging.has_id(identifier):
            self._refuse(item.name, "another drawing of this file has the same id")
            return
        if identifier is not None and (row := same_id.get(identifier)) is not None:
            if _looks_like(row, seen):
                # What a model saw of a drawing that is here itself.
                self._skip(item, row.pk, row.label)
                return
            identifier = None
        answerer = self._answerers.of(item.record)
        self.versions.add(answerer.version.pk)
        values = {
            **answering.fields(answerer.classifier.classify(seen)),
            "image": drawing.to_png(),
            "pixels_sha256": pixels,
            "is_model_input": item.is_model_input,
            "model_version_id": answerer.version.pk,
            "label": item.label,
            **self._history(item),
        }
        self._staging.add(Staged(identifier, values))
        if item.label == NOT_A_DIGIT:
            self.report.not_a_digit += 1
        else:
            self.report.digits += 1

    def _history(self, item: Item) -> dict[str, Any]:
        """Where a drawing came from, who labelled it and when."""
        # A microsecond apart, so that they stay in the order of the file.
        now = self._start + timedelta(microseconds=self._taken)
        self._taken += 1
        found: dict[str, Any] = {
            "source": Source.IMPORT.value,
            "created_at": now,
            "labelled_at": now,
            "labelled_by_id": None if self._by is None else self._by.pk,
        }
        record = item.record
        if record is None:
            return found
        found["created_at"] = record.created_at
        found["suggestion"] = record.suggestion
        if record.source in Source.values:
            found["source"] = record.source
        if record.label == item.label:
            found["labelled_at"] = record.labelled_at
            found["labelled_by_id"] = self._account(record) or found["labelled_by_id"]
        return found

    def _account(self, record: Record) -> int | None:
        name = record.labelled_by
        if name is None:
            return None
        if name not in self._accounts:
            account = User.objects.filter(username=name).values_list("pk", flat=True).first()
            self._accounts[name] = account
        return self._accounts[name]

    def _skip(self, item: Item, pk: UUID | None, label: int | None) -> None:
        """Leave out a drawing that is stored, as ``pk``, or staged."""
        assert item.label is not None
        self.report.duplicates += 1
        if label is None and pk is not None:
            self._staging.add_known(pk, item.label)
        elif label is not None and label != item.label:
            self.report.disagreeing += 1
            where = f"is here as {pk}" if pk is not None else "was in this file before"
            self._notice(
                Notice(
                    item.name,
                    f"it {where}, labelled {LABEL_NAMES[label]}, not {LABEL_NAMES[item.label]}; "
                    "that label stays",
                )
            )

    def _refuse(self, name: str, why: str) -> None:
        self.report.bad += 1
        self._notice(Notice(name, why.rstrip(".")))


class _Answerers:
    """The version that answers a drawing: the one that answered it then, or the active one."""

    def __init__(self) -> None:
        self._active = answering.active()
        self._loaded: dict[tuple[str, str], Answerer] = {}

    def of(self, record: Record | None) -> Answerer:
        """Return the version for a drawing."""
        if record is None:
            return self._active
        key = (record.model_version, record.model_sha256)
        if key not in self._loaded:
            if len(self._loaded) == 8:
                # However many versions there are, few are loaded.
                self._loaded.clear()
            self._loaded[key] = self._load(*key)
        return self._loaded[key]

    def _load(self, name: str, sha256: str) -> Answerer:
        version = ModelVersion.objects.only("name").filter(name=name, sha256=sha256).first()
        if version is None:
            return self._active
        try:
            return answering.load(version)
        except CantAnswer:
            return self._active


def _rows_by_pixels(hashes: Iterable[str]) -> dict[str, Prediction]:
    rows = Prediction.objects.filter(pixels_sha256__in=set(hashes)).only("pixels_sha256", "label")
    # Of several alike the labelled one counts.
    return {row.pixels_sha256: row for row in sorted(rows, key=lambda row: row.label is not None)}


def _rows_by_id(records: Iterable[Record | None]) -> dict[UUID, Prediction]:
    ids = {record.id for record in records if record is not None}
    if not ids:
        return {}
    rows = Prediction.objects.filter(pk__in=ids).only("image", "is_model_input", "label")
    return {row.pk: row for row in rows}


def _looks_like(row: Prediction, seen: imaging.Pixels) -> bool:
    try:
        return np.array_equal(services.model_input(row), seen)
    except imaging.ImageError:
        return False


def _store(
    staging: Staging,
    versions: set[int],
    by: User | None,
    report: Report,
    step: Callable[[], object],
) -> None:
    """Store what was staged, in one transaction; what came here meanwhile is a duplicate."""
    batch = uuid.uuid4()
    with transaction.atomic():
        # Also makes two imports wait for each other, so that neither overlooks the other's rows.
        held = ModelVersion.objects.select_for_update(no_key=True).order_by("pk")
        there = set(held.values_list("pk", flat=True))
        if not versions <= there:
            raise ImportRefused("A model version was deleted meanwhile. Import again.")
        for some in staging.batches(BATCH):
            _store_some(some, by, batch, report)
            for _ in some:
                step()
        for label, ids in staging.known_batches(labelling.BATCH):
            rows = Prediction.objects.select_for_update().filter(pk__in=ids, label__isnull=True)
            report.labelled += labelling.label_predictions(
                predictions=list(rows.values_list("pk", flat=True)),
                label=label,
                by=by,
                via=Via.IMPORT,
                batch=batch,
            )


def _store_some(some: list[Staged], by: User | None, batch: UUID, report: Report) -> None:
    here = _rows_by_pixels(staged.values["pixels_sha256"] for staged in some)
    wanted = [staged.id for staged in some if staged.id is not None]
    taken = set(Prediction.objects.filter(pk__in=wanted).values_list("pk", flat=True))
    rows = []
    for staged in some:
        if staged.values["pixels_sha256"] in here:
            report.duplicates += 1
            if staged.values["label"] == NOT_A_DIGIT:
                report.not_a_digit -= 1
            else:
                report.digits -= 1
            continue
        free = staged.id is not None and staged.id not in taken
        identifier = staged.id if free and staged.id is not None else uuid.uuid4()
        rows.append(Prediction(id=identifier, audit_key=None, **staged.values))
    Prediction.objects.bulk_create(rows)
    labelling.log_imported(predictions=rows, by=by, batch=batch)
