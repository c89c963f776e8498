"""Metrics of a model, measured on the LiteRT network that is deployed.

The site rejects a drawing that is blank after imaging before it reaches the network. The same
applies here: it scores 0, and counts as rejected and, if it is a digit, as misclassified.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognizer.inference.card import SetMetrics
from recognizer.inference.classifier import DIGITS, Bundle, Calibration, Classifier, digit_scores
from recognizer.statistics.intervals import wilson
from training.data.datasets import NOT_A_DIGIT, Data
from training.model.calibration import probabilities

PART = 250
"""Drawings that a thread classifies at a time."""


@dataclass(frozen=True)
class Outcome:
    """A model's outputs on a set: float32 (n, 11) logits, with the set itself."""

    data: Data
    logits: NDArray[np.float32]
    calibration: Calibration

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """The ten digits' calibrated probabilities, (n, 10)."""
        return probabilities(self.logits, self.calibration.temperature)

    @property
    def right(self) -> NDArray[np.bool_]:
        """Which answers are correct, (n,): the digit predicted, or the non-digit rejected."""
        predicted = (self.probabilities.argmax(1) == self.data.labels) & ~self.blank
        return np.where(self.data.labels == NOT_A_DIGIT, self.refused, predicted)

    @property
    def answered(self) -> NDArray[np.bool_]:
        """Which answers are correct, (n,), if a digit must not be rejected either."""
        return np.where(self.data.labels == NOT_A_DIGIT, self.refused, self.right & ~self.refused)

    @property
    def blank(self) -> NDArray[np.bool_]:
        """Which model inputs contain no ink, (n,)."""
        return np.asarray(~self.data.images.any((1, 2)))

    @property
    def scores(self) -> NDArray[np.float64]:
        """How much each drawing looks like a digit, (n,) in 0-1; the verdict depends on it."""
        return np.where(self.blank, 0.0, digit_scores(self.logits))

    @property
    def refused(self) -> NDArray[np.bool_]:
        """Which drawings have the verdict "not a digit", (n,)."""
        return self.blank | (self.scores < self.calibration.not_a_digit)

    def measures(self) -> SetMetrics:
        confidence = self.probabilities.max(1)
        is_digit = self.data.labels < DIGITS
        right = self.right
        n = int(is_digit.sum())
        doubtful = ~self.refused & (confidence < self.calibration.uncertain)
        return SetMetrics(
            n=len(self.data),
            mistakes=int((~right).sum()),
            accuracy=float(right[is_digit].mean()) if n else None,
            interval=wilson(int(right[is_digit].sum()), n) if n else None,
            calibration_error=calibration_error(confidence[is_digit], right[is_digit])
            if n
            else None,
            answered=float(self.answered.mean()),
            refused=float(self.refused.mean()),
            uncertain=float(doubtful.mean()),
            confidence=float(confidence[is_digit].mean()) if n else None,
            drawings=_identity(self.data),
        )


def _identity(data: Data) -> str:
    """Return 16 digits of the sha256 of all images and labels, in their order."""
    return hashlib.sha256(data.images.tobytes() + data.labels.tobytes()).hexdigest()[:16]


