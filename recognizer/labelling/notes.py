"""Notes and flags, which reviewers leave on drawings for each other."""

from __future__ import annotations

from collections.abc import Iterable
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from recognizer.labelling import labels, opinions
from recognizer.models import Prediction, PredictionQuerySet, ReviewNote


def set_note(*, prediction_id: UUID, text: str, is_flagged: bool, by: User) -> None:
    """Set a drawing's note and flag; without either nothing is kept.

    Raises Prediction.DoesNotExist if the drawing was deleted.
    """
    with transaction.atomic():
        if not labels.locked([prediction_id]):
            raise Prediction.DoesNotExist
        said = ReviewNote.objects.filter(prediction=prediction_id)
        if not text and not is_flagged:
            said.delete()
        elif not said.filter(text=text, is_flagged=is_flagged).exists():
            now = {"text": text, "is_flagged": is_flagged, "by": by, "at": timezone.now()}
            ReviewNote.objects.update_or_create(prediction_id=prediction_id, defaults=now)


def clear_flag(prediction_id: UUID) -> None:
    """Take the flag away: somebody has looked. A note stays."""
    said = ReviewNote.objects.filter(prediction=prediction_id, is_flagged=True)
    said.filter(text="").delete()
    said.update(is_flagged=False)


def flagged() -> PredictionQuerySet:
    """Return the flagged drawings, the first ones first.

    Without those of the audit sample that are not audited yet.
    """
    found = Prediction.objects.filter(opinions.waits_for_no_audit(), note__is_flagged=True)
    return found.order_by("note__at", "id")


def of(ids: Iterable[UUID]) -> dict[UUID, ReviewNote]:
    """Return the notes of these drawings."""
    found = ReviewNote.objects.filter(prediction__in=list(ids)).select_related("by")
    return {each.prediction_id: each for each in found}
