from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from recognizer.management.terminal import parse_moment, progress_bar, say
from recognizer.models import Label, ModelVersion, Prediction
from recognizer.predictions import selectors
from recognizer.versions import comparison, loading

# More ways than these are only counted.
WAYS = 12


class Command(BaseCommand):
    help = "Run a model version over the stored drawings and say what would change with it."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--model", metavar="NAME", help="as list_models shows it; the active one if not given"
        )
        parser.add_argument(
            "--labelled-only", action="store_true", help="only drawings with a label"
        )
        parser.add_argument(
            "--since",
            metavar="DATE",
            help="only what was drawn on this day (2026-03-31, or with a time) or later",
        )
        parser.add_argument(
            "--again",
            action="store_true",
            help="also over the drawings that this version has been run over before",
        )

    def handle(
        self,
        *,
        model: str | None,
        labelled_only: bool,
        since: str | None,
        again: bool,
        verbosity: int,
        **options: Any,
    ) -> None:
        version = named_version(model)
        drawings = Prediction.objects.all()
        if labelled_only:
            drawings = drawings.labelled()
        if (moment := parse_moment("--since", since)) is not None:
            drawings = drawings.filter(created_at__gte=moment)
        to_do = drawings if again else comparison.to_recheck(version=version, drawings=drawings)
        try:
            with progress_bar(verbosity=verbosity, total=to_do.count) as progress:
                summary = comparison.recheck(
                    version=version,
                    drawings=drawings,
                    progress=progress,
                    damaged=self.name_damaged,
                    again=again,
                )
        except loading.LoadError as error:
            raise CommandError(str(error)) from error
        ways = comparison.directions_by(version=version, drawings=drawings)
        for line in describe(version, summary, ways):
            self.stdout.write(line)

    def name_damaged(self, pk: UUID, why: str) -> None:
        say(f"Drawing {pk} can't be read: {why}", self.stderr)


def named_version(name: str | None) -> ModelVersion:
    """The version of this name, or the active one, without its bytes; raises CommandError."""
    try:
        if name is None:
            return selectors.active_model()
        return ModelVersion.objects.defer("serving", "training").get(name=name)
    except ModelVersion.DoesNotExist as error:
        if name is None:
            raise CommandError("No model version is active.") from error
        raise CommandError(f"There is no model version called {name}; see list_models.") from error


def describe(
    version: ModelVersion, summary: comparison.Summary, ways: list[comparison.Direction]
) -> list[str]:
    """What would change, in lines of text."""
    found = summary.comparison
    lines = [f"Ran {version.name} over {counted(summary.answered)}."]
    if summary.damaged:
        lines.append(f"Left out {counted(summary.damaged)} that can't be read.")
    lines.append(
        f"Of {counted(found.n)} it answers {found.same} as they were answered "
        f"and {found.changed} otherwise."
    )
    if found.labelled:
        lines.append(
            f"Of {found.labelled} with a label, {found.fixed} would be right that were wrong, "
            f"{found.broken} wrong that were right."
        )
    lines += [f"  {in_words(way)}" for way in ways[:WAYS]]
    if len(ways) > WAYS:
        lines.append(f"  and {sum(way.n for way in ways[WAYS:])} in {len(ways) - WAYS} other ways")
    if found.changed:
        address = reverse("admin:recognizer_prediction_changelist")
        lines.append(f"Look at them: {address}?changed={version.pk}")
    return lines


def in_words(way: comparison.Direction) -> str:
    marked = [(way.fixed, "fixed"), (way.broken, "broken")]
    outcome = ", ".join(f"{count} {text}" for count, text in marked if count)
    if way.old is way.new is Label.NOT_A_DIGIT:
        change = "not a digit, with another closest"
    else:
        change = f"{way.old.label} → {way.new.label}"
    return f"{change}: {way.n}" + (f" ({outcome})" if outcome else "")


def counted(number: int) -> str:
    return f"{number} drawing" if number == 1 else f"{number} drawings"
