"""Labelled drawings out of a file and into the database, all of them or none.

First everything is read, checked and answered; what is to be stored waits on disk. Then it is
stored in one transaction, which on SQLite keeps others from writing only for that short while.
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
from recognizer.transfer.import_buffer import Staged, Staging
from recognizer.transfer.import_reader import BATCH, Intake, Notice, Report, rows_by_pixels
from recognizer.versions import active as active_version

__all__ = ["Bar", "ImportRefused", "Notice", "Report", "import_drawings"]

Bar = Callable[[str, int | None], AbstractContextManager[Callable[[], object]]]
"""Shows how far a part of the work is: its name, of how many; gives what moves it on by one."""


def no_bar(name: str, total: int | None) -> AbstractContextManager[Callable[[], object]]:
    """Show nothing."""
    return contextlib.nullcontext(lambda: None)


class ImportRefused(ValueError):
    """An import that is not made; the message says why and what to do. Nothing is stored."""


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
            format = format or formats.infer_format(path)
            intake = Intake(staging, by, notice)
            with bar("Reading", formats.count(path, format)) as step:
                for item in formats.read(path, format, with_manifest=with_manifest):
                    intake.take(item)
                    step()
            intake.finish()
        except FormatError as error:
            raise ImportRefused(f"{error} Nothing was imported.") from error
        except active_version.NoModel as error:
            raise ImportRefused(f"{error} Nothing was imported.") from error
        except sqlite3.Error as error:
            raise ImportRefused(f"No room to put what was read: {error}.") from error
        report = intake.report
        if report.bad and not skip_bad:
            raise ImportRefused(
                f"{report.bad} of {report.read} drawings can't be used; nothing was imported. "
                "Mend them, or import the others with --skip-bad."
            )
        if not report.read:
            raise ImportRefused(f"{path} holds no drawings.")
        with bar("Storing", len(staging)) as step:
            _store(staging, intake.versions, by, report, step)
    return report


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
        for label, ids in staging.known_batches(labels.BATCH):
            rows = Prediction.objects.select_for_update().filter(pk__in=ids, label__isnull=True)
            report.labelled += labels.label_predictions(
                predictions=list(rows.values_list("pk", flat=True)),
                label=label,
                by=by,
                via=Via.IMPORT,
                batch=batch,
            )


def _store_some(some: list[Staged], by: User | None, batch: UUID, report: Report) -> None:
    here = rows_by_pixels(staged.values["pixels_sha256"] for staged in some)
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
    labels.log_imported(predictions=rows, by=by, batch=batch)
