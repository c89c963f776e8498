"""What a model is worth: measured on what is served, the LiteRT network."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognizer.classifier import DIGITS, Calibration, Classifier, digit_scores
from training.calibrate import probabilities
from training.datasets import NOT_A_DIGIT, Data


@dataclass(frozen=True)
class Measures:
    """One model on one set. Shares are 0-1.

    ``accuracy`` and ``calibration_error`` are over the digits and ``None`` where the set has
    none; ``refused`` is the share called "not a digit", ``uncertain`` the share called that.
    """

    n: int
    mistakes: int
    accuracy: float | None
    interval: tuple[float, float] | None
    calibration_error: float | None
    refused: float
    uncertain: float

    def to_json(self) -> dict[str, Any]:
        """Return the numbers for a card."""
        return asdict(self)


@dataclass(frozen=True)
class Outcome:
    """One model's outputs on one set: float32 (n, 11) logits, beside the set itself."""

    data: Data
    logits: NDArray[np.float32]
    calibration: Calibration

    @property
    def chances(self) -> NDArray[np.float64]:
        """The ten digits' calibrated probabilities, (n, 10)."""
        return probabilities(self.logits, self.calibration.temperature)

    @property
    def right(self) -> NDArray[np.bool_]:
        """Which answers are right, (n,): a digit's label, or a refusal of a non-digit."""
        digits = self.chances.argmax(1)
        return np.where(self.data.labels == NOT_A_DIGIT, self.refused, digits == self.data.labels)

    @property
    def refused(self) -> NDArray[np.bool_]:
        """Which drawings are called "not a digit", (n,)."""
        return digit_scores(self.logits) < self.calibration.not_a_digit

    def measures(self) -> Measures:
        """Return the numbers."""
        chances = self.chances
        confidence = chances.max(1)
        is_digit = self.data.labels < DIGITS
        right = self.right
        n = int(is_digit.sum())
        doubtful = ~self.refused & (confidence < self.calibration.uncertain)
        return Measures(
            n=len(self.data),
            mistakes=int((~right).sum()),
            accuracy=float(right[is_digit].mean()) if n else None,
            interval=wilson(int(right[is_digit].sum()), n) if n else None,
            calibration_error=calibration_error(confidence[is_digit], right[is_digit])
            if n
            else None,
            refused=float(self.refused.mean()),
            uncertain=float(doubtful.mean()),
        )


def run(classifier: Classifier, data: Data) -> Outcome:
    """Pass a set through the network as it is served, one image at a time."""
    logits = np.array([classifier.logits(image)[0] for image in data.images], np.float32)
    return Outcome(data, logits.reshape(-1, DIGITS + 1), classifier.calibration)


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


def wilson(successes: int, n: int, z: float = 1.96) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927), which holds near 0 and 1 too."""
    share, spread = successes / n, z * z / n
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * np.sqrt(share * (1 - share) / n + spread / (4 * n))
    return float(max(0.0, middle - half)), float(min(1.0, middle + half))


@dataclass(frozen=True)
class DigitMeasures:
    """One digit on one set: of those read as it, how many are; of those that are, how many read."""

    digit: int
    n: int
    precision: float | None
    recall: float | None


def by_digit(outcome: Outcome) -> list[DigitMeasures]:
    """Return precision and recall of each digit, over the set's digits; None where 0 / 0."""
    drawn, read = outcome.data.labels, outcome.chances.argmax(1)
    is_digit = drawn < DIGITS
    found = []
    for digit in range(DIGITS):
        hits = int((is_digit & (drawn == digit) & (read == digit)).sum())
        claimed, present = int((is_digit & (read == digit)).sum()), int((drawn == digit).sum())
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
    """Return the chance that a digit scores higher than a non-digit, ties counting half.

    The area under the ROC curve as the rank statistic of Mann and Whitney. Scores (n,), (m,).
    """
    scores = np.concatenate((digits, others))
    order = np.argsort(scores, kind="stable")
    _, first, counts = np.unique(scores[order], return_index=True, return_counts=True)
    ranks = np.empty(len(scores))
    ranks[order] = np.repeat(first + (counts + 1) / 2, counts)
    wins = float(ranks[: len(digits)].sum()) - len(digits) * (len(digits) + 1) / 2
    return wins / (len(digits) * len(others))
