"""The personal answer: a person's own earlier drawings, mixed with what the network says.

Two kinds of drawings count: the remembered ones, which the person has corrected or confirmed, and
the accepted ones, which were answered without doubt and not corrected. Embeddings of two networks
can't be compared, so the remembered drawings are embedded again when a version was activated.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

import numpy as np
from django.db import connection, transaction
from django.db.models import UUIDField

from recognizer import imaging
from recognizer.inference import embeddings, personal_posterior
from recognizer.inference.classifier import Answer, Classifier
from recognizer.models import MemorySwitchedOff, ModelVersion, Owner, Prediction, RememberedDrawing
from recognizer.versions.loading import LoadedVersion

logger = logging.getLogger(__name__)

MOST_REMEMBERED = 200
"""Drawings remembered for one person; beyond these the oldest are forgotten."""

LOOKED_BACK = 200
"""How many of a person's newest drawings are searched for accepted ones."""

EMBEDDED_AT_ONCE = 50
"""Remembered drawings that one prediction embeds again after another version was activated: some
0.1 s. If there are more, the next predictions embed the rest.
"""

_SMALL = 8192
"""Bytes of a drawing. Behind a larger one SQLite would read all of it to come to its embedding."""

# Every prediction asks this. Written out, since the ORM takes twice as long to put it together as
# the database to answer it, and to make two hundred UUIDs of which one is needed as long again.
_LOOKUP = """
    SELECT id, prediction_id, label, embedding, model_version_id FROM (
        SELECT id, prediction_id, label, embedding, model_version_id
        FROM {remembered}
        WHERE {owner} = %s AND NOT EXISTS (SELECT 1 FROM {switched_off} WHERE {owner} = %s)
        ORDER BY remembered_at DESC, id DESC
        LIMIT %s
    ) remembered
    UNION ALL
    SELECT NULL, id, COALESCE(personal_digit, digit), embedding, model_version_id FROM (
        SELECT id, digit, verdict, personal_digit, personal_verdict, suggestion, model_version_id,
            CASE WHEN LENGTH(image) <= %s THEN embedding END AS embedding
        FROM {prediction}
        WHERE {owner} = %s AND EXISTS (SELECT 1 FROM {remembered} WHERE {owner} = %s)
        ORDER BY created_at DESC
        LIMIT %s
    ) newest
    WHERE suggestion IS NULL AND model_version_id = %s AND embedding IS NOT NULL
        AND (personal_verdict = 'digit' OR (personal_verdict = '' AND verdict = 'digit'))
"""


@dataclass(frozen=True)
class PersonalAnswer:
    """What is answered in place of the network's answer, and the drawing that decided it."""

    answer: Answer
    remembered_id: UUID


class Earlier(NamedTuple):
    """An earlier drawing of the person.

    ``pk`` is that of its `RememberedDrawing`, None if it was only accepted; ``drawing`` its id as
    the database gives it; ``label`` what the person said or, if they said nothing, was answered.
    """

    pk: int | None
    drawing: str | UUID
    label: int
    embedding: bytes | memoryview
    model_version_id: int | None

    @property
    def prediction_id(self) -> UUID:
        return self.drawing if isinstance(self.drawing, UUID) else UUID(self.drawing)


def personal_answers(
    *, answers: Sequence[Answer], loaded: LoadedVersion, owner: Owner
) -> list[PersonalAnswer | None]:
    """Return the answers that the owner's corrections lead to, in the order of the network's.

    They are None where the network's answer stands. One query, but for the first predictions after
    another version was activated.
    """
    rows = earlier_drawings(owner=owner, version=loaded.version)
    if any(row.pk is not None for row in rows) and any(map(_has_direction, answers)):
        rows = _comparable(rows, loaded)
        if rows:
            return _mixed(answers, loaded, rows)
    return [None] * len(answers)


def _has_direction(answer: Answer) -> bool:
    return embeddings.has_direction(answer.embedding)


def _mixed(
    answers: Sequence[Answer], loaded: LoadedVersion, rows: Sequence[Earlier]
) -> list[PersonalAnswer | None]:
    examples = personal_posterior.Examples(
        embeddings=embeddings.unpack_many([row.embedding for row in rows]),
        labels=np.array([row.label for row in rows]),
        remembered=np.array([row.pk is not None for row in rows]),
    )
    found: list[PersonalAnswer | None] = []
    for answer in answers:
        personal = (
            personal_posterior.mix(answer, loaded.classifier.calibration, examples)
            if _has_direction(answer)
            else None
        )
        found.append(
            None
            if personal is None
            else PersonalAnswer(personal.answer, rows[personal.decided_by].prediction_id)
        )
    return found


def earlier_drawings(*, owner: Owner, version: ModelVersion) -> list[Earlier]:
    """Return the owner's remembered drawings, newest first, and then the accepted ones.

    There are none where personal learning is off. Accepted drawings are those of this version
    among the owner's newest. One query; none for nobody and for a new visitor.
    """
    if owner.is_nobody or owner.is_new:
        return []
    value: int | str | UUID
    if owner.user is not None:
        column, value = "user_id", owner.user.pk
    else:
        column, value = "visitor", UUIDField().get_db_prep_value(owner.visitor, connection)
    quote = connection.ops.quote_name
    sql = _LOOKUP.format(
        owner=quote(column),
        prediction=quote(Prediction._meta.db_table),
        remembered=quote(RememberedDrawing._meta.db_table),
        switched_off=quote(MemorySwitchedOff._meta.db_table),
    )
    remembered = [value, value, MOST_REMEMBERED]
    accepted = [_SMALL, value, value, LOOKED_BACK, version.pk]
    with connection.cursor() as cursor:
        cursor.execute(sql, [*remembered, *accepted])
        return list(map(Earlier._make, cursor.fetchall()))


def _comparable(rows: Sequence[Earlier], loaded: LoadedVersion) -> list[Earlier]:
    """Return the rows with an embedding of this network, some of them embedded again for it.

    What can't be embedded any more is forgotten: it would be tried at every prediction.
    """
    usable = [row for row in rows if row.model_version_id == loaded.version.pk]
    outdated = [row for row in rows if row.model_version_id != loaded.version.pk]
    return usable + _embed_again(outdated[:EMBEDDED_AT_ONCE], loaded) if outdated else usable


def _embed_again(rows: Sequence[Earlier], loaded: LoadedVersion) -> list[Earlier]:
    drawings = Prediction.objects.only("image", "is_model_input").in_bulk(
        [row.prediction_id for row in rows]
    )
    renewed, lost = [], []
    for row in rows:
        drawing = drawings.get(row.prediction_id)
        packed = None if drawing is None else embed(drawing, loaded.classifier)
        if packed is None:
            lost.append(row.prediction_id)
        else:
            renewed.append(row._replace(embedding=packed, model_version_id=loaded.version.pk))
    with transaction.atomic():
        RememberedDrawing.objects.bulk_update(
            [
                RememberedDrawing(pk=row.pk, embedding=row.embedding, model_version=loaded.version)
                for row in renewed
            ],
            ["embedding", "model_version"],
        )
        RememberedDrawing.objects.filter(prediction__in=lost).delete()
    return renewed


def embed(prediction: Prediction, classifier: Classifier) -> bytes | None:
    """Return a stored drawing's embedding, packed; None where the drawing is damaged."""
    try:
        seen = prediction.model_input()
    except imaging.ImageError:
        logger.warning("The drawing %s is damaged: it is not remembered", prediction.pk)
        return None
    return embeddings.pack(classifier.classify(seen).embedding)
