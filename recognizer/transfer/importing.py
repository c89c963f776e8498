"""Imports: labelled drawings from a file or folder, all or none.

First all drawings are read, checked, classified and buffered on disk. Then they are stored in one
transaction, so that on SQLite other writers wait only briefly.
"""

from __future__ import annotations

import contextlib
import itertools
import sqlite3
import uuid
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from recognizer.labelling import labels
from recognizer.models import LabelEvent, ModelVersion, Prediction, Via
from recognizer.transfer import formats
from recognizer.transfer.formats import FORMATS, BadItem, Format, FormatError, Item
from recognizer.transfer.import_buffer import BufferedDrawing, ImportBuffer
from recognizer.transfer.import_reader import BATCH, ImportReader, Notice, Report, rows_by_pixels
from recognizer.transfer.plausibility import Finding, LabelCheck
from recognizer.versions import active as active_version

__all__ = [
    "Bar",
    "ImplausibleLabels",
    "ImportRefused",
    "Notice",
    "Options",
    "Report",
    "import_drawings",
    "read_drawings",
    "stored_batch",
]

Bar = Callable[[str, int | None], AbstractContextManager[Callable[[], object]]]
"""Shows progress: takes the step's name and total, gives a function that advances it by one."""


def no_bar(name: str, total: int | None) -> AbstractContextManager[Callable[[], object]]:
    return contextlib.nullcontext(lambda: None)


@dataclass(frozen=True)
class Options:
    """How a file is read.

    ``format`` is inferred if it is None. ``with_manifest`` reads the records of our own exports.
    ``transpose`` swaps rows and columns of every image, ``label_column`` names the column of the
    labels, both of files from elsewhere. ``as_is`` imports labels that contradict the model.
    """

    format: str | None = None
    with_manifest: bool = True
    skip_bad: bool = False
    transpose: bool = False
    label_column: str | None = None
    as_is: bool = False

    def chosen_format(self, path: Path) -> Format:
        """Return the format to read a file in; raises FormatError."""
        return FORMATS[self.format] if self.format else formats.infer_format(path)

    def items(self, path: Path, format: Format) -> Iterator[Item | BadItem]:
        return formats.read(
            path,
            format,
            with_manifest=self.with_manifest and not self.transpose,
            label_column=self.label_column,
        )


class ImportRefused(ValueError):
    """Nothing was imported; the message says why and what to do."""


class ImplausibleLabels(ImportRefused):
    """The labels contradict the model: see `plausibility`. ``finding`` says what it looks like."""

    def __init__(self, finding: Finding) -> None:
        examples = "; ".join(finding.examples)
        super().__init__(
            f"{finding.text} Nothing was imported.{f' Examples: {examples}.' if examples else ''}"
        )
        self.finding = finding


def import_drawings(
    *,
    path: Path,
    by: User | None = None,
    options: Options = Options(),
    notice: Callable[[Notice], object] = lambda notice: None,
    bar: Bar = no_bar,
    batch: UUID | None = None,
    within: Callable[[Report], AbstractContextManager[object]] = contextlib.nullcontext,
) -> Report:
    """Store the labelled drawings of a file or folder in any of the `formats`.

    A drawing whose pixels are already stored is skipped and counted. If the stored one has no
    label it gets the file's; if it has a different one, that is kept. From our own exports ids
    (unless taken), times, suggestions and labellers who have an account are restored, and the
    model version that made the prediction makes it again if it is stored. All other predictions
    are made by the active version. Imported drawings never belong to the random audit sample. If
    several annotators do not agree on a label, the majority's counts; without one the drawing is
    stored unlabelled. Each annotator's label is in the history.

    ``by`` is stored as the labeller; ``notice`` is called for each bad drawing, conflict and
    suspect label. All changes have the same ``batch`` (`stored_batch` for those of drawings that
    were stored before). ``within`` surrounds the storing, inside its transaction.

    Raises ImportRefused if the file can't be read or is empty, if there are bad drawings and not
    ``skip_bad``, or if there is no model, and ImplausibleLabels.
    """
    with ImportBuffer() as buffer:
        reader = read_drawings(
            path=path, buffer=buffer, by=by, options=options, notice=notice, bar=bar
        )
        report = reader.report
        _check_bad(reader, options)
        if not report.read:
            raise ImportRefused(f"{path} has no drawings.")
        finding = None if options.as_is else reader.check.finding(reader.classify)
        if finding is not None:
            raise ImplausibleLabels(finding)
        report.suspects = reader.check.suspects
        for suspect in reader.check.listed:
            notice(Notice(suspect.name, suspect.text))
        for text in reader.check.labels_in_doubt():
            notice(Notice(path.name, text))
        with bar("Storing", len(buffer)) as step:
            _store(buffer, reader.versions, by, report, batch or uuid.uuid4(), within, step)
    return report


