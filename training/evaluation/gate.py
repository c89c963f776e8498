"""The quality gate: whether a candidate may replace the active model.

Both models answer the same evaluation sets. On most sets the candidate must not be significantly
worse. On the held-out labelled drawings it must make fewer mistakes: that is what it was trained
for.

Why "fewer", and not "significantly fewer": of 20 labelled drawings about four are held out. A
candidate that gets two of them right that the active model does not, and loses none, would do so by
chance one time in four if both were equally good. A test at 5 % needs five such drawings and none
lost, which 20 labels can't give. So the gate asks for fewer mistakes there, and reports the
probability (``p_better``) without a bound. That nothing else got worse is shown by the sets that
are large enough.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import comb
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognizer.inference.gate_result import GateResult, GateRow, GateSuspect, RowVerdict
from recognizer.jobs import gate_text

SIGNIFICANCE = 0.05

MARGIN = 0.001
"""Share of a set's drawings that may be lost: less does not stop a candidate.

Without it, the more drawings there are, the smaller a loss would be significant: on 10,000 drawings
7 lost and none won. 0.1 points are what 5,000 drawings can show.
"""

LABELLED = "labelled"
"""The set on which a candidate must be better: labelled drawings that are never trained on."""

ACCEPTED = "digits accepted"
"""The set on which an answer is correct if a digit is not called "not a digit"."""

NON_DIGITS = "non-digits"

MOST_OUTWEIGHED = 0.01
OUTWEIGHS = 2
"""One threshold decides what is accepted as a digit, so lowering it accepts more digits and more
non-digits. A loss of up to one point on non-digits does not stop a candidate that accepts, with
significance, more of the digits by at least twice as many points."""

TOGETHER = "all but labelled"
"""The other sets pooled: shows a regression that is too small on each of them alone."""

Correct = NDArray[np.bool_]


def compare(name: str, candidate: Correct, active: Correct, *, must_win: bool = False) -> GateRow:
    """Compare two models' answers to one evaluation set: bool (n,), n > 0, correct or not."""
    won, lost = int((candidate & ~active).sum()), int((active & ~candidate).sum())
    p_worse, p_better = _tail(lost, won + lost), _tail(won, won + lost)
    is_worse = p_worse < SIGNIFICANCE and lost - won > MARGIN * len(candidate)
    if is_worse:
        verdict = RowVerdict.WORSE
    elif must_win:
        verdict = RowVerdict.BETTER if won > lost else RowVerdict.NOT_BETTER
    else:
        verdict = RowVerdict.BETTER if p_better < SIGNIFICANCE else RowVerdict.NO_WORSE
    return GateRow(
        name=name,
        n=len(candidate),
        candidate=float(candidate.mean()),
        active=float(active.mean()),
        candidate_mistakes=int((~candidate).sum()),
        active_mistakes=int((~active).sum()),
        won=won,
        lost=lost,
        must_win=must_win,
        p=p_better if must_win else p_worse,
        p_worse=p_worse,
        p_better=p_better,
        is_worse=is_worse,
        verdict=verdict,
    )


