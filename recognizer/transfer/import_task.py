"""Imports requested in the admin: a file is uploaded, looked at, and imported by a worker."""

from __future__ import annotations

import contextlib
import logging
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import Error, connection, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django_tasks import task

from recognizer.jobs import import_jobs
from recognizer.jobs.progress import CountedProgress
from recognizer.jobs.states import LOG_SIZE, JobError, JobOver
from recognizer.labelling import labels
from recognizer.models import (
    UNFINISHED,
    ImportFile,
    ImportJob,
    JobStatus,
    LabelEvent,
    ModelVersion,
    Prediction,
)
from recognizer.transfer import importing
from recognizer.transfer.import_buffer import BufferedDrawing, ImportBuffer
from recognizer.transfer.importing import ImportRefused, Options, Report
from recognizer.transfer.plausibility import Finding

logger = logging.getLogger(__name__)

MAX_UPLOAD = 64 << 20
"""Bytes of a file that can be uploaded: it is stored in a row of the database until imported."""
KEPT_FOR = timedelta(days=1)
"""An uploaded file that was not imported is kept this long."""
LOOKED_AT = 500
"""Drawings that are read to show what a file holds."""
SHOWN = 20
_EVERY = 2.0  # seconds between two heartbeats
_NOTICES = 200


# For users ------------------------------------------------------------------------------------


def upload(*, name: str, content: bytes, by: User) -> ImportFile:
    """Store a file to be imported, and delete old ones that nobody imported."""
    ImportFile.objects.filter(uploaded_at__lt=timezone.now() - KEPT_FOR).exclude(
        jobs__status__in=UNFINISHED
    ).delete()
    return ImportFile.objects.create(name=Path(name).name[-200:], content=content, uploaded_by=by)


@dataclass(frozen=True)
class Preview:
    """What the first drawings of a file look like.

    ``is_whole`` says whether they are all of it; ``refused`` why none could be read.
    """

    format: str = ""
    report: Report | None = None
    drawings: tuple[BufferedDrawing, ...] = ()
    compared: int = 0
    agreeing: int = 0
    finding: Finding | None = None
    notices: tuple[importing.Notice, ...] = ()
    is_whole: bool = True
    refused: str = ""


