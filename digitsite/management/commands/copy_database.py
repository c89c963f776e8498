from __future__ import annotations

from argparse import ArgumentParser
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from digitsite.copying import CopyError, Table, copy_database
from digitsite.environment import parse_database_url


class Command(BaseCommand):
    help = (
        "Copy everything from another database into that of DATABASE_URL, on which only `migrate` "
        "has run: from SQLite to PostgreSQL, or back. Stop the site first, so that nothing is "
        "written in the meantime. After an error the target is unchanged."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--from",
            required=True,
            metavar="URL",
            dest="source",
            help="the other database, as in DATABASE_URL: sqlite:///db.sqlite3",
        )

    def handle(self, *, source: str, **options: Any) -> None:
        try:
            parsed = parse_database_url(source, base=settings.BASE_DIR)
        except ValueError as error:
            raise CommandError(f"--from: {error}") from error
        if parsed["ENGINE"].endswith("sqlite3") and not parsed["NAME"].is_file():
            raise CommandError(f"--from: there is no file {parsed['NAME']}.")
        try:
            copied = copy_database(parsed, on_table=self._show)
        except CopyError as error:
            raise CommandError(str(error)) from error
        rows = sum(table.rows for table in copied)
        self.stdout.write(
            self.style.SUCCESS(f"{rows} rows of {len(copied)} tables copied and compared.")
        )

    def _show(self, table: Table) -> None:
        if table.rows:
            self.stdout.write(f"{table.rows:>10}  {table.name}  {table.sha256[:16]}")
