"""An import as text: for its page, and for the JavaScript that keeps it up to date."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

from django.utils.translation import gettext as _

from recognizer.admin.jobs import progress_text
from recognizer.inference.json_record import mapping, whole
from recognizer.jobs.import_jobs import ImportProgress
from recognizer.models import ImportJob, JobStatus


@dataclass(frozen=True)
class ImportText:
    """How far an import is; the names are those of `progress_text.JobText`."""

    status: str
    status_word: str
    is_unfinished: bool
    phase: str
    percent: int | None
    done: str
    running_for: str
    notice: str
    wants_worker: bool
    is_cancelling: bool
    log: str

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def of_job(job: ImportJob) -> ImportText:
    progress = ImportProgress.from_json(job.progress)
    is_running = job.status == JobStatus.RUNNING
    notice = progress_text.absence() if job.status == JobStatus.QUEUED else ""
    return ImportText(
        status=job.status,
        status_word=str(job.get_status_display()),
        is_unfinished=job.is_unfinished,
        phase=_phase(job, progress),
        percent=progress.percent if is_running else None,
        done=str(progress.done) if is_running else "",
        running_for=progress_text.running_for(job),
        notice=notice,
        wants_worker=bool(notice),
        is_cancelling=job.is_unfinished and job.cancel_requested,
        log=job.log,
    )


def _phase(job: ImportJob, progress: ImportProgress) -> str:
    if job.is_unfinished and job.cancel_requested:
        return _("Cancelling.")
    if job.status == JobStatus.QUEUED:
        return _("Waiting for a worker.")
    if job.status != JobStatus.RUNNING:
        return ""
    return _("Storing the drawings.") if progress.step == "Storing" else _("Reading the file.")


def counts(job: ImportJob) -> list[tuple[str, int]]:
    """Return what an import did, in words and numbers."""
    report = mapping(job.result.get("report"))
    words = {
        "digits": _("Digits imported"),
        "not_a_digit": _("“Not a digit” imported"),
        "undecided": _("Imported without a label: the annotators don’t agree"),
        "duplicates": _("Already stored"),
        "labelled": _("Stored before without a label, now labelled"),
        "conflicting": _("Stored before with a different label, which was kept"),
        "unlabelled": _("Ignored: no label"),
        "bad": _("Skipped: can’t be used"),
        "suspects": _("Labels that look wrong"),
    }
    found = {key: whole(report.get(key)) or 0 for key in words}
    return [(words[key], number) for key, number in found.items() if number or key == "digits"]


def outcome(job: ImportJob) -> str:
    """Return how many drawings came in, and whether it was undone."""
    if job.status != JobStatus.SUCCEEDED:
        return ""
    report = mapping(job.result.get("report"))
    imported = sum(whole(report.get(key)) or 0 for key in ("digits", "not_a_digit", "undecided"))
    text = _("Drawings: %(n)s.") % {"n": imported}
    return f"{text} {_('Undone.')}" if job.result.get("undone") else text


def undone(job: ImportJob) -> str:
    """Return what was undone; nothing if it was not."""
    found = mapping(job.result.get("undone"))
    if not found:
        return ""
    return _(
        "Undone by %(by)s: %(labels)s labels taken back, %(deleted)s drawings deleted. "
        "%(changed)s drawings have been labelled by somebody else since and keep their label."
    ) % {
        "by": found.get("by"),
        "labels": found.get("labels"),
        "deleted": found.get("deleted"),
        "changed": found.get("changed_since"),
    }
