"""The gate's table as a page shows it: the candidate beside the active model, bench by bench."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from recognizer.admin.versions import card_table
from recognizer.jobs import gate_text
from recognizer.models import ModelVersion
from recognizer.text.numbers import grouped, localised, share

TONES = {"better": "better", "no worse": "", "not better": "worse", "worse": "worse"}
"""Whether what the gate says of a bench speaks for the candidate or against it."""


@dataclass(frozen=True)
class GateRow:
    """One bench, in words: shares that are right, mistakes in brackets."""

    bench: str
    n: str
    candidate: str
    candidate_mistakes: int
    active: str
    active_mistakes: int
    difference: str
    says: str
    tone: str
    judges: bool


@dataclass(frozen=True)
class GateTable:
    """What the gate said of a candidate, and what followed from it, where that is known."""

    candidate: str
    active: str
    passed: bool
    reason: str
    followed: str
    rows: tuple[GateRow, ...]


def of_job(result: Mapping[str, Any]) -> GateTable | None:
    """Return the table that a finished job was stored with; None where there is none."""
    if not (gate := result.get("gate")):
        return None
    candidate = result["candidate"]
    if result["activated"]:
        followed = _("“%(name)s” was activated.") % {"name": candidate}
    elif gate["activate"]:
        followed = _("It waits to be activated by hand.")
    else:
        followed = _("The active model stays.")
    return _table(gate, candidate, result["active"] or _("none"), followed)


def of_version(version: ModelVersion) -> GateTable | None:
    """Return the table on a version's card; None where it has none, or one of older code."""
    gate = card_table.card_of(version).get("gate")
    try:
        return _table(gate, version.name, _("the active one then"), "") if gate else None
    except (KeyError, TypeError):
        return None


def _table(gate: Any, candidate: str, active: str, followed: str) -> GateTable:
    rows = [_row(row, judges=True) for row in gate["rows"]]
    rows += [_row(row, judges=False) for row in gate["reported"]]
    return GateTable(candidate, active, gate["activate"], said(gate), followed, tuple(rows))


def said(gate: Mapping[str, Any]) -> str:
    """Return why the gate decided so; other code may have stored nothing but the sentence."""
    try:
        return gate_text.sentence(gate["why"])
    except KeyError:
        return str(gate.get("reason", "–"))


def _row(row: Mapping[str, Any], *, judges: bool) -> GateRow:
    return GateRow(
        bench=row["bench"],
        n=grouped(row["n"]),
        candidate=share(row["candidate"]),
        candidate_mistakes=row["candidate_mistakes"],
        active=share(row["active"]),
        active_mistakes=row["active_mistakes"],
        difference=difference(100 * (row["candidate"] - row["active"])),
        says=_says(row) if judges else _("reported only"),
        tone=TONES[row["verdict"]] if judges else "",
        judges=judges,
    )


def _says(row: Mapping[str, Any]) -> str:
    verdicts = {
        "better": _("better"),
        "no worse": _("no worse beyond chance"),
        "not better": _("not better"),
        "worse": _("worse beyond chance"),
    }
    p = localised(f"{row['p']:.3f}")
    return f"{verdicts[row['verdict']]} (p\u00a0{p})"


def difference(points: float) -> str:
    """Return a difference in percentage points, with its sign unless it rounds to none."""
    text = f"{points:+.2f}".replace("-", "−")
    return localised(text[1:] if text[1:] == "0.00" else text)
