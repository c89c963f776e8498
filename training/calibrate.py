"""Temperature and thresholds, chosen on validation data."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognizer.classifier import DIGITS, Calibration, digit_scores

ACCEPTED = 0.99
"""Share of the validation digits that must pass as digits."""

RISK = 0.002
"""Share of mistakes allowed among the answers given without a doubt, on validation."""


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
        # Between bounds, so that a validation set without mistakes does not switch doubt off.
        not_a_digit=float(np.clip(np.quantile(digit_scores(logits), 1 - ACCEPTED), 0.02, 0.995)),
        uncertain=float(np.clip(threshold, 0.5, 0.95)),
    )
