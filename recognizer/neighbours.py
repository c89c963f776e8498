"""A person's own corrected drawings, mixed with the network's answer. NumPy alone, no Django."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from recognizer.classifier import DIGITS, NOT_A_DIGIT_CLASS, Answer, Verdict

NEAR = 0.85


@dataclass(frozen=True)
class Personal:
    """An answer that remembered drawings decided, and the index of the one that did most."""

    answer: Answer
    nearest: int


def mix(
    answer: Answer, embeddings: NDArray[np.float32], labels: NDArray[np.integer]
) -> Personal | None:
    """Return the personal answer, or None where the remembered drawings change nothing."""
    if not len(labels):
        return None
    cosines = embeddings @ answer.embedding
    nearest = int(cosines.argmax())
    if cosines[nearest] < NEAR:
        return None
    label = int(labels[nearest])
    if label == NOT_A_DIGIT_CLASS:
        if answer.verdict is Verdict.NOT_A_DIGIT:
            return None
        return Personal(replace(answer, verdict=Verdict.NOT_A_DIGIT), nearest)
    if label == answer.digit and answer.verdict is Verdict.DIGIT:
        return None
    weight = 0.9
    probabilities = (1 - weight) * np.array(answer.probabilities)
    probabilities[label] += weight
    assert len(probabilities) == DIGITS
    changed = replace(
        answer,
        digit=label,
        confidence=float(probabilities[label]),
        probabilities=tuple(map(float, probabilities)),
        verdict=Verdict.DIGIT,
    )
    return Personal(changed, nearest)
