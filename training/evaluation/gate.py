"""Whether a candidate may take the place of the active model.

Both answer the same drawings, bench by bench. On most benches the candidate has to be no worse:
it fails where it is worse beyond chance. On the labelled drawings that were never trained on it
has to be better, for that is what it was trained for.

What "better" can mean with few labels: of 20 labelled drawings about four judge. A candidate that
gets two of them right which the active model does not, and loses none, would do so by chance one
time in four if both were equally good; a test at 5 % takes five such drawings and none lost, which
20 labels can't give. So on the labelled drawings the gate asks for fewer mistakes and states the
chance (``p_better``) without asking for a bound. The proof that nothing else got worse is left to
the benches that are large enough to give one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognizer.jobs import gate_text

SIGNIFICANCE = 0.05

LABELLED = "labelled"
"""The bench on which a candidate must be better: labelled drawings that are never trained on."""

ACCEPTED = "digits accepted"
"""The bench on which an answer is right where a digit is not called "not a digit"."""

TOGETHER = "all but labelled"
"""The benches that are read, as one: it sees harm that is spread too thin for any of them."""

Right = NDArray[np.bool_]


class Verdict(str, Enum):
    """What a bench says of the candidate. The first two let it pass."""

    BETTER = "better"
    NO_WORSE = "no worse"
    NOT_BETTER = "not better"
    WORSE = "worse"


@dataclass(frozen=True)
class Row:
    """One bench: how both models did on the same ``n`` drawings, and what is noise.

    ``won`` counts what only the candidate gets right, ``lost`` what only the active model does.
    ``must_win`` says that the bench asks for fewer mistakes, not only for no more beyond chance.
    """

    bench: str
    n: int
    candidate: float
    active: float
    candidate_mistakes: int
    active_mistakes: int
    won: int
    lost: int
    must_win: bool = False

    @classmethod
    def of(cls, bench: str, candidate: Right, active: Right, *, must_win: bool = False) -> Row:
        """Compare two models' answers to one bench: bool (n,), n > 0, right or not."""
        return cls(
            bench=bench,
            n=len(candidate),
            candidate=float(candidate.mean()),
            active=float(active.mean()),
            candidate_mistakes=int((~candidate).sum()),
            active_mistakes=int((~active).sum()),
            won=int((candidate & ~active).sum()),
            lost=int((active & ~candidate).sum()),
            must_win=must_win,
        )

    @property
    def p_worse(self) -> float:
        """The chance of losing at least so many if both were equally good."""
        return _tail(self.lost, self.won + self.lost)

    @property
    def p_better(self) -> float:
        """The chance of winning at least so many if both were equally good."""
        return _tail(self.won, self.won + self.lost)

    @property
    def is_worse(self) -> bool:
        """Whether the candidate is worse beyond chance."""
        return self.p_worse < SIGNIFICANCE

    @property
    def verdict(self) -> Verdict:
        """What the bench says of the candidate."""
        if self.is_worse:
            return Verdict.WORSE
        if self.must_win:
            return Verdict.BETTER if self.won > self.lost else Verdict.NOT_BETTER
        return Verdict.BETTER if self.p_better < SIGNIFICANCE else Verdict.NO_WORSE

    @property
    def p(self) -> float:
        """The chance that the rule of this bench goes by."""
        return self.p_better if self.must_win else self.p_worse

    def to_json(self) -> dict[str, Any]:
        """Return the row for a card or a page."""
        return {
            **vars(self),
            "p": self.p,
            "p_worse": self.p_worse,
            "p_better": self.p_better,
            "is_worse": self.is_worse,
            "verdict": self.verdict.value,
        }


@dataclass(frozen=True)
class Decision:
    """The gate's answer, its table, and why: a code with its figures, see `gate_words`.

    ``reported`` are rows that decide nothing: the test sets.
    """

    activate: bool
    why: Mapping[str, Any]
    rows: tuple[Row, ...]
    reported: tuple[Row, ...] = ()

    @property
    def reason(self) -> str:
        """Why, in one sentence."""
        return gate_text.sentence(self.why)

    def to_json(self) -> dict[str, Any]:
        """Return the decision for a card: see ``Row.to_json`` for a row."""
        return {
            "activate": self.activate,
            "reason": self.reason,
            "why": dict(self.why),
            "significance": SIGNIFICANCE,
            "rows": [row.to_json() for row in self.rows],
            "reported": [row.to_json() for row in self.reported],
        }


