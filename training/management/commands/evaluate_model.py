from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
from django.core.management.base import BaseCommand, CommandError, CommandParser

from recognizer import serving
from recognizer.classifier import Bundle, BundleError, digit_scores, load_bundle
from recognizer.models import ModelVersion
from training import collect, evaluate, figures, gate, run, testsets
from training.datasets import Data
from training.downloads import DataDamaged, DataUnavailable
from training.evaluate import Outcome

Outcomes = dict[str, Outcome]


class Command(BaseCommand):
    help = "Measure a model version, or compare two, on test sets or on your own drawings."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "model", nargs="?", help="a version's name or a bundle's folder (default: the active)"
        )
        parser.add_argument(
            "--against", metavar="MODEL", help="a second one to compare with (McNemar's test)"
        )
        parser.add_argument(
            "--on",
            help="sets, separated by commas: mnist, pen, nondigits, labelled, npz:PATH, "
            "folder:PATH (default: those of the first four that are on this machine)",
        )
        parser.add_argument("--json", action="store_true", help="print JSON, not a table")
        parser.add_argument("--plots", type=Path, metavar="DIR", help="write pictures there")

    def handle(self, **options: Any) -> None:
        try:
            self.evaluate(**options)
        except (BundleError, DataDamaged, DataUnavailable, OSError, ValueError) as error:
            raise CommandError(str(error)) from error

    def evaluate(self, **options: Any) -> None:
        bundle = find_bundle(options["model"])
        other = find_bundle(options["against"]) if options["against"] else None
        sets = load_sets(options["on"])
        outcomes = run.measure(bundle, sets)
        others = run.measure(other, sets) if other else {}
        if options["plots"]:
            write_plots(outcomes, options["plots"])
        if options["json"]:
            report = as_json(bundle, outcomes, other, others)
            self.stdout.write(json.dumps(report, indent=2, allow_nan=False))
            return
        self.stdout.write(in_words(bundle, outcomes))
        if other:
            self.stdout.write("")
            self.stdout.write(compared(bundle, outcomes, other, others))


def find_bundle(name: str | None) -> Bundle:
    """Return the version called ``name``, the bundle in that folder, or the active version.

    Raises ``BundleError`` where there is none or its bytes are no good.
    """
    if name is None:
        version = ModelVersion.objects.filter(is_active=True).first()
    else:
        version = ModelVersion.objects.filter(name=name).first()
    if version is not None:
        bundle = serving.bundle_of(version)
    elif name is not None and Path(name).is_dir():
        bundle = load_bundle(Path(name))
    elif name is not None:
        raise BundleError(f"There is no model version and no folder called {name}.")
    else:
        raise BundleError("No model version is active. Run: python manage.py migrate")
    bundle.verify()
    return bundle


def load_sets(wanted: str | None) -> dict[str, Data]:
    """Return the sets asked for; without a wish, all that this machine has.

    Raises what ``testsets.load`` raises.
    """
    found: dict[str, Data] = {}
    if wanted is not None:
        names = [name for name in (part.strip() for part in wanted.split(",")) if name]
        for name in names:
            found |= testsets.load(name, collect.read_labelled_database)
    else:
        for name in testsets.NAMES:
            try:
                found |= testsets.load(name, collect.read_labelled_database)
            except DataUnavailable:
                continue
    if not found:
        raise ValueError("There is no set to measure on. Name one with --on.")
    return found


def in_words(bundle: Bundle, outcomes: Outcomes) -> str:
    """Return the measures as a table, with precision and recall by digit."""
    lines = [
        f"Model {bundle.name}",
        f"{'':26}{'n':>7} {'right':>8}  {'95 % interval':15} {'ECE':>6} {'refused':>8} "
        f"{'uncertain':>9}",
    ]
    for name, outcome in outcomes.items():
        found = outcome.measures()
        if found.accuracy is not None and found.interval is not None:
            low, high = found.interval
            middle = f"{found.accuracy:>8.2%}  {f'{low:.2%}-{high:.2%}':15} "
            middle += f"{found.calibration_error:>6.2%}"
        else:
            middle = " " * 32
        lines.append(
            f"{name:26}{found.n:>7,} {middle} {found.refused:>8.2%} {found.uncertain:>9.2%}"
        )
    lines += [f"AUROC, digits against {name}: {area:.4f}" for name, area in areas(outcomes).items()]
    for name, outcome in outcomes.items():
        rows = [row for row in evaluate.by_digit(outcome) if row.n]
        if rows:
            lines.append(f"{name}, precision and recall by digit:")
            lines += [
                f"  {row.digit}: {share(row.precision)} {share(row.recall)}  n {row.n:,}"
                for row in rows
            ]
    return "\n".join(lines)


def share(value: float | None) -> str:
    """Return a share in per cent, or a dash."""
    return "      -" if value is None else f"{value:>7.2%}"


def areas(outcomes: Outcomes) -> dict[str, float]:
    """Return the AUROC of all digits' scores against those of each set without a digit."""
    scores = {name: digit_scores(outcome.logits) for name, outcome in outcomes.items()}
    digits = [
        float(score)
        for name, outcome in outcomes.items()
        for score in scores[name][outcome.data.labels < 10]
    ]
    if not digits:
        return {}
    return {
        name: evaluate.auroc(np.array(digits), scores[name])
        for name, outcome in outcomes.items()
        if (outcome.data.labels == 10).all()
    }


def compared(bundle: Bundle, outcomes: Outcomes, other: Bundle, others: Outcomes) -> str:
    """Return two models side by side, with the drawings that only one of them reads."""
    lines = [f"{bundle.name} against {other.name}: right only here, only there, p (McNemar)"]
    for name, outcome in outcomes.items():
        won, lost, p = gate.mcnemar(outcome.right, others[name].right)
        lines.append(
            f"{name:26}{outcome.right.mean():>8.2%} {others[name].right.mean():>8.2%} "
            f"{won:>6} {lost:>6}  {p:.3f}"
        )
    return "\n".join(lines)


def as_json(bundle: Bundle, outcomes: Outcomes, other: Bundle | None, others: Outcomes) -> Any:
    """Return everything measured, ready for JSON."""
    report: dict[str, Any] = {
        "model": bundle.name,
        "sha256": bundle.sha256,
        "sets": {
            name: {
                **outcome.measures().to_json(),
                "by_digit": [vars(row) for row in evaluate.by_digit(outcome) if row.n],
            }
            for name, outcome in outcomes.items()
        },
        "auroc": areas(outcomes),
    }
    if other:
        report["against"] = other.name
        for name, outcome in outcomes.items():
            won, lost, p = gate.mcnemar(outcome.right, others[name].right)
            report["sets"][name]["comparison"] = {
                "mistakes": int((~others[name].right).sum()),
                "right_only_here": won,
                "right_only_there": lost,
                "p": p,
            }
    return report


def write_plots(outcomes: Outcomes, folder: Path) -> None:
    """Write four pictures for each set that has digits."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, outcome in outcomes.items():
        if not (outcome.data.labels < 10).any():
            continue
        stem = "".join(letter if letter.isalnum() else "-" for letter in name)
        figures.confusion_matrix(outcome, folder / f"confusion-{stem}.png")
        figures.reliability_diagram(outcome, folder / f"reliability-{stem}.png")
        figures.risk_coverage(outcome, folder / f"risk-coverage-{stem}.png")
        figures.worst_mistakes(outcome, folder / f"mistakes-{stem}.png")
