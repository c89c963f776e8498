"""Giving and undoing an opinion: see `opinions` for who is asked about what."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from recognizer.labelling import labels, opinions, suspects
from recognizer.models import Label, Opinion, OpinionKind, Prediction, Via


def give(*, opinion: Opinion, label: int, by: User, step: UUID) -> None:
    """Store an opinion, without overwriting the label.

    If it differs, another reviewer is asked, until two have given the same label; that one stands.
    Raises ValueError if ``label`` is not one of `Label`.
    """
    value = Label(label).value
    with transaction.atomic():
        row = (
            Prediction.objects.select_for_update()
            .only("label", "labelled_by", "labelled_at")
            .get(pk=opinion.prediction_id)
        )
        earlier = Opinion.objects.filter(prediction=row, label=value).exclude(kind=OpinionKind.OWN)
        is_majority = opinion.kind == OpinionKind.THIRD and earlier.exists()
        opinion.label, opinion.by, opinion.at, opinion.step = value, by, timezone.now(), step
        opinion.save(update_fields=["label", "by", "at", "step"])
        if value == row.label:
            if opinion.kind != OpinionKind.OWN:
                suspects.keep(row.pk)
        elif is_majority:
            labels.label_one(
                prediction_id=row.pk, label=value, seen=row.label, by=by, via=Via.QUEUE, batch=step
            )
        else:
            opinions.ask_third(row)


def undo(*, opinion: Opinion, by: User) -> None:
    """Ask for a given opinion again, and restore the label that it changed."""
    assert opinion.step is not None
    with transaction.atomic():
        labels.undo(changes=labels.changes_of(opinion.step), by=by, batch=opinion.step)
        wanted = Opinion.objects.filter(prediction=opinion.prediction_id, label__isnull=True)
        wanted.filter(kind__in=[opinion.kind, OpinionKind.THIRD]).delete()
        opinion.label = opinion.by = opinion.at = opinion.step = None
        opinion.save(update_fields=["label", "by", "at", "step"])
