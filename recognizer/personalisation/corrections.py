"""What a person says of their own drawings, and what the site remembers of it for that person.

A suggestion is never a label: only a reviewer's is. But the person's own next drawing is read by
it at once, with no training, and nobody else's is: see `neighbours`.
"""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

import numpy as np
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from recognizer.inference import embeddings, personal_posterior
from recognizer.inference.classifier import Answer
from recognizer.models import (
    Label,
    MemorySwitchedOff,
    ModelVersion,
    Owner,
    Prediction,
    RememberedDrawing,
)
from recognizer.personalisation import retrieval
from recognizer.versions import active as active_version


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


def _of(owner: Owner) -> QuerySet[RememberedDrawing]:
    return owner.filter(RememberedDrawing.objects.all())


def _switched_off(owner: Owner) -> QuerySet[MemorySwitchedOff]:
    return owner.filter(MemorySwitchedOff.objects.all())


# What a person says -----------------------------------------------------------------------------


def suggest(*, prediction_id: UUID, label: int, owner: Owner) -> Prediction:
    """Keep what a person says of their own drawing, and remember it for them; return the drawing.

    Said anew it replaces what was said before. Where their memory is off nothing new is
    remembered. The reviewer's label is never touched.

    Raises:
        Prediction.DoesNotExist: there is no such drawing of this person.
        ValueError: `label` is none of `Label`.
    """
    value = Label(label).value
    with transaction.atomic():
        prediction = _own(prediction_id, owner)
        prediction.suggestion = value
        prediction.save(update_fields=["suggestion"])
        known = RememberedDrawing.objects.filter(prediction=prediction)
        if not known.update(label=value, remembered_at=timezone.now()):
            _remember(prediction, value, owner)
    return prediction


def withdraw(*, prediction_id: UUID, owner: Owner) -> None:
    """Take back what a person said of their own drawing, and forget it.

    Raises:
        Prediction.DoesNotExist: there is no such drawing of this person.
    """
    with transaction.atomic():
        prediction = _own(prediction_id, owner)
        prediction.suggestion = None
        prediction.save(update_fields=["suggestion"])
        RememberedDrawing.objects.filter(prediction=prediction).delete()


def _own(prediction_id: UUID, owner: Owner) -> Prediction:
    """Return the person's own drawing, held until the transaction ends.

    Held, two suggestions for one drawing come one after the other: the second finds what the
    first has remembered.
    """
    rows = Prediction.objects.without_bytes().select_for_update(of=("self",))
    return owner.filter(rows).get(pk=prediction_id)


def _remember(prediction: Prediction, label: int, owner: Owner) -> None:
    if _switched_off(owner).exists():
        return
    embedding, version = prediction.embedding, prediction.model_version
    if embedding is None:
        # A drawing of before embeddings were kept.
        try:
            current = active_version.current_classifier()
        except active_version.NoModel:
            return
        embedding, version = retrieval.embedded(prediction, current.classifier), current.version
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
    oldest = _of(owner).order_by("-remembered_at", "-pk")[retrieval.MOST_REMEMBERED :]
    beyond = list(oldest.values_list("pk", flat=True))
    if beyond:
        RememberedDrawing.objects.filter(pk__in=beyond).delete()


# The switch -------------------------------------------------------------------------------------


def state(*, owner: Owner) -> State:
    """Return whether this person's memory is on, and how many drawings it holds."""
    return State(enabled=not _switched_off(owner).exists(), count=_of(owner).count())


def switch(*, enabled: bool, owner: Owner) -> None:
    """Switch a person's memory on or off; what it holds stays until it is forgotten.

    Raises:
        ValueError: there is neither a user nor a visitor.
    """
    if owner.is_nobody:
        raise ValueError("Nobody has no memory.")
    if enabled:
        _switched_off(owner).delete()
    else:
        off = MemorySwitchedOff(**owner.columns)
        MemorySwitchedOff.objects.bulk_create([off], ignore_conflicts=True)


def forget(*, owner: Owner) -> int:
    """Forget every drawing remembered for this person; return how many there were.

    What they said of the drawings stays for the reviewer.
    """
    return _of(owner).delete()[0]


def claim(*, user: User, visitor: UUID) -> None:
    """Hand a visitor's memory to the account they have logged in to.

    Off stays off, whichever of the two was.
    """
    with transaction.atomic():
        if RememberedDrawing.objects.filter(visitor=visitor).update(user=user, visitor=None):
            _forget_the_oldest(Owner(user=user))
        if MemorySwitchedOff.objects.filter(visitor=visitor).delete()[0]:
            switch(enabled=False, owner=Owner(user=user))


# The personal answer ----------------------------------------------------------------------------


def personal_answer(
    *, answer: Answer, version: ModelVersion, owner: Owner
) -> PersonalAnswer | None:
    """Return the answer by this person's own remembered drawings; None where the network's stands.

    One query, but for the first predictions after another version was activated: embeddings of
    two networks can't be compared, so the remembered drawings pass through the new one.

    Args:
        answer: what the network says of the person's new drawing.
        version: the version that says it.

    Raises:
        serving.NoModel: no model version can answer.
    """
    rows = retrieval.recall(owner=owner, version=version)
    if all(row.pk is None for row in rows) or embeddings.pack(answer.embedding) is None:
        return None
    current = active_version.current_classifier()
    if current.version.pk != version.pk:
        # Another version was activated since the network answered: this once that stands.
        return None
    rows = retrieval.comparable(rows, current)
    if not rows:
        return None
    witnesses = personal_posterior.Witnesses(
        embeddings=embeddings.unpack_many([row.embedding for row in rows]),
        labels=np.array([row.label for row in rows]),
        said=np.array([row.pk is not None for row in rows]),
    )
    personal = personal_posterior.mix(answer, current.classifier.calibration, witnesses)
    if personal is None:
        return None
    return PersonalAnswer(personal.answer, rows[personal.decided_by].prediction_id)
