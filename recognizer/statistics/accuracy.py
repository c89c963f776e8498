"""The model's accuracy on the labelled drawings, aggregated in the database.

It is that of the network's own answers, without personal learning. Both queries read only the
index ``prediction_judged``, which covers the labelled drawings.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass

from django.db.models import Case, Count, F, IntegerField, Q, Sum, TextChoices, Value, When
from django.utils.translation import gettext_lazy as _

from recognizer.models import Label, ModelVersion, Prediction, PredictionQuerySet, correctness
from recognizer.models.predictions import how_many
from recognizer.statistics.intervals import ConfidenceBin, Share, calibration_error

LABELS = len(Label)
# As in the model card's calibration error.
BINS = 15
# With fewer drawings no figure is shown.
ENOUGH = 10
# With fewer a figure is marked as rough: its 95 % interval is wider than 10 points for a model with
# 95 % accuracy.
PRECISE = 100


def is_rough(n: int) -> bool:
    """Whether a figure of so many drawings is shown, and says little."""
    return ENOUGH <= n < PRECISE


class Basis(TextChoices):
    AUDITED = "audited", _("audited drawings (a random sample)")
    LABELLED = "labelled", _("all labelled drawings (chosen by reviewers)")


@dataclass(frozen=True)
class Cell:
    """The n drawings with one label and one answer of one version; ``audited`` of them audited."""

    label: int
    digit: int
    verdict: str
    version: int
    n: int
    audited: int

    @property
    def answer(self) -> int:
        """The answer as a label."""
        return correctness.answer_label(self.digit, self.verdict).value

    @property
    def is_correct(self) -> bool:
        return correctness.is_correct(label=self.label, digit=self.digit, verdict=self.verdict)

    def count(self, basis: Basis) -> int:
        return self.audited if basis is Basis.AUDITED else self.n


def cells(*, since: datetime.datetime | None) -> list[Cell]:
    """Return the labelled drawings, of those drawn since then, by label, answer and version."""
    rows = (
        _labelled(since)
        .values_list("label", "digit", "verdict", "model_version")
        .annotate(n=Count("*"), audited=Count("audited_at"))
    )
    return [Cell(*row) for row in rows]


def _labelled(since: datetime.datetime | None) -> PredictionQuerySet:
    found = Prediction.objects.labelled().order_by()
    return found if since is None else found.filter(created_at__gte=since)


def accuracy(cells: Iterable[Cell], basis: Basis) -> Share:
    counted = [(cell.count(basis), cell.is_correct) for cell in cells]
    return Share(sum(n for n, right in counted if right), sum(n for n, _right in counted))


@dataclass(frozen=True)
class Version:
    pk: int
    name: str
    is_active: bool


def versions() -> list[Version]:
    """Return all versions, the active one first, then the newest."""
    rows = ModelVersion.objects.order_by("-is_active", "-created_at", "-pk")
    return [Version(*row) for row in rows.values_list("pk", "name", "is_active")]


@dataclass(frozen=True)
class VersionAccuracy:
    version: Version
    audited: Share
    labelled: Share

    @property
    def missing(self) -> int:
        """How many more audits are needed for a figure."""
        return max(0, ENOUGH - self.audited.n)


def accuracy_by_version(
    cells: Iterable[Cell], versions: Iterable[Version]
) -> list[VersionAccuracy]:
    """Return the accuracy of the active version and all others that answered labelled drawings."""
    by_version: dict[int, list[Cell]] = {}
    for cell in cells:
        by_version.setdefault(cell.version, []).append(cell)
    return [
        VersionAccuracy(
            version,
            audited=accuracy(by_version.get(version.pk, []), Basis.AUDITED),
            labelled=accuracy(by_version.get(version.pk, []), Basis.LABELLED),
        )
        for version in versions
        if version.is_active or version.pk in by_version
    ]


@dataclass(frozen=True)
class Confusion:
    """How many drawings of each label got each answer.

    ``counts[label][answer]``, (11, 11); the last of both is "not a digit".
    """

    counts: tuple[tuple[int, ...], ...]

    @property
    def n(self) -> int:
        return sum(map(sum, self.counts))

    def recall(self, label: int) -> Share:
        """Of the drawings with this label, those predicted as it."""
        return Share(self.counts[label][label], sum(self.counts[label]))

    def precision(self, answer: int) -> Share:
        """Of the drawings predicted as this label, those that have it."""
        return Share(self.counts[answer][answer], sum(row[answer] for row in self.counts))


def confusion(cells: Iterable[Cell], basis: Basis) -> Confusion:
    counts = [[0] * LABELS for _label in range(LABELS)]
    for cell in cells:
        counts[cell.label][cell.answer] += cell.count(basis)
    return Confusion(tuple(map(tuple, counts)))


@dataclass(frozen=True)
class Reliability:
    bins: tuple[ConfidenceBin, ...]

    @property
    def n(self) -> int:
        return sum(each.right.n for each in self.bins)

    @property
    def error(self) -> float | None:
        """The expected calibration error, 0-1."""
        return calibration_error(self.bins)


def reliability(
    basis: Basis, *, version: int | None = None, since: datetime.datetime | None = None
) -> Reliability:
    """Return the accuracy on labelled digits in 15 equal bins of confidence.

    Rejected drawings count with their closest digit, which the confidence is about.
    """
    drawings = _labelled(since).filter(label__lt=Label.NOT_A_DIGIT)
    if basis is Basis.AUDITED:
        drawings = drawings.filter(audited_at__isnull=False)
    # Most confidences are high: from the top down, one comparison finds most bins.
    index = Case(
        *(
            When(confidence__gte=number / BINS, then=Value(number))
            for number in reversed(range(1, BINS))
        ),
        default=Value(0),
        output_field=IntegerField(),
    )
    # Grouped by version instead of filtered: SQLite would use the index on the version and read
    # every row with its drawing.
    rows = (
        drawings.annotate(bin=index)
        .values_list("bin", "model_version")
        .annotate(n=Count("*"), right=how_many(Q(label=F("digit"))), confidences=Sum("confidence"))
    )
    n, right, confidences = [0] * BINS, [0] * BINS, [0.0] * BINS
    for number, answered_by, *sums in rows:
        if version in (None, answered_by):
            n[number] += sums[0]
            right[number] += sums[1]
            confidences[number] += sums[2]
    return Reliability(
        tuple(
            ConfidenceBin(
                low=number / BINS,
                high=(number + 1) / BINS,
                right=Share(right[number], n[number]),
                confidence=confidences[number] / n[number] if n[number] else None,
            )
            for number in range(BINS)
        )
    )
