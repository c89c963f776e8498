from functools import partial
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from recognizer.management.terminal import named_bar, say
from recognizer.transfer import importing
from recognizer.transfer.formats import FORMATS


class Command(BaseCommand):
    help = "Import the labelled drawings of a file or folder, all or none."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "path",
            type=Path,
            help="an export of export_drawings; npz as in keras.datasets, MNIST's IDX files, CSV "
            "as on Kaggle, a folder or zip with images in folders 0 to 9 and not_a_digit, Parquet "
            "as on Hugging Face, or Label Studio's JSON",
        )
        parser.add_argument(
            "--format",
            choices=[*FORMATS],
            help="inferred from the content if not given",
        )
        parser.add_argument(
            "--by", metavar="USERNAME", help="the account that the labels are attributed to"
        )
        parser.add_argument(
            "--skip-bad",
            action="store_true",
            help="skip unreadable drawings and import the others",
        )
        parser.add_argument(
            "--ignore-manifest",
            action="store_true",
            help="import an export of this site like any other file, without its metadata",
        )

    def handle(
        self,
        *,
        path: Path,
        format: str | None,
        by: str | None,
        skip_bad: bool,
        ignore_manifest: bool,
        verbosity: int,
        **options: Any,
    ) -> None:
        account = None
        if by is not None:
            account = User.objects.filter(username=by).first()
            if account is None:
                raise CommandError(f"There is no account {by}.")
        try:
            report = importing.import_drawings(
                path=Path(path),
                by=account,
                format=FORMATS[format] if format else None,
                with_manifest=not ignore_manifest,
                skip_bad=skip_bad,
                notice=lambda notice: say(f"{notice.name}: {notice.text}.", self.stderr),
                bar=partial(named_bar, verbosity=verbosity),
            )
        except importing.ImportRefused as error:
            raise CommandError(str(error)) from error
        self.stdout.write(self.style.SUCCESS(describe(report, path)))
        for line in details(report):
            self.stdout.write(line)


def describe(report: importing.Report, path: Path) -> str:
    noun = "drawing" if report.imported == 1 else "drawings"
    return (
        f"Imported {report.imported} {noun} from {path}: "
        f"{report.digits} digits, {report.not_a_digit} not a digit."
    )


def details(report: importing.Report) -> list[str]:
    lines = [
        (report.duplicates, "Skipped {}: already stored."),
        (report.labelled, "  {} of these had no label and got the label in the file."),
        (report.conflicting, "  {} of these have a conflicting label; existing one kept."),
        (report.unlabelled, "Ignored {} unlabelled."),
        (report.bad, "Skipped {} unreadable."),
    ]
    return [text.format(count) for count, text in lines if count]
