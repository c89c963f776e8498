from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django.conf import settings
from django.contrib.sessions.models import Session
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from recognizer.management import vacuum
from recognizer.predictions import deletion


class Command(BaseCommand):
    help = (
        "Delete drawings older than DRAWINGS_KEPT_DAYS, or than --older-than, and unlabelled "
        "drawings without an account older than ANONYMOUS_DRAWINGS_KEPT_DAYS. Labelled drawings "
        "are anonymised instead. Expired sessions are deleted too, and the database gives their "
        "space back."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--older-than",
            type=int,
            metavar="DAYS",
            help="use this age instead of both settings",
        )

    def handle(self, *, older_than: int | None, **options: Any) -> None:
        sessions = Session.objects.filter(expire_date__lt=timezone.now()).delete()[0]
        self._report(f"Expired sessions: {sessions} deleted.")
        days = settings.DRAWINGS_KEPT_DAYS if older_than is None else older_than
        anonymous_days = settings.ANONYMOUS_DRAWINGS_KEPT_DAYS if older_than is None else 0
        if days < 1 and anonymous_days < 1:
            raise CommandError(
                "Drawings are never deleted. Set DRAWINGS_KEPT_DAYS or "
                "ANONYMOUS_DRAWINGS_KEPT_DAYS, or --older-than, to 1 day or more."
            )
        if anonymous_days:
            removed = deletion.purge_anonymous(before=_ago(anonymous_days))
            self._report(
                f"Unlabelled drawings without an account older than {anonymous_days} days: "
                f"{removed.deleted} deleted."
            )
        if days:
            removed = deletion.purge(before=_ago(days))
            self._report(
                f"Drawings older than {days} days: {removed.deleted} deleted, "
                f"{removed.unlinked} labelled ones anonymised."
            )
        if freed := vacuum.give_space_back():
            self._report(f"The database is {freed / 1e6:.0f} MB smaller.")

    def _report(self, text: str) -> None:
        self.stdout.write(self.style.SUCCESS(text))


def _ago(days: int) -> datetime:
    try:
        return timezone.now() - timedelta(days=days)
    except OverflowError as error:
        raise CommandError(f"{days} days: out of range.") from error
