"""Whether a candidate may take the place of the active model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray

SIGNIFICANCE = 0.05

Right = NDArray[np.bool_]


@dataclass(frozen=True)
class Row:
    """One bench: how both models did on the same drawings, and the chance that it is noise.

    ``p_worse`` is the probability of at least this many more mistakes if both were equally good.
    """

    bench: str
    n: int
    candidate: float
    active: float
    p_worse: float

    @property
    def is_worse(self) -> bool:
        """Whether the candidate is worse beyond chance."""
        return self.p_worse < SIGNIFICANCE


@dataclass(frozen=True)
class Decision:
    """The gate's answer, its table, and one sentence why."""

    activate: bool
    reason: str
    rows: tuple[Row, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the decision for a card."""
        rows = [{**vars(row), "is_worse": row.is_worse} for row in self.rows]
        return {"activate": self.activate, "reason": self.reason, "rows": rows}


def decide(
    candidate: Mapping[str, Right],
    active: Mapping[str, Right] | None,
    must_measure: frozenset[str] = frozenset(),
) -> Decision:
    """Compare two models, each given as bench name -> which answers are right.

    The candidate passes if on no bench it is worse beyond chance (one-sided exact McNemar test:
    McNemar 1947, on the drawings that only one of the two reads) and if, over all benches, it
    makes no more mistakes. ``must_measure`` names the benches that the active model was measured
    on when it was made: what can't be measured now counts against the candidate. ``active`` is
    None where no model is active.
    """
    if active is None:
        return Decision(True, "No model was active.", ())
    rows = tuple(
        Row(
            bench=name,
            n=len(right),
            candidate=float(right.mean()),
            active=float(active[name].mean()),
            p_worse=p_worse(right, active[name]),
        )
        for name, right in candidate.items()
        if len(right)
    )
    if missing := sorted(must_measure - {row.bench for row in rows}):
        reason = f"The active model was measured on {', '.join(missing)}, which is not here."
        return Decision(False, reason, rows)
    if not rows:
        return Decision(False, "There is nothing here to compare the two models on.", rows)
    if worse := [row.bench for row in rows if row.is_worse]:
        return Decision(False, f"It is worse beyond chance on {', '.join(worse)}.", rows)
    mistakes = sum(int((~right).sum()) for right in candidate.values())
    before = sum(int((~active[name]).sum()) for name in candidate)
    if mistakes > before:
        reason = f"It makes {mistakes} mistakes in all, the active model {before}."
        return Decision(False, reason, rows)
    reason = f"Nowhere worse beyond chance; {mistakes} mistakes in all against {before}."
    return Decision(True, reason, rows)


def p_worse(candidate: Right, active: Right) -> float:
    """Return the one-sided exact McNemar p-value that the candidate is worse."""
    lost = int((active & ~candidate).sum())
    return _tail(lost, int((candidate ^ active).sum()))


def mcnemar(one: Right, other: Right) -> tuple[int, int, float]:
    """Return what only one reads, what only the other reads, and the two-sided exact p-value."""
    won, lost = int((one & ~other).sum()), int((other & ~one).sum())
    return won, lost, min(1.0, 2 * _tail(max(won, lost), won + lost))


def _tail(k: int, n: int) -> float:
    """Return the chance of k or more heads in n tosses."""
    # Whole numbers to the last step: 2**n has no float from n = 1024 on.
    return float(sum(comb(n, heads) for heads in range(k, n + 1)) / 2**n)
