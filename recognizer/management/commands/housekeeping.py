from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.core.management.base import BaseCommand
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult

from recognizer.labelling import claims
from recognizer.management import vacuum

TASKS_KEPT = timedelta(days=30)


class Command(BaseCommand):
    help = (
        "Run this daily: delete what has expired (drawings as `purge_predictions` does, sessions, "
        "claims and skips of the review queue, entries of finished jobs in the queue), and give "
        "the space back."
    )

    def handle(self, **options: Any) -> None:
        if settings.DRAWINGS_KEPT_DAYS or settings.ANONYMOUS_DRAWINGS_KEPT_DAYS:
            call_command("purge_predictions", stdout=self.stdout, stderr=self.stderr)
        else:
            sessions = Session.objects.filter(expire_date__lt=timezone.now()).delete()[0]
            self._report(f"Expired sessions: {sessions} deleted. Drawings are kept forever.")
        expired = 0
        while deleted := claims.delete_expired():
            expired += deleted
        self._report(f"Expired claims and skips of the review queue: {expired} deleted.")
        # The job itself, with its result, stays.
        tasks = DBTaskResult.objects.filter(
            status__in=[TaskResultStatus.SUCCESSFUL, TaskResultStatus.FAILED],
            finished_at__lt=timezone.now() - TASKS_KEPT,
        )
        self._report(f"Entries of finished jobs in the queue: {tasks.delete()[0]} deleted.")
        if freed := vacuum.give_space_back():
            self._report(f"The database is {freed / 1e6:.0f} MB smaller.")

    def _report(self, text: str) -> None:
        self.stdout.write(self.style.SUCCESS(text))
