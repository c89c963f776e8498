"""The results of an evaluation, as tables for the terminal and as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from recognizer.inference.classifier import DIGITS, Bundle
from training.evaluation import gate, metrics
from training.evaluation.metrics import Outcome, Refusals

Outcomes = Mapping[str, Outcome]

_WIDTH = 30


def in_words(bundle: Bundle, outcomes: Outcomes) -> str:
    """Return tables: sets with digits, sets with non-digits, precision and recall by digit."""
    lines = [f"Model {bundle.name}"]
    lines += _digit_table(outcomes)
    lines += _refusal_table(outcomes)
    for name, outcome in outcomes.items():
        rows = [row for row in metrics.by_digit(outcome) if row.n]
        if rows:
            lines += ["", f"{name}, precision and recall by digit:"]
            lines += [
                f"  {row.digit}: {share(row.precision)} {share(row.recall)}  n {row.n:,}"
                for row in rows
            ]
    return "\n".join(lines)


def _digit_table(outcomes: Outcomes) -> list[str]:
    lines = []
    for name, outcome in outcomes.items():
        found = outcome.measures()
        if found.accuracy is None or found.interval is None:
            continue
        low, high = found.interval
        lines.append(
            f"{name:{_WIDTH}}{found.n:>7,} {found.accuracy:>8.2%}  {f'{low:.2%}-{high:.2%}':15} "
            f"{found.calibration_error:>6.2%} {found.refused:>8.2%} {found.uncertain:>9.2%}"
        )
    head = (
        f"{'Digits':{_WIDTH}}{'n':>7} {'correct':>8}  {'95 % interval':15} {'ECE':>6} "
        f"{'rejected':>8} {'uncertain':>9}"
    )
    return ["", head, *lines] if lines else []


def _refusal_table(outcomes: Outcomes) -> list[str]:
    found = refusals(outcomes)
    if not found:
        return []
    lines = [
        "",
        f"{'Not a digit':{_WIDTH}}{'n':>7} {'AUROC':>8} {'rejected':>8}  {'95 % interval':15} "
        f"{'at 99 %':>8} {'blank':>6}",
    ]
    for name, row in found.items():
        area = "-" if row.auroc is None else f"{row.auroc:.4f}"
        low, high = row.interval
        lines.append(
            f"{name:{_WIDTH}}{row.n:>7,} {area:>8} {row.refused:>8.2%}  "
            f"{f'{low:.2%}-{high:.2%}':15} {share(row.refused_at_accepted):>8} {row.blank:>6,}"
        )
    digits = metrics.digits_of(outcomes.values())
    if threshold := metrics.threshold_accepting(digits):
        lines.append(
            f"at 99 %: rejected at the threshold, {threshold:.4f}, that accepts 99 % of this run's "
            f"{len(digits):,} digits. blank: rejected before they reach the network."
        )
    return lines


def share(value: float | None) -> str:
    return "      -" if value is None else f"{value:>7.2%}"


def refusals(outcomes: Outcomes) -> dict[str, Refusals]:
    """Return the rejection of each set's non-digits, by name, given all digits of the run."""
    digits = metrics.digits_of(outcomes.values())
    found = {name: metrics.refusals(outcome, digits) for name, outcome in outcomes.items()}
    return {name: row for name, row in found.items() if row}


def compared(bundle: Bundle, outcomes: Outcomes, other: Bundle, others: Outcomes) -> str:
    lines = [
        f"{'Correct: ' + bundle.name + ' and ' + other.name:{_WIDTH}}  "
        "only the first, only the second, p (McNemar, two-sided, exact)"
    ]
    for name, outcome in outcomes.items():
        won, lost, p = gate.mcnemar(outcome.right, others[name].right)
        lines.append(
            f"{name:{_WIDTH}}{outcome.right.mean():>8.2%} {others[name].right.mean():>8.2%} "
            f"{won:>6} {lost:>6}  {p:.3f}"
        )
    return "\n".join(lines)


def as_json(
    bundle: Bundle, outcomes: Outcomes, other: Bundle | None, others: Outcomes
) -> dict[str, Any]:
    report = _measured(bundle, outcomes)
    if other:
        report["against"] = _measured(other, others)
        for name, outcome in outcomes.items():
            won, lost, p = gate.mcnemar(outcome.right, others[name].right)
            report["sets"][name]["comparison"] = {
                "mistakes": int((~others[name].right).sum()),
                "right_only_here": won,
                "right_only_there": lost,
                "p": p,
            }
    return report


def _measured(bundle: Bundle, outcomes: Outcomes) -> dict[str, Any]:
    digits = metrics.digits_of(outcomes.values())
    against = refusals(outcomes)
    return {
        "model": bundle.name,
        "sha256": bundle.sha256,
        "digits": len(digits),
        "threshold_accepting_99_percent": metrics.threshold_accepting(digits),
        "sets": {
            name: {
                **outcome.measures().to_json(),
                "by_digit": [vars(row) for row in metrics.by_digit(outcome) if row.n],
                "non_digits": against[name].to_json() if name in against else None,
            }
            for name, outcome in outcomes.items()
        },
    }


def has_digits(outcome: Outcome) -> bool:
    return bool((outcome.data.labels < DIGITS).any())


def has_nondigits(outcome: Outcome) -> bool:
    return bool((outcome.data.labels >= DIGITS).any())
