"""What can be done. Everything that writes goes through here, each in one transaction."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac

from recognizer import imaging
from recognizer.inference import embeddings
from recognizer.inference.classifier import Answer
from recognizer.models import ModelVersion, Owner, Prediction
from recognizer.personalisation import corrections
from recognizer.predictions.audit_sample import audit_key
from recognizer.versions import active as active_version


@dataclass(frozen=True)
class Recognition:
    """An answer and what it was given for: the drawing, and the uint8 (28, 28) the model saw."""

    drawing: imaging.Drawing
    model_input: imaging.Pixels
    answer: Answer
    model_version: ModelVersion


def classify_bytes(data: bytes) -> Recognition:
    """Read an image file and answer; nothing is kept.

    Raises:
        imaging.ImageError: the bytes are no drawing that can be read.
        serving.NoModel: no model version can answer.
    """
    drawing = imaging.read_drawing(data)
    seen = imaging.model_input(drawing)
    current = active_version.current_classifier()
    return Recognition(
        drawing=drawing,
        model_input=seen,
        answer=current.classifier.classify(seen),
        model_version=current.version,
    )


@dataclass(frozen=True)
class Preview:
    """An answer to a drawing that is not kept: what is given, and what the network said."""

    recognition: Recognition
    given: Answer
    remembered_id: UUID | None
    ink_box: imaging.InkBox

    @property
    def network(self) -> Answer:
        """The network's own answer."""
        return self.recognition.answer

    @property
    def personal(self) -> bool:
        """Whether the person's own earlier corrections decided the answer."""
        return self.remembered_id is not None

    @property
    def model_version(self) -> str:
        """The name of the model version."""
        return self.recognition.model_version.name


def preview(*, data: bytes, owner: Owner) -> Preview:
    """Read an image file and answer as `recognise` does; nothing is kept.

    Raises:
        imaging.ImageError: the bytes are no drawing that can be read.
        serving.NoModel: no model version can answer.
    """
    found = classify_bytes(data)
    personal = corrections.personal_answer(
        answer=found.answer, version=found.model_version, owner=owner
    )
    return Preview(
        recognition=found,
        given=found.answer if personal is None else personal.answer,
        remembered_id=None if personal is None else personal.remembered_id,
        ink_box=imaging.ink_box(found.drawing),
    )


def recognise(
    *,
    data: bytes,
    source: str,
    owner: Owner,
    key: str | None = None,
) -> Prediction:
    """Read an image file, answer, and keep the drawing with its answer.

    The owner's corrections of earlier drawings may decide what they are answered; the network's
    answer is kept too. A drawing that this owner has sent with the same `key` already is returned
    as it was kept.

    Raises:
        imaging.ImageError: the bytes are no drawing that can be read; nothing is kept.
        serving.NoModel: no model version can answer; nothing is kept.
    """
    identifier = _identifier(key, owner)
    own = owner.filter(Prediction.objects.without_bytes())
    if key is not None:
        known = own.filter(pk=identifier).first()
        if known is not None:
            return known
    found = classify_bytes(data)
    answer = found.answer
    prediction = Prediction(
        id=identifier,
        image=found.drawing.to_png(),
        pixels_sha256=found.drawing.sha256(),
        audit_key=audit_key(identifier),
        digit=answer.digit,
        confidence=answer.confidence,
        probabilities=list(answer.probabilities),
        margin=answer.margin,
        verdict=answer.verdict.value,
        embedding=embeddings.pack(answer.embedding),
        model_version=found.model_version,
        source=source,
        **owner.columns,
    )
    personal = corrections.personal_answer(answer=answer, version=found.model_version, owner=owner)
    if personal is not None:
        prediction.personal_digit = personal.answer.digit
        prediction.personal_confidence = personal.answer.confidence
        prediction.personal_probabilities = list(personal.answer.probabilities)
        prediction.personal_verdict = personal.answer.verdict.value
        prediction.remembered_id = personal.remembered_id
    prediction.clean_fields(exclude=["model_version", "user", "remembered"])
    try:
        _insert(prediction)
    except IntegrityError:
        # The same key at the same time: the other request has kept it.
        known = own.filter(pk=identifier).first()
        if key is None or known is None:
            raise
        return known
    return prediction


def _insert(prediction: Prediction) -> None:
    try:
        with transaction.atomic():
            prediction.save(force_insert=True)
    except IntegrityError:
        if prediction.remembered_id is None:
            raise
        # The remembered drawing was deleted while this one was read.
        prediction.remembered_id = None
        with transaction.atomic():
            prediction.save(force_insert=True)


def _identifier(key: str | None, owner: Owner) -> UUID:
    """Return a new id, or with a key the one that this owner's drawing with that key has."""
    if key is None:
        return uuid.uuid4()
    digest = salted_hmac("recognizer.idempotency", f"{owner} {key}", algorithm="sha256").digest()
    return UUID(bytes=digest[:16], version=4)


def claim_predictions(*, user: User, visitor: UUID) -> int:
    """Hand a visitor's drawings, and what is remembered of them, to the account they have logged
    in to; return how many drawings.
    """
    with transaction.atomic():
        # The drawings first: a suggestion that is being made holds one until it is remembered.
        count = Prediction.objects.filter(visitor=visitor).update(user=user, visitor=None)
        corrections.claim(user=user, visitor=visitor)
    return count
