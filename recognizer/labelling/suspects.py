"""Suspect labels: found by a search over all labels, stored, shown worst first.

The search judges the labels with the network that fine-tuning starts from, which has not learned
them: see `confident_learning`. It takes minutes for 100,000 labels, so `find_suspects` and
`train_model` run it, and pages read what it stored.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Count, Max, Q
from django.utils import timezone

from recognizer import imaging
from recognizer.inference.classifier import Answer
from recognizer.labelling import confident_learning, opinions
from recognizer.labelling.confident_learning import Suspect
from recognizer.models import (
    LabelCheck,
    ModelVersion,
    Prediction,
    PredictionQuerySet,
    SuspectLabel,
)
from recognizer.versions import loading

MOST_CHECKED = 200_000
"""The most labels that are searched, the newest: 110 MB of probabilities and embeddings."""

MOST_PATTERNS = 20
"""The most patterns that are shown."""

PATTERN = 5
"""Suspects with one reviewer, label and likely label that make a pattern."""

COUNT_LIMIT = 10_000
"""Counting stops here."""

# SQLite takes 999 values in one statement on old systems.
_BATCH = 900


# Searching --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Checked:
    """How many labels a search looked at, and how many of them look wrong."""

    labels: int
    suspects: int


class NoNetwork(RuntimeError):
    """There is no model version to judge the labels with."""


def check_labels(*, progress: Callable[[], object] = lambda: None) -> Checked:
    """Search all labels, the newest 200,000, and store the suspects.

    ``progress`` is called for each drawing. A damaged drawing is left out. Raises NoNetwork, or
    loading.LoadError if the network does not load.
    """
    judge = loading.load(base_network()).classifier
    rows: list[tuple[UUID, int, int | None]] = []
    answers: list[Answer] = []
    for row in _labelled():
        progress()
        try:
            answers.append(judge.classify(row.model_input()))
        except imaging.ImageError:
            continue
        assert row.label is not None
        rows.append((row.pk, row.label, row.labelled_by_id))
    found = confident_learning.suspects_of(answers, [label for _pk, label, _by in rows])
    return store({rows[each.index][0]: each for each in found}, labels=len(rows))


def base_network() -> ModelVersion:
    """Return the network that the active version was fine-tuned from, or the active one itself.

    Raises NoNetwork if no version is active.
    """
    versions = ModelVersion.objects.only("name", "parent")
    version = versions.filter(is_active=True).first()
    if version is None:
        raise NoNetwork("No model version is active. Run: python manage.py migrate")
    while version.parent_id is not None:
        version = versions.get(pk=version.parent_id)
    return version


def _labelled() -> Iterator[Prediction]:
    """Yield the labelled drawings, by key: a cursor would block writers on SQLite."""
    fields = ("image", "is_model_input", "label", "labelled_by_id")
    newest = (
        Prediction.objects.labelled()
        .order_by("-labelled_at")
        .values_list("pk", flat=True)[:MOST_CHECKED]
    )
    for some in _batches(list(newest)):
        yield from Prediction.objects.labelled().filter(pk__in=some).only(*fields)


def store(found: Mapping[UUID, Suspect], *, labels: int) -> Checked:
    """Replace the stored suspects; ``labels`` is how many were searched.

    Leaves out labels that have changed since, that a reviewer has kept, or that a second reviewer
    has given too.
    """
    with transaction.atomic():
        SuspectLabel.objects.filter(kept_at__isnull=True).delete()
        rows = []
        for some in _batches(list(found)):
            current = Prediction.objects.select_for_update(no_key=True).filter(
                ~Q(pk__in=SuspectLabel.objects.filter(prediction__in=some).values("prediction")),
                ~opinions.is_confirmed(),
                pk__in=some,
            )
            rows += [
                SuspectLabel(
                    prediction_id=pk,
                    label=label,
                    labelled_by_id=by,
                    likely=found[pk].likely,
                    score=min(1.0, max(0.0, found[pk].score)),
                )
                for pk, label, by in current.order_by("pk").values_list(
                    "pk", "label", "labelled_by"
                )
                if label == found[pk].label
            ]
        SuspectLabel.objects.bulk_create(rows)
        LabelCheck.objects.all().delete()
        LabelCheck.objects.create(labels=labels)
    return Checked(labels, len(rows))


def settled(ids: Collection[UUID]) -> set[UUID]:
    """Return the drawings whose label a reviewer has kept, or a second reviewer has given too."""
    kept = SuspectLabel.objects.filter(kept_at__isnull=False)
    found: set[UUID] = set()
    for some in _batches(list(ids)):
        found.update(kept.filter(prediction__in=some).values_list("prediction", flat=True))
        found.update(opinions.confirmed_among(some))
    return found


def _batches(ids: list[UUID]) -> Iterator[list[UUID]]:
    return (ids[start : start + _BATCH] for start in range(0, len(ids), _BATCH))


# Changes ----------------------------------------------------------------------------------------


def forget(ids: Iterable[UUID]) -> None:
    """Delete the suspects among drawings whose label has changed."""
    SuspectLabel.objects.filter(prediction__in=list(ids)).delete()


def keep(prediction_id: UUID) -> None:
    """Remember that a reviewer has looked at a suspect label and kept it."""
    SuspectLabel.objects.filter(prediction=prediction_id, kept_at__isnull=True).update(
        kept_at=timezone.now()
    )


def undo_keep(prediction_id: UUID) -> None:
    SuspectLabel.objects.filter(prediction=prediction_id).update(kept_at=None)


# Queries ----------------------------------------------------------------------------------------


def waiting() -> PredictionQuerySet:
    """Return the drawings whose label looks wrong, the worst first.

    Drawings of the audit sample that wait for their audit are left out: their label is not shown.
    """
    found = Prediction.objects.filter(is_suspect(), opinions.waits_for_no_audit())
    return found.order_by("-suspect__score", "suspect__prediction")


def of(ids: Iterable[UUID]) -> dict[UUID, SuspectLabel]:
    """Return the suspects among these drawings, with their reviewers."""
    found = SuspectLabel.objects.filter(prediction__in=list(ids), kept_at__isnull=True)
    return {each.prediction_id: each for each in found.select_related("labelled_by")}


def is_suspect() -> Q:
    """The condition that a drawing's label looks wrong and no reviewer has kept it."""
    return Q(suspect__isnull=False, suspect__kept_at__isnull=True)


