"""A person's own corrected drawings, mixed with the network's answer. NumPy alone, no Django.

The network's eleven probabilities (ten digits, "not a digit") are what is believed before; what
the person has said of drawings near this one is the evidence. How near is a Gaussian kernel on the
embeddings, and the evidence for a label is the mean of a Gaussian process that saw, at each
drawing, whether it carries that label (Rasmussen and Williams, "Gaussian processes for machine
learning", 2006, equation 2.25). So ten drawings that are alike count little more than one, a near
one outweighs many that are far, and drawings of two labels are told apart by those between them.
Evidence is added to the logarithm of the network's probability:

    log q(y) = log(p(y) + doubt) + weight * m(y) - log Z,    m = k' (K + N)^-1 Y

The network's own doubt needs no further term: what it is unsure of, little evidence decides.

What a person let pass is evidence too, though weak (a large variance in N): who has written twenty
fives that were read as fives, and then says of the next that it is a six, has more likely slipped
than found a mistake. By itself it decides nothing.

``benchmarks.personalisation.quality --choose`` prints what the numbers were chosen by.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognizer.inference.classifier import DIGITS, NOT_A_DIGIT_CLASS, Answer, Calibration, Verdict

CLASSES = DIGITS + 1


@dataclass(frozen=True)
class Mix:
    """The numbers of the mix.

    ``weight`` is the evidence, in nats, of a drawing that is the same as a remembered one, but
    for ``noise``, the variance of what a person says, and ``silence``, that of what they let
    pass. ``width`` is the kernel's: two embeddings are alike by exp((cosine - 1) / width), which
    is a Gaussian of their distance. ``doubt`` is the probability below which the network is not
    believed: of three thousand answers it gives one wrong in this way. ``neighbours`` is how many
    drawings are looked at, the nearest, of what was said and of what was let pass.
    """

    weight: float = 12.0
    width: float = 0.1
    noise: float = 0.05
    silence: float = 2.0
    doubt: float = 3e-4
    neighbours: int = 24


CHOSEN = Mix()


@dataclass(frozen=True)
class Witnesses:
    """A person's earlier drawings, n of them.

    ``embeddings`` (n, d) are by the network that answers, each of length 1. ``labels`` (n,) are
    0-9, or 10 for "not a digit". ``said`` (n,) tells what the person has said from what they let
    pass: there the label is what they were answered.
    """

    embeddings: NDArray[np.float32]
    labels: NDArray[np.integer[Any]]
    said: NDArray[np.bool_]

    def take(self, index: NDArray[np.integer[Any]]) -> Witnesses:
        """Return some of the drawings."""
        return Witnesses(self.embeddings[index], self.labels[index], self.said[index])


@dataclass(frozen=True)
class Personal:
    """What a person's own drawings make of the network's answer.

    ``decided_by`` is the index of the drawing that did most: of those that the person has said to
    be what is answered, the nearest.
    """

    answer: Answer
    decided_by: int


def mix(
    answer: Answer, calibration: Calibration, witnesses: Witnesses, numbers: Mix = CHOSEN
) -> Personal | None:
    """Return the personal answer; None where the network's own stands.

    It stands unless the person's drawings decide: they change the digit or the refusal, or make
    an answer that the network doubts or refuses one without doubt; and the person has said of one
    of them that it is what is answered then.

    Args:
        answer: the network's answer, with its embedding (d,) of length 1.
        calibration: of the same network, for its thresholds.
        witnesses: the person's earlier drawings.
        numbers: the settings of the mix.
    """
    if not witnesses.said.any():
        return None
    chances = posterior(answer, calibration, witnesses, numbers)
    is_digit = 1 - chances[NOT_A_DIGIT_CLASS]
    probabilities = chances[:DIGITS] / max(is_digit, np.finfo(float).tiny)
    digit = int(probabilities.argmax())
    confidence = float(probabilities[digit])
    if is_digit < 0.5:
        verdict, label = Verdict.NOT_A_DIGIT, NOT_A_DIGIT_CLASS
    else:
        sure = confidence >= calibration.uncertain
        verdict, label = (Verdict.DIGIT if sure else Verdict.UNCERTAIN), digit
    before = NOT_A_DIGIT_CLASS if answer.verdict is Verdict.NOT_A_DIGIT else answer.digit
    if label == before and not (verdict is Verdict.DIGIT and answer.verdict is not verdict):
        return None
    same = np.flatnonzero((witnesses.labels == label) & witnesses.said)
    if not len(same):
        return None
    changed = replace(
        answer,
        digit=digit,
        confidence=confidence,
        probabilities=tuple(map(float, probabilities)),
        verdict=verdict,
    )
    nearest = (witnesses.embeddings[same] @ answer.embedding).argmax()
    return Personal(changed, int(same[nearest]))


def posterior(
    answer: Answer, calibration: Calibration, witnesses: Witnesses, numbers: Mix = CHOSEN
) -> NDArray[np.float64]:
    """Return the eleven probabilities, (11,), that network and person give together."""
    cosines = witnesses.embeddings @ answer.embedding
    nearest = np.concatenate(
        [
            _nearest(cosines, np.flatnonzero(kind), numbers.neighbours)
            for kind in (witnesses.said, ~witnesses.said)
        ]
    )
    near = witnesses.take(nearest)
    alike = _alike(near.embeddings @ near.embeddings.T, numbers.width)
    alike[np.diag_indices(len(alike))] += np.where(near.said, numbers.noise, numbers.silence)
    # The matrix is symmetric: one right-hand side, k, is solved for and not the eleven of Y.
    weights = np.linalg.solve(alike, _alike(cosines[nearest], numbers.width))
    evidence = np.bincount(near.labels, weights, CLASSES)
    logs = np.log(prior(answer, calibration) + numbers.doubt) + numbers.weight * evidence
    powers = np.exp(logs - logs.max())
    return np.asarray(powers / powers.sum())


def _nearest(
    cosines: NDArray[np.float32], among: NDArray[np.integer[Any]], count: int
) -> NDArray[np.integer[Any]]:
    if len(among) <= count:
        return among
    return np.asarray(among[np.argpartition(-cosines[among], count)[:count]])


def _alike(cosines: NDArray[np.float32], width: float) -> NDArray[np.float64]:
    return np.asarray(np.exp((cosines - 1) / width), np.float64)


def prior(answer: Answer, calibration: Calibration) -> NDArray[np.float64]:
    """Return the network's answer as eleven probabilities, (11,).

    "Not a digit" is an even bet where the digit score is on the threshold of refusal: so without
    a memory more likely than not means refused.
    """
    score, threshold = (
        np.clip(value, 1e-9, 1 - 1e-9) for value in (answer.digit_score, calibration.not_a_digit)
    )
    odds = score / (1 - score) * (1 - threshold) / threshold
    return np.asarray(np.append(np.array(answer.probabilities) * odds, 1) / (1 + odds))
