"""The gate's result as a table: the candidate beside the active model."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from django.urls import reverse
from django.utils.translation import gettext as _

from recognizer.admin.versions.set_figures import shown_name
from recognizer.inference.gate_result import GateResult, GateRow, GateSuspect, RowVerdict
from recognizer.jobs import gate_text
from recognizer.jobs.job_result import JobResult
from recognizer.models import ModelVersion, label_text
from recognizer.text.numbers import grouped, localised, two_decimals

TONES = {
    RowVerdict.BETTER: "better",
    RowVerdict.NO_WORSE: "",
    RowVerdict.OUTWEIGHED: "",
    RowVerdict.NOT_BETTER: "worse",
    RowVerdict.WORSE: "worse",
}
"""Whether a verdict speaks for the candidate or against it."""

SUSPECTS_SHOWN = 12


@dataclass(frozen=True)
class TableRow:
    name: str
    n: str
    candidate: str
    candidate_mistakes: int
    active: str
    active_mistakes: int
    difference: str
    verdict: str
    tone: str
    judges: bool


@dataclass(frozen=True)
class SuspectLink:
    """A held-out drawing whose label looks wrong; ``url`` is empty if it came from a file."""

    url: str
    label: str
    likely: str


@dataclass(frozen=True)
class GateTable:
    """The gate's decision about a candidate, and what happened next if that is known."""

    candidate: str
    active: str
    passed: bool
    reason: str
    outcome: str
    rows: tuple[TableRow, ...]
    suspects: tuple[SuspectLink, ...] = ()
    more_suspects: int = 0


def of_job(result: JobResult | None) -> GateTable | None:
    if result is None:
        return None
    if result.activated:
        outcome = _("“%(name)s” was activated.") % {"name": result.candidate}
    elif result.gate.activate:
        outcome = _("The new version has not been activated.")
    else:
        outcome = _("Active model unchanged.")
    return _table(result.gate, result.candidate, result.active or _("none"), outcome)


def of_version(version: ModelVersion) -> GateTable | None:
    gate = version.model_card.gate
    return (
        None
        if gate is None
        else _table(gate, version.name, _("the version active at that time"), "")
    )


def _table(gate: GateResult, candidate: str, active: str, outcome: str) -> GateTable:
    rows = [_row(row, gate, judges=True) for row in gate.rows]
    rows += [_row(row, gate, judges=False) for row in gate.reported]
    reason = gate_text.reason(gate)
    suspects = tuple(map(_suspect, gate.suspects[:SUSPECTS_SHOWN]))
    more = len(gate.suspects) - len(suspects)
    return GateTable(candidate, active, gate.activate, reason, outcome, tuple(rows), suspects, more)


def _suspect(suspect: GateSuspect) -> SuspectLink:
    try:
        url = reverse("admin:recognizer_prediction_change", args=[uuid.UUID(suspect.id)])
    except ValueError:
        url = ""
    return SuspectLink(url, label_text(suspect.label), label_text(suspect.likely))


def _row(row: GateRow, gate: GateResult, *, judges: bool) -> TableRow:
    return TableRow(
        name=shown_name(row.name),
        n=grouped(row.n),
        candidate=two_decimals(row.candidate),
        candidate_mistakes=row.candidate_mistakes,
        active=two_decimals(row.active),
        active_mistakes=row.active_mistakes,
        difference=difference(100 * (row.candidate - row.active)),
        verdict=_verdict(row, gate.significance) if judges else _("reported only"),
        tone=TONES[row.verdict] if judges else "",
        judges=judges,
    )


def _verdict(row: GateRow, significance: float | None) -> str:
    verdicts = {
        RowVerdict.BETTER: _("fewer mistakes"),
        RowVerdict.NO_WORSE: _("no significant regression"),
        RowVerdict.OUTWEIGHED: _("outweighed by the digits accepted"),
        RowVerdict.NOT_BETTER: _("no fewer mistakes"),
        RowVerdict.WORSE: _("significantly worse"),
    }
    verdict = verdicts[row.verdict]
    if row.verdict is RowVerdict.BETTER and significance and row.p_better >= significance:
        verdict = _("fewer mistakes; may be chance")
    p = localised(f"{row.p:.3f}")
    return f"{verdict} (p\u00a0{p})"


def difference(points: float) -> str:
    """Return a difference in percentage points, with its sign unless it rounds to none."""
    text = f"{points:+.2f}".replace("-", "−")
    return localised(text[1:] if text[1:] == "0.00" else text)
