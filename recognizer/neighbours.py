"""A person's own corrected drawings, mixed with the network's answer. NumPy alone, no Django.

The network's eleven probabilities (ten digits, "not a digit") are what is believed before; what
the person has said of drawings near this one is the evidence. How near is a Gaussian kernel on the
embeddings, and the evidence for a label is the mean of a Gaussian process that saw, at each
remembered drawing, whether it carries that label (Rasmussen and Williams, "Gaussian processes for
machine learning", 2006, equation 2.25). So ten drawings that are alike count little more than one,
a near one outweighs many that are far, and drawings of two labels are told apart by those between
them. Evidence is added to the logarithm of the network's probability:

    log q(y) = log(p(y) + DOUBT) + WEIGHT * m(y) - log Z,    m = k' (K + NOISE I)^-1 Y

The network's own doubt needs no further term: what it is unsure of, little evidence decides.
``benchmarks.personal --choose`` prints what the four numbers were chosen by.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognizer.classifier import DIGITS, NOT_A_DIGIT_CLASS, Answer, Calibration, Verdict

CLASSES = DIGITS + 1


@dataclass(frozen=True)
class Mix:
    """The numbers of the mix.

    ``weight`` is the evidence, in nats, of a drawing that is the same as a remembered one, but
    for ``noise``: the variance of what a person says, which is now and then a slip. ``width`` is
    the kernel's: two embeddings count as alike by exp((cosine - 1) / width), which is a Gaussian
    of their distance. ``doubt`` is the probability below which the network is not believed.
    ``neighbours`` is how many remembered drawings are looked at, the nearest.
    """

    weight: float = 10.0
    width: float = 0.1
    noise: float = 0.05
    doubt: float = 3e-4
    neighbours: int = 32


CHOSEN = Mix()


@dataclass(frozen=True)
class Personal:
    """What a person's remembered drawings make of the network's answer.

    ``decided_by`` is the index of the remembered drawing that did most: the nearest of those with
    the label that is answered.
    """

    answer: Answer
    decided_by: int


def mix(
    answer: Answer,
    calibration: Calibration,
    embeddings: NDArray[np.float32],
    labels: NDArray[np.integer[Any]],
    numbers: Mix = CHOSEN,
) -> Personal | None:
    """Return the answer by remembered drawings; None where the network's own stands.

    It stands unless the remembered drawings decide: they change the digit or the refusal, or make
    an answer that the network doubts or refuses one without doubt, and one of them carries the
    label that is answered then.

    Args:
        answer: the network's answer, with its embedding (d,) of length 1.
        calibration: of the same network, for its thresholds.
        embeddings: of the remembered drawings, by the same network: (n, d), each of length 1.
        labels: of the remembered drawings, (n,): 0-9, or 10 for "not a digit".
    """
    if not len(labels):
        return None
    chances = posterior(answer, calibration, embeddings, labels, numbers)
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
    same = np.flatnonzero(labels == label)
    if not len(same):
        return None
    changed = replace(
        answer,
        digit=digit,
        confidence=confidence,
        probabilities=tuple(map(float, probabilities)),
        verdict=verdict,
    )
    return Personal(changed, int(same[(embeddings[same] @ answer.embedding).argmax()]))


def posterior(
    answer: Answer,
    calibration: Calibration,
    embeddings: NDArray[np.float32],
    labels: NDArray[np.integer[Any]],
    numbers: Mix = CHOSEN,
) -> NDArray[np.float64]:
    """Return the eleven probabilities, (11,), that network and memory give together."""
    cosines = embeddings @ answer.embedding
    if len(cosines) > numbers.neighbours:
        nearest = np.argpartition(-cosines, numbers.neighbours)[: numbers.neighbours]
        cosines, embeddings, labels = cosines[nearest], embeddings[nearest], labels[nearest]
    alike = np.exp((embeddings @ embeddings.T - 1) / numbers.width).astype(np.float64)
    alike[np.diag_indices(len(alike))] += numbers.noise
    near = np.exp((cosines - 1) / numbers.width).astype(np.float64)
    # K is symmetric: k' K^-1 Y is solved for one right-hand side, not for eleven.
    evidence = np.bincount(labels, np.linalg.solve(alike, near), CLASSES)
    logs = np.log(prior(answer, calibration) + numbers.doubt) + numbers.weight * evidence
    powers = np.exp(logs - logs.max())
    return np.asarray(powers / powers.sum())


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