def read_drawings(
    *,
    path: Path,
    buffer: ImportBuffer,
    by: User | None = None,
    options: Options = Options(),
    notice: Callable[[Notice], object] = lambda notice: None,
    bar: Bar = no_bar,
    limit: int | None = None,
) -> ImportReader:
    """Read and check a file, or its first ``limit`` drawings, into a buffer.

    Raises ImportRefused if it can't be read or there is no model.
    """
    try:
        format = options.chosen_format(path)
        check = LabelCheck(format.name)
        reader = ImportReader(buffer, check, by, notice, transpose=options.transpose)
        with bar("Reading", formats.count(path, format)) as step:
            for item in itertools.islice(options.items(path, format), limit):
                reader.add(item)
                step()
        reader.finish()
    except FormatError as error:
        raise ImportRefused(f"{error} Nothing was imported.") from error
    except active_version.NoModel as error:
        raise ImportRefused(f"{error} Nothing was imported.") from error
    except sqlite3.Error as error:
        raise ImportRefused(f"The drawings can't be buffered on disk: {error}.") from error
    return reader


def _check_bad(reader: ImportReader, options: Options) -> None:
    report = reader.report
    if not report.bad or options.skip_bad:
        return
    letters = (
        " Numbers above 10 are letters in some files, as in EMNIST's: import its digits only."
        if reader.check.has_letters
        else ""
    )
    raise ImportRefused(
        f"{report.bad} of {report.read} drawings can't be used. Nothing was imported.{letters} "
        "Fix them, or import the others with --skip-bad."
    )


def stored_batch(batch: UUID) -> UUID:
    """Return the batch of the labels that an import gives to drawings stored before it."""
    return uuid.uuid5(batch, "stored before")


def _store(
    buffer: ImportBuffer,
    versions: set[int],
    by: User | None,
    report: Report,
    batch: UUID,
    within: Callable[[Report], AbstractContextManager[object]],
    step: Callable[[], object],
) -> None:
    """Store buffered drawings in one transaction; what was stored since then is a duplicate."""
    with transaction.atomic(), within(report):
        # Also runs two imports one after the other, so that neither misses the other's rows.
        locked = ModelVersion.objects.select_for_update(no_key=True).order_by("pk")
        stored = set(locked.values_list("pk", flat=True))
        if not versions <= stored:
            raise ImportRefused("A model version was deleted during the import. Import again.")
        for drawings in buffer.batches(BATCH):
            _store_batch(drawings, by, batch, report)
            for _ in drawings:
                step()
        for label, ids in buffer.stored_batches(labels.BATCH):
            rows = Prediction.objects.select_for_update().filter(pk__in=ids, label__isnull=True)
            report.labelled += labels.label_predictions(
                predictions=list(rows.values_list("pk", flat=True)),
                label=label,
                by=by,
                via=Via.IMPORT,
                batch=stored_batch(batch),
            )


def _store_batch(
    drawings: list[BufferedDrawing], by: User | None, batch: UUID, report: Report
) -> None:
    stored = rows_by_pixels(drawing.values["pixels_sha256"] for drawing in drawings)
    wanted = [drawing.id for drawing in drawings if drawing.id is not None]
    taken = set(Prediction.objects.filter(pk__in=wanted).values_list("pk", flat=True))
    rows, votes = [], []
    for drawing in drawings:
        if drawing.values["pixels_sha256"] in stored:
            report.duplicates += 1
            report.count(drawing.values["label"], -1)
            continue
        free = drawing.id is not None and drawing.id not in taken
        identifier = drawing.id if free and drawing.id is not None else uuid.uuid4()
        rows.append(Prediction(id=identifier, audit_key=None, **drawing.values))
        votes += [
            LabelEvent(
                prediction_id=identifier,
                new=label,
                by_id=account,
                at=at or timezone.now(),
                via=Via.IMPORT,
                batch=batch,
            )
            for label, account, at in drawing.votes
        ]
    Prediction.objects.bulk_create(rows)
    LabelEvent.objects.bulk_create(votes)
    labelled = [row for row in rows if row.label is not None]
    labels.log_imported(predictions=labelled, by=by, batch=batch)
