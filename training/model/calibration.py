"""Temperature and thresholds, chosen on validation data."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognizer.inference.classifier import DIGITS, Calibration, digit_scores

ACCEPTED = 0.99
"""Share of the validation digits, as many of each source, that must be accepted as digits."""

RISK = 0.002
"""Share of mistakes allowed among the answers that are not uncertain, on validation."""

LOST = 0.004
"""The share of non-digits that a fine-tuned network may accept beyond those that its base did: less
than the quality checks let the digits accepted outweigh, ``gate.MOST_OUTWEIGHED``."""

# So that a validation set without mistakes does not turn "uncertain" off.
NOT_A_DIGIT_BOUNDS = (0.02, 0.995)
UNCERTAIN_BOUNDS = (0.5, 0.95)


def probabilities(logits: NDArray[np.floating[Any]], temperature: float) -> NDArray[np.float64]:
    """Return the ten digits' probabilities at a temperature: (n, 11) logits to (n, 10)."""
    scaled = logits[:, :DIGITS].astype(np.float64) / temperature
    powers = np.exp(scaled - scaled.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True))


def fit_temperature(logits: NDArray[np.floating[Any]], labels: NDArray[np.uint8]) -> float:
    """Return the temperature that minimises the negative log-likelihood of the labels, 0-9.

    Guo et al., "On calibration of modern neural networks", ICML 2017, section 4.2. It is one
    number, so a fine grid is enough.
    """
    rows = np.arange(len(labels))

    def loss(temperature: float) -> float:
        chosen = probabilities(logits, temperature)[rows, labels]
        return float(-np.log(np.maximum(chosen, 1e-12)).mean())

    return float(min(np.geomspace(0.25, 4, 161), key=loss))


def calibrate(logits: NDArray[np.floating[Any]], labels: NDArray[np.uint8]) -> Calibration:
    """Choose temperature and thresholds on validation logits (n, 11) of digits, labels 0-9.

    The threshold of "not a digit" is the score that 99 % of the digits reach. That of "uncertain"
    is the lowest confidence at which 99.8 % of the answers above it are correct.
    """
    temperature = fit_temperature(logits, labels)
    found = probabilities(logits, temperature)
    confidence, correct = found.max(1), found.argmax(1) == labels
    order = np.argsort(-confidence)
    risk = np.cumsum(~correct[order]) / np.arange(1, len(order) + 1)
    allowed = np.flatnonzero(risk <= RISK)
    threshold = float(confidence[order][allowed[-1]]) if allowed.size else 1.0
    return Calibration(
        temperature=temperature,
        not_a_digit=_within(np.quantile(digit_scores(logits), 1 - ACCEPTED), NOT_A_DIGIT_BOUNDS),
        uncertain=_within(threshold, UNCERTAIN_BOUNDS),
    )


def carry_over(
    before: Calibration,
    old: NDArray[np.floating[Any]],
    new: NDArray[np.floating[Any]],
    labels: NDArray[np.uint8],
) -> Calibration:
    """Return a fine-tuned network's calibration, given that of its base model.

    ``old`` and ``new`` are both networks' logits (n, 11) on the same digits, labels 0-9. The new
    thresholds reject the same share of these digits as the old ones did; the temperature changes by
    the ratio of the two fitted to these digits. So verdicts keep their meaning from one version to
    the next, and the digits need not be those that the calibration was first chosen on: generated
    digits will do if MNIST is not available.
    """
    change = fit_temperature(new, labels) / fit_temperature(old, labels)
    temperature = before.temperature * change
    refused = float((digit_scores(old) < before.not_a_digit).mean())
    old_confidence = probabilities(old, before.temperature).max(1)
    doubted = float((old_confidence < before.uncertain).mean())
    confidence = probabilities(new, temperature).max(1)
    return Calibration(
        temperature=temperature,
        not_a_digit=_within(np.quantile(digit_scores(new), refused), NOT_A_DIGIT_BOUNDS),
        uncertain=_within(np.quantile(confidence, doubted), UNCERTAIN_BOUNDS),
    )


def as_strict_as(
    before: Calibration,
    old: NDArray[np.floating[Any]],
    new: NDArray[np.floating[Any]],
    calibration: Calibration,
) -> Calibration:
    """Raise the threshold of "not a digit" until few more non-digits are accepted than before.

    ``old`` and ``new`` are the logits (n, 11) of a base model, with the calibration ``before``, and
    of the fine-tuned network on the same non-digits. A threshold that is chosen on digits alone
    would buy every digit that looks like none with whatever looks like it.
    """
    accepted = float((digit_scores(old) >= before.not_a_digit).mean()) + LOST
    least = _within(np.quantile(digit_scores(new), max(0.0, 1 - accepted)), NOT_A_DIGIT_BOUNDS)
    return replace(calibration, not_a_digit=max(calibration.not_a_digit, least))


def _within(value: float | np.floating[Any], bounds: tuple[float, float]) -> float:
    return float(np.clip(value, *bounds))
