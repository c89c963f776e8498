"""What a person says about their own drawings, and personal learning: on, off, forgotten.

A suggestion is never a label: only a reviewer's is. But it changes how that person's next drawings
are recognised, at once and without training, and nobody else's: see `answers`.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from recognizer.models import (
    Label,
    MemorySwitchedOff,
    Owner,
    Prediction,
    RememberedDrawing,
    validate_number,
)
from recognizer.personalisation import answers
from recognizer.versions import active as active_version


@dataclass(frozen=True)
class State:
    enabled: bool
    count: int


def _remembered(owner: Owner) -> QuerySet[RememberedDrawing]:
    return owner.filter(RememberedDrawing.objects.all())


def _switched_off(owner: Owner) -> QuerySet[MemorySwitchedOff]:
    return owner.filter(MemorySwitchedOff.objects.all())


# Corrections ------------------------------------------------------------------------------------


def suggest(*, prediction_id: UUID, label: int, owner: Owner) -> Prediction:
    """Store what the owner says their drawing shows, and remember it; return the drawing.

    It replaces what they said before. If personal learning is off nothing new is remembered. The
    reviewer's label is never touched.

    Raises:
        Prediction.DoesNotExist: the owner has no such drawing.
        ValueError: `label` is none of `Label`.
    """
    value = Label(label).value
    with transaction.atomic():
        prediction = _locked(prediction_id, owner)
        prediction.suggestion, prediction.number_suggestion = value, ""
        prediction.save(update_fields=["suggestion", "number_suggestion"])
        known = RememberedDrawing.objects.filter(prediction=prediction)
        if not known.update(label=value, remembered_at=timezone.now()):
            _remember(prediction, value, owner)
    return prediction


def suggest_number(*, prediction_id: UUID, number: str, owner: Owner) -> Prediction:
    """Store which number the owner says their drawing shows; return the drawing.

    It replaces what they said before. Nothing is remembered: that decides about single digits.

    Raises:
        Prediction.DoesNotExist: the owner has no such drawing.
        django.core.exceptions.ValidationError: it is not a number of two to eight digits.
    """
    validate_number(number)
    with transaction.atomic():
        prediction = _locked(prediction_id, owner)
        prediction.suggestion, prediction.number_suggestion = None, number
        prediction.save(update_fields=["suggestion", "number_suggestion"])
        RememberedDrawing.objects.filter(prediction=prediction).delete()
    return prediction


def withdraw(*, prediction_id: UUID, owner: Owner) -> None:
    """Delete what the owner said of their drawing, and forget it.

    Raises Prediction.DoesNotExist if the owner has no such drawing.
    """
    with transaction.atomic():
        prediction = _locked(prediction_id, owner)
        prediction.suggestion, prediction.number_suggestion = None, ""
        prediction.save(update_fields=["suggestion", "number_suggestion"])
        RememberedDrawing.objects.filter(prediction=prediction).delete()


def _locked(prediction_id: UUID, owner: Owner) -> Prediction:
    """Return the owner's drawing, locked until the transaction ends.

    So two suggestions for one drawing come one after the other: the second finds what the first
    has remembered.
    """
    rows = Prediction.objects.without_bytes().select_for_update(of=("self",))
    return owner.filter(rows).get(pk=prediction_id)


def _remember(prediction: Prediction, label: int, owner: Owner) -> None:
    if _switched_off(owner).exists():
        return
    embedding, version = prediction.embedding, prediction.model_version
    if embedding is None:
        # The drawing is older than the column, or the network's embedding had no direction.
        try:
            loaded = active_version.current_version()
        except active_version.NoModel:
            return
        embedding, version = answers.embed(prediction, loaded.classifier), loaded.version
    if embedding is None:
        return
    RememberedDrawing.objects.create(
        prediction=prediction,
        label=label,
        embedding=embedding,
        model_version=version,
        **owner.columns,
    )
    _forget_the_oldest(owner)


def _forget_the_oldest(owner: Owner) -> None:
    newest_first = _remembered(owner).order_by("-remembered_at", "-pk")
    beyond = list(newest_first[answers.MOST_REMEMBERED :].values_list("pk", flat=True))
    if beyond:
        RememberedDrawing.objects.filter(pk__in=beyond).delete()


# Personal learning ------------------------------------------------------------------------------


def state(*, owner: Owner) -> State:
    return State(enabled=not _switched_off(owner).exists(), count=_remembered(owner).count())


def switch(*, enabled: bool, owner: Owner) -> None:
    """Turn personal learning on or off; what is remembered stays until it is forgotten.

    Raises ValueError if the owner is nobody.
    """
    if owner.is_nobody:
        raise ValueError("Personal learning needs a user or a visitor.")
    if enabled:
        _switched_off(owner).delete()
    else:
        off = MemorySwitchedOff(**owner.columns)
        MemorySwitchedOff.objects.bulk_create([off], ignore_conflicts=True)


def forget(*, owner: Owner) -> int:
    """Forget all remembered drawings, return how many; the suggestions stay for the reviewer."""
    return _remembered(owner).delete()[0]


def claim(*, user: User, visitor: UUID) -> None:
    """Give what is remembered for a visitor to the account they have logged in to.

    Personal learning is off then if it was off for either of the two.
    """
    with transaction.atomic():
        if RememberedDrawing.objects.filter(visitor=visitor).update(user=user, visitor=None):
            _forget_the_oldest(Owner(user=user))
        if MemorySwitchedOff.objects.filter(visitor=visitor).delete()[0]:
            switch(enabled=False, owner=Owner(user=user))