def count() -> int:
    """Return how many labels look wrong, counted up to 10,000."""
    return SuspectLabel.objects.filter(kept_at__isnull=True).order_by()[:COUNT_LIMIT].count()


def count_clear() -> int:
    """Return how many of them a training can leave out (see ``Suspect.is_clear``), up to 10,000."""
    clear = SuspectLabel.objects.filter(kept_at__isnull=True, score__gt=confident_learning.CLEAR)
    return clear.order_by()[:COUNT_LIMIT].count()


def last_check() -> LabelCheck | None:
    return LabelCheck.objects.first()


@dataclass(frozen=True)
class Pattern:
    """Suspect labels of one reviewer that look like the same other label, and the worst of them.

    ``reviewer`` is None for imports without one and for deleted accounts.
    """

    reviewer: str | None
    label: int
    likely: int
    n: int
    example: UUID


def patterns() -> list[Pattern]:
    """Return the patterns among the suspects, the largest first."""
    suspects = SuspectLabel.objects.filter(kept_at__isnull=True)
    groups = list(
        suspects.order_by()
        .values_list("labelled_by", "label", "likely")
        .annotate(n=Count("pk"), worst=Max("score"))
        .filter(n__gte=PATTERN)
        .order_by("-n", "label", "likely")[:MOST_PATTERNS]
    )
    names = dict(
        User.objects.filter(pk__in=[by for by, *_rest in groups]).values_list("pk", "username")
    )
    found = []
    for by, label, likely, n, worst in groups:
        example = (
            suspects.filter(labelled_by=by, label=label, likely=likely, score=worst)
            .values_list("prediction", flat=True)
            .first()
        )
        if example is not None:
            found.append(Pattern(names.get(by), label, likely, n, example))
    return found
