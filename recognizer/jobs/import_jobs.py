"""Imports in the background: their states and their progress. `transfer.import_task` runs them."""

from __future__ import annotations

from django.utils.translation import gettext_lazy

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
