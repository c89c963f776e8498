"""Imports: labelled drawings from a file or folder, all or none.

First all drawings are read, checked, classified and buffered on disk. Then they are stored in one
transaction, so that on SQLite other writers wait only briefly.
"""

from __future__ import annotations

import contextlib
import sqlite3
import uuid
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction

from recognizer.labelling import labels
from recognizer.models import ModelVersion, Prediction, Via
from recognizer.transfer import formats
from recognizer.transfer.formats import NOT_A_DIGIT, Format, FormatError
from recognizer.transfer.import_buffer import BufferedDrawing, ImportBuffer
from recognizer.transfer.import_reader import BATCH, ImportReader, Notice, Report, rows_by_pixels
from recognizer.versions import active as active_version

__all__ = ["Bar", "ImportRefused", "Notice", "Report", "import_drawings"]

Bar = Callable[[str, int | None], AbstractContextManager[Callable[[], object]]]
"""Shows progress: takes the step's name and total, gives a function that advances it by one."""


def no_bar(name: str, total: int | None) -> AbstractContextManager[Callable[[], object]]:
    return contextlib.nullcontext(lambda: None)


class ImportRefused(ValueError):
    """Nothing was imported; the message says why and what to do."""


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
    """Store the labelled drawings of a file or folder in any of the `formats`.

    A drawing whose pixels are already stored is skipped and counted. If the stored one has no
    label it gets the file's; if it has a different one, that is kept. From our own exports ids
    (unless taken), times, suggestions and labellers who have an account are restored, and the
    model version that made the prediction makes it again if it is stored. All other predictions
    are made by the active version. Imported drawings never belong to the random audit sample.

    ``by`` is stored as the labeller; ``notice`` is called for each bad drawing and conflict.

    Raises ImportRefused if the file can't be read or is empty, if there are bad drawings and not
    ``skip_bad``, or if there is no model.
    """
    with ImportBuffer() as buffer:
        try:
            format = format or formats.infer_format(path)
            reader = ImportReader(buffer, by, notice)
            with bar("Reading", formats.count(path, format)) as step:
                for item in formats.read(path, format, with_manifest=with_manifest):
                    reader.add(item)
                    step()
            reader.finish()
        except FormatError as error:
            raise ImportRefused(f"{error} Nothing was imported.") from error
        except active_version.NoModel as error:
            raise ImportRefused(f"{error} Nothing was imported.") from error
        except sqlite3.Error as error:
            raise ImportRefused(f"The drawings can't be buffered on disk: {error}.") from error
        report = reader.report
        if report.bad and not skip_bad:
            raise ImportRefused(
                f"{report.bad} of {report.read} drawings can't be used. Nothing was imported. "
                "Fix them, or import the others with --skip-bad."
            )
        if not report.read:
            raise ImportRefused(f"{path} has no drawings.")
        with bar("Storing", len(buffer)) as step:
            _store(buffer, reader.versions, by, report, step)
    return report


def _store(
    buffer: ImportBuffer,
    versions: set[int],
    by: User | None,
    report: Report,
    step: Callable[[], object],
) -> None:
    """Store buffered drawings in one transaction; what was stored since then is a duplicate."""
    batch = uuid.uuid4()
    with transaction.atomic():
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
                batch=batch,
            )


def _store_batch(
    drawings: list[BufferedDrawing], by: User | None, batch: UUID, report: Report
) -> None:
    stored = rows_by_pixels(drawing.values["pixels_sha256"] for drawing in drawings)
    wanted = [drawing.id for drawing in drawings if drawing.id is not None]
    taken = set(Prediction.objects.filter(pk__in=wanted).values_list("pk", flat=True))
    rows = []
    for drawing in drawings:
        if drawing.values["pixels_sha256"] in stored:
            report.duplicates += 1
            if drawing.values["label"] == NOT_A_DIGIT:
                report.not_a_digit -= 1
            else:
                report.digits -= 1
            continue
        free = drawing.id is not None and drawing.id not in taken
        identifier = drawing.id if free and drawing.id is not None else uuid.uuid4()
        rows.append(Prediction(id=identifier, audit_key=None, **drawing.values))
    Prediction.objects.bulk_create(rows)
    labels.log_imported(predictions=rows, by=by, batch=batch)
