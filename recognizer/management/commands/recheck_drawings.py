from typing import Any
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.urls import reverse

from recognizer.management.terminal import parse_moment, progress_bar, say
from recognizer.models import Label, ModelVersion, Prediction
from recognizer.predictions import selectors
from recognizer.versions import comparison, loading

# Rarer transitions are only counted.
LISTED = 12


class Command(BaseCommand):
    help = "Predict the stored drawings with a model version and show what would change."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--model", metavar="NAME", help="a name from list_models (default: the active version)"
        )
        parser.add_argument(
            "--labelled-only", action="store_true", help="only drawings with a label"
        )
        parser.add_argument(
            "--since",
            metavar="DATE",
            help="only drawings from this day (2026-03-31, or with a time) or later",
        )
        parser.add_argument(
            "--again",
            action="store_true",
            help="also predict drawings again that this version has already predicted",
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
        transitions = comparison.transitions_by(version=version, drawings=drawings)
        for line in describe(version, summary, transitions):
            self.stdout.write(line)

    def name_damaged(self, pk: UUID, why: str) -> None:
        say(f"Drawing {pk} is damaged: {why}", self.stderr)


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
    version: ModelVersion, summary: comparison.Summary, transitions: list[comparison.Transition]
) -> list[str]:
    found = summary.comparison
    lines = [f"Predicted {counted(summary.answered)} with {version.name}."]
    if summary.damaged:
        lines.append(f"Skipped {counted(summary.damaged)} that can't be decoded.")
    lines.append(f"{counted(found.n)}: {found.same} unchanged, {found.changed} changed.")
    if found.labelled:
        lines.append(f"{found.labelled} with a label: {found.fixed} fixed, {found.broken} broken.")
    lines += [f"  {in_words(each)}" for each in transitions[:LISTED]]
    if rare := transitions[LISTED:]:
        lines.append(f"  and {sum(each.n for each in rare)} in {len(rare)} rarer transitions")
    if found.changed:
        address = reverse("admin:recognizer_prediction_changelist")
        lines.append(f"See them in the admin: {address}?changed={version.pk}")
    return lines


def in_words(change: comparison.Transition) -> str:
    marked = [(change.fixed, "fixed"), (change.broken, "broken")]
    outcome = ", ".join(f"{count} {text}" for count, text in marked if count)
    if change.old is change.new is Label.NOT_A_DIGIT:
        text = "not a digit, with another closest digit"
    else:
        text = f"{change.old.label} → {change.new.label}"
    return f"{text}: {change.n}" + (f" ({outcome})" if outcome else "")


def counted(number: int) -> str:
    return f"{number} drawing" if number == 1 else f"{number} drawings"
