"""How another model version answers the stored drawings, and what would change with it.

`recheck` runs a version over drawings and stores its answers in `VersionAnswer`, together with the
original answers and their version, so that two versions are compared in that one narrow table.

An answer has changed if the digit differs, or if only one of the two rejects the drawing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.db import transaction
from django.db.models import Count, Exists, F, FilteredRelation, OuterRef, Q, QuerySet, Subquery
from django.utils import timezone

from recognizer import imaging
from recognizer.models import Label, ModelVersion, Prediction, VersionAnswer, brief_columns
from recognizer.models.correctness import (
    answer_label_column,
    correct,
    misclassified,
    rejected,
)
from recognizer.versions import loading
from recognizer.versions.loading import LoadedVersion

BATCH = 200


@dataclass(frozen=True)
class Comparison:
    """An old and a new answer to each of ``n`` drawings.

    ``fixed`` are labelled drawings for which only the new answer is correct, ``broken`` those for
    which only the old one is.
    """

    n: int
    same: int
    changed: int
    labelled: int
    fixed: int
    broken: int


@dataclass(frozen=True)
class Transition:
    """How many drawings changed from one answer to another; either may be "not a digit"."""

    old: Label
    new: Label
    n: int
    fixed: int
    broken: int


@dataclass(frozen=True)
class LabelChanges:
    """How many drawings with one label (0-10) are fixed or broken, see `Comparison`."""

    label: int
    fixed: int
    broken: int


@dataclass(frozen=True)
class Summary:
    """A recheck's result: drawings answered in this run, damaged ones, and all answers compared."""

    answered: int
    damaged: int
    comparison: Comparison


# Running a version ----------------------------------------------------------------------------


def recheck(
    *,
    version: ModelVersion,
    drawings: QuerySet[Prediction],
    progress: Callable[[], object] = lambda: None,
    damaged: Callable[[UUID, str], object] = lambda pk, why: None,
    again: bool = False,
) -> Summary:
    """Run a version over the drawings that it has not answered yet, or with ``again`` over all.

    Each batch is stored as soon as it is answered, so a stopped recheck can continue. ``progress``
    is called for each drawing, ``damaged`` for each that can't be decoded. Raises loading.LoadError
    if the version does not load.
    """
    loaded = loading.load(version)
    answered = broken = 0
    for rows in _batches(drawings if again else to_recheck(version=version, drawings=drawings)):
        answers = []
        for row in rows:
            try:
                answers += _answers(loaded, row)
                answered += 1
            except imaging.ImageError as error:
                broken += 1
                damaged(row.pk, error.message)
            progress()
        _store(answers, loaded.version)
    return Summary(answered, broken, would_change_by(version=version, drawings=drawings))


def to_recheck(*, version: ModelVersion, drawings: QuerySet[Prediction]) -> QuerySet[Prediction]:
    """Return the drawings that the version has not been run over."""
    run = VersionAnswer.objects.filter(
        version=version,
        prediction=OuterRef("pk"),
        # Not the copy of its own original answer.
        answered_at__gt=OuterRef("created_at"),
    )
    return drawings.filter(~Exists(run))


def _batches(drawings: QuerySet[Prediction]) -> Iterator[list[Prediction]]:
    # By key, not with a cursor: answers are written between two batches.
    rows = (
        drawings.defer(None)
        .select_related(None)
        .only(
            "image",
            "is_model_input",
            "digit",
            "confidence",
            "verdict",
            "model_version_id",
            "created_at",
        )
        .order_by("pk")
    )
    some = list(rows[:BATCH])
    while some:
        yield some
        some = list(rows.filter(pk__gt=some[-1].pk)[:BATCH])


