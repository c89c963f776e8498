from __future__ import annotations

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from recognizer.transfer import backup


class Command(BaseCommand):
    help = "Write the whole database to a file, while the site runs; see also restore."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("file", type=Path)
        parser.add_argument("--force", action="store_true", help="overwrite an existing file")

    def handle(self, *, file: Path, force: bool, **options: Any) -> None:
        try:
            size = backup.back_up(file, force=force)
        except backup.BackupError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(self.style.SUCCESS(f"{file}: {size / 2**20:.1f} MB."))
