"""Imports in the background: their states and their progress. `transfer.import_task` runs them."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils.translation import gettext_lazy

from recognizer.inference.json_record import JsonRecord, mapping, text, whole
from recognizer.jobs import states
from recognizer.models import ImportJob

_jobs = states.Jobs(
    ImportJob,
    missing=gettext_lazy("This import does not exist."),
    ended=gettext_lazy("This import has already ended."),
)
cancel = _jobs.cancel
begin = _jobs.begin
beat = _jobs.beat
report = _jobs.report
lock = _jobs.lock
succeed = _jobs.succeed
stop = _jobs.stop
reap = _jobs.reap


@dataclass(frozen=True)
class ImportProgress(JsonRecord):
    """An import's step, and its drawings done and in total; ``total`` is None if not known."""

    step: str | None = None
    done: int = 0
    total: int | None = None

    @classmethod
    def from_json(cls, value: object) -> ImportProgress:
        stored = mapping(value)
        return cls(
            text(stored.get("step")), whole(stored.get("done")) or 0, whole(stored.get("total"))
        )

    @property
    def percent(self) -> int | None:
        return 100 * self.done // self.total if self.total else None
