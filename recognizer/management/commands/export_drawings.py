import argparse
import datetime
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils import timezone
from django.utils.dateparse import parse_date, parse_datetime

from recognizer import exports, selectors


class Command(BaseCommand):
    help = "Write the labelled drawings to a file (npz, CSV) or to a folder of PNG files."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, help="file, or folder for PNG, to write")
        parser.add_argument(
            "--format",
            choices=[choice.value for choice in exports.Format],
            help="npz (arrays as in keras.datasets), png (a folder a label, with a manifest) "
            "or csv (label,pixel0..pixel783); told from the name if not given",
        )
        parser.add_argument(
            "--only-mistakes", action="store_true", help="only what the model got wrong"
        )
        parser.add_argument(
            "--since",
            metavar="DATE",
            help="only what was labelled on this day (2026-03-31, or with a time) or later",
        )
        parser.add_argument(
            "--include-confirmed",
            action=argparse.BooleanOptionalAction,
            default=True,
            help="with or without the drawings whose label confirms the model's answer",
        )
        parser.add_argument(
            "--force", action="store_true", help="overwrite an existing file or earlier export"
        )

    def handle(
        self,
        *,
        path: Path,
        format: str | None,
        only_mistakes: bool,
        since: str | None,
        include_confirmed: bool,
        force: bool,
        **options: Any,
    ) -> None:
        path = Path(path)
        drawings = selectors.labelled_drawings(
            only_mistakes=only_mistakes,
            since=None if since is None else parse_since(since),
            include_confirmed=include_confirmed,
        )
        try:
            chosen = exports.Format(format) if format else exports.guess_format(path)
            summary = exports.export_drawings(
                drawings=drawings, path=path, format=chosen, force=force
            )
        except exports.ExportError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(self.style.SUCCESS(describe(summary, path, chosen)))
        if summary.left_out:
            self.stdout.write(
                f"Left out {summary.left_out} labelled “not a digit”: CSV has no place for them, "
                "npz and png have."
            )


def describe(summary: exports.Summary, path: Path, format: exports.Format) -> str:
    noun = "drawing" if summary.written == 1 else "drawings"
    return (
        f"Wrote {summary.written} {noun} to {path} ({format.value}): "
        f"{summary.digits} of digits, {summary.not_a_digit} not a digit."
    )


def parse_since(text: str) -> datetime.datetime:
    """An ISO date (its first moment, here) or an ISO date and time; raises CommandError."""
    try:
        moment = parse_datetime(text)
        if moment is None:
            day = parse_date(text)
            moment = datetime.datetime.combine(day, datetime.time.min) if day else None
    except ValueError as error:
        raise CommandError(f"--since {text}: {error}.") from error
    if moment is None:
        raise CommandError(f"--since {text}: write a date such as 2026-03-31.")
    try:
        return moment if timezone.is_aware(moment) else timezone.make_aware(moment)
    except OverflowError as error:
        raise CommandError(f"--since {text}: out of range.") from error
