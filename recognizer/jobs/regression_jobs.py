"""What a version unlearned: labelled drawings that an earlier one recognises and it does not.

A job in the background: both versions predict every labelled drawing that they have not predicted
yet, which takes some milliseconds for each. Its result lists the drawings, so that its page does
not search them again.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import User
from django.db import Error, connection, transaction
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django_tasks import task

from recognizer.inference.json_record import JsonRecord, mapping, whole
from recognizer.jobs import states
from recognizer.jobs.progress import CountedProgress
from recognizer.jobs.states import JobError, JobOver
from recognizer.models import UNFINISHED, JobStatus, ModelVersion, Prediction, RegressionJob
from recognizer.versions import comparison, loading

logger = logging.getLogger(__name__)

LISTED = 3_000
"""The most drawings that a result lists, the newest."""
_EVERY = 2.0  # seconds between two heartbeats

_jobs = states.Jobs(
    RegressionJob,
    missing=gettext_lazy("This search does not exist."),
    ended=gettext_lazy("This search has already ended."),
)
cancel = _jobs.cancel
begin = _jobs.begin
reap = _jobs.reap


@dataclass(frozen=True)
class LabelChange(JsonRecord):
    """Of the drawings with one label (0-10), those that changed."""

    label: int
    unlearned: int
    learned: int


@dataclass(frozen=True)
class RegressionResult(JsonRecord):
    """``labelled`` drawings were predicted by both versions. ``unlearned`` of them only the earlier
    one recognises, ``learned`` only the later one. ``ids`` are the unlearned ones.
    """

    labelled: int
    unlearned: int
    learned: int
    labels: Sequence[LabelChange]
    ids: Sequence[str]

    @classmethod
    def from_json(cls, value: object) -> RegressionResult | None:
        stored = mapping(value)
        if not stored:
            return None
        return cls(
            whole(stored.get("labelled")) or 0,
            whole(stored.get("unlearned")) or 0,
            whole(stored.get("learned")) or 0,
            [
                LabelChange(each["label"], each["unlearned"], each["learned"])
                for each in stored.get("labels", [])
            ],
            list(stored.get("ids", [])),
            stored=stored,
        )


# For users ------------------------------------------------------------------------------------


def request(*, version: ModelVersion, before: ModelVersion, by: User) -> RegressionJob:
    """Request a search; a worker starts it within seconds.

    Raises JobError if the two are the same, or the same search is waiting or running.
    """
    if version.pk == before.pk:
        raise JobError(_("Choose two different versions."))
    with transaction.atomic():
        # Two requests at once wait for each other.
        list(ModelVersion.objects.select_for_update().filter(pk=version.pk).values_list("pk"))
        same = RegressionJob.objects.filter(
            version=version, before=before, status__in=UNFINISHED
        ).exists()
        if same:
            raise JobError(_("This search is waiting or running already."))
        job = RegressionJob(version=version, before=before, requested_by=by)
        job.save(force_insert=True)
        job.task_id = run.enqueue(str(job.pk)).id
        job.save(update_fields=["task_id"])
    return job


# For workers ----------------------------------------------------------------------------------


@task()
def run(job_id: str) -> None:
    """Run a search."""
    job = UUID(job_id)
    if not begin(job_id=job):
        # Cancelled while it was queued.
        return
    status, error = JobStatus.FAILED, _("An unexpected error occurred.")
    try:
        _search(job)
    except loading.LoadError as problem:
        error = str(problem)
    except JobOver:
        status, error = JobStatus.INTERRUPTED, _("The worker was stopped or killed.")
    except Exception as unexpected:
        logger.exception("The search %s failed.", job)
        if isinstance(unexpected, Error):
            connection.close_if_unusable_or_obsolete()
    finally:
        # Does nothing if it has succeeded.
        _jobs.stop(job_id=job, status=status, error=error)


def _search(job_id: UUID) -> None:
    versions = ("before", "version")
    job = RegressionJob.objects.select_related(*versions).defer(*_bytes(versions)).get(pk=job_id)
    labelled = Prediction.objects.labelled()
    both = (job.before, job.version)
    total = sum(
        comparison.to_recheck(version=each, drawings=labelled).order_by().count() for each in both
    )
    reporter = _Reporter(job_id, total)
    for each in both:
        comparison.recheck(version=each, drawings=labelled, progress=reporter.step)
    broken = comparison.broken(one=job.before, other=job.version)
    newest = broken.order_by("-created_at", "-id").values_list("pk", flat=True)
    changes = comparison.changes_by_label(one=job.before, other=job.version)
    result = RegressionResult(
        labelled=comparison.summary(one=job.before, other=job.version).labelled,
        unlearned=sum(each.broken for each in changes),
        learned=sum(each.fixed for each in changes),
        labels=[LabelChange(each.label, each.broken, each.fixed) for each in changes],
        ids=list(map(str, newest[:LISTED])),
    )
    _jobs.succeed(job_id=job_id, result=result.to_json())


def _bytes(versions: Sequence[str]) -> list[str]:
    return [f"{each}__{name}" for each in versions for name in ("serving", "training", "card")]


class _Reporter:
    """Writes how many drawings are done, and stops the search if it was cancelled."""

    def __init__(self, job_id: UUID, total: int) -> None:
        self._job_id = job_id
        self._done, self._total = 0, total
        self._written_at = float("-inf")

    def step(self) -> None:
        self._done += 1
        if time.monotonic() - self._written_at < _EVERY:
            return
        self._written_at = time.monotonic()
        try:
            if not _jobs.beat(job_id=self._job_id):
                raise JobOver
            progress = CountedProgress(done=self._done, total=self._total)
            _jobs.report(job_id=self._job_id, progress=progress, log="")
        except Error:
            # A locked or unavailable database does not end the search.
            connection.close_if_unusable_or_obsolete()
