"""Mistakes over the number of labels, by version, and what more labels would be worth.

A version's point is its answers to the labelled drawings that were held out from its training, as
the quality checks counted them. Through them goes a power law, the shape that learning curves have
over a wide range (Hestness et al., "Deep learning scaling is predictable, empirically", 2017):
mistakes = a · labels^-b.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from recognizer.models import ModelVersion
from recognizer.statistics.intervals import Share, Z

LABELLED = "labelled"
"""The name of the labelled drawings in a card, as data and as a row of the quality checks."""

MOST_VERSIONS = 60
"""The newest versions that are looked at: a card takes 20 kB."""

FEWEST = 3
"""Points with different numbers of labels that a fit needs."""

WIDEST_STEP = 1.5
"""The largest number of labels must be so many times the smallest."""


@dataclass(frozen=True)
class Point:
    """A version that learned ``labels`` labels; ``right`` of its held-out drawings are correct.

    ``before`` are those that the version active at that time got right.
    """

    version: str
    pk: int
    is_active: bool
    labels: int
    right: Share
    before: Share


def points() -> list[Point]:
    """Return the versions that learned labels, the oldest first."""
    versions = (
        ModelVersion.objects.filter(is_bundled=False, card__data__labelled__isnull=False)
        .only("name", "card", "is_active")
        .order_by("-created_at", "-pk")[:MOST_VERSIONS]
    )
    found = [point for version in versions if (point := _point(version)) is not None]
    return found[::-1]


def _point(version: ModelVersion) -> Point | None:
    card = version.model_card
    source = card.data.get(LABELLED)
    labels = source.n if source is not None else None
    row = (
        next((each for each in card.gate.rows if each.name == LABELLED), None)
        if card.gate
        else None
    )
    if not labels or row is None or not row.n:
        return None
    return Point(
        version.name, version.pk, version.is_active, labels,
        right=Share(row.n - row.candidate_mistakes, row.n),
        before=Share(row.n - row.active_mistakes, row.n),
    )  # fmt: skip


def without_labels(found: Sequence[Point]) -> Share | None:
    """Return what was right before any labels were learned: by the first point's predecessor."""
    return found[0].before if found else None


@dataclass(frozen=True)
class Estimate:
    """A number with its 95 % interval."""

    value: float
    low: float
    high: float


@dataclass(frozen=True)
class PowerLaw:
    """mistakes = exp(intercept) · labels^-exponent, as a share 0-1.

    ``centre`` is the mean of log(labels), where the two errors are independent.
    """

    level: float
    exponent: float
    centre: float
    level_error: float
    exponent_error: float

    def mistakes(self, labels: int) -> Estimate:
        """Return the share of mistakes expected with that many labels."""
        distance = math.log(labels) - self.centre
        middle = self.level - self.exponent * distance
        error = Z * math.hypot(self.level_error, distance * self.exponent_error)
        low, high = math.exp(middle - error), math.exp(middle + error)
        return Estimate(min(1.0, math.exp(middle)), min(1.0, low), min(1.0, high))

    def saved(self, labels: int, more: int) -> Estimate:
        """Return the share of mistakes that ``more`` labels would save, beside ``labels``.

        The interval is that of the slope: where the curve is now is known better.
        """
        now, step = self.mistakes(labels).value, math.log((labels + more) / labels)
        spread = Z * self.exponent_error
        value, low, high = (
            now * (1 - math.exp(-exponent * step))
            for exponent in (self.exponent, self.exponent - spread, self.exponent + spread)
        )
        return Estimate(value, low, high)

    @property
    def may_be_chance(self) -> bool:
        """Whether the 95 % interval of the slope includes none at all."""
        return self.exponent - Z * self.exponent_error <= 0


def fit(found: Sequence[Point]) -> PowerLaw | None:
    """Fit a line to the logarithms, weighted by the binomial error of each point.

    None if there are too few points, or all have about the same number of labels. If the points
    scatter more than the binomial error explains, the errors grow accordingly.
    """
    sizes = {each.labels for each in found}
    if len(sizes) < FEWEST or max(sizes) < WIDEST_STEP * min(sizes):
        return None
    x = [math.log(each.labels) for each in found]
    # Half a mistake more: none has no logarithm.
    mistakes = [each.right.n - each.right.hits + 0.5 for each in found]
    shares = [m / (each.right.n + 1) for m, each in zip(mistakes, found, strict=True)]
    y = [math.log(share) for share in shares]
    weights = [m / (1 - share) for m, share in zip(mistakes, shares, strict=True)]
    total = sum(weights)
    centre = sum(w * each for w, each in zip(weights, x, strict=True)) / total
    level = sum(w * each for w, each in zip(weights, y, strict=True)) / total
    spread = sum(w * (each - centre) ** 2 for w, each in zip(weights, x, strict=True))
    slope = (
        sum(w * (a - centre) * (b - level) for w, a, b in zip(weights, x, y, strict=True)) / spread
    )
    scatter = sum(
        w * (b - level - slope * (a - centre)) ** 2 for w, a, b in zip(weights, x, y, strict=True)
    ) / (len(found) - 2)
    wider = math.sqrt(max(1.0, scatter))
    return PowerLaw(
        level, -slope, centre, wider / math.sqrt(total), wider / math.sqrt(spread)
    )  # fmt: skip


def usual_gain(found: Sequence[Point]) -> float | None:
    """Return the share of mistakes on held-out drawings that past trainings removed; None if
    there were none to remove.
    """
    before = sum(each.before.n - each.before.hits for each in found)
    after = sum(each.right.n - each.right.hits for each in found)
    return 1 - after / before if before else None