def _answers(loaded: LoadedVersion, row: Prediction) -> list[VersionAnswer]:
    """The version's answer, and the original answer if it is another version's."""
    answer = loaded.classifier.classify(row.model_input())
    version = loaded.version
    found = [
        VersionAnswer(
            version_id=version.pk,
            prediction_id=row.pk,
            **brief_columns(answer),
            answered_at=timezone.now(),
        )
    ]
    if row.model_version_id != version.pk:
        found.append(
            VersionAnswer(
                version_id=row.model_version_id,
                prediction_id=row.pk,
                digit=row.digit,
                confidence=row.confidence,
                verdict=row.verdict,
                answered_at=row.created_at,
            )
        )
    return found


def _store(answers: list[VersionAnswer], version: ModelVersion) -> None:
    with transaction.atomic():
        # A drawing may have been deleted while it was answered.
        ids = {answer.prediction_id for answer in answers}
        existing = set(
            Prediction.objects.select_for_update(no_key=True)
            .filter(pk__in=ids)
            .order_by("pk")
            .values_list("pk", flat=True)
        )
        valid = [answer for answer in answers if answer.prediction_id in existing]
        VersionAnswer.objects.bulk_create(
            [answer for answer in valid if answer.version_id == version.pk],
            update_conflicts=True,
            unique_fields=["version", "prediction"],
            update_fields=["digit", "confidence", "verdict", "answered_at"],
        )
        VersionAnswer.objects.bulk_create(
            [answer for answer in valid if answer.version_id != version.pk], ignore_conflicts=True
        )


# Queries --------------------------------------------------------------------------------------


def answers_of(version: ModelVersion) -> QuerySet[VersionAnswer]:
    """Return a version's answers to the drawings that it, or any other, was run over."""
    return VersionAnswer.objects.filter(version=version)


def versions_with_answers() -> QuerySet[ModelVersion]:
    """Return the versions that have answers, their own or copied by another one's recheck."""
    run = VersionAnswer.objects.filter(version=OuterRef("pk"))
    return ModelVersion.objects.only("name").filter(Exists(run))


def changes_between(*, one: ModelVersion, other: ModelVersion) -> QuerySet[Prediction]:
    """Return the drawings that both versions have answered, and differently.

    Each has ``one_digit``, ``one_verdict``, ``one_confidence`` and ``other_digit``,
    ``other_verdict``, ``other_confidence``; the bytes of drawings and models are not loaded.
    """
    return differing(drawings=Prediction.objects.without_bytes(), one=one, other=other)


def differing(
    *, drawings: QuerySet[Prediction], one: ModelVersion, other: ModelVersion
) -> QuerySet[Prediction]:
    """Filter and annotate drawings as `changes_between` does."""
    return _answered_by(drawings, one=one, other=other).filter(_differs("one_", "other_"))


def broken(*, one: ModelVersion, other: ModelVersion) -> QuerySet[Prediction]:
    """Return the labelled drawings that only ``one`` recognises, as `changes_between` does."""
    return changes_between(one=one, other=other).filter(correct("one_"), misclassified("other_"))


def changes_by_label(*, one: ModelVersion, other: ModelVersion) -> list[LabelChanges]:
    """Return the labels of which any drawing is fixed or broken."""
    both = _answered_by(Prediction.objects.labelled(), one=one, other=other)
    rows: Iterable[Any] = (
        both.filter(_differs("one_", "other_"))
        .order_by()
        .values("label")
        .annotate(**_counts("one_", "other_"))
        .order_by("label")
    )
    return [
        LabelChanges(row["label"], row["fixed"], row["broken"])
        for row in rows
        if row["fixed"] or row["broken"]
    ]


def summary(*, one: ModelVersion, other: ModelVersion) -> Comparison:
    # Avoids the table of the drawings as far as possible: its rows are long.
    n = answers_of(one).filter(Exists(answers_of(other).filter(prediction=OuterRef("prediction"))))
    labelled = Prediction.objects.labelled().filter(
        *(Exists(answers_of(each).filter(prediction=OuterRef("pk"))) for each in (one, other))
    )
    changed = differing(drawings=Prediction.objects.all(), one=one, other=other)
    return _comparison(n.count(), labelled.count(), changed, "one_", "other_")


