"""The results of a training run: a table for the terminal, and a folder with a report."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

from recognizer.inference.gate_result import GateSuspect
from recognizer.models import label_text
from training.evaluation import plots
from training.pipeline import Result

SUSPECTS_LISTED = 10
"""Held-out labels that look wrong and are listed on the terminal."""


def table(result: Result, active_name: str | None) -> str:
    """Return a table that compares candidate and active model, one line per test set."""
    lines = [f"{'':22}{'n':>7}  {'candidate':>10}  {active_name or 'active':>10}"]
    if not result.active_outcomes:
        lines += [
            f"{name:22}{len(outcome.data):>7,}  {outcome.right.mean():>10.2%}  {'-':>10}"
            for name, outcome in result.outcomes.items()
        ]
        return "\n".join(lines)
    lines[0] += "  fixed  broken       p"
    for row in (*result.decision.rows, *result.decision.reported):
        decides = row in result.decision.rows
        note = f"{row.p:>8.3f}  {row.verdict.value}" if decides else f"{'':8}  not used by the gate"
        lines.append(
            f"{row.name:22}{row.n:>7,}  {row.candidate:>10.2%}  {row.active:>10.2%}  "
            f"{row.won:>5}  {row.lost:>6}{note}"
        )
    if suspects := result.decision.suspects:
        lines.append(_in_words(suspects))
    return "\n".join(lines)


def _in_words(suspects: Sequence[GateSuspect]) -> str:
    """Return which held-out labels look wrong: the comparison counts them all the same."""
    listed = [
        f"  {each.id} labelled {label_text(each.label)}, looks like {label_text(each.likely)}"
        for each in suspects[:SUSPECTS_LISTED]
    ]
    if len(suspects) > SUSPECTS_LISTED:
        listed.append(f"  and {len(suspects) - SUSPECTS_LISTED:,} more, see report.json")
    return "\n".join([f"Held-out labels that look wrong ({len(suspects):,}):", *listed])


def write_report(result: Result, folder: Path) -> None:
    """Write report.json and plots into a folder, which is created if necessary."""
    folder.mkdir(parents=True, exist_ok=True)
    report = {
        "model": result.bundle.card.to_json(),
        "serving_sha256": result.bundle.sha256,
        "decision": result.decision.to_json(),
        # Shares of the time, one per epoch.
        "waiting_for_drawings": result.history.waiting,
        "active": {
            name: outcome.measures().to_json() for name, outcome in result.active_outcomes.items()
        },
    }
    (folder / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    plots.learning_curves(result.history, folder / "learning-curves.png")
    for name, outcome in result.outcomes.items():
        if (outcome.data.labels < 10).any():
            stem = name.replace(" ", "-").replace(",", "")
            plots.confusion_matrix(outcome, folder / f"confusion-{stem}.png")
            plots.worst_mistakes(outcome, folder / f"mistakes-{stem}.png")
