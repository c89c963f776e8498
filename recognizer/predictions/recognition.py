"""Recognising a drawing: the answer to it, and the row that keeps both."""

from __future__ import annotations

import random
import uuid
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db import IntegrityError, connection, transaction

from recognizer import imaging
from recognizer.inference.classifier import Answer, Classifier, Verdict
from recognizer.inference.numbers import Number, find_number
from recognizer.models import (
    Owner,
    Prediction,
    answer_columns,
    number_columns,
    parts_json,
    personal_columns,
)
from recognizer.personalisation import answers, corrections
from recognizer.personalisation.answers import PersonalAnswer
from recognizer.predictions.idempotency import IdempotencyKey
from recognizer.statistics import metrics
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
    ``number`` is what several digits give, if the drawing is not one digit.
    """

    drawing: imaging.Drawing
    model_input: imaging.Pixels
    ink_box: imaging.InkBox
    network: Answer
    personal: PersonalAnswer | None
    loaded: LoadedVersion
    number: Number | None = None

    @property
    def given(self) -> Answer:
        return self.network if self.personal is None else self.personal.answer

    @property
    def given_number(self) -> str | None:
        return None if self.number is None else self.number.text

    @property
    def number_confidence(self) -> float | None:
        return None if self.number is None else self.number.confidence

    @property
    def number_parts(self) -> list[dict[str, Any]]:
        return [] if self.number is None else parts_json(self.number)

    @property
    def is_personal(self) -> bool:
        return self.personal is not None

    @property
    def remembered_id(self) -> UUID | None:
        return None if self.personal is None else self.personal.remembered_id


NOBODY = Owner()

Sendable = bytes | imaging.PenStrokes
"""The bytes of an image file, or strokes."""


def preview(*, data: Sendable, owner: Owner = NOBODY) -> Preview:
    """Read an image file, or draw strokes, and answer; nothing is stored.

    Raises:
        imaging.ImageError: the bytes can't be used as a drawing.
        active.NoModel: no model version can answer.
    """
    (found,) = previews(data=[data], owner=owner)
    if isinstance(found, imaging.ImageError):
        raise found
    return found


def previews(
    *, data: Iterable[Sendable], owner: Owner = NOBODY
) -> list[Preview | imaging.ImageError]:
    """Do what `preview` does for several drawings, in their order.

    In the place of one that can't be used is its error. Raises active.NoModel.
    """
    sent = list(data)
    read = [_read(each) for each in sent]
    good = [each for each in read if not isinstance(each, imaging.ImageError)]
    loaded = active_version.current_version()
    network = loaded.classifier.classify_many([seen.pixels for _drawing, seen in good])
    personal = answers.personal_answers(answers=network, loaded=loaded, owner=owner)
    answered = zip(network, personal, strict=True)
    found: list[Preview | imaging.ImageError] = []
    for each, raw in zip(read, sent, strict=True):
        if isinstance(each, imaging.ImageError):
            found.append(each)
        else:
            drawing, seen = each
            answer, own = next(answered)
            given = answer if own is None else own.answer
            number = None
            if given.verdict is Verdict.NOT_A_DIGIT:
                number = _number(loaded.classifier, answer, drawing, raw)
            found.append(Preview(drawing, seen.pixels, seen.ink_box, answer, own, loaded, number))
    return found


def _number(
    classifier: Classifier, answer: Answer, drawing: imaging.Drawing, sent: Sendable
) -> Number | None:
    strokes = None if isinstance(sent, bytes) else sent
    return find_number(classifier, answer, drawing, strokes)


def _read(data: Sendable) -> tuple[imaging.Drawing, imaging.ModelInput] | imaging.ImageError:
    try:
        drawing = _drawing(data)
        return drawing, imaging.prepare(drawing)
    except imaging.ImageError as error:
        return error


def _drawing(data: Sendable) -> imaging.Drawing:
    return imaging.read_drawing(data) if isinstance(data, bytes) else data.drawing()


# Storing ----------------------------------------------------------------------------------------


class KeyReused(ValueError):
    """The key was sent before, with another drawing."""


@dataclass(frozen=True)
class Sent:
    """A drawing as it was sent: where from, and the key with which it is stored only once."""

    data: Sendable
    source: str
    key: IdempotencyKey | None = None


Refused = imaging.ImageError | KeyReused


def recognise(
    *, data: Sendable, source: str, owner: Owner, key: IdempotencyKey | None = None
) -> Prediction:
    """Read an image file, or draw strokes, answer, and store the drawing with its answer.

    The owner's corrections of earlier drawings may decide the answer; the network's is stored too.
    If the same drawing was sent with the same `key` before, that one is returned.

    Raises:
        imaging.ImageError: the bytes can't be used as a drawing; nothing is stored.
        KeyReused: another drawing was sent with the key; nothing is stored.
        active.NoModel: no model version can answer; nothing is stored.
    """
    (found,) = recognise_many(drawings=[Sent(data, source, key)], owner=owner)
    if not isinstance(found, Prediction):
        raise found
    return found


def recognise_many(*, drawings: Sequence[Sent], owner: Owner) -> list[Prediction | Refused]:
    """Do what `recognise` does for several drawings, in their order; they are stored together.

    In the place of one that is refused is its error. Raises active.NoModel; nothing is stored then.
    """
    results: list[Prediction | Refused | None] = [_known(sent) for sent in drawings]
    new = [place for place, result in enumerate(results) if result is None]
    found = previews(data=[drawings[place].data for place in new], owner=owner) if new else []
    rows: dict[int, Prediction] = {}
    for place, each in zip(new, found, strict=True):
        if isinstance(each, imaging.ImageError):
            results[place] = each
        else:
            rows[place] = _row(each, drawings[place], owner)
    if len(rows) < 2 or not _insert_together(list(rows.values())):
        for place, row in rows.items():
            results[place] = _insert(row, drawings[place])
    metrics.count_predictions(rows.values())
    return [result or rows[place] for place, result in enumerate(results)]


def _known(sent: Sent) -> Prediction | KeyReused | None:
    """Return the drawing that was stored with the same key; an error if it is another one."""
    if sent.key is None:
        return None
    known = sent.key.find()
    if known is None:
        return None
    return known if _is_same(known, sent.data) else KeyReused()


def _is_same(known: Prediction, data: Sendable) -> bool:
    """Whether the pixels that would be stored are those of a row; old rows have no hash of them."""
    if known.pixels_sha256 == "":
        return True
    read = _read(data)
    if isinstance(read, imaging.ImageError):
        return False
    drawing, seen = read
    return known.pixels_sha256 == imaging.for_storing(drawing, seen.pixels).drawing.sha256()


def _row(found: Preview, sent: Sent, owner: Owner) -> Prediction:
    identifier = uuid.uuid4() if sent.key is None else sent.key.identifier
    stored = imaging.for_storing(found.drawing, found.model_input)
    row = Prediction(
        id=identifier,
        image=stored.png,
        strokes=None if isinstance(sent.data, bytes) else sent.data.pack(),
        pixels_sha256=stored.drawing.sha256(),
        audit_key=draw_audit_key(),
        model_version=found.loaded.version,
        source=sent.source,
        **owner.columns,
        **answer_columns(found.network),
        **({} if found.number is None else number_columns(found.number)),
    )
    if found.personal is not None:
        row.remembered_id = found.personal.remembered_id
        for name, value in personal_columns(found.personal.answer).items():
            setattr(row, name, value)
    return row


def _insert_together(rows: Sequence[Prediction]) -> bool:
    """Insert all rows, or none if the database refuses one."""
    try:
        with transaction.atomic():
            Prediction.objects.bulk_create(rows)
    except IntegrityError:
        return False
    return True


def _insert(row: Prediction, sent: Sent) -> Prediction | KeyReused:
    try:
        _save(row)
    except IntegrityError:
        # The same key at the same time: the other request has stored it.
        if (known := _known(sent)) is not None:
            return known
        if sent.key is None and row.remembered_id is None:
            raise
        # The remembered drawing was deleted in the meantime, or the key is that of a drawing which
        # is now too old, or somebody else's.
        row.remembered_id = None
        row.pk = uuid.uuid4()
        _save(row)
    return row


def _save(row: Prediction) -> None:
    # An INSERT needs no transaction of its own, only a savepoint in another one.
    with transaction.atomic() if connection.in_atomic_block else nullcontext():
        row.save(force_insert=True)


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