def preview(*, file: ImportFile, options: Options) -> Preview:
    """Read the first drawings of a file; nothing is stored."""
    notices: list[importing.Notice] = []
    with _on_disk(file) as path, ImportBuffer() as buffer:
        try:
            reader = importing.read_drawings(
                path=path,
                buffer=buffer,
                options=options,
                notice=notices.append,
                limit=LOOKED_AT,
            )
        except ImportRefused as error:
            return Preview(refused=str(error).replace(str(path), file.name))
        found = [drawing for batch in buffer.batches(SHOWN) for drawing in batch]
        # Evenly from all of them: files are often sorted by label.
        shown = tuple(found[at * len(found) // SHOWN] for at in range(min(SHOWN, len(found))))
        if len(found) <= SHOWN:
            shown = tuple(found)
        check = reader.check
        return Preview(
            format=check.format,
            report=reader.report,
            drawings=shown,
            compared=check.compared,
            agreeing=check.agreeing,
            finding=None if options.as_is else check.finding(reader.classify),
            notices=(
                *notices,
                *(importing.Notice(each.name, each.text) for each in check.listed),
            ),
            is_whole=reader.report.read < LOOKED_AT,
        )


def request(*, file: ImportFile, options: Options, by: User) -> ImportJob:
    """Request an import; a worker starts it within seconds.

    Raises JobError if this file is being imported already.
    """
    with transaction.atomic():
        locked = ImportFile.objects.select_for_update().only("name").filter(pk=file.pk).first()
        if locked is None or locked.jobs.filter(status__in=UNFINISHED).exists():
            raise JobError(_("This file is being imported already."))
        job = ImportJob(
            file=locked, file_name=locked.name, options=asdict(options), requested_by=by
        )
        job.save(force_insert=True)
        job.task_id = run.enqueue(str(job.pk)).id
        job.save(update_fields=["task_id"])
    return job


def undo(*, job: ImportJob, by: User, delete: bool = False) -> dict[str, Any]:
    """Take back the labels of an import that nobody has changed since; return the counts.

    The history keeps both changes. With ``delete`` the drawings that came in with it are deleted,
    with their history, except those that have a label now. Raises JobError if it was undone before.
    """
    with transaction.atomic():
        row = ImportJob.objects.select_for_update().get(pk=job.pk)
        if row.status != JobStatus.SUCCEEDED or row.result.get("undone"):
            raise JobError(_("This import can't be undone, or was undone before."))
        changes = labels.changes_of(row.pk) + labels.changes_of(importing.stored_batch(row.pk))
        undone, _changed = labels.undo(changes=changes, by=by, batch=uuid.uuid4())
        came = list(
            LabelEvent.objects.filter(batch=row.pk)
            .order_by()
            .values_list("prediction", flat=True)
            .distinct()
        )
        kept, deleted = 0, 0
        for start in range(0, len(came), labels.BATCH):
            some = Prediction.objects.filter(pk__in=came[start : start + labels.BATCH])
            kept += some.filter(label__isnull=False).count()
            if delete:
                unlabelled = some.filter(label__isnull=True)
                deleted += unlabelled.count()
                unlabelled.delete()
        found = {
            "labels": len(undone),
            "changed_since": kept,
            "deleted": deleted,
            "by": by.get_username(),
            "at": timezone.now().isoformat(),
        }
        row.result = {**row.result, "undone": found}
        row.save(update_fields=["result"])
    return found


# For workers ----------------------------------------------------------------------------------


@task()
def run(job_id: str) -> None:
    """Run an import."""
    job = UUID(job_id)
    if not import_jobs.begin(job_id=job):
        # Cancelled while it was queued.
        return
    logger.info("Import %s started.", job)
    status, error = JobStatus.FAILED, _("An unexpected error occurred.")
    try:
        _import(job)
    except ImportRefused as refused:
        error = str(refused)
    except JobOver:
        status, error = JobStatus.INTERRUPTED, _("The worker was stopped or killed.")
    except Exception as unexpected:
        logger.exception("Import %s failed.", job)
        if isinstance(unexpected, Error):
            connection.close_if_unusable_or_obsolete()
    finally:
        # Does nothing if the import has succeeded.
        import_jobs.stop(job_id=job, status=status, error=error)
        logger.info("Import %s has ended.", job)


def _import(job_id: UUID) -> None:
    job = ImportJob.objects.select_related("requested_by", "file").get(pk=job_id)
    if job.file is None:
        raise ImportRefused(_("The file was deleted before it was imported. Upload it again."))
    reporter = _Reporter(job_id)
    with _on_disk(job.file) as path:
        try:
            importing.import_drawings(
                path=path,
                by=job.requested_by,
                options=Options(**job.options),
                notice=reporter.notice,
                bar=reporter.bar,
                batch=job_id,
                within=reporter.storing,
            )
        except importing.ImplausibleLabels:
            raise
        except ImportRefused as error:
            raise ImportRefused(str(error).replace(str(path), job.file_name)) from error
    job.file.delete()


class _Reporter:
    """Writes the progress of an import to its job, and stops it if that was cancelled."""

    def __init__(self, job_id: UUID) -> None:
        self._job_id = job_id
        self._log = ""
        self._notices = 0
        self._written_at = time.monotonic()
        self._is_storing = False

    def notice(self, notice: importing.Notice) -> None:
        self._notices += 1
        if self._notices <= _NOTICES:
            self._log += f"{notice.name}: {notice.text}.\n"
        elif self._notices == _NOTICES + 1:
            self._log += "…\n"

    @contextlib.contextmanager
    def bar(self, name: str, total: int | None) -> Iterator[Callable[[], object]]:
        progress = CountedProgress(step=name, total=total)
        self._write(progress)

        def step() -> None:
            nonlocal progress
            progress = CountedProgress(step=name, done=progress.done + 1, total=total)
            if time.monotonic() - self._written_at >= _EVERY:
                self._write(progress)

        yield step

    @contextlib.contextmanager
    def storing(self, report: Report) -> Iterator[None]:
        """Lock the job while the drawings are stored, so that nobody takes it for lost."""
        import_jobs.lock(job_id=self._job_id)
        self._is_storing = True
        yield
        import_jobs.succeed(
            job_id=self._job_id, result={"report": asdict(report)}, log=self._log[-LOG_SIZE:]
        )

    def _write(self, progress: CountedProgress) -> None:
        self._written_at = time.monotonic()
        if self._is_storing:
            # Nobody else would see it before the transaction ends.
            return
        try:
            if not import_jobs.beat(job_id=self._job_id):
                raise JobOver
            import_jobs.report(job_id=self._job_id, progress=progress, log=self._log)
        except Error:
            # A locked or unavailable database does not end the import.
            connection.close_if_unusable_or_obsolete()


@contextlib.contextmanager
def _on_disk(file: ImportFile) -> Iterator[Path]:
    """Write an uploaded file to a temporary folder of its own, under its own name."""
    with tempfile.TemporaryDirectory() as folder:
        name = Path(file.name).name
        path = Path(folder, name if name not in ("", "..") else "file")
        path.write_bytes(bytes(file.content))
        yield path


def has_model() -> bool:
    """Whether a model is active: without one nothing can be imported."""
    return ModelVersion.objects.filter(is_active=True).exists()
