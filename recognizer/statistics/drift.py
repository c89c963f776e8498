"""Drift: whether the newest drawings still look like those that the model was validated on.

Three figures of the active version's newest drawings, each with the interval that it should lie
in. The model card has the shares of rejected drawings among the validation digits, and their mean
confidence if the version was trained since cards have it. It has no embeddings: they, and a
missing confidence, are compared with the first drawings that the version answered on this site.

All intervals have ``Z`` standard errors: with three figures looked at every day, 95 % would be
left by chance every week.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

import numpy as np
from numpy.typing import NDArray

from recognizer.inference import embeddings
from recognizer.inference.card import ModelCard, SetMetrics
from recognizer.models import DIGITS, NOT_SENT, ModelVersion, Prediction, Verdict
from recognizer.statistics.intervals import wilson

DAYS = 7
"""The newest drawings are those of so many days."""
MOST = 1000
"""The most drawings read of the newest ones, and of the first ones."""
ENOUGH = 100
"""With fewer of either there is no figure."""
Z = 3.0


class Measure(Enum):
    REFUSED = "refused"
    CONFIDENCE = "confidence"
    DISTANCE = "distance"


class Reference(Enum):
    VALIDATION = "validation"
    FIRST_DRAWINGS = "first_drawings"


@dataclass(frozen=True)
class Figure:
    """A figure of the newest drawings, and where it should lie; None if that is not known.

    Shares and confidence are 0-1. The distance is 1 - cosine similarity to the nearest of the ten
    digits' mean embeddings.
    """

    measure: Measure
    value: float
    expected: tuple[float, float] | None
    reference: Reference | None

    @property
    def is_outside(self) -> bool:
        return self.expected is not None and not (
            self.expected[0] <= self.value <= self.expected[1]
        )


@dataclass(frozen=True)
class Drift:
    version: str
    newest: int
    first: int
    figures: tuple[Figure, ...]


@dataclass(frozen=True)
class _Drawings:
    refused: NDArray[np.float64]
    confidence: NDArray[np.float64]
    digit: NDArray[np.intp]
    embedding: NDArray[np.float32]

    def __len__(self) -> int:
        return len(self.refused)


def drift(*, now: datetime) -> Drift | None:
    """Return the drift of the active version; None without one."""
    version = ModelVersion.objects.filter(is_active=True).defer("serving", "training").first()
    if version is None or version.activated_at is None:
        return None
    since = now - timedelta(days=DAYS)
    newest = _drawings(version, max(since, version.activated_at), now, order="-created_at")
    first = _drawings(version, version.activated_at, since, order="created_at")
    figures = _figures(newest, first, version.model_card) if len(newest) >= ENOUGH else ()
    return Drift(version.name, len(newest), len(first), figures)


def _drawings(version: ModelVersion, start: datetime, end: datetime, *, order: str) -> _Drawings:
    # The version is compared here, not there: the database would rather sort all of its drawings.
    found = (
        Prediction.objects.filter(created_at__gte=start, created_at__lt=end)
        .order_by(order, order.replace("created_at", "id"))
        .values_list("verdict", "confidence", "digit", "embedding", "model_version", "source")
    )
    rows = [
        row[:4]
        for row in found[:MOST]
        if row[3] is not None and row[4] == version.pk and row[5] not in NOT_SENT
    ]
    return _Drawings(
        np.array([verdict == Verdict.NOT_A_DIGIT for verdict, *_rest in rows], np.float64),
        np.array([row[1] for row in rows], np.float64),
        np.array([row[2] for row in rows], np.intp),
        embeddings.unpack_many([row[3] for row in rows if row[3] is not None])
        if rows
        else np.empty((0, embeddings.MIN_LENGTH), np.float32),
    )


def _figures(newest: _Drawings, first: _Drawings, card: ModelCard) -> tuple[Figure, ...]:
    validation = [
        each
        for name, each in card.metrics.items()
        if name.endswith(" validation") and each.accuracy is not None and each.n
    ]
    compared = first if len(first) >= ENOUGH else None
    return (
        _refused(newest, compared, validation),
        _confidence(newest, compared, validation),
        *_distance(newest, compared),
    )


def _refused(
    newest: _Drawings, first: _Drawings | None, validation: Sequence[SetMetrics]
) -> Figure:
    value = float(newest.refused.mean())
    shares = [(each.refused, each.n) for each in validation if each.refused is not None and each.n]
    if not shares:
        return _from_first(
            Measure.REFUSED, newest.refused, None if first is None else first.refused
        )
    # From the lowest to the highest of the sets; and the newest drawings are a sample too.
    low = min(wilson(round(share * n), n, Z)[0] for share, n in shares)
    high = max(wilson(round(share * n), n, Z)[1] for share, n in shares)
    own = wilson(int(newest.refused.sum()), len(newest), Z)
    expected = (max(0.0, low - (own[1] - value)), min(1.0, high + (value - own[0])))
    return Figure(Measure.REFUSED, value, expected, Reference.VALIDATION)


def _confidence(
    newest: _Drawings, first: _Drawings | None, validation: Sequence[SetMetrics]
) -> Figure:
    means = [each.confidence for each in validation if each.confidence is not None]
    if not means:
        return _from_first(
            Measure.CONFIDENCE, newest.confidence, None if first is None else first.confidence
        )
    spread = Z * float(newest.confidence.std()) / math.sqrt(len(newest))
    expected = (min(means) - spread, min(1.0, max(means) + spread))
    return Figure(
        Measure.CONFIDENCE, float(newest.confidence.mean()), expected, Reference.VALIDATION
    )


def _distance(newest: _Drawings, first: _Drawings | None) -> tuple[Figure, ...]:
    """Half of the first drawings give the centres, the other half the expected distance."""
    if first is None or newest.embedding.shape[1] != first.embedding.shape[1]:
        return ()
    # By chance, but always the same: the order of the drawings may have a pattern.
    shuffled = np.random.default_rng(0).permutation(len(first))
    centred, compared = shuffled[::2], shuffled[1::2]
    half, other = first.embedding[centred], first.embedding[compared]
    digits = first.digit[centred]
    present = [digits == digit for digit in range(DIGITS) if np.any(digits == digit)]
    centres = np.array([half[each].mean(0) for each in present])
    centres /= np.linalg.norm(centres, axis=1, keepdims=True)

    def distances(vectors: NDArray[np.float32]) -> NDArray[np.float64]:
        return np.asarray(1 - (vectors @ centres.T).max(1), np.float64)

    return (_from_first(Measure.DISTANCE, distances(newest.embedding), distances(other)),)


def _from_first(
    measure: Measure, newest: NDArray[np.float64], first: NDArray[np.float64] | None
) -> Figure:
    """Compare a mean with that of the first drawings (two-sample z interval)."""
    value = float(newest.mean())
    if first is None:
        return Figure(measure, value, None, None)
    error = math.sqrt(float(first.var()) / len(first) + float(newest.var()) / len(newest))
    middle = float(first.mean())
    expected = (max(0.0, middle - Z * error), middle + Z * error)
    return Figure(measure, value, expected, Reference.FIRST_DRAWINGS)
