"""Temperature and thresholds, chosen on validation data."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognizer.inference.classifier import DIGITS, Calibration, digit_scores

ACCEPTED = 0.99
"""Share of the validation digits that must pass as digits."""

RISK = 0.002
"""Share of mistakes allowed among the answers given without a doubt, on validation."""

# So that a validation set without mistakes does not switch doubt off.
NOT_A_DIGIT_BOUNDS = (0.02, 0.995)
UNCERTAIN_BOUNDS = (0.5, 0.95)


def probabilities(logits: NDArray[np.floating[Any]], temperature: float) -> NDArray[np.float64]:
    """Return the ten digits' probabilities at a temperature: (n, 11) logits to (n, 10)."""
    scaled = logits[:, :DIGITS].astype(np.float64) / temperature
    powers = np.exp(scaled - scaled.max(1, keepdims=True))
    return np.asarray(powers / powers.sum(1, keepdims=True))


def fit_temperature(logits: NDArray[np.floating[Any]], labels: NDArray[np.uint8]) -> float:
    """Return the temperature with the least negative log-likelihood of digits' labels.

    Guo et al., "On calibration of modern neural networks", ICML 2017, section 4.2. One number,
    so a fine grid finds it. ``labels`` are 0-9.
    """
    rows = np.arange(len(labels))

    def loss(temperature: float) -> float:
        chosen = probabilities(logits, temperature)[rows, labels]
        return float(-np.log(np.maximum(chosen, 1e-12)).mean())

    return float(min(np.geomspace(0.25, 4, 161), key=loss))


def calibrate(logits: NDArray[np.floating[Any]], labels: NDArray[np.uint8]) -> Calibration:
    """Choose temperature and thresholds on validation logits (n, 11) of digits, labels 0-9.

    "Not a digit" is what scores less than all but 1 % of the digits; "uncertain" is the
    confidence below which answers are left out until 99.8 % of the rest are right.
    """
    temperature = fit_temperature(logits, labels)
    chances = probabilities(logits, temperature)
    confidence, right = chances.max(1), chances.argmax(1) == labels
    order = np.argsort(-confidence)
    risk = np.cumsum(~right[order]) / np.arange(1, len(order) + 1)
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
    """Return an adapted network's calibration, from that of the network that it was made of.

    ``old`` and ``new`` are both networks' logits (n, 11) on the same digits, labels 0-9. The
    thresholds come to where they part off as many of these digits as before, the temperature
    changes as it would if it were fitted to these digits both times. So verdicts keep their
    meaning from one version to the next, and the digits need not be the ones that the calibration
    was once chosen on: where MNIST is not at hand, drawn digits serve.
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


def _within(value: float | np.floating[Any], bounds: tuple[float, float]) -> float:
    return float(np.clip(value, *bounds))
