"""Deleting drawings: because their owner wants it, or because they are old.

A drawing that a reviewer has labelled has become training data. It is kept but anonymised: without
its account, its visitor's id, the corrections remembered for them and its public link.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from recognizer.models import (
    NOT_SENT,
    Owner,
    Prediction,
    PredictionQuerySet,
    PublicLink,
    RememberedDrawing,
)

CHUNK = 500
"""Drawings deleted in one transaction: the site must go on answering between them."""


@dataclass(frozen=True)
class Removed:
    deleted: int = 0
    unlinked: int = 0

    def __add__(self, other: Removed) -> Removed:
        return Removed(self.deleted + other.deleted, self.unlinked + other.unlinked)


def remove_one(*, prediction_id: UUID, owner: Owner) -> Removed:
    """Delete or anonymise the owner's drawing; raises Prediction.DoesNotExist if not theirs."""
    with transaction.atomic():
        own = owner.filter(Prediction.objects.filter(pk=prediction_id))
        ids = list(own.values_list("pk", flat=True))
        if not ids:
            raise Prediction.DoesNotExist(f"No drawing {prediction_id} of {owner}.")
        return _remove(ids)


def remove_all(*, owner: Owner) -> Removed:
    """Delete every drawing of the owner, or anonymise it."""
    return _remove_in_chunks(owner.filter(Prediction.objects.all()))


def purge(*, before: datetime) -> Removed:
    """Delete every drawing made before this time; labelled ones are anonymised."""
    old = Prediction.objects.filter(created_at__lt=before)
    unlabelled = _remove_in_chunks(old.filter(label__isnull=True))
    owned = old.filter(label__isnull=False).exclude(user__isnull=True, visitor__isnull=True)
    return unlabelled + _remove_in_chunks(owned)


def purge_anonymous(*, before: datetime) -> Removed:
    """Delete unlabelled drawings without an account made before this time; imported ones stay."""
    old = Prediction.objects.filter(created_at__lt=before, user__isnull=True, label__isnull=True)
    return _remove_in_chunks(old.exclude(source__in=NOT_SENT))


def _remove_in_chunks(drawings: PredictionQuerySet) -> Removed:
    removed = Removed()
    while True:
        with transaction.atomic():
            ids = list(drawings.order_by().values_list("pk", flat=True)[:CHUNK])
            if not ids:
                return removed
            removed += _remove(ids)


def _remove(ids: Sequence[UUID]) -> Removed:
    """Delete or anonymise drawings in the caller's transaction; they are locked first."""
    rows = Prediction.objects.select_for_update().filter(pk__in=ids)
    labelled = list(rows.filter(label__isnull=False).values_list("pk", flat=True))
    RememberedDrawing.objects.filter(prediction__in=ids).delete()
    PublicLink.objects.filter(prediction__in=ids).delete()
    Prediction.objects.filter(remembered__in=ids).update(remembered=None)
    unlinked = Prediction.objects.filter(pk__in=labelled).update(user=None, visitor=None)
    gone = Prediction.objects.filter(pk__in=ids, label__isnull=True)
    deleted = gone.count()
    gone.delete()
    return Removed(deleted=deleted, unlinked=unlinked)
