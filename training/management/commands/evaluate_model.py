from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import DatabaseError

from recognizer.inference.classifier import Bundle, BundleError, load_bundle
from recognizer.models import ModelVersion
from recognizer.versions import loading
from training.data import evaluation_sets
from training.data.datasets import Data
from training.data.downloads import DataDamaged, DataUnavailable
from training.evaluation import metrics, plots, report
from training.evaluation.report import Outcomes


class Command(BaseCommand):
    help = "Evaluate a model version, or compare two, on test sets or on your own drawings."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "model",
            nargs="?",
            help="the name of a version or the folder of a bundle (default: the active version)",
        )
        parser.add_argument(
            "--against", metavar="MODEL", help="a second model to compare with (McNemar's test)"
        )
        parser.add_argument(
            "--on",
            help="sets, separated by commas: mnist, pen, unipen, nondigits, labelled, npz:PATH "
            "(Keras' layout), folder:PATH (images in folders 0 to 9 and not_a_digit, at any depth) "
            "(default: the first five, if available)",
        )
        parser.add_argument("--json", action="store_true", help="print JSON instead of tables")
        parser.add_argument("--plots", type=Path, metavar="DIR", help="write plots to this folder")

    def handle(self, **options: Any) -> None:
        try:
            self.evaluate(**options)
        except (BundleError, DataDamaged, DataUnavailable, OSError, ValueError) as error:
            raise CommandError(str(error)) from error
        except DatabaseError as error:
            raise CommandError(
                f"The database can't be read: {error}. Run: python manage.py migrate"
            ) from error

    def evaluate(self, **options: Any) -> None:
        bundle = find_bundle(options["model"])
        other = find_bundle(options["against"]) if options["against"] else None
        sets = load_sets(options["on"])
        outcomes = metrics.measure(bundle, sets)
        others = metrics.measure(other, sets) if other else {}
        if options["plots"]:
            write_plots(outcomes, options["plots"])
        if options["json"]:
            found = report.as_json(bundle, outcomes, other, others)
            self.stdout.write(json.dumps(found, indent=2, allow_nan=False))
            return
        self.stdout.write(report.in_words(bundle, outcomes))
        if other:
            self.stdout.write("")
            self.stdout.write(report.compared(bundle, outcomes, other, others))


def find_bundle(name: str | None) -> Bundle:
    """Return the bundle in the folder ``name``, the version of that name, or the active version.

    A folder needs no database. Raises ``BundleError`` if there is none or it does not load.
    """
    if name is not None and Path(name).is_dir():
        bundle = load_bundle(Path(name))
    else:
        versions = ModelVersion.objects.all()
        version = versions.filter(is_active=True) if name is None else versions.filter(name=name)
        if (found := version.first()) is None:
            raise BundleError(
                "No model version is active. Run: python manage.py migrate"
                if name is None
                else f"There is no model version and no folder called {name}."
            )
        bundle = loading.bundle_of(found)
    bundle.load()
    return bundle


def load_sets(wanted: str | None) -> dict[str, Data]:
    """Return the sets that ``wanted`` names; by default all that this machine has.

    Raises ``ValueError`` if there is none, and whatever ``evaluation_sets.load`` raises.
    """
    found: dict[str, Data] = {}
    if wanted is not None:
        names = [name for name in (part.strip() for part in wanted.split(",")) if name]
        for name in names:
            found |= evaluation_sets.load(name)
    else:
        for name in evaluation_sets.NAMES:
            try:
                found |= evaluation_sets.load(name)
            except DataUnavailable:
                continue
    if not found:
        raise ValueError("There is no test set here. Name one with --on.")
    return found


def write_plots(outcomes: Outcomes, folder: Path) -> None:
    """Write four plots for each set with digits, and the accepted non-digits of each set."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, outcome in outcomes.items():
        stem = "".join(letter if letter.isalnum() else "-" for letter in name)
        if report.has_digits(outcome):
            plots.confusion_matrix(outcome, folder / f"confusion-{stem}.png")
            plots.reliability_diagram(outcome, folder / f"reliability-{stem}.png")
            plots.risk_coverage(outcome, folder / f"risk-coverage-{stem}.png")
            plots.worst_mistakes(outcome, folder / f"mistakes-{stem}.png")
        if report.has_nondigits(outcome):
            plots.accepted_nondigits(outcome, folder / f"accepted-{stem}.png")
