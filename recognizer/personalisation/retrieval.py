"""A person's earlier drawings as they are mixed in: one query, and comparable at all."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from django.db import connection, transaction
from django.db.models import UUIDField

from recognizer import imaging
from recognizer.inference import embeddings
from recognizer.inference.classifier import Classifier
from recognizer.models import MemorySwitchedOff, ModelVersion, Owner, Prediction, RememberedDrawing
from recognizer.versions import active as active_version

logger = logging.getLogger(__name__)

MOST_REMEMBERED = 200
"""Drawings remembered for one person; beyond these the oldest are forgotten."""

LOOKED_BACK = 200
"""Of so many of the person's newest drawings, those count a little that they let pass."""

RENEWED_AT_ONCE = 50
"""Drawings that one prediction passes through a network that was activated since: some 0.1 s.
Who has more remembered has the rest renewed by the next predictions.
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
    ) said
    UNION ALL
    SELECT NULL, id, COALESCE(personal_digit, digit), embedding, model_version_id FROM (
        SELECT id, digit, verdict, personal_digit, personal_verdict, suggestion, model_version_id,
            CASE WHEN LENGTH(image) <= %s THEN embedding END AS embedding
        FROM {prediction}
        WHERE {owner} = %s AND EXISTS (SELECT 1 FROM {remembered} WHERE {owner} = %s)
        ORDER BY created_at DESC
        LIMIT %s
    ) drawn
    WHERE suggestion IS NULL AND model_version_id = %s AND embedding IS NOT NULL
        AND (personal_verdict = 'digit' OR (personal_verdict = '' AND verdict = 'digit'))
"""


class Recalled(NamedTuple):
    """An earlier drawing.

    ``pk`` is that of its row if it is remembered, None if the person said nothing; ``drawing`` is
    its id as the database gives it; ``label`` what they said or, else, what they were answered.
    """

    pk: int | None
    drawing: str | UUID
    label: int
    embedding: bytes | memoryview
    model_version_id: int | None

    @property
    def prediction_id(self) -> UUID:
        """The drawing's id."""
        return self.drawing if isinstance(self.drawing, UUID) else UUID(self.drawing)


def recall(*, owner: Owner, version: ModelVersion) -> list[Recalled]:
    """Return what counts of a person's earlier drawings, the remembered ones first, newest first.

    None are remembered where their memory is off. What they let pass are their last drawings that
    this version read without doubt and of which they said nothing. One query; none for nobody.
    """
    if owner.is_nobody:
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
    said = [value, value, MOST_REMEMBERED]
    let_pass = [_SMALL, value, value, LOOKED_BACK, version.pk]
    with connection.cursor() as cursor:
        cursor.execute(sql, [*said, *let_pass])
        return list(map(Recalled._make, cursor.fetchall()))


def comparable(rows: Sequence[Recalled], current: active_version.Serving) -> list[Recalled]:
    """Return the rows whose embeddings are of this network, and pass some others through it.

    Embeddings of two networks can't be compared, so the first predictions after another version
    was activated write anew what is remembered. What can't be read any more is forgotten: it
    would be tried again at every prediction.
    """
    if {row.model_version_id for row in rows} == {current.version.pk}:
        return list(rows)
    usable = [row for row in rows if row.model_version_id == current.version.pk]
    stale = [row for row in rows if row.model_version_id != current.version.pk]
    return usable + _renew(stale[:RENEWED_AT_ONCE], current)


def _renew(stale: Sequence[Recalled], current: active_version.Serving) -> list[Recalled]:
    drawings = Prediction.objects.only("image", "is_model_input").in_bulk(
        [row.prediction_id for row in stale]
    )
    renewed, lost = [], []
    for row in stale:
        drawing = drawings.get(row.prediction_id)
        packed = None if drawing is None else embedded(drawing, current.classifier)
        if packed is None:
            lost.append(row.prediction_id)
        else:
            renewed.append(row._replace(embedding=packed, model_version_id=current.version.pk))
    _write_back(renewed, lost, current.version)
    return renewed


def _write_back(renewed: Sequence[Recalled], lost: Sequence[UUID], version: ModelVersion) -> None:
    with transaction.atomic():
        RememberedDrawing.objects.bulk_update(
            [
                RememberedDrawing(pk=row.pk, embedding=row.embedding, model_version=version)
                for row in renewed
            ],
            ["embedding", "model_version"],
        )
        RememberedDrawing.objects.filter(prediction__in=lost).delete()


def embedded(prediction: Prediction, classifier: Classifier) -> bytes | None:
    """Return a kept drawing's embedding by a network; None where the drawing is damaged."""
    try:
        seen = prediction.model_input()
    except imaging.ImageError:
        logger.warning("The drawing %s is damaged: it is not remembered", prediction.pk)
        return None
    return embeddings.pack(classifier.classify(seen).embedding)
