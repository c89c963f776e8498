"""Shares with their intervals, and how honest confidences are. No Django, no NumPy."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

# The two-sided 95 % point of the normal distribution.
Z = 1.96


def wilson(successes: int, n: int, z: float = Z) -> tuple[float, float]:
    """Return the 95 % interval of a share (Wilson 1927), which holds near 0 and 1 too.

    Raises:
        ZeroDivisionError: ``n`` is 0.
    """
    share, spread = successes / n, z * z / n
    middle = (share + spread / 2) / (1 + spread)
    half = z / (1 + spread) * math.sqrt(share * (1 - share) / n + spread / (4 * n))
    return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True)
class Share:
    """So many of n."""

    hits: int
    n: int

    @property
    def value(self) -> float | None:
        """The share, 0-1; None of nothing."""
        return self.hits / self.n if self.n else None

    @property
    def interval(self) -> tuple[float, float] | None:
        """Its 95 % interval (`wilson`); None of nothing."""
        return wilson(self.hits, self.n) if self.n else None


@dataclass(frozen=True)
class ConfidenceBin:
    """The answers whose confidence lies in [low, high), or in [low, high] where that is 1.

    ``confidence`` is the mean one, 0-1; None where there is no answer.
    """

    low: float
    high: float
    right: Share
    confidence: float | None


def calibration_error(bins: Iterable[ConfidenceBin]) -> float | None:
    """Return the expected calibration error (Guo et al. 2017, equation 3), 0-1; None of nothing.

    The mean distance of the confidence from the share right, weighted by the size of the bins.
    """
    sizes, gaps = 0, 0.0
    for each in bins:
        if each.right.value is not None and each.confidence is not None:
            sizes += each.right.n
            gaps += each.right.n * abs(each.confidence - each.right.value)
    return gaps / sizes if sizes else None
