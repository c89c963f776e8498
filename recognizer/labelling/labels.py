"""Setting, confirming, undoing and restoring labels. Each change is written to the history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from recognizer.labelling import opinions, suspects
from recognizer.models import Label, LabelEvent, Prediction, Via

# SQLite takes 999 values in one statement on old systems.
BATCH = 900

T = TypeVar("T")
Drawings = QuerySet[Prediction] | Iterable[UUID]


class LabelConflict(ValueError):
    """Another reviewer changed the label: ``prediction`` is the row now, with ``labelled_by``."""

    def __init__(self, prediction: Prediction) -> None:
        super().__init__("Another reviewer has changed this label in the meantime.")
        self.prediction = prediction


@dataclass(frozen=True)
class Change:
    prediction_id: UUID
    old: int | None
    new: int | None


def label_predictions(
    *,
    predictions: Drawings,
    label: int | None,
    by: User | None,
    via: Via = Via.ADMIN,
    batch: UUID | None = None,
) -> int:
    """Set the reviewer's label of many drawings, or clear it with None; return how many changed.

    A drawing that already has this label keeps its reviewer and time. Raises ValueError if `label`
    is neither None nor one of `Label`.
    """
    value = None if label is None else Label(label).value
    with transaction.atomic():
        changes = [Change(row.pk, row.label, value) for row in locked(predictions)]
        return _apply(changes, by=by, via=via, batch=batch)


def confirm_predictions(
    *, predictions: Drawings, by: User, via: Via = Via.ADMIN, batch: UUID | None = None
) -> int:
    """Label each drawing as predicted, a digit or "not a digit"; return how many changed."""
    with transaction.atomic():
        changes = [
            Change(row.pk, row.label, row.answered_label.value) for row in locked(predictions)
        ]
        return _apply(changes, by=by, via=via, batch=batch)


def label_each(
    *, labels: Mapping[UUID, int], by: User, via: Via, batch: UUID | None = None
) -> tuple[list[Change], list[UUID]]:
    """Label drawings that have no label yet, each with its own.

    Return the changes, and the drawings that were not labelled because they have a different label
    or were deleted. A drawing that already has its label is in neither list. Raises ValueError if a
    label is not one of `Label`.
    """
    wanted = {pk: Label(label).value for pk, label in labels.items()}
    with transaction.atomic():
        rows = {row.pk: row for row in locked(wanted)}
        changes = [Change(pk, None, wanted[pk]) for pk, row in rows.items() if row.label is None]
        _apply(changes, by=by, via=via, batch=batch)
    not_labelled = [
        pk for pk, label in wanted.items() if pk not in rows or rows[pk].label not in (None, label)
    ]
    return changes, not_labelled


def label_one(
    *,
    prediction_id: UUID,
    label: int | None,
    seen: int | None,
    by: User,
    via: Via,
    batch: UUID | None = None,
) -> Change:
    """Set or clear the label of a drawing; ``seen`` is the label that the reviewer saw.

    An audit marks the drawing as audited, even if it confirms the label that was there.

    Raises:
        LabelConflict: the stored label is neither ``seen`` nor ``label``.
        Prediction.DoesNotExist: there is no such drawing.
        ValueError: `label` is neither None nor one of `Label`.
    """
    value = None if label is None else Label(label).value
    with transaction.atomic():
        rows = locked([prediction_id])
        if not rows:
            raise Prediction.DoesNotExist(f"There is no drawing {prediction_id}.")
        (row,) = rows
        if row.label not in (seen, value):
            raise LabelConflict(
                Prediction.objects.without_bytes()
                .select_related("labelled_by")
                .get(pk=prediction_id)
            )
        change = Change(row.pk, row.label, value)
        audits = via is Via.AUDIT and value is not None and row.audit_key is not None
        _apply([change], by=by, via=via, batch=batch, log_unchanged=audits)
        if audits:
            Prediction.objects.filter(pk=prediction_id).update(audited_at=timezone.now())
    return change


def undo(
    *, changes: Sequence[Change], by: User, batch: UUID | None = None
) -> tuple[list[Change], list[UUID]]:
    """Undo changes; return what was undone, and the drawings whose label has changed since.

    Those keep their label. Undoing an audit also clears its time.
    """
    wanted = {change.prediction_id: change for change in changes}
    with transaction.atomic():
        rows = locked(wanted)
        undone = [
            Change(row.pk, row.label, wanted[row.pk].old)
            for row in rows
            if row.label == wanted[row.pk].new
        ]
        _apply(undone, by=by, via=Via.UNDO, batch=batch)
        for ids in _batches([change.prediction_id for change in undone]):
            Prediction.objects.filter(pk__in=ids, audited_at__isnull=False).update(audited_at=None)
    undone_ids = {change.prediction_id for change in undone}
    return undone, [pk for pk in wanted if pk not in undone_ids]


def changes_of(batch: UUID) -> list[Change]:
    """Return the changes of a batch that have not been undone or overwritten since."""
    later = LabelEvent.objects.filter(prediction=OuterRef("prediction"), pk__gt=OuterRef("pk"))
    events = LabelEvent.objects.filter(~Exists(later), batch=batch).exclude(via=Via.UNDO)
    return [Change(event.prediction_id, event.old, event.new) for event in events.order_by("pk")]


def restore(*, event: LabelEvent, seen: int | None, by: User, before: bool = False) -> Change:
    """Restore the label that this event set, or the one before it.

    ``seen`` is the label that the reviewer saw.

    Raises:
        LabelConflict: another reviewer has changed the label since.
        Prediction.DoesNotExist: the drawing was deleted.
    """
    return label_one(
        prediction_id=event.prediction_id,
        label=event.old if before else event.new,
        seen=seen,
        by=by,
        via=Via.RESTORE,
    )


def log_imported(*, predictions: Sequence[Prediction], by: User | None, batch: UUID) -> None:
    """Write the first event of drawings that were imported with labels."""
    now = timezone.now()
    LabelEvent.objects.bulk_create(
        [
            LabelEvent(
                prediction_id=row.pk,
                old=None,
                new=row.label,
                by=by,
                at=now,
                via=Via.IMPORT,
                batch=batch,
            )
            for row in predictions
        ]
    )
    opinions.ask_second([(row.pk, row.label) for row in predictions], by=by, imported=True)


def locked(predictions: Drawings) -> list[Prediction]:
    """Return the rows, without bytes, locked until the transaction ends."""
    if isinstance(predictions, QuerySet):
        ids = list(predictions.order_by().values_list("pk", flat=True))
    else:
        ids = list(predictions)
    rows: list[Prediction] = []
    # Sorted by id, so that two transactions can't deadlock.
    for batch in _batches(sorted(set(ids))):
        rows += (
            Prediction.objects.select_for_update()
            .filter(pk__in=batch)
            .only("digit", "verdict", "label", "audit_key")
            .order_by("pk")
        )
    return rows


def _apply(
    changes: Sequence[Change],
    *,
    by: User | None,
    via: Via,
    batch: UUID | None = None,
    log_unchanged: bool = False,
) -> int:
    """Write the changes whose label differs, with their history; return how many."""
    now = timezone.now()
    real = [change for change in changes if change.old != change.new]
    by_label: dict[int | None, list[UUID]] = {}
    for change in real:
        by_label.setdefault(change.new, []).append(change.prediction_id)
    for label, ids in by_label.items():
        dated = (
            {"labelled_by": None, "labelled_at": None, "audited_at": None}
            if label is None
            else {"labelled_by": by, "labelled_at": now}
        )
        for some in _batches(ids):
            Prediction.objects.filter(pk__in=some).update(label=label, number_label="", **dated)
    # A number is labelled "not a digit": with that label the labels of its digits end.
    numbers = [each.prediction_id for each in real if each.old == Label.NOT_A_DIGIT]
    for some in _batches(numbers):
        Prediction.objects.filter(part_of__in=some).delete()
    LabelEvent.objects.bulk_create(
        [
            LabelEvent(
                prediction_id=change.prediction_id,
                old=change.old,
                new=change.new,
                by=by,
                at=now,
                via=via,
                batch=batch,
            )
            for change in (changes if log_unchanged else real)
        ]
    )
    for some in _batches([change.prediction_id for change in real if change.old is not None]):
        suspects.forget(some)
        opinions.forget_wanted(some)
    for changed in _batches(real):
        new = [(change.prediction_id, change.new) for change in changed]
        opinions.ask_second(new, by=by, imported=via is Via.IMPORT)
    return len(real)


def _batches(items: Sequence[T]) -> Iterable[Sequence[T]]:
    return (items[start : start + BATCH] for start in range(0, len(items), BATCH))
