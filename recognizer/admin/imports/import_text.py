"""An import as text: for its page, and for the JavaScript that keeps it up to date."""

from __future__ import annotations

from django.utils.translation import gettext as _

from recognizer.admin import job_text
from recognizer.admin.job_text import CountedText
from recognizer.inference.json_record import mapping, whole
from recognizer.jobs.progress import CountedProgress
from recognizer.models import ImportJob, JobStatus


def of_job(job: ImportJob) -> CountedText:
    progress = CountedProgress.from_json(job.progress)
    running = _("Storing the drawings.") if progress.step == "Storing" else _("Reading the file.")
    return job_text.counted(job, running)


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
