"""Reviewers' labels: set, confirmed, undone and restored. Each change leaves a line of history."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from recognizer.models import Label, LabelEvent, Prediction, Via

# SQLite takes 999 values in one statement on old systems.
BATCH = 900

Drawings = QuerySet[Prediction] | Iterable[UUID]


class LabelConflict(ValueError):
    """The label is not what the reviewer saw: somebody else has set it meanwhile.

    ``prediction`` is the row as it is now, with ``labelled_by``.
    """

    def __init__(self, prediction: Prediction) -> None:
        super().__init__("Another reviewer has changed this label meanwhile.")
        self.prediction = prediction


@dataclass(frozen=True)
class Change:
    """One label before and after."""

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

    A drawing that carries this label already keeps who set it and when.

    Raises:
        ValueError: `label` is neither None nor one of `Label`.
    """
    value = None if label is None else Label(label).value
    with transaction.atomic():
        changes = [Change(row.pk, row.label, value) for row in locked(predictions)]
        return _apply(changes, by=by, via=via, batch=batch)


def confirm_predictions(
    *, predictions: Drawings, by: User, via: Via = Via.ADMIN, batch: UUID | None = None
) -> int:
    """Label each drawing with what the network answered; return how many changed.

    That is the digit it read, or "not a digit" where it refused.
    """
    with transaction.atomic():
        changes = [
            Change(row.pk, row.label, row.answered_label.value) for row in locked(predictions)
        ]
        return _apply(changes, by=by, via=via, batch=batch)


def label_each(
    *, labels: Mapping[UUID, int], by: User, via: Via, batch: UUID | None = None
) -> tuple[list[Change], list[UUID]]:
    """Label drawings that have no label yet, each with its own.

    Return what changed, and the drawings left alone: somebody has labelled them otherwise
    meanwhile, or they are gone. A drawing that carries its label already is neither.

    Raises:
        ValueError: a label is not one of `Label`.
    """
    wanted = {pk: Label(label).value for pk, label in labels.items()}
    with transaction.atomic():
        rows = {row.pk: row for row in locked(wanted)}
        changes = [Change(pk, None, wanted[pk]) for pk, row in rows.items() if row.label is None]
        _apply(changes, by=by, via=via, batch=batch)
    left_alone = [
        pk for pk, label in wanted.items() if pk not in rows or rows[pk].label not in (None, label)
    ]
    return changes, left_alone


def label_one(
    *,
    prediction_id: UUID,
    label: int | None,
    seen: int | None,
    by: User,
    via: Via,
    batch: UUID | None = None,
) -> Change:
    """Set, or clear, the label of a drawing whose label the reviewer saw as ``seen``.

    By way of the audit the drawing counts as audited from now on, also where its label was there
    already and is confirmed.

    Raises:
        LabelConflict: the label is another one than ``seen`` and than the one to be set.
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
    """Take back changes; return what was taken back, and the drawings left alone.

    A drawing that somebody has labelled anew since is left alone. A label that an audit set is
    not audited any more.
    """
    wanted = {change.prediction_id: change for change in changes}
    with transaction.atomic():
        rows = locked(wanted)
        back = [
            Change(row.pk, row.label, wanted[row.pk].old)
            for row in rows
            if row.label == wanted[row.pk].new
        ]
        _apply(back, by=by, via=Via.UNDO, batch=batch)
        for ids in _batches([change.prediction_id for change in back]):
            Prediction.objects.filter(pk__in=ids, audited_at__isnull=False).update(audited_at=None)
    kept = {change.prediction_id for change in back}
    return back, [pk for pk in wanted if pk not in kept]


def changes_of(batch: UUID) -> list[Change]:
    """Return the changes that were made as one and still are the last of their drawings.

    What has been taken back or changed again since is not among them.
    """
    later = LabelEvent.objects.filter(prediction=OuterRef("prediction"), pk__gt=OuterRef("pk"))
    events = LabelEvent.objects.filter(~Exists(later), batch=batch).exclude(via=Via.UNDO)
    return [Change(event.prediction_id, event.old, event.new) for event in events.order_by("pk")]


def restore(*, event: LabelEvent, seen: int | None, by: User, before: bool = False) -> Change:
    """Give a drawing the label again that this line of its history set, or the one before it.

    ``seen`` is the label that the reviewer saw the drawing carry.

    Raises:
        LabelConflict: somebody has set another label meanwhile.
        Prediction.DoesNotExist: the drawing is gone.
    """
    return label_one(
        prediction_id=event.prediction_id,
        label=event.old if before else event.new,
        seen=seen,
        by=by,
        via=Via.RESTORE,
    )


def log_imported(*, predictions: Sequence[Prediction], by: User | None, batch: UUID) -> None:
    """Write the first line of history of drawings that were stored with their labels."""
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


def locked(predictions: Drawings) -> list[Prediction]:
    """Return the rows, without bytes, held until the transaction ends."""
    if isinstance(predictions, QuerySet):
        ids = list(predictions.order_by().values_list("pk", flat=True))
    else:
        ids = list(predictions)
    rows: list[Prediction] = []
    # In the order of the ids, so that two reviewers never wait for each other in a circle.
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
    """Write the changes that change something, with their history; return how many."""
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
            Prediction.objects.filter(pk__in=some).update(label=label, **dated)
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
    return len(real)


def _batches(ids: Sequence[UUID]) -> Iterable[Sequence[UUID]]:
    return (ids[start : start + BATCH] for start in range(0, len(ids), BATCH))
