from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from recognizer.predictions import deletion


class Command(BaseCommand):
    help = (
        "Delete drawings older than DRAWINGS_KEPT_DAYS, or than --older-than. "
        "Labelled drawings are anonymised instead."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--older-than",
            type=int,
            metavar="DAYS",
            help="use this age instead of DRAWINGS_KEPT_DAYS",
        )

    def handle(self, *, older_than: int | None, **options: Any) -> None:
        days = settings.DRAWINGS_KEPT_DAYS if older_than is None else older_than
        if days < 1:
            raise CommandError(
                "Drawings are never deleted. Set DRAWINGS_KEPT_DAYS, or --older-than, to 1 day or "
                "more."
            )
        try:
            before = timezone.now() - timedelta(days=days)
        except OverflowError as error:
            raise CommandError(f"--older-than {days}: out of range.") from error
        removed = deletion.purge(before=before)
        self.stdout.write(
            self.style.SUCCESS(
                f"Drawings older than {days} days: {removed.deleted} deleted, "
                f"{removed.unlinked} labelled ones anonymised."
            )
        )
