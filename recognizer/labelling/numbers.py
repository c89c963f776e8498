"""Numbers that a reviewer has typed, and the labelled digits that they give for training."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.utils import timezone

from recognizer import imaging
from recognizer.inference.numbers import LabelledPart, label_parts
from recognizer.models import Label, Prediction, Source, answer_columns, validate_number
from recognizer.versions import active as active_version
from recognizer.versions.loading import LoadedVersion


def set_number(*, prediction_id: UUID, number: str, by: User) -> int:
    """Say which number a drawing shows that is labelled "not a digit"; return how many digits.

    Each digit becomes a labelled drawing of its own, in place of earlier ones. There are none
    where it can't be said which ink belongs to which digit. Nothing happens where the drawing has
    another label by now.

    Raises:
        Prediction.DoesNotExist: there is no such drawing.
        django.core.exceptions.ValidationError: it is not a number of two to eight digits.
        active.NoModel: no model version can tell the digits apart.
    """
    validate_number(number)
    row = Prediction.objects.select_related(None).get(pk=prediction_id)
    loaded = active_version.current_version()
    drawing, strokes = row.stored_drawing(), row.pen_strokes()
    parts = [] if row.is_model_input else label_parts(loaded.classifier, number, drawing, strokes)
    # Outside of the transaction: recognising takes long.
    digits = [_digit(row, part, loaded, by) for part in parts]
    with transaction.atomic():
        labelled = Prediction.objects.filter(pk=prediction_id, label=Label.NOT_A_DIGIT)
        if not labelled.update(number_label=number):
            return 0
        Prediction.objects.filter(part_of=prediction_id).delete()
        Prediction.objects.bulk_create(digits)
    return len(digits)


def _digit(row: Prediction, part: LabelledPart, loaded: LoadedVersion, by: User) -> Prediction:
    model_input = imaging.model_input(part.drawing)
    stored = imaging.for_storing(part.drawing, model_input)
    return Prediction(
        image=stored.png,
        strokes=None if part.strokes is None else part.strokes.pack(),
        pixels_sha256=stored.drawing.sha256(),
        model_version=loaded.version,
        source=Source.NUMBER,
        part_of=row,
        label=part.digit,
        labelled_by=by,
        labelled_at=timezone.now(),
        created_at=row.created_at,
        **answer_columns(loaded.classifier.classify(model_input)),
    )
