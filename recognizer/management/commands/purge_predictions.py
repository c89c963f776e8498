from __future__ import annotations

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone

from recognizer.predictions import deletion


class Command(BaseCommand):
    help = (
        "Delete the drawings that are older than DRAWINGS_KEPT_DAYS, or than --older-than. "
        "What a reviewer has labelled stays, without the tie to who drew it."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--older-than",
            type=int,
            metavar="DAYS",
            help="instead of the setting DRAWINGS_KEPT_DAYS",
        )

    def handle(self, *, older_than: int | None, **options: Any) -> None:
        days = settings.DRAWINGS_KEPT_DAYS if older_than is None else older_than
        if days < 1:
            raise CommandError(
                "Drawings are kept for good here. Set DRAWINGS_KEPT_DAYS, or give --older-than "
                "with one day or more."
            )
        try:
            before = timezone.now() - timedelta(days=days)
        except OverflowError as error:
            raise CommandError(f"--older-than {days}: that is before the calendar.") from error
        removed = deletion.purge(before=before)
        self.stdout.write(
            self.style.SUCCESS(
                f"Older than {days} days: {removed.deleted} deleted, {removed.unlinked} labelled "
                "ones cut from who drew them."
            )
        )
