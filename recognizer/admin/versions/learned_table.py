"""Which labels a version learned, by label, reviewer and import, as tables."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from django.db.models import Min
from django.urls import reverse
from django.utils.translation import gettext as _

from recognizer.models import ImportJob, LabelEvent, LearnedLabels, ModelVersion, label_text
from recognizer.text.numbers import grouped
from recognizer.text.times import moment
from recognizer.transfer.importing import stored_batch

T = TypeVar("T")

SHOWN = 20
"""The most reviewers or imports that are shown, those with the most labels."""


@dataclass(frozen=True)
class Row:
    """``url`` is empty if there is nothing to link to."""

    name: str
    learned: str
    held_out: str
    url: str = ""


@dataclass(frozen=True)
class Part:
    id: str
    title: str
    column: str
    rows: tuple[Row, ...]
    more: int


@dataclass(frozen=True)
class LearnedTable:
    learned: str
    held_out: str
    parts: tuple[Part, ...]


def of_version(version: ModelVersion) -> LearnedTable | None:
    """Return what a version learned; None if it learned no labels, or before that was stored."""
    found = list(LearnedLabels.objects.filter(version=version).select_related("by"))
    if not found:
        return None
    jobs = _jobs_of({each.batch for each in found if each.batch is not None})
    parts = (
        _part("label", _("By label"), _("Label"), _by_label(found)),
        _part("reviewer", _("By reviewer"), _("Reviewer"), _by_reviewer(found)),
        _part("import", _("By import"), _("Import"), _by_import(found, jobs)),
    )
    return LearnedTable(
        grouped(sum(each.n for each in found)),
        grouped(sum(each.held_out for each in found)),
        tuple(part for part in parts if part.rows),
    )


_Sums = Mapping[tuple[str, str], tuple[int, int]]
"""By name and URL: labels learned and held out."""


def _by_label(found: Iterable[LearnedLabels]) -> _Sums:
    return _sums(((label_text(each.label), ""), each) for each in found)


def _by_reviewer(found: Iterable[LearnedLabels]) -> _Sums:
    return _sums(
        ((each.by.get_username() if each.by else _("file or deleted account"), ""), each)
        for each in found
        if each.batch is None
    )


def _by_import(found: Iterable[LearnedLabels], jobs: Mapping[UUID, ImportJob]) -> _Sums:
    batches = [each.batch for each in found if each.batch is not None and each.batch not in jobs]
    dates = dict(
        LabelEvent.objects.filter(batch__in=batches)
        .order_by()
        .values_list("batch")
        .annotate(first=Min("at"))
    )

    def name(batch: UUID) -> tuple[str, str]:
        if (job := jobs.get(batch)) is not None:
            return job.file_name, reverse("admin:recognizer_importjob_change", args=[job.pk])
        if (at := dates.get(batch)) is None:
            return _("deleted since"), ""
        address = f"{reverse('admin:recognizer_labelevent_changelist')}?batch={batch}"
        when = moment(at)
        return _("command, %(when)s") % {"when": when}, address

    return _sums((name(each.batch), each) for each in found if each.batch is not None)


def _jobs_of(batches: set[UUID]) -> dict[UUID, ImportJob]:
    """Return the imports of the admin by the ids of their batches."""
    if not batches:
        return {}
    jobs = ImportJob.objects.only("file_name").order_by("-created_at")
    found = {batch: job for job in jobs for batch in (job.pk, stored_batch(job.pk))}
    return {batch: job for batch, job in found.items() if batch in batches}


def _sums(pairs: Iterable[tuple[tuple[str, str], LearnedLabels]]) -> _Sums:
    learned: Counter[tuple[str, str]] = Counter()
    held_out: Counter[tuple[str, str]] = Counter()
    for name, each in pairs:
        learned[name] += each.n
        held_out[name] += each.held_out
    return {name: (learned[name], held_out[name]) for name in learned}


def _part(id: str, title: str, column: str, sums: _Sums) -> Part:
    ordered = list(sums.items())
    if id != "label":
        ordered.sort(key=lambda pair: -sum(pair[1]))
    rows = tuple(
        Row(name, grouped(learned), grouped(held_out), url)
        for (name, url), (learned, held_out) in ordered[:SHOWN]
    )
    return Part(id, title, column, rows, max(0, len(ordered) - SHOWN))
