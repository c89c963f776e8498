from functools import partial
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from recognizer.management.terminal import named_bar, say
from recognizer.transfer import importing
from recognizer.transfer.formats import FORMATS


class Command(BaseCommand):
    help = "Store the labelled drawings of a file or folder: all of them, or none."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "path",
            type=Path,
            help="what export_drawings wrote; an npz in Keras' layout, MNIST's IDX files, Kaggle's "
            "CSV, a folder or zip of images in folders 0 to 9 and not_a_digit, a data set of "
            "Hugging Face in Parquet, or Label Studio's JSON",
        )
        parser.add_argument(
            "--format",
            choices=[*FORMATS],
            help="told from the content if not given",
        )
        parser.add_argument(
            "--by", metavar="USERNAME", help="the account that gives the labels; none if not given"
        )
        parser.add_argument(
            "--skip-bad",
            action="store_true",
            help="import the good drawings although others can't be used",
        )
        parser.add_argument(
            "--ignore-manifest",
            action="store_true",
            help="read an export of this site as if it came from elsewhere",
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
                raise CommandError(f"There is no account called {by}.")
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
        f"{report.digits} of digits, {report.not_a_digit} not a digit."
    )


def details(report: importing.Report) -> list[str]:
    """What became of the others, a line for each kind that there is."""
    lines = [
        (report.duplicates, "Skipped {}: the same pixels are here already."),
        (report.labelled, "  {} of them had no label here and got that of the file."),
        (report.disagreeing, "  {} of them are labelled otherwise here, which stays."),
        (report.unlabelled, "Left out {} without a label."),
        (report.bad, "Skipped {} that can't be used."),
    ]
    return [text.format(count) for count, text in lines if count]