def transitions(*, one: ModelVersion, other: ModelVersion) -> list[Transition]:
    """Return how the answers of two versions differ, the most frequent change first."""
    both = _answered_by(Prediction.objects.all(), one=one, other=other)
    return _transitions(both, "one_", "other_")


def would_change(*, version: ModelVersion, drawings: QuerySet[Prediction]) -> QuerySet[Prediction]:
    """Return the drawings that a version answers differently than originally.

    Each has ``new_digit``, ``new_verdict`` and ``new_confidence``.
    """
    # A subquery, not a join, so that the first page of a list needs only its own rows.
    answer = answers_of(version).filter(prediction=OuterRef("pk"))
    return (
        drawings.annotate(
            new_digit=Subquery(answer.values("digit")),
            new_verdict=Subquery(answer.values("verdict")),
            new_confidence=Subquery(answer.values("confidence")),
        )
        .filter(new_digit__isnull=False)
        .filter(_differs("", "new_"))
    )


def would_change_by(*, version: ModelVersion, drawings: QuerySet[Prediction]) -> Comparison:
    """Compare the drawings' original answers with those of a version."""
    answered = _answered_by(drawings.order_by(), new=version)
    counts = answered.aggregate(n=Count("pk"), labelled=Count("label"))
    changed = answered.filter(_differs("", "new_"))
    return _comparison(counts["n"], counts["labelled"], changed, "", "new_")


def transitions_by(*, version: ModelVersion, drawings: QuerySet[Prediction]) -> list[Transition]:
    """Return how a version's answers differ from the original ones, the most frequent first."""
    return _transitions(_answered_by(drawings, new=version), "", "new_")


def _answered_by(drawings: QuerySet[Prediction], **versions: ModelVersion) -> QuerySet[Prediction]:
    """Join the versions' answers by these names; only drawings that all of them have answered."""
    for name, version in versions.items():
        joined = FilteredRelation("other_answers", condition=Q(other_answers__version=version))
        drawings = drawings.annotate(**{f"by_{name}": joined}).filter(
            **{f"by_{name}__isnull": False}
        )
        drawings = drawings.annotate(
            **{
                f"{name}_{field}": F(f"by_{name}__{field}")
                for field in ("digit", "verdict", "confidence")
            }
        )
    return drawings


def _differs(old: str, new: str) -> Q:
    """The condition that two answers differ, each given by the prefix of its columns."""
    one_rejects = (rejected(old) & ~rejected(new)) | (~rejected(old) & rejected(new))
    return ~Q(**{f"{old}digit": F(f"{new}digit")}) | one_rejects


def _counts(old: str, new: str) -> dict[str, Count]:
    return {
        "fixed": Count("pk", filter=misclassified(old) & correct(new)),
        "broken": Count("pk", filter=correct(old) & misclassified(new)),
    }


def _comparison(
    n: int, labelled: int, changed: QuerySet[Prediction], old: str, new: str
) -> Comparison:
    counts = changed.order_by().aggregate(changed=Count("pk"), **_counts(old, new))
    return Comparison(n=n, labelled=labelled, same=n - counts["changed"], **counts)


def _transitions(drawings: QuerySet[Prediction], old: str, new: str) -> list[Transition]:
    rows: Iterable[Any] = (
        drawings.filter(_differs(old, new))
        .order_by()
        .annotate(from_label=answer_label_column(old), to_label=answer_label_column(new))
        .values("from_label", "to_label")
        .annotate(n=Count("pk"), **_counts(old, new))
        .order_by("-n", "from_label", "to_label")
    )
    return [
        Transition(
            Label(row["from_label"]), Label(row["to_label"]), row["n"], row["fixed"], row["broken"]
        )
        for row in rows
    ]
