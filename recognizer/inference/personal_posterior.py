"""A person's own earlier drawings, mixed with the network's answer. NumPy alone, no Django.

The network's eleven probabilities (ten digits, "not a digit") are the prior; the person's earlier
drawings near this one are the evidence. Nearness is a Gaussian kernel on the embeddings, and the
evidence for a label is the mean of a Gaussian process that saw, at each drawing, whether it
carries that label (Rasmussen and Williams, "Gaussian processes for machine learning", 2006,
equation 2.25). So ten drawings that are alike count little more than one, a near one outweighs
many that are far, and drawings of two labels are separated by those between them. Evidence is
added to the logarithm of the network's probability:

    log q(y) = log(p(y) + doubt) + weight * m(y) - log Z,    m = k' (K + N)^-1 Y

The network's own confidence needs no further term: where it is unsure, little evidence decides.

Remembered drawings are those that the person has corrected or confirmed. Accepted ones, which
they did not correct, are weak evidence (a large variance in N): someone who has drawn twenty fives
that were predicted as fives, and then says that the next is a six, has more likely slipped than
found a mistake. Accepted drawings decide nothing by themselves.

Where the network is very sure, a single correction decides nothing either, except for a drawing
that is all but the same: a person who presses a wrong button on a clear three would otherwise get
their next threes wrong. It takes two corrections that agree.

``benchmarks.personalisation.quality --choose`` prints how the numbers were chosen.
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

    ``weight`` is the evidence, in nats, of a remembered drawing with the same embedding, if its
    label had no ``noise``. ``noise`` is the variance of the labels of remembered drawings,
    ``accepted_noise`` that of accepted ones. ``width`` is the kernel's: the similarity of two
    embeddings is exp((cosine - 1) / width), a Gaussian of their distance. ``doubt`` is added to
    each probability of the network: about one in three thousand of its answers is wrong although
    it was certain. ``neighbours`` is how many of the nearest drawings count, of each kind.

    Where the network's confidence is at least ``sure``, its answer changes only with one remembered
    drawing of the new label whose cosine with this one is at least ``identical``, or with two that
    are ``alike``; and alike drawings that speak for the network, remembered or accepted, must not
    be more than ``outnumbered`` times as many.
    """

    weight: float = 12.0
    width: float = 0.1
    noise: float = 0.05
    accepted_noise: float = 2.0
    doubt: float = 3e-4
    neighbours: int = 24
    sure: float = 0.99
    alike: float = 0.9
    identical: float = 0.9995
    outnumbered: float = 3.0


CHOSEN = Mix()


@dataclass(frozen=True)
class Examples:
    """A person's earlier drawings, n of them.

    ``embeddings`` (n, d) are by the network that answers, each of length 1. ``labels`` (n,) are
    0-9, or 10 for "not a digit". ``remembered`` (n,) is false for accepted drawings, whose label
    is the answer that was accepted.
    """

    embeddings: NDArray[np.float32]
    labels: NDArray[np.integer[Any]]
    remembered: NDArray[np.bool_]

    def take(self, index: NDArray[np.integer[Any]]) -> Examples:
        return Examples(self.embeddings[index], self.labels[index], self.remembered[index])


@dataclass(frozen=True)
class Personal:
    """An answer decided by a person's own earlier drawings.

    ``decided_by`` is the index of the nearest remembered drawing with the label that is answered.
    """

    answer: Answer
    decided_by: int


def mix(
    answer: Answer, calibration: Calibration, examples: Examples, numbers: Mix = CHOSEN
) -> Personal | None:
    """Return the personal answer; None where the network's own stands.

    The person's drawings decide if they change the digit or the refusal, or turn an uncertain or
    refused answer into a certain one; and if one of the remembered ones has the label that is
    answered then. ``answer``, with its embedding, and ``calibration`` are of the same network.
    """
    if not examples.remembered.any():
        return None
    chances = posterior(answer, calibration, examples, numbers)
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
    same = np.flatnonzero((examples.labels == label) & examples.remembered)
    if not len(same):
        return None
    cosines = examples.embeddings @ answer.embedding
    if label != before and not _is_enough(answer, label, before, examples, cosines, numbers):
        return None
    changed = replace(
        answer,
        digit=digit,
        confidence=confidence,
        probabilities=tuple(map(float, probabilities)),
        verdict=verdict,
    )
    return Personal(changed, int(same[cosines[same].argmax()]))


def _is_enough(
    answer: Answer,
    label: int,
    before: int,
    examples: Examples,
    cosines: NDArray[np.float32],
    numbers: Mix,
) -> bool:
    """Whether examples, with cosines (n,), may change the answer from ``before`` to ``label``."""
    if answer.verdict is not Verdict.DIGIT or answer.confidence < numbers.sure:
        return True
    supports = examples.remembered & (examples.labels == label)
    if cosines[supports].max() >= numbers.identical:
        return True
    alike = cosines >= numbers.alike
    support = int((supports & alike).sum())
    opposed = int((alike & (examples.labels == before)).sum())
    return support >= 2 and opposed <= numbers.outnumbered * support


def posterior(
    answer: Answer, calibration: Calibration, examples: Examples, numbers: Mix = CHOSEN
) -> NDArray[np.float64]:
    """Return the eleven probabilities, (11,), of network and examples together."""
    cosines = examples.embeddings @ answer.embedding
    nearest = np.concatenate(
        [
            _nearest(cosines, np.flatnonzero(kind), numbers.neighbours)
            for kind in (examples.remembered, ~examples.remembered)
        ]
    )
    near = examples.take(nearest)
    kernel = _similarity(near.embeddings @ near.embeddings.T, numbers.width)
    noise = np.where(near.remembered, numbers.noise, numbers.accepted_noise)
    kernel[np.diag_indices(len(kernel))] += noise
    # The matrix is symmetric: one right-hand side, k, is solved for and not the eleven of Y.
    weights = np.linalg.solve(kernel, _similarity(cosines[nearest], numbers.width))
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


def _similarity(cosines: NDArray[np.float32], width: float) -> NDArray[np.float64]:
    return np.asarray(np.exp((cosines - 1) / width), np.float64)


def prior(answer: Answer, calibration: Calibration) -> NDArray[np.float64]:
    """Return the network's answer as eleven probabilities, (11,).

    "Not a digit" has probability 0.5 where the digit score is at the threshold of refusal: without
    examples, a drawing is refused exactly if "not a digit" is more likely than not.
    """
    score, threshold = (
        np.clip(value, 1e-9, 1 - 1e-9) for value in (answer.digit_score, calibration.not_a_digit)
    )
    odds = score / (1 - score) * (1 - threshold) / threshold
    return np.asarray(np.append(np.array(answer.probabilities) * odds, 1) / (1 + odds))
