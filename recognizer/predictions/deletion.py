"""Drawings that go: because who drew them wants it, or because their time is up.

A drawing that a reviewer has labelled has become training data. It stays, but nothing ties it to
the person any more: no account, no visitor's id, no memory.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.db import transaction

from recognizer.models import Owner, Prediction, PredictionQuerySet, RememberedDrawing

CHUNK = 500
"""Drawings removed in one transaction: a site must go on answering meanwhile."""


@dataclass(frozen=True)
class Removed:
    """How many drawings are gone from the database, and how many stay without their owner."""

    deleted: int = 0
    unlinked: int = 0

    def __add__(self, other: Removed) -> Removed:
        return Removed(self.deleted + other.deleted, self.unlinked + other.unlinked)


def remove_one(*, prediction_id: UUID, owner: Owner) -> Removed:
    """Remove one drawing of this person.

    Raises:
        Prediction.DoesNotExist: there is none, or it is somebody else's.
    """
    with transaction.atomic():
        own = owner.filter(Prediction.objects.filter(pk=prediction_id))
        ids = list(own.values_list("pk", flat=True))
        if not ids:
            raise Prediction.DoesNotExist(f"No drawing {prediction_id} of this person.")
        return _remove(ids)


def remove_all(*, owner: Owner) -> Removed:
    """Remove every drawing of this person."""
    return _remove_in_chunks(owner.filter(Prediction.objects.all()))


def purge(*, before: datetime) -> Removed:
    """Remove every drawing made before this time; labelled ones lose their owner only."""
    old = Prediction.objects.filter(created_at__lt=before)
    unlabelled = _remove_in_chunks(old.filter(label__isnull=True))
    owned = old.filter(label__isnull=False).exclude(user__isnull=True, visitor__isnull=True)
    return unlabelled + _remove_in_chunks(owned)


def _remove_in_chunks(drawings: PredictionQuerySet) -> Removed:
    removed = Removed()
    while True:
        with transaction.atomic():
            ids = list(drawings.order_by().values_list("pk", flat=True)[:CHUNK])
            if not ids:
                return removed
            removed += _remove(ids)


def _remove(ids: Sequence[UUID]) -> Removed:
    """Remove drawings within the caller's transaction; a label set meanwhile is seen."""
    rows = Prediction.objects.select_for_update().filter(pk__in=ids)
    labelled = list(rows.filter(label__isnull=False).values_list("pk", flat=True))
    RememberedDrawing.objects.filter(prediction__in=ids).delete()
    Prediction.objects.filter(remembered__in=ids).update(remembered=None)
    unlinked = Prediction.objects.filter(pk__in=labelled).update(user=None, visitor=None)
    gone = Prediction.objects.filter(pk__in=ids, label__isnull=True)
    deleted = gone.count()
    gone.delete()
    return Removed(deleted=deleted, unlinked=unlinked)
