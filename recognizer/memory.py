"""What a person says of their own drawings, and what the site remembers of it for that person.

A suggestion is never a label: only a reviewer's is. But the person's own next drawing is read by
it at once: see `neighbours`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from uuid import UUID

import numpy as np
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, QuerySet
from django.utils import timezone

from recognizer import embeddings, neighbours
from recognizer.classifier import Answer
from recognizer.models import (
    Label,
    MemorySwitchedOff,
    ModelVersion,
    Prediction,
    RememberedDrawing,
)

MOST_REMEMBERED = 200
"""Drawings remembered for one person; beyond these the oldest are forgotten."""


@dataclass(frozen=True)
class State:
    """Whether a person's memory is on, and how many drawings it holds."""

    enabled: bool
    count: int


@dataclass(frozen=True)
class PersonalAnswer:
    """What is answered in place of the network's answer, and the drawing that decided it."""

    answer: Answer
    remembered_id: UUID


def _owner(user: User | None, visitor: UUID | None) -> dict[str, Any] | None:
    """Return the columns that tell a person's rows; None for nobody."""
    if user is not None:
        return {"user": user, "visitor": None}
    if visitor is not None:
        return {"user": None, "visitor": visitor}
    return None


def _of(user: User | None, visitor: UUID | None) -> QuerySet[RememberedDrawing]:
    if user is not None:
        return RememberedDrawing.objects.filter(user=user)
    if visitor is not None:
        return RememberedDrawing.objects.filter(visitor=visitor)
    return RememberedDrawing.objects.none()


def _switched_off(user: User | None, visitor: UUID | None) -> QuerySet[MemorySwitchedOff]:
    if user is not None:
        return MemorySwitchedOff.objects.filter(user=user)
    if visitor is not None:
        return MemorySwitchedOff.objects.filter(visitor=visitor)
    return MemorySwitchedOff.objects.none()


# What a person says -----------------------------------------------------------------------------


def suggest(
    *, prediction_id: UUID, label: int, user: User | None, visitor: UUID | None
) -> Prediction:
    """Keep what a person says of their own drawing, and remember it for them; return the drawing.

    Said anew it replaces what was said before. Where their memory is off nothing new is
    remembered. The reviewer's label is never touched.

    Raises:
        Prediction.DoesNotExist: there is no such drawing of this person.
        ValueError: `label` is none of `Label`.
    """
    value = Label(label).value
    with transaction.atomic():
        prediction = _own(prediction_id, user, visitor)
        prediction.suggestion = value
        prediction.save(update_fields=["suggestion"])
        known = RememberedDrawing.objects.filter(prediction=prediction)
        if not known.update(label=value, remembered_at=timezone.now()):
            _remember(prediction, value, user, visitor)
    return prediction


def withdraw(*, prediction_id: UUID, user: User | None, visitor: UUID | None) -> None:
    """Take back what a person said of their own drawing, and forget it.

    Raises:
        Prediction.DoesNotExist: there is no such drawing of this person.
    """
    with transaction.atomic():
        prediction = _own(prediction_id, user, visitor)
        prediction.suggestion = None
        prediction.save(update_fields=["suggestion"])
        RememberedDrawing.objects.filter(prediction=prediction).delete()


def _own(prediction_id: UUID, user: User | None, visitor: UUID | None) -> Prediction:
    """Return the person's own drawing, held until the transaction ends."""
    owner = _owner(user, visitor)
    if owner is None:
        raise Prediction.DoesNotExist("Nobody has no drawings.")
    return (
        Prediction.objects.select_for_update(of=("self",))
        .without_bytes()
        .filter(**{name: value for name, value in owner.items() if value is not None})
        .get(pk=prediction_id)
    )


def _remember(prediction: Prediction, label: int, user: User | None, visitor: UUID | None) -> None:
    owner = _owner(user, visitor)
    if owner is None or _switched_off(user, visitor).exists():
        return
    packed, version = prediction.embedding, prediction.model_version
    if packed is None:
        return
    RememberedDrawing.objects.create(
        prediction=prediction, label=label, embedding=packed, model_version=version, **owner
    )
    oldest = _of(user, visitor).order_by("-remembered_at", "-pk")[MOST_REMEMBERED:]
    beyond = list(oldest.values_list("pk", flat=True))
    if beyond:
        RememberedDrawing.objects.filter(pk__in=beyond).delete()


# The switch -------------------------------------------------------------------------------------


def state(*, user: User | None, visitor: UUID | None) -> State:
    """Return whether this person's memory is on, and how many drawings it holds."""
    return State(
        enabled=not _switched_off(user, visitor).exists(), count=_of(user, visitor).count()
    )


def switch(*, enabled: bool, user: User | None, visitor: UUID | None) -> None:
    """Switch a person's memory on or off; what it holds stays until it is forgotten."""
    owner = _owner(user, visitor)
    if owner is None:
        raise ValueError("Nobody has no memory.")
    if enabled:
        _switched_off(user, visitor).delete()
    else:
        MemorySwitchedOff.objects.bulk_create([MemorySwitchedOff(**owner)], ignore_conflicts=True)


def forget(*, user: User | None, visitor: UUID | None) -> int:
    """Forget every drawing remembered for this person; return how many there were."""
    return _of(user, visitor).delete()[0]


def claim(*, user: User, visitor: UUID) -> None:
    """Hand a visitor's memory to the account they have logged in to; off stays off."""
    with transaction.atomic():
        RememberedDrawing.objects.filter(visitor=visitor).update(user=user, visitor=None)
        if MemorySwitchedOff.objects.filter(visitor=visitor).delete()[0]:
            switch(enabled=False, user=user, visitor=None)


# The personal answer ----------------------------------------------------------------------------


def personal_answer(
    *, answer: Answer, version: ModelVersion, user: User | None, visitor: UUID | None
) -> PersonalAnswer | None:
    """Return the answer by this person's own remembered drawings; None where the network's stands.

    One query.
    """
    rows = list(
        _of(user, visitor)
        .exclude(Exists(_switched_off(user, visitor)))
        .filter(model_version=version)
        .order_by("-remembered_at", "-pk")
        .values_list("prediction_id", "label", "embedding")[:MOST_REMEMBERED]
    )
    if not rows:
        return None
    vectors = np.stack([embeddings.unpack(bytes(packed)) for _, _, packed in rows])
    labels = np.array([label for _, label, _ in rows])
    found = neighbours.mix(answer, vectors, labels)
    return None if found is None else PersonalAnswer(found.answer, rows[found.nearest][0])