def decide(
    candidate: Mapping[str, Right],
    active: Mapping[str, Right] | None,
    *,
    must_measure: frozenset[str] = frozenset(),
    learnt_from_labels: bool = False,
    reported: Sequence[Row] = (),
) -> Decision:
    """Compare two models, each given as bench name -> which answers are right, bool (n,).

    The candidate passes if

    - on no bench it is worse beyond chance (one-sided exact McNemar test at 5 %: McNemar 1947, on
      the drawings that only one of the two gets right), nor on all but the labelled ones together;
    - on the held-out labelled drawings, where there are any, it makes fewer mistakes;
    - where there are none, it makes no more mistakes on all that is read.

    ``must_measure`` names the benches that the active model was measured on when it was made: what
    can't be measured now counts against the candidate. ``learnt_from_labels`` says that the
    candidate was trained on labelled drawings, so that one must be held out to judge it.
    ``active`` is None where no model is active.
    """
    reported = tuple(reported)
    if active is None:
        return Decision(True, {"code": "no active model"}, (), reported)
    rows = _rows(candidate, active)

    def no(code: str, **figures: Any) -> Decision:
        return Decision(False, {"code": code, **figures}, rows, reported)

    if missing := sorted(must_measure - {row.bench for row in rows}):
        return no("not measured", benches=missing)
    if not rows:
        return no("nothing to compare")
    if worse := [row for row in rows if row.is_worse]:
        return no("worse", benches=[{"bench": row.bench, **_mistakes(row)} for row in worse])
    labelled = next((row for row in rows if row.must_win), None)
    if labelled is None and learnt_from_labels:
        return no("no judge")
    if labelled is not None:
        return _by_labels(labelled, rows, reported)
    read = [row for row in rows if row.bench not in (ACCEPTED, TOGETHER)]
    mistakes = sum(row.candidate_mistakes for row in read)
    before = sum(row.active_mistakes for row in read)
    if mistakes > before:
        return no("more mistakes", mistakes=mistakes, before=before)
    why = {"code": "no worse", "mistakes": mistakes, "before": before}
    return Decision(True, why, rows, reported)


def _by_labels(labelled: Row, rows: tuple[Row, ...], reported: tuple[Row, ...]) -> Decision:
    figures = {"n": labelled.n, "p": labelled.p, **_mistakes(labelled)}
    if labelled.verdict is Verdict.BETTER:
        return Decision(True, {"code": "better", **figures}, rows, reported)
    code = "not better" if labelled.active_mistakes else "perfect"
    return Decision(False, {"code": code, **figures}, rows, reported)


def _rows(candidate: Mapping[str, Right], active: Mapping[str, Right]) -> tuple[Row, ...]:
    rows = [
        Row.of(name, right, active[name], must_win=name == LABELLED)
        for name, right in candidate.items()
        if len(right)
    ]
    read = [row.bench for row in rows if row.bench not in (LABELLED, ACCEPTED)]
    if len(read) > 1:
        one, other = (
            np.concatenate([model[name] for name in read]) for model in (candidate, active)
        )
        rows.append(Row.of(TOGETHER, one, other))
    return tuple(rows)


def _mistakes(row: Row) -> dict[str, int]:
    return {"mistakes": row.candidate_mistakes, "before": row.active_mistakes}


def mcnemar(one: Right, other: Right) -> tuple[int, int, float]:
    """Return what only one reads, what only the other reads, and the two-sided exact p-value."""
    won, lost = int((one & ~other).sum()), int((other & ~one).sum())
    return won, lost, min(1.0, 2 * _tail(max(won, lost), won + lost))


def _tail(k: int, n: int) -> float:
    """Return the chance of k or more heads in n tosses."""
    # Whole numbers to the last step: 2**n has no float from n = 1024 on.
    return float(sum(comb(n, heads) for heads in range(k, n + 1)) / 2**n)
