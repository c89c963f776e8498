"""Recognising a drawing: the answer to it, and the row that keeps both."""

from __future__ import annotations

import random
import uuid
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac

from recognizer import imaging
from recognizer.inference.classifier import Answer
from recognizer.models import Owner, Prediction, answer_columns, personal_columns
from recognizer.personalisation import answers, corrections
from recognizer.personalisation.answers import PersonalAnswer
from recognizer.versions import active as active_version
from recognizer.versions.loading import LoadedVersion

# From the operating system: earlier draws don't tell the next ones.
_random = random.SystemRandom()

AUDITED_SHARE = 0.05
"""The share of all drawings that is in the random audit sample."""


@dataclass(frozen=True)
class Preview:
    """An answer to a drawing that is not stored.

    ``network`` is the network's own answer; ``personal`` stands in its place if it is not None.
    """

    drawing: imaging.Drawing
    model_input: imaging.Pixels
    ink_box: imaging.InkBox
    network: Answer
    personal: PersonalAnswer | None
    loaded: LoadedVersion

    @property
    def given(self) -> Answer:
        return self.network if self.personal is None else self.personal.answer

    @property
    def is_personal(self) -> bool:
        return self.personal is not None

    @property
    def remembered_id(self) -> UUID | None:
        return None if self.personal is None else self.personal.remembered_id


NOBODY = Owner()


def preview(*, data: bytes | imaging.PenStrokes, owner: Owner = NOBODY) -> Preview:
    """Read an image file, or draw strokes, and answer; nothing is stored.

    Raises:
        imaging.ImageError: the bytes can't be used as a drawing.
        active.NoModel: no model version can answer.
    """
    drawing = imaging.read_drawing(data) if isinstance(data, bytes) else data.drawing()
    seen = imaging.prepare(drawing)
    loaded = active_version.current_version()
    network = loaded.classifier.classify(seen.pixels)
    return Preview(
        drawing=drawing,
        model_input=seen.pixels,
        ink_box=seen.ink_box,
        network=network,
        personal=answers.personal_answer(answer=network, loaded=loaded, owner=owner),
        loaded=loaded,
    )


def recognise(
    *, data: bytes | imaging.PenStrokes, source: str, owner: Owner, key: str | None = None
) -> Prediction:
    """Read an image file, or draw strokes, answer, and store the drawing with its answer.

    The owner's corrections of earlier drawings may decide the answer; the network's is stored too.
    If this owner has sent a drawing with the same `key` before, that one is returned.

    Raises:
        imaging.ImageError: the bytes can't be used as a drawing; nothing is stored.
        active.NoModel: no model version can answer; nothing is stored.
    """
    identifier = _identifier(key, owner)
    same = owner.filter(Prediction.objects.without_bytes()).filter(pk=identifier)
    if key is not None and (known := same.first()) is not None:
        return known
    found = preview(data=data, owner=owner)
    prediction = Prediction(
        id=identifier,
        image=found.drawing.to_png(),
        strokes=None if isinstance(data, bytes) else data.pack(),
        pixels_sha256=found.drawing.sha256(),
        audit_key=draw_audit_key(),
        model_version=found.loaded.version,
        source=source,
        **owner.columns,
        **answer_columns(found.network),
    )
    if found.personal is not None:
        prediction.remembered_id = found.personal.remembered_id
        for name, value in personal_columns(found.personal.answer).items():
            setattr(prediction, name, value)
    try:
        _insert(prediction)
    except IntegrityError:
        # The same key at the same time: the other request has stored it.
        if key is None or (known := same.first()) is None:
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
        # The remembered drawing was deleted in the meantime.
        prediction.remembered_id = None
        with transaction.atomic():
            prediction.save(force_insert=True)


def _identifier(key: str | None, owner: Owner) -> UUID:
    """Return a new id, or with a key the one that this owner's drawing with that key has."""
    if key is None:
        return uuid.uuid4()
    digest = salted_hmac("recognizer.idempotency", f"{owner} {key}", algorithm="sha256").digest()
    return UUID(bytes=digest[:16], version=4)


def draw_audit_key() -> float | None:
    """Draw a drawing's place in the random audit sample, in [0, 1), or None if it is not in it.

    One drawing in twenty is in the sample, whatever the drawing, and nobody can know or choose
    which: the draw is not made from anything that a visitor sees. Reviewers are given these in
    the order of their keys, which is a random one, and every other selection leaves them out: so
    the accuracy measured on them is unbiased.
    """
    draw = _random.random()
    return draw / AUDITED_SHARE if draw < AUDITED_SHARE else None


def claim_predictions(*, user: User, visitor: UUID) -> int:
    """Give a visitor's drawings and corrections to their account; return how many drawings."""
    with transaction.atomic():
        # The drawings first: a correction in progress locks one until it is remembered.
        count = Prediction.objects.filter(visitor=visitor).update(user=user, visitor=None)
        corrections.claim(user=user, visitor=visitor)
    return count
