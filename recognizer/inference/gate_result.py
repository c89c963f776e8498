"""What the gate decided about a candidate model, as it is stored with the job and in the card.

`training.evaluation.gate` decides; `recognizer.jobs.gate_text` says why in the reader's language.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from recognizer.inference.json_record import JsonRecord, mapping


class RowVerdict(str, Enum):
    """The outcome of one evaluation set. The first three let the candidate pass."""

    BETTER = "better"
    NO_WORSE = "no worse"
    OUTWEIGHED = "outweighed"
    NOT_BETTER = "not better"
    WORSE = "worse"


@dataclass(frozen=True)
class GateRow(JsonRecord):
    """One evaluation set: both models on the same ``n`` drawings.

    ``candidate`` and ``active`` are the shares (0-1) that are correct. ``won`` counts the drawings
    that only the candidate gets right, ``lost`` those that only the active model does. ``p_worse``
    and ``p_better`` are the chances of as many lost or won if both models were equally good, and
    ``p`` is the one that decides: where ``must_win``, the candidate has to make fewer mistakes,
    elsewhere only not significantly more.
    """

    name: str = field(metadata={"key": "bench"})
    n: int
    candidate: float
    active: float
    candidate_mistakes: int
    active_mistakes: int
    won: int
    lost: int
    must_win: bool
    p: float
    p_worse: float
    p_better: float
    is_worse: bool
    verdict: RowVerdict

    @classmethod
    def from_json(cls, value: object) -> GateRow:
        """Raises ``KeyError`` or ``ValueError`` for a row that is not complete."""
        row = mapping(value)
        return cls(
            name=str(row["bench"]),
            n=int(row["n"]),
            candidate=float(row["candidate"]),
            active=float(row["active"]),
            candidate_mistakes=int(row["candidate_mistakes"]),
            active_mistakes=int(row["active_mistakes"]),
            won=int(row["won"]),
            lost=int(row["lost"]),
            must_win=bool(row["must_win"]),
            p=float(row["p"]),
            p_worse=float(row["p_worse"]),
            p_better=float(row["p_better"]),
            is_worse=bool(row["is_worse"]),
            verdict=RowVerdict(row["verdict"]),
            stored=row,
        )


@dataclass(frozen=True)
class GateSuspect(JsonRecord):
    """A held-out drawing whose label looks wrong: its id, its label, and the likely one, 0-10."""

    id: str
    label: int
    likely: int

    @classmethod
    def from_json(cls, value: object) -> GateSuspect:
        """Raises ``KeyError`` or ``ValueError`` for one that is not complete."""
        one = mapping(value)
        return cls(str(one["id"]), int(one["label"]), int(one["likely"]), stored=one)


@dataclass(frozen=True)
class GateResult(JsonRecord):
    """Whether the candidate passed, why, and the comparison behind it.

    ``why`` is a code with its figures, see `gate_text`; ``reason`` is the same as a sentence, in
    the language of whoever trained. ``reported`` are rows that decide nothing: the test sets.
    ``suspects`` are held-out labels that look wrong; they count all the same.
    """

    activate: bool
    reason: str
    why: Mapping[str, Any]
    significance: float | None
    rows: tuple[GateRow, ...]
    reported: tuple[GateRow, ...] = ()
    suspects: tuple[GateSuspect, ...] = ()

    @classmethod
    def from_json(cls, value: object) -> GateResult | None:
        """Return a stored result; None where there is none, or none that this code understands.

        The first results had neither ``why`` nor ``reported`` nor ``suspects``.
        """
        gate = mapping(value)
        try:
            return cls(
                activate=bool(gate["activate"]),
                reason=str(gate.get("reason", "")),
                why=mapping(gate.get("why")),
                significance=gate.get("significance"),
                rows=tuple(map(GateRow.from_json, gate["rows"])),
                reported=tuple(map(GateRow.from_json, gate.get("reported", ()))),
                suspects=tuple(map(GateSuspect.from_json, gate.get("suspects", ()))),
                stored=gate,
            )
        except (KeyError, TypeError, ValueError):
            return None
