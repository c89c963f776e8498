"""Proportions with confidence intervals, and the calibration error. No Django, no NumPy."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

# The two-sided 95 % point of the normal distribution.
Z = 1.96


def wilson(successes: int, n: int, z: float = Z) -> tuple[float, float]:
    """Return the 95 % interval of a proportion (Wilson 1927), accurate near 0 and 1 too.

    Raises ZeroDivisionError if ``n`` is 0.
    """
    share, spread = successes / n, z * z / n
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True)
class Share:
    """A proportion: ``hits`` of ``n``."""

    hits: int
    n: int

    @property
    def value(self) -> float | None:
        """The proportion, 0-1; None if n is 0."""
        return self.hits / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Its 95 % interval (`wilson`); None if n is 0."""
        return wilson(self.hits, self.n) if self.n else None


@dataclass(frozen=True)
class ConfidenceBin:
    """The answers with a confidence in [low, high), or [low, high] if ``high`` is 1.

    ``confidence`` is the mean, 0-1; None if there are no answers.
    """

    low: float
    high: float
    right: Share
    confidence: float | None


def calibration_error(bins: Iterable[ConfidenceBin]) -> float | None:
    """Return the expected calibration error (Guo et al. 2017, equation 3), 0-1; None if empty.

    The mean difference of confidence and accuracy, weighted by the size of the bins.
    """
    sizes, gaps = 0, 0.0
    for each in bins:
        if each.right.value is not None and each.confidence is not None:
            sizes += each.right.n
            gaps += each.right.n * abs(each.confidence - each.right.value)
    return gaps / sizes if sizes else None
