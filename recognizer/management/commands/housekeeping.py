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

from recognizer.jobs import training_outlook
from recognizer.jobs.training_jobs import JobError
from recognizer.labelling import claims, styles, suspects
from recognizer.management import vacuum
from recognizer.versions import loading

TASKS_KEPT = timedelta(days=30)


class Command(BaseCommand):
    help = (
        "Run this daily: delete what has expired (drawings as `purge_predictions` does, sessions, "
        "claims and skips of the review queue, entries of finished jobs in the queue), give the "
        "space back, search suspect labels as `find_suspects` does, group the newest drawings as "
        "`find_styles` does, and with TRAIN_NIGHTLY request a training if the new labels are "
        "worth it."
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
        self._find_suspects()
        self._find_styles()
        self._train()

    def _find_suspects(self) -> None:
        try:
            checked = suspects.check_labels()
        except (suspects.NoNetwork, loading.LoadError) as error:
            self.stderr.write(f"The labels were not checked: {error}")
            return
        self._report(f"Labels: {checked.labels} checked, {checked.suspects} look wrong.")

    def _find_styles(self) -> None:
        try:
            report = styles.find_styles()
        except loading.LoadError as error:
            self.stderr.write(f"The handwriting styles were not searched: {error}")
            return
        if report is not None:
            self._report(f"Handwriting styles: {report.drawings} drawings grouped.")

    def _train(self) -> None:
        try:
            job = training_outlook.train_if_worthwhile()
        except JobError as error:
            self.stderr.write(f"No training was requested: {error}")
            return
        if job is not None:
            self._report("A training of the new labels was requested.")

    def _report(self, text: str) -> None:
        self.stdout.write(self.style.SUCCESS(text))
