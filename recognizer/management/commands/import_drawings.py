from functools import partial
from pathlib import Path
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from recognizer.management.terminal import named_bar, say
from recognizer.transfer import importing
from recognizer.transfer.formats import FORMATS
from recognizer.transfer.plausibility import Finding, Kind


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
            "--transpose",
            action="store_true",
            help="swap rows and columns of the images, as for EMNIST",
        )
        parser.add_argument(
            "--label-column",
            metavar="NAME",
            help="the column, or JSON value, that has the labels; first or last in a table "
            "without titles",
        )
        parser.add_argument(
            "--as-is",
            action="store_true",
            help="import labels even if most of them contradict the model",
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
        transpose: bool,
        label_column: str | None,
        as_is: bool,
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
                options=importing.Options(
                    format=format,
                    with_manifest=not ignore_manifest,
                    skip_bad=skip_bad,
                    transpose=transpose,
                    label_column=label_column,
                    as_is=as_is,
                ),
                notice=lambda notice: say(f"{notice.name}: {notice.text}.", self.stderr),
                bar=partial(named_bar, verbosity=verbosity),
            )
        except importing.ImplausibleLabels as error:
            raise CommandError(f"{error} {advice(error.finding)}") from error
        except importing.ImportRefused as error:
            raise CommandError(str(error)) from error
        self.stdout.write(self.style.SUCCESS(describe(report, path)))
        for line in details(report):
            self.stdout.write(line)


def advice(finding: Finding) -> str:
    """Return which options import the file after all."""
    ways = {
        Kind.TRANSPOSED: "To swap rows and columns, add --transpose. ",
        Kind.COLUMN: f"To take the labels from there, add --label-column {finding.column}. ",
    }
    return f"{ways.get(finding.kind, '')}If the labels are right as they are, add --as-is."


def describe(report: importing.Report, path: Path) -> str:
    noun = "drawing" if report.imported == 1 else "drawings"
    return (
        f"Imported {report.imported} {noun} from {path}: "
        f"{report.digits} digits, {report.not_a_digit} not a digit"
        + (f", {report.undecided} without a label." if report.undecided else ".")
    )


def details(report: importing.Report) -> list[str]:
    lines = [
        (report.duplicates, "Skipped {}: already stored."),
        (report.labelled, "  {} of these had no label and got the label in the file."),
        (report.conflicting, "  {} of these have a conflicting label; existing one kept."),
        (report.unlabelled, "Ignored {} unlabelled."),
        (report.bad, "Skipped {} unreadable."),
        (report.undecided, "{} have no label: their annotators don't agree. Review them."),
        (report.suspects, "{} labels look wrong: they contradict a confident prediction."),
    ]
    return [text.format(count) for count, text in lines if count]
