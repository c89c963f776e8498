"""A version's figures on its evaluation sets: the same ones in the list, the comparison, the gate.

Correct is what the gate calls correct: on labelled drawings the whole answer, so that a digit must
not be rejected, and on the other sets the digit alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from recognizer.inference.card import ModelCard, SetMetrics
from recognizer.statistics.learning_curve import LABELLED


@dataclass(frozen=True)
class SetFigure:
    """The share (0-1) of ``n`` drawings that is correct; None where the card does not say it."""

    n: int | None = None
    correct: float | None = None
    drawings: str | None = None

    def is_comparable_with(self, other: SetFigure, name: str) -> bool:
        """Whether both were measured on the same drawings, as far as the cards say."""
        if self.correct is None or other.correct is None or self.n != other.n:
            return False
        if self.drawings and other.drawings:
            return self.drawings == other.drawings
        # Cards of earlier releases do not name the drawings. Only labelled ones ever change.
        return name != LABELLED


def of_card(card: ModelCard) -> dict[str, SetFigure]:
    """Return the figures by the name of the set, in the order of the card."""
    return {
        name: SetFigure(measured.n, _correct(name, measured), measured.drawings)
        for name, measured in card.metrics.items()
    }


def shown_name(name: str) -> str:
    """Return the name of a set as the pages show it."""
    return name.replace("_", " ")


def _correct(name: str, measured: SetMetrics) -> float | None:
    if name == LABELLED and measured.answered is not None:
        return measured.answered
    if measured.n and measured.mistakes is not None:
        return 1 - measured.mistakes / measured.n
    return measured.correct