def decide(
    candidate: Mapping[str, Correct],
    active: Mapping[str, Correct] | None,
    *,
    must_measure: frozenset[str] = frozenset(),
    learnt_from_labels: bool = False,
    reported: Sequence[GateRow] = (),
    suspects: Sequence[GateSuspect] = (),
) -> GateResult:
    """Compare two models, each given as evaluation set -> which answers are correct, bool (n,).

    The candidate passes if

    - it is not significantly worse on any set, nor on all but the labelled one pooled (one-sided
      exact McNemar test at 5 %: McNemar 1947, on the drawings that only one of the two gets right;
      and by more than ``MARGIN``), except on non-digits as ``MOST_OUTWEIGHED`` says;
    - it makes fewer mistakes on the held-out labelled drawings, if there are any;
    - if there are none, it makes no more mistakes on all sets together.

    ``must_measure`` names the sets that the active model was evaluated on after its training: if
    one is missing now, the candidate fails. ``learnt_from_labels`` says that the candidate was
    trained on labelled drawings, so some must be held out. ``active`` is None if none is active.
    ``suspects`` are held-out labels that look wrong: the result names them, and they count.
    """

    def result(activate: bool, code: str, **figures: Any) -> GateResult:
        why = {"code": code, **figures}
        return GateResult(
            activate=activate,
            reason=gate_text.sentence(why),
            why=why,
            significance=SIGNIFICANCE,
            rows=rows,
            reported=tuple(reported),
            suspects=tuple(suspects),
        )

    rows = () if active is None else _rows(candidate, active)
    if active is None:
        return result(True, "no active model")
    if missing := sorted(must_measure - {row.name for row in rows}):
        return result(False, "not measured", benches=missing)
    if not rows:
        return result(False, "nothing to compare")
    if worse := [row for row in rows if row.is_worse]:
        return result(
            False, "worse", benches=[{"bench": row.name, **_mistakes(row)} for row in worse]
        )
    labelled = next((row for row in rows if row.must_win), None)
    if labelled is None and learnt_from_labels:
        return result(False, "no judge")
    if labelled is not None:
        figures = {"n": labelled.n, "p": labelled.p, **_mistakes(labelled)}
        if labelled.verdict is RowVerdict.BETTER:
            return result(True, "better", **figures)
        return result(False, "not better" if labelled.active_mistakes else "perfect", **figures)
    counted = [row for row in rows if row.name not in (ACCEPTED, TOGETHER)]
    mistakes = sum(row.candidate_mistakes for row in counted)
    before = sum(row.active_mistakes for row in counted)
    if mistakes > before:
        return result(False, "more mistakes", mistakes=mistakes, before=before)
    return result(True, "no worse", mistakes=mistakes, before=before)


def _rows(candidate: Mapping[str, Correct], active: Mapping[str, Correct]) -> tuple[GateRow, ...]:
    rows = [
        compare(name, right, active[name], must_win=name == LABELLED)
        for name, right in candidate.items()
        if len(right)
    ]
    accepted = next((row for row in rows if row.name == ACCEPTED), None)
    if accepted is not None:
        rows = [_weighed(row, accepted) if row.name == NON_DIGITS else row for row in rows]
    others = [row.name for row in rows if row.name not in (LABELLED, ACCEPTED)]
    if len(others) > 1:
        one, other = (
            np.concatenate([model[name] for name in others]) for model in (candidate, active)
        )
        rows.append(compare(TOGETHER, one, other))
    return tuple(rows)


def _weighed(non_digits: GateRow, accepted: GateRow) -> GateRow:
    """Return the row of the non-digits, with a loss there weighed against the digits accepted."""
    loss = non_digits.active - non_digits.candidate
    is_outweighed = (
        non_digits.is_worse
        and loss <= MOST_OUTWEIGHED
        and accepted.verdict is RowVerdict.BETTER
        and accepted.candidate - accepted.active >= OUTWEIGHS * loss
    )
    if not is_outweighed:
        return non_digits
    return replace(non_digits, is_worse=False, verdict=RowVerdict.OUTWEIGHED)


def _mistakes(row: GateRow) -> dict[str, int]:
    return {"mistakes": row.candidate_mistakes, "before": row.active_mistakes}


def mcnemar(one: Correct, other: Correct) -> tuple[int, int, float]:
    """Return how many only one gets right, how many only the other, and the exact two-sided p."""
    won, lost = int((one & ~other).sum()), int((other & ~one).sum())
    return won, lost, min(1.0, 2 * _tail(max(won, lost), won + lost))


def _tail(k: int, n: int) -> float:
    """Return the probability of k or more heads in n tosses of a coin."""
    # Whole numbers to the last step: 2**n has no float from n = 1024 on.
    return float(sum(comb(n, heads) for heads in range(k, n + 1)) / 2**n)
