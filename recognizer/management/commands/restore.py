from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from recognizer.models import Prediction
from recognizer.transfer import backup

QUESTION = (
    "Everything in the database is replaced by {file}: drawings, labels, models, accounts. "
    'Type "yes" to go on: '
)


class Command(BaseCommand):
    help = "Replace everything in the database by a file that the command backup has written."
    # The database may be empty or damaged.
    requires_system_checks = ["security"]

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--no-input", action="store_true", help="do not ask")

    def handle(self, *, file: Path, no_input: bool, **options: Any) -> None:
        try:
            backup.check(file)
            if not no_input and not self._is_confirmed(file):
                raise CommandError("Nothing was changed.")
            backup.restore(file)
        except backup.BackupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(
            self.style.SUCCESS(
                f"{file} is restored: {Prediction.objects.count()} drawings. "
                "If it comes from an older release, run: python manage.py migrate"
            )
        )

    def _is_confirmed(self, file: Path) -> bool:
        try:
            return input(QUESTION.format(file=file)).strip().lower() == "yes"
        except EOFError:
            return False
