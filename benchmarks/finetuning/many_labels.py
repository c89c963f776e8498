"""Learn thousands of labels at once, and labels of which nine tenths are the same digit.

    python -m benchmarks.finetuning.many_labels [--base FOLDER] [--labels 2000] [--choose]
    python -m benchmarks.finetuning.many_labels --imbalanced

The digits of UNIPEN's training writers are labelled, as imported pictures, for a network that was
trained without UNIPEN: ``shipped-3``, from the repository's history, or the bundle in ``--base``.
Nothing of UNIPEN is replayed. One training with the defaults of ``train_model`` follows, with a
fifth of the labels held out and the quality checks. Measured are UNIPEN's test writers (see
``training.data.unipen``) and MNIST's test set. Wrong answers are misclassified or rejected digits.

``--choose`` labels digits of some training writers only and measures the others and the validation
writers: settings were chosen from that table. ``--set`` changes a setting.

``--imbalanced`` labels 500 digits that are not 1 and 4,500 ones, each drawn several times, and
compares that with the same 500 others and 55 ones. Measured are digits that are not 1.
"""

from __future__ import annotations

import resource
import subprocess
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import command_line, django_setup, results
from benchmarks.common.results import Report, Share, Table
from benchmarks.common.running_site import ROOT
from recognizer.inference.classifier import DIGITS, Bundle, BundleError, load_bundle
from training import pipeline
from training.data import datasets, unipen
from training.data.datasets import Data
from training.data.labelled import Labelled, is_held_out
from training.data.unipen import Drawing, Packs, Role
from training.evaluation import metrics
from training.evaluation.metrics import Outcome
from training.model.bundle import write_bundle
from training.model.config import FINE_TUNE
from training.model.new_network import Lines
from training.synthesis.strokes import PLACEMENTS

SHIPPED_3 = "0c2d815:recognizer/bundled"
"""The commit and folder of ``shipped-3``, the last bundled network trained without UNIPEN."""

SOURCES = frozenset({"mnist", "pen", "omniglot", "generated", "labelled"})
LABELS_IMBALANCED = 5_000

WRONG_GOAL, REJECTED_GOAL, MNIST_GOAL, MINUTES_GOAL = 0.6, 0.7, 0.0005, 30


@dataclass(frozen=True)
class Trained:
    """What one training did: the outcomes of base and candidate by set, and what it took."""

    before: Mapping[str, Outcome]
    after: Mapping[str, Outcome]
    decision: str
    minutes: float
    processor_minutes: float


def base_bundle(folder: Path | None) -> Bundle:
    """Return the network to start from. Raises ``BundleError``."""
    if folder is not None:
        return load_bundle(folder)
    with tempfile.TemporaryDirectory() as name:
        for file in ("card.json", "model.keras", "model.tflite"):
            shown = subprocess.run(
                ["git", "show", f"{SHIPPED_3}/{file}"], cwd=ROOT, capture_output=True, check=False
            )
            if shown.returncode:
                raise BundleError(
                    f"git has no {SHIPPED_3}/{file}. Name a bundle's folder with --base."
                )
            Path(name, file).write_bytes(shown.stdout)
        return load_bundle(Path(name))


def split(packs: Packs, *, choose: bool) -> tuple[list[Drawing], dict[str, list[Drawing]]]:
    """Return the digits that are labelled, and those that are measured, by name."""
    if not choose:
        labelled = unipen.of_role(packs.digits, Role.TRAINING)
        found = unipen.held_out(packs)
        return labelled, {name: found[name] for name in ("UNIPEN writers", "UNIPEN site")}

    def is_labelled(digit: Drawing) -> bool:
        return digit.role is Role.TRAINING and int(digit.writer.partition("-")[2]) % 5 != 4

    known = [digit for digit in packs.digits if digit.role is not Role.TEST]
    measured = [digit for digit in known if not is_labelled(digit)]
    return list(filter(is_labelled, known)), {"other writers": measured}


def drawn(digits: Sequence[Drawing]) -> Labelled:
    """Return digits as labelled drawings, with a fifth of them held out."""
    ids = [f"unipen-{number}" for number in range(len(digits))]
    data = datasets.draw_pen(digits, PLACEMENTS["wild"], 61, "labelled")
    return Labelled(data, ids, np.array([is_held_out(name) for name in ids]))


def imbalanced(digits: Sequence[Drawing], *, ones: int, others: int) -> list[Drawing]:
    """Return ``others`` digits that are not 1, and ``ones`` that are, each used several times."""
    rng = np.random.default_rng(62)
    some = [digits[index] for index in rng.permutation(len(digits))]
    rest = [digit for digit in some if digit.label != 1][:others]
    all_ones = [digit for digit in some if digit.label == 1]
    return [*rest, *(all_ones[number % len(all_ones)] for number in range(ones))]


def train(base: Bundle, labelled: Labelled, measured: Mapping[str, Data], options: Any) -> Trained:
    start, used = time.monotonic(), _processor_seconds()
    result = pipeline.train(
        pipeline.Request(
            FINE_TUNE.changed(options.set),
            SOURCES,
            limit=40 if options.quick else None,
            start_from=base,
            name="many-labels",
        ),
        labelled=lambda: labelled,
        active=base,
        listener=Lines(),
    )
    minutes, used = (time.monotonic() - start) / 60, (_processor_seconds() - used) / 60
    _show(result, base)
    if options.save:
        write_bundle(result.bundle, options.save)
    mnist = "mnist validation" if options.choose else "mnist test"

    def outcomes(bundle: Bundle, known: Mapping[str, Outcome]) -> dict[str, Outcome]:
        by_set = metrics.measure(bundle, measured)
        together = metrics.pooled("all of them", list(by_set.values()))
        return {together.data.name: together, **by_set, mnist: known[mnist]}

    before = outcomes(base, result.active_outcomes)
    after = outcomes(result.bundle, result.outcomes)
    return Trained(before, after, result.decision.reason, minutes, used)


