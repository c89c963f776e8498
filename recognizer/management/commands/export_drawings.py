import argparse
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from recognizer.management.terminal import parse_moment, progress_bar
from recognizer.models import ModelVersion
from recognizer.predictions import selectors
from recognizer.transfer import exporting
from recognizer.transfer.formats import FORMATS, LABEL_NAMES


class Command(BaseCommand):
    help = "Write the labelled drawings to a file or a folder, with all that is known of them."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("path", type=Path, help="file, or folder, to write")
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
            help="only drawings with this label; may be given more than once",
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
            "--until", metavar="DATE", help="only what was labelled on this day or earlier"
        )
        parser.add_argument("--model", metavar="NAME", help="only what this model version answered")
        parser.add_argument(
            "--only-audited", action="store_true", help="only the random audit sample"
        )
        parser.add_argument(
            "--include-confirmed",
            action=argparse.BooleanOptionalAction,
            default=True,
            help="with or without the drawings whose label confirms the model's answer",
        )
        parser.add_argument(
            "--include-unlabelled",
            action="store_true",
            help="also drawings without a label, for Label Studio to get one there",
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
        force: bool,
        verbosity: int,
        **options: Any,
    ) -> None:
        path = Path(path)
        if model is not None and not ModelVersion.objects.filter(name=model).exists():
            raise CommandError(f"There is no model version called {model}; see list_models.")
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
        try:
            chosen = FORMATS[format] if format else exporting.infer_format(path)
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
        self.stdout.write(f"sha256 of its drawings, labels and answers: {summary.sha256}")


def describe(summary: exporting.Summary, path: Path, format: exporting.Format) -> str:
    noun = "drawing" if summary.written == 1 else "drawings"
    more = f", {summary.unlabelled} without a label" if summary.unlabelled else ""
    return (
        f"Wrote {summary.written} {noun} to {path} ({format.name}): "
        f"{summary.digits} of digits, {summary.not_a_digit} not a digit{more}."
    )
