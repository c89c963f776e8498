"""The types of an answer and a label, and an answer's columns."""

from __future__ import annotations

import math
import re
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils.translation import gettext_lazy as _

from recognizer import imaging
from recognizer.inference import embeddings
from recognizer.inference.classifier import Answer
from recognizer.inference.numbers import MAX_DIGITS, Number

DIGITS = 10
NUMBER = re.compile(rf"^[0-9]{{2,{MAX_DIGITS}}}\Z")


class Label(models.IntegerChoices):
    ZERO = 0, "0"
    ONE = 1, "1"
    TWO = 2, "2"
    THREE = 3, "3"
    FOUR = 4, "4"
    FIVE = 5, "5"
    SIX = 6, "6"
    SEVEN = 7, "7"
    EIGHT = 8, "8"
    NINE = 9, "9"
    NOT_A_DIGIT = 10, _("not a digit")


class Verdict(models.TextChoices):
    """Whether the model accepts a drawing as a digit; the values of `classifier.Verdict`."""

    DIGIT = "digit", _("digit")
    UNCERTAIN = "uncertain", _("uncertain")
    NOT_A_DIGIT = "not_a_digit", _("not a digit")


class Source(models.TextChoices):
    CANVAS = "canvas", _("canvas")
    UPLOAD = "upload", _("upload")
    API = "api", _("API")
    IMPORT = "import", _("import")
    NUMBER = "number", _("part of a number")


NOT_SENT = (Source.IMPORT, Source.NUMBER)
"""The sources of drawings that nobody has sent to the site."""


def validate_probabilities(value: object) -> None:
    """Raise ValidationError unless `value` is ten probabilities that sum to one."""
    if not isinstance(value, list | tuple) or len(value) != DIGITS:
        raise ValidationError(_("There must be ten probabilities."), code="probabilities")
    numbers = [v for v in value if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) != DIGITS or not all(0 <= v <= 1 for v in numbers):
        raise ValidationError(_("Each probability must be between 0 and 1."), code="probabilities")
    if not math.isclose(math.fsum(numbers), 1, abs_tol=1e-4):
        raise ValidationError(_("The probabilities must sum to 1."), code="probabilities")


def validate_embedding(value: object) -> None:
    """Raise ValidationError unless `value` is the bytes of an embedding."""
    try:
        embeddings.unpack(bytes(value))  # type: ignore[call-overload]
    except (TypeError, ValueError) as error:
        raise ValidationError(_("These bytes are not an embedding."), code="embedding") from error


def validate_strokes(value: object) -> None:
    """Raise ValidationError unless `value` is packed strokes."""
    try:
        imaging.PenStrokes.unpack(bytes(value))  # type: ignore[call-overload]
    except (TypeError, imaging.StrokesError) as error:
        raise ValidationError(_("These bytes are not strokes."), code="strokes") from error


def validate_number(value: object) -> None:
    """Raise ValidationError unless `value` is a number of two to eight digits."""
    if not isinstance(value, str) or not NUMBER.fullmatch(value):
        raise ValidationError(
            _("A number has two to %(most)d digits from 0 to 9.") % {"most": MAX_DIGITS},
            code="number",
        )


def validate_parts(value: object) -> None:
    """Raise ValidationError unless `value` is what `number_columns` makes of parts."""
    is_whole = isinstance(value, list) and all(
        isinstance(part, dict)
        and set(part) == {"box", "digit", "confidence"}
        and part["digit"] in range(DIGITS)
        for part in value
    )
    if not is_whole:
        raise ValidationError(_("These are not the parts of a number."), code="parts")


def brief_columns(answer: Answer) -> dict[str, Any]:
    """An answer as the columns that every table of answers has."""
    return {
        "digit": answer.digit,
        "confidence": answer.confidence,
        "verdict": answer.verdict.value,
    }


def answer_columns(answer: Answer) -> dict[str, Any]:
    return {
        **brief_columns(answer),
        "probabilities": list(answer.probabilities),
        "margin": answer.margin,
        "embedding": embeddings.pack(answer.embedding),
    }


def personal_columns(answer: Answer) -> dict[str, Any]:
    """A personal answer, given instead of the network's, as columns of a `Prediction`."""
    columns = {**brief_columns(answer), "probabilities": list(answer.probabilities)}
    return {f"personal_{name}": value for name, value in columns.items()}


def parts_json(number: Number) -> list[dict[str, Any]]:
    """A number's digits from left to right, each with its box, as shares of the drawing's size."""
    return [
        {"box": dict(vars(part.box)), "digit": part.digit, "confidence": part.confidence}
        for part in number.parts
    ]


def number_columns(number: Number) -> dict[str, Any]:
    return {
        "number": number.text,
        "number_confidence": number.confidence,
        "number_parts": parts_json(number),
    }
