"""The gate's table as a page shows it: the candidate beside the active model, bench by bench."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.translation import gettext as _

from recognizer.job_words import share


@dataclass(frozen=True)
class GateRow:
    """One bench, in words. ``mark`` is better, worse, or empty where it is neither."""

    bench: str
    n: str
    candidate: str
    active: str
    difference: str
    mark: str
    verdict: str
    judges: bool


@dataclass(frozen=True)
class GateTable:
    """What came of a training."""

    candidate: str
    active: str
    activated: bool
    passed: bool
    reason: str
    rows: tuple[GateRow, ...]


def table(result: Mapping[str, Any]) -> GateTable | None:
    """Return the table that a finished job was stored with; None where there is none."""
    gate = result.get("gate")
    if not gate:
        return None
    rows = [_row(row, True) for row in gate["rows"]]
    rows += [_row(row, False) for row in result.get("reported", ())]
    return GateTable(
        candidate=result["candidate"],
        active=result.get("active") or _("none"),
        activated=result["activated"],
        passed=gate["activate"],
        reason=gate["reason"],
        rows=tuple(rows),
    )


def _row(row: Mapping[str, Any], judges: bool) -> GateRow:
    active = row.get("active")
    points = None if active is None else 100 * (row["candidate"] - active)
    return GateRow(
        bench=str(row["bench"]),
        n=f"{row['n']:,}",
        candidate=share(row["candidate"]),
        active="–" if active is None else share(active),
        difference="" if points is None else f"{points:+.2f}".replace("-", "−"),
        mark="" if points is None or abs(points) < 0.005 else "better" if points > 0 else "worse",
        verdict=_verdict(row, judges),
        judges=judges,
    )


def _verdict(row: Mapping[str, Any], judges: bool) -> str:
    if not judges:
        return _("reported only")
    if row.get("is_worse"):
        return _("worse beyond chance (p %(p)s)") % {"p": f"{row['p_worse']:.3f}"}
    return _("not worse beyond chance (p %(p)s)") % {"p": f"{row['p_worse']:.3f}"}
