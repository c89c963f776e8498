"""The remembered drawings of one person as they are mixed in: one query, and comparable at all."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import NamedTuple
from uuid import UUID

from django.contrib.auth.models import User
from django.db import connection, transaction
from django.db.models import Field

from recognizer import embeddings, imaging, serving, stored
from recognizer.classifier import Classifier
from recognizer.models import MemorySwitchedOff, ModelVersion, Prediction, RememberedDrawing

logger = logging.getLogger(__name__)

RENEWED_AT_ONCE = 50
"""Drawings that one prediction passes through a network that was activated since: some 0.1 s.
Who has more remembered has the rest renewed by the next predictions.
"""

# Every prediction asks this. Written out, since the ORM takes twice as long to put it together as
# the database to answer it, and to make two hundred UUIDs of which one is needed as long again.
_LOOKUP = """
    SELECT id, prediction_id, label, embedding, model_version_id
    FROM {remembered}
    WHERE {owner} = %s AND NOT EXISTS (SELECT 1 FROM {switched_off} WHERE {owner} = %s)
    ORDER BY remembered_at DESC, id DESC
    LIMIT %s
"""


class Remembered(NamedTuple):
    """A remembered drawing: its row, the drawing's id as the database gives it, what it shows."""

    pk: int
    drawing: str | UUID
    label: int
    embedding: bytes | memoryview
    model_version_id: int | None

    @property
    def prediction_id(self) -> UUID:
        """The drawing's id."""
        return self.drawing if isinstance(self.drawing, UUID) else UUID(self.drawing)


def remembered(*, user: User | None, visitor: UUID | None, limit: int) -> list[Remembered]:
    """Return a person's remembered drawings, newest first; none where their memory is off.

    One query, and none for nobody.
    """
    value: object = visitor if user is None else user.pk
    if value is None:
        return []
    field = RememberedDrawing._meta.get_field("visitor" if user is None else "user")
    assert isinstance(field, Field)
    sql = _LOOKUP.format(
        remembered=connection.ops.quote_name(RememberedDrawing._meta.db_table),
        switched_off=connection.ops.quote_name(MemorySwitchedOff._meta.db_table),
        owner=connection.ops.quote_name(str(field.column)),
    )
    owner = field.get_db_prep_value(value, connection)
    with connection.cursor() as cursor:
        cursor.execute(sql, [owner, owner, limit])
        return [Remembered(*row) for row in cursor.fetchall()]


def comparable(rows: Sequence[Remembered], current: serving.Serving) -> Sequence[Remembered]:
    """Return the rows whose embeddings are of this network, and pass some others through it.

    Embeddings of two networks can't be compared, so the first predictions after another version
    was activated write anew what is remembered. What can't be read any more is forgotten: it
    would be tried again at every prediction.
    """
    stale = [row for row in rows if row.model_version_id != current.version.pk]
    if not stale:
        return rows
    usable = [row for row in rows if row.model_version_id == current.version.pk]
    return usable + _renew(stale[:RENEWED_AT_ONCE], current)


def _renew(stale: Sequence[Remembered], current: serving.Serving) -> list[Remembered]:
    drawings = Prediction.objects.only("image", "is_model_input").in_bulk(
        [row.prediction_id for row in stale]
    )
    renewed, lost = [], []
    for row in stale:
        drawing = drawings.get(row.prediction_id)
        packed = None if drawing is None else embedded(drawing, current.classifier)
        if packed is None:
            lost.append(row.pk)
        else:
            renewed.append(row._replace(embedding=packed, model_version_id=current.version.pk))
    _write_back(renewed, lost, current.version)
    return renewed


def _write_back(renewed: Sequence[Remembered], lost: Sequence[int], version: ModelVersion) -> None:
    with transaction.atomic():
        RememberedDrawing.objects.bulk_update(
            [
                RememberedDrawing(pk=row.pk, embedding=row.embedding, model_version=version)
                for row in renewed
            ],
            ["embedding", "model_version"],
        )
        RememberedDrawing.objects.filter(pk__in=lost).delete()


def embedded(prediction: Prediction, classifier: Classifier) -> bytes | None:
    """Return a kept drawing's embedding by a network; None where the drawing is damaged."""
    try:
        seen = stored.model_input(prediction)
    except imaging.ImageError:
        logger.warning("The drawing %s is damaged: it is not remembered", prediction.pk)
        return None
    return embeddings.pack(classifier.classify(seen).embedding)
