import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from recognizer.labelling import suspects
from recognizer.management.terminal import parse_moment, progress_bar
from recognizer.models import ModelVersion
from recognizer.predictions import selectors
from recognizer.transfer import exporting
from recognizer.transfer.formats import FORMATS, LABEL_NAMES, label_studio


class Command(BaseCommand):
    help = "Export the labelled drawings, with metadata, to a file or folder."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, help="the file or folder to write")
        parser.add_argument(
            "--format",
            choices=[*FORMATS],
            help=", ".join(f"{each.name} ({each.description})" for each in FORMATS.values())
            + "; inferred from the name if not given",
        )
        parser.add_argument(
            "--label",
            action="append",
            choices=LABEL_NAMES,
            help="only drawings with this label; can be repeated",
        )
        parser.add_argument(
            "--only-mistakes", action="store_true", help="only misclassified drawings"
        )
        parser.add_argument(
            "--since",
            metavar="DATE",
            help="only drawings labelled on this date (2026-03-31, or with a time) or later",
        )
        parser.add_argument(
            "--until", metavar="DATE", help="only drawings labelled on this date or earlier"
        )
        parser.add_argument(
            "--model", metavar="NAME", help="only predictions of this model version"
        )
        parser.add_argument(
            "--only-audited", action="store_true", help="only the random audit sample"
        )
        parser.add_argument(
            "--include-confirmed",
            action=argparse.BooleanOptionalAction,
            default=True,
            help="with or without drawings whose label confirms the prediction",
        )
        parser.add_argument(
            "--include-unlabelled",
            action="store_true",
            help="also drawings without a label, to be labelled in Label Studio",
        )
        parser.add_argument(
            "--tasks-per-file",
            type=int,
            metavar="N",
            help="write tasks for Label Studio as a folder of files with at most N tasks each",
        )
        parser.add_argument(
            "--force", action="store_true", help="overwrite an existing file or earlier export"
        )

    def handle(
        self,
        *,
        path: Path,
        format: str | None,
        label: list[str] | None,
        only_mistakes: bool,
        since: str | None,
        until: str | None,
        model: str | None,
        only_audited: bool,
        include_confirmed: bool,
        include_unlabelled: bool,
        tasks_per_file: int | None,
        force: bool,
        verbosity: int,
        **options: Any,
    ) -> None:
        path = Path(path)
        if model is not None and not ModelVersion.objects.filter(name=model).exists():
            raise CommandError(f"There is no model version {model}. Run list_models to see all.")
        drawings = selectors.labelled_drawings(
            only_mistakes=only_mistakes,
            since=parse_moment("--since", since),
            until=parse_moment("--until", until, end=True),
            include_confirmed=include_confirmed,
            labels=[LABEL_NAMES.index(name) for name in label or ()],
            version=model,
            only_audited=only_audited,
            include_unlabelled=include_unlabelled,
        )
        if wrong := drawings.filter(suspects.is_suspect()).count():
            what = "label looks" if wrong == 1 else "labels look"
            self.stdout.write(f"{wrong} {what} wrong: see the review queue, “Suspect labels”.")
        try:
            chosen = chosen_format(path, format, tasks_per_file)
            with progress_bar(verbosity=verbosity, total=drawings.count) as progress:
                summary = exporting.export_drawings(
                    drawings=drawings,
                    path=path,
                    format=chosen,
                    force=force,
                    unlabelled=include_unlabelled,
                    progress=progress,
                )
        except exporting.ExportError as error:
            raise CommandError(str(error)) from error
        self.stdout.write(self.style.SUCCESS(describe(summary, path, chosen)))
        self.stdout.write(f"SHA-256 of drawings, labels and predictions: {summary.sha256}")


def chosen_format(path: Path, name: str | None, tasks_per_file: int | None) -> exporting.Format:
    """Return the format to write; raises CommandError and ExportError."""
    if tasks_per_file is None:
        return FORMATS[name] if name else exporting.infer_format(path)
    if name not in (None, label_studio.FORMAT.name) or path.suffix.lower() not in ("", ".zip"):
        raise CommandError(
            "--tasks-per-file writes a folder or zip file of tasks for Label Studio: choose a "
            "path without a suffix, or with .zip, and no other --format."
        )
    if tasks_per_file < 1:
        raise CommandError("--tasks-per-file must be at least 1.")
    return label_studio.in_parts(tasks_per_file)


def describe(summary: exporting.Summary, path: Path, format: exporting.Format) -> str:
    noun = "drawing" if summary.written == 1 else "drawings"
    more = f", {summary.unlabelled} without a label" if summary.unlabelled else ""
    return (
        f"Exported {summary.written} {noun} to {path} ({format.name}): "
        f"{summary.digits} digits, {summary.not_a_digit} not a digit{more}."
    )