def _show(result: pipeline.Result, base: Bundle) -> None:
    """Print the quality checks."""
    from training import run_report

    print(run_report.table(result, base.name), flush=True)


def _processor_seconds() -> float:
    """Return the user and system time of this process and of those that it has waited for."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(each.ru_utime + each.ru_stime for each in used)


# --- tables --------------------------------------------------------------------------------------

TABLE = Table(
    "before", "interval", "after", "interval", "cut", name="", name_width=38,
)  # fmt: skip


def counts(outcome: Outcome) -> dict[str, Share]:
    """Return the shares of the digits that are wrong, misclassified and rejected."""
    digits = outcome.data.labels < DIGITS
    n = int(digits.sum())
    return {
        "wrong": Share(int((~outcome.answered)[digits].sum()), n),
        "misclassified": Share(int((~outcome.right)[digits].sum()), n),
        "rejected": Share(int(outcome.refused[digits].sum()), n),
    }


def cut(before: Share, after: Share) -> float:
    """Return the share of what was wrong before that is gone, under 0 if there is more."""
    return 1 - after.count / before.count if before.count else 0.0


def lines(trained: Trained) -> list[str]:
    found = [TABLE.head]
    for name, outcome in trained.before.items():
        old, new = counts(outcome), counts(trained.after[name])
        for what in old:
            cells = (*old[what].cells(), *new[what].cells(), f"{cut(old[what], new[what]):.0%}")
            found.append(TABLE.line(f"{name} (n {old[what].n:,}), {what}", *cells))
    return [
        *found,
        trained.decision,
        f"{trained.minutes:.0f} minutes, {trained.processor_minutes:.0f} of processor time: "
        f"{trained.processor_minutes / 2:.0f} on two idle cores.",
    ]


def verdicts(trained: Trained) -> Iterable[str]:
    first, *_, mnist = trained.before
    old, new = counts(trained.before[first]), counts(trained.after[first])
    for what, goal in (("wrong", WRONG_GOAL), ("rejected", REJECTED_GOAL)):
        gone = cut(old[what], new[what])
        yield results.verdict(
            f"{first}, {what}: {gone:.0%} fewer (goal {goal:.0%}):", reached=gone >= goal
        )
    lost = (
        counts(trained.after[mnist])["misclassified"].value
        - counts(trained.before[mnist])["misclassified"].value
    )
    yield results.verdict(
        f"{mnist}: {-100 * lost:+.2f} points (goal -{100 * MNIST_GOAL:.2f}):",
        reached=lost <= MNIST_GOAL + 1e-9,
    )
    minutes = trained.processor_minutes / 2
    yield results.verdict(
        f"{minutes:.0f} minutes (goal {MINUTES_GOAL}):", reached=minutes <= MINUTES_GOAL
    )


def figures(trained: Trained) -> dict[str, Any]:
    return {
        "before": {name: counts(outcome) for name, outcome in trained.before.items()},
        "after": {name: counts(outcome) for name, outcome in trained.after.items()},
        "decision": trained.decision,
        "minutes": trained.minutes,
        "processor_minutes": trained.processor_minutes,
    }


def but_ones(digits: Iterable[Drawing]) -> list[Drawing]:
    return [digit for digit in digits if digit.label != 1]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line.parser(__doc__)
    parser.add_argument("--base", type=Path, metavar="FOLDER", help="the bundle to start from")
    parser.add_argument("--labels", type=int, help="how many (default: all)")
    parser.add_argument("--imbalanced", action="store_true", help="nine tenths are ones")
    parser.add_argument("--choose", action="store_true", help="without the test writers")
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--save", type=Path, metavar="FOLDER", help="keep the last version there")
    parser.add_argument("--quick", action="store_true", help="little data, to see that it runs")
    options = parser.parse_args(arguments)
    django_setup.set_up()
    with command_line.errors_as_messages():
        base, packs = base_bundle(options.base), unipen.load()
    digits, measured = split(packs, choose=options.choose)
    order = np.random.default_rng(63).permutation(len(digits))[: options.labels]
    cases = {f"{len(order):,} labels": [digits[index] for index in order]}
    if options.imbalanced:
        others = (options.labels or LABELS_IMBALANCED) // 10
        ones = 9 * others
        measured = {f"{name}, but 1": but_ones(some) for name, some in measured.items()}
        cases = {
            f"{others:,} others, {count:,} ones": imbalanced(digits, ones=count, others=others)
            for count in (others // 9, ones)
        }
    sets = {
        name: datasets.draw_pen(some, PLACEMENTS["wild"], 21, name)
        for name, some in measured.items()
    }
    results.print_title(f"Many labels, from {base.name}")
    settings = {name: value for name, value in vars(options).items() if name != "json"}
    report = Report(**{**settings, "base": base.name})
    for name, some in cases.items():
        print(f"\n{name}", flush=True)
        trained = train(base, drawn(some), sets, options)
        report.figures[name] = figures(trained)
        print("\n".join(lines(trained)), flush=True)
        if not options.imbalanced:
            print("\n".join(verdicts(trained)), flush=True)
        report.write(options.json)


if __name__ == "__main__":
    # Worker processes started by "spawn" import this file again.
    main()