def run(classifier: Classifier, data: Data) -> Outcome:
    """Classify a set as the site does, one image at a time, on every core."""

    def logits(part: NDArray[np.uint8]) -> NDArray[np.float32]:
        found = [classifier.logits(image)[0] for image in part]
        return np.array(found, np.float32).reshape(-1, DIGITS + 1)

    parts = np.array_split(data.images, max(1, len(data) // PART))
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        return Outcome(data, np.concatenate([*pool.map(logits, parts)]), classifier.calibration)


def measure(bundle: Bundle, sets: Mapping[str, Data]) -> dict[str, Outcome]:
    classifier = Classifier(bundle)
    return {name: run(classifier, data) for name, data in sets.items()}


def pooled(name: str, outcomes: Sequence[Outcome]) -> Outcome:
    """Return a model's outcomes on several sets as one. Raises ``ValueError`` without any."""
    data = Data(
        name,
        np.concatenate([outcome.data.images for outcome in outcomes]),
        np.concatenate([outcome.data.labels for outcome in outcomes]),
    )
    logits = np.concatenate([outcome.logits for outcome in outcomes])
    return Outcome(data, logits, outcomes[0].calibration)


def calibration_error(
    confidence: NDArray[np.floating[Any]], right: NDArray[np.bool_], bins: int = 15
) -> float:
    """Return the expected calibration error (Guo et al. 2017, equation 3), 0-1.

    The mean distance of confidence from accuracy over equal-width bins, weighted by their size.
    """
    index = np.minimum((confidence * bins).astype(int), bins - 1)
    size = np.bincount(index, minlength=bins)
    gap = np.bincount(index, confidence - right, bins)
    return float(np.abs(gap).sum() / max(1, size.sum()))


@dataclass(frozen=True)
class DigitMeasures:
    """Precision and recall of a digit on a set with ``n`` drawings of it; None for 0 / 0."""

    digit: int
    n: int
    precision: float | None
    recall: float | None


def by_digit(outcome: Outcome) -> list[DigitMeasures]:
    labels, predicted = outcome.data.labels, outcome.probabilities.argmax(1)
    is_digit = labels < DIGITS
    found = []
    for digit in range(DIGITS):
        hits = int((is_digit & (labels == digit) & (predicted == digit)).sum())
        claimed, present = (
            int((is_digit & (predicted == digit)).sum()),
            int((labels == digit).sum()),
        )
        found.append(
            DigitMeasures(
                digit,
                present,
                hits / claimed if claimed else None,
                hits / present if present else None,
            )
        )
    return found


def auroc(digits: NDArray[np.floating[Any]], others: NDArray[np.floating[Any]]) -> float:
    """Return the probability that a digit scores higher than a non-digit, ties counting half.

    The area under the ROC curve as the rank statistic of Mann and Whitney. Scores (n,), (m,).
    """
    scores = np.concatenate((digits, others))
    order = np.argsort(scores, kind="stable")
    _, first, counts = np.unique(scores[order], return_index=True, return_counts=True)
    ranks = np.empty(len(scores))
    ranks[order] = np.repeat(first + (counts + 1) / 2, counts)
    wins = float(ranks[: len(digits)].sum()) - len(digits) * (len(digits) + 1) / 2
    return wins / (len(digits) * len(others))


ACCEPTED = 0.99
"""Share of the digits to accept when the rejections of two models are compared."""


@dataclass(frozen=True)
class Refusals:
    """The rejection of a set's non-digits. Shares are 0-1.

    ``refused`` is the share at the model's threshold, with its 95 % ``interval``;
    ``refused_at_accepted`` that at the threshold which accepts 99 % of the digits of the same run.
    That and ``auroc`` are None if the run has no digit. ``blank`` counts the drawings that are
    rejected before they reach the network; ``refused`` includes them.
    """

    n: int
    blank: int
    auroc: float | None
    refused: float
    interval: tuple[float, float]
    refused_at_accepted: float | None

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


def digits_of(outcomes: Iterable[Outcome]) -> NDArray[np.float64]:
    """Return the scores of all digits of a run, (n,)."""
    scores = [outcome.scores[outcome.data.labels < DIGITS] for outcome in outcomes]
    return np.concatenate([np.empty(0), *scores])


def threshold_accepting(
    digits: NDArray[np.floating[Any]], accepted: float = ACCEPTED
) -> float | None:
    """Return the highest threshold that a share ``accepted`` of the digits' scores reach.

    None without digits. A drawing below the threshold is rejected.
    """
    if not len(digits):
        return None
    # The small term compensates for rounding: 0.01 x 100 may be slightly more than 1.
    spared = int(np.floor((1 - accepted) * len(digits) + 1e-9))
    return float(np.sort(digits)[spared])


def refusals(outcome: Outcome, digits: NDArray[np.floating[Any]]) -> Refusals | None:
    """Return the rejection of a set's non-digits, given digits' scores (m,); None without any."""
    others = outcome.data.labels == NOT_A_DIGIT
    n = int(others.sum())
    if not n:
        return None
    threshold = threshold_accepting(digits)
    scores, refused = outcome.scores[others], int(outcome.refused[others].sum())
    return Refusals(
        n=n,
        blank=int(outcome.blank[others].sum()),
        auroc=None if threshold is None else auroc(digits, scores),
        refused=refused / n,
        interval=wilson(refused, n),
        refused_at_accepted=None if threshold is None else float((scores < threshold).mean()),
    )
