"""The shapes of the API: what comes in, what goes out."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.reverse import reverse

from recognizer.api.errors import PayloadTooLarge, image_error
from recognizer.api.words import PredictionWordsSerializer
from recognizer.imaging import MAX_BYTES, PenStrokes, StrokesError, base64_text, pen_strokes
from recognizer.models import DIGITS, NOT_SENT, Label, Prediction, PublicLink, Source, Verdict

# A small 1, to try the API out in its documentation.
EXAMPLE = (
    "data:image/png;base64,"
    "iVBORw0KGgoAAAANSUhEUgAAABgAAAAYCAAAAADFHGIkAAAALElEQVR4nGP8z4AdMOEQp1"
    "CCkRG7BLIwsgSqODF2/P+PQwKPq0aWBCMd4hwAASAEL0SEnzgAAAAASUVORK5CYII="
)

# In place of the model's short names: the schema lists each value with its meaning.
VERDICTS = [
    (Verdict.DIGIT.value, _("It looks like the digit given.")),
    (
        Verdict.UNCERTAIN.value,
        _("It looks like a digit, but not clearly: the second most likely may be right."),
    ),
    (
        Verdict.NOT_A_DIGIT.value,
        _(
            "It does not look like a single digit. The digit given is the closest; its confidence "
            "assumes that it is one."
        ),
    ),
]

# Imports come from a command, parts of numbers from a reviewer, never from outside.
SENT_SOURCES = [choice for choice in Source.choices if choice[0] not in NOT_SENT]

_CREATED_AT = serializers.DateTimeField()

# A 1 of two strokes.
EXAMPLE_STROKES = {
    "strokes": [
        [[110, 90, 0], [128, 74, 35], [150, 50, 80]],
        [[150, 50, 420], [151, 120, 470], [150, 230, 560]],
    ],
    "width": 20,
    "size": [280, 280],
}


@extend_schema_field(
    {
        "type": "string",
        "description": "A data URL (data:image/png;base64,...) or bare base64. At most 8 MB.",
        "example": EXAMPLE,
    }
)
class Base64ImageField(serializers.Field[bytes, str, bytes, Any]):
    """An image file in base64, alone or in a data URL; gives its bytes."""

    default_error_messages = {
        "invalid": _("The image must be a string: a data URL or base64."),
        "invalid_base64": _(
            "The image is not valid base64. Send a data URL (data:image/png;base64,...) or base64."
        ),
    }

    def to_internal_value(self, data: Any) -> bytes:
        if not isinstance(data, str):
            self.fail("invalid")
        try:
            packed = base64_text.packed_part(data)
            if len(packed) // 4 * 3 > MAX_BYTES + 3:
                raise PayloadTooLarge
            decoded = base64_text.decoded(packed)
        except ValueError:
            self.fail("invalid_base64")
        if len(decoded) > MAX_BYTES:
            raise PayloadTooLarge
        return decoded


@extend_schema_field(OpenApiTypes.BINARY)
class UploadedImageField(serializers.Field[bytes, Any, bytes, Any]):
    """An image file in a form; gives its bytes."""

    default_error_messages = {
        "invalid": _("The image must be a file: PNG, JPEG, WebP, GIF or BMP."),
    }

    def to_internal_value(self, data: Any) -> bytes:
        if not isinstance(data, UploadedFile):
            self.fail("invalid")
        if (data.size or 0) > MAX_BYTES:
            raise PayloadTooLarge
        content: bytes = data.read()
        return content


class SourceField(serializers.ChoiceField):
    """Where the drawing comes from."""

    def __init__(self, **kwargs: Any) -> None:
        kwargs["choices"] = SENT_SOURCES
        kwargs["error_messages"] = {
            # What was sent is not echoed: it may be megabytes long.
            "invalid_choice": _("The source must be one of canvas, upload and api."),
        }
        super().__init__(**kwargs)

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid_choice")
        value: str = super().to_internal_value(data)
        return value


class DrawingJsonSerializer(serializers.Serializer[Any]):
    """A drawing sent as JSON."""

    image = Base64ImageField(
        error_messages={
            "required": _("Send the drawing in the field image, or its strokes in strokes.")
        }
    )
    source = SourceField(default=Source.API)  # type: ignore[assignment]


class AnyField(serializers.Field[Any, Any, Any, Any]):
    """JSON as it was sent; `PenStrokes` checks it."""

    def to_internal_value(self, data: Any) -> Any:
        return data


_POINT = {
    "type": "array",
    "minItems": 2,
    "maxItems": 4,
    "items": {"type": "number", "nullable": True},
    "example": [110, 90, 0],
}
_SIDE = {"type": "number", "minimum": 1, "maximum": pen_strokes.MAX_SIDE}
_WIDTH = {"type": "number", "minimum": 0, "exclusiveMinimum": True}
_INDEX = {"type": "integer", "minimum": 0, "maximum": pen_strokes.MAX_STROKES - 1}


@extend_schema_field(
    {
        "type": "array",
        "minItems": 1,
        "maxItems": pen_strokes.MAX_STROKES,
        "items": {
            "type": "array",
            "minItems": 1,
            "maxItems": pen_strokes.MAX_POINTS,
            "items": _POINT,
        },
        "example": EXAMPLE_STROKES["strokes"],
    }
)
class StrokesField(AnyField):
    """Strokes of points."""


@extend_schema_field(
    {
        "oneOf": [
            _WIDTH,
            {
                "type": "array",
                "minItems": 1,
                "maxItems": pen_strokes.MAX_STROKES,
                "items": _WIDTH,
            },
        ],
        "example": 20,
    }
)
class BrushWidthField(AnyField):
    """One width for all strokes, or one for each."""


@extend_schema_field(
    {"type": "array", "minItems": 2, "maxItems": 2, "items": _SIDE, "example": [280, 280]}
)
class SizeField(AnyField):
    """Width and height of the canvas."""


@extend_schema_field(
    {"type": "array", "maxItems": pen_strokes.MAX_STROKES, "items": _INDEX, "example": []}
)
class IndexesField(AnyField):
    """Indexes of strokes."""


class DrawingStrokesSerializer(serializers.Serializer[Any]):
    """A drawing sent as pen strokes; the server draws them."""

    strokes = StrokesField(
        help_text=_(
            "Each stroke is a list of points [x, y], [x, y, time] or [x, y, time, pressure]: x to "
            "the right and y down from the canvas' upper left corner, the time in milliseconds or "
            "null, the pressure from 0 to 1 (0.5 if it is missing). At most 64 strokes and 10,000 "
            "points."
        )
    )
    size = SizeField(
        help_text=_("[width, height] of the canvas, in the unit of the points; from 1 to 4096.")
    )
    width = BrushWidthField(
        required=False,
        allow_null=True,
        help_text=_(
            "The width of the brush in the same unit, for all strokes or as a list for each; at "
            "most a quarter of the canvas, a fourteenth of it if it is missing. A pressure of 0 "
            "draws 0.4 times, of 1 draws 1.6 times as wide."
        ),
    )
    erasers = IndexesField(
        required=False,
        allow_null=True,
        help_text=_("The indexes, from 0, of strokes that erase what was drawn before them."),
    )
    source = SourceField(default=Source.API)  # type: ignore[assignment]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Check the strokes as a whole; ``image`` is then the drawing to recognise."""
        if self.initial_data.get("image") is not None:
            raise serializers.ValidationError(
                _("Send either image or strokes, not both."), code="ambiguous"
            )
        try:
            return {**attrs, "image": PenStrokes.from_json(attrs)}
        except StrokesError as error:
            raise image_error(error) from error


class DrawingUploadSerializer(serializers.Serializer[Any]):
    """A drawing sent as a file in a form."""

    image = UploadedImageField(
        error_messages={"required": _("Send the drawing as a file in the field image.")}
    )
    source = SourceField(default=Source.API)  # type: ignore[assignment]


class HistoryQuerySerializer(serializers.Serializer[Any]):
    """How the list of your drawings can be filtered."""

    verdict = serializers.ChoiceField(
        choices=VERDICTS,
        required=False,
        help_text=_("Only the drawings with this verdict."),
        error_messages={
            "invalid_choice": _("The verdict must be one of digit, uncertain and not_a_digit.")
        },
    )


class NetworkAnswerSerializer(serializers.Serializer[Prediction]):
    """The prediction without the person's corrections."""

    digit = serializers.IntegerField(min_value=0, max_value=9, read_only=True)
    confidence = serializers.FloatField(min_value=0, max_value=1, read_only=True)
    verdict = serializers.ChoiceField(choices=VERDICTS, read_only=True)


class InkBoxSerializer(serializers.Serializer[Any]):
    """Where in the image the digit is, as shares of its width and height."""

    left = serializers.FloatField(min_value=0, max_value=1)
    top = serializers.FloatField(min_value=0, max_value=1)
    width = serializers.FloatField(min_value=0, max_value=1)
    height = serializers.FloatField(min_value=0, max_value=1)


class NumberPartSerializer(serializers.Serializer[Any]):
    """One digit of a number."""

    box = InkBoxSerializer()
    digit = serializers.IntegerField(min_value=0, max_value=9)
    confidence = serializers.FloatField(min_value=0, max_value=1)


class NumberSerializer(serializers.Serializer[Any]):
    """What an answer says of a number of several digits."""

    number = serializers.CharField(
        source="given_number",
        allow_null=True,
        read_only=True,
        help_text=_(
            "The number of two to eight digits that the drawing shows. It is null for a single "
            "digit, whatever its verdict, and for anything else."
        ),
    )
    number_confidence = serializers.FloatField(
        min_value=0,
        max_value=1,
        allow_null=True,
        read_only=True,
        help_text=_("Calibrated: of the numbers with 0.9, nine in ten are correct; null for none."),
    )
    parts = NumberPartSerializer(
        source="number_parts",
        many=True,
        read_only=True,
        help_text=_("The digits of the number, from left to right."),
    )


def number_fields(answer: Any) -> dict[str, Any]:
    """Return what `NumberSerializer` gives of a stored prediction or a preview."""
    return {
        "number": answer.given_number,
        "number_confidence": answer.number_confidence,
        "parts": answer.number_parts,
    }


class PredictionSerializer(NumberSerializer, serializers.ModelSerializer[Prediction]):
    """A stored drawing and its prediction."""

    digit = serializers.IntegerField(source="given_digit", min_value=0, max_value=9, read_only=True)
    confidence = serializers.FloatField(
        source="given_confidence",
        min_value=0,
        max_value=1,
        read_only=True,
        help_text=_("Calibrated: of the predictions with 0.9, nine in ten are correct."),
    )
    probabilities = serializers.ListField(
        source="given_probabilities",
        child=serializers.FloatField(min_value=0, max_value=1),
        min_length=DIGITS,
        max_length=DIGITS,
        read_only=True,
        help_text=_("Of the digits 0 to 9; they sum to 1."),
    )
    verdict = serializers.ChoiceField(
        source="given_verdict",
        choices=VERDICTS,
        read_only=True,
        help_text=_("Whether the drawing looks like a digit at all."),
    )
    personal = serializers.BooleanField(
        source="is_personal",
        read_only=True,
        help_text=_("Whether your corrections of earlier drawings decided the prediction."),
    )
    network = NetworkAnswerSerializer(
        source="*",
        read_only=True,
        help_text=_("The prediction without your corrections; the same unless personal is true."),
    )
    remembered_id = serializers.UUIDField(
        read_only=True,
        allow_null=True,
        help_text=_("The id of your earlier drawing that decided the prediction; null if none."),
    )
    remembered_image_url = serializers.SerializerMethodField(
        help_text=_("Your earlier drawing that decided the prediction, as PNG; null if none did."),
    )
    model_version = serializers.CharField(source="model_version.name", read_only=True)
    suggested_digit = serializers.SerializerMethodField(
        help_text=_("The digit you suggested; null if you suggested none.")
    )
    suggested_not_a_digit = serializers.SerializerMethodField(
        help_text=_("Whether you suggested that it is not a digit.")
    )
    suggested_number = serializers.SerializerMethodField(
        help_text=_("The number you suggested; null if you suggested none.")
    )
    words = PredictionWordsSerializer(
        source="*",
        allow_null=True,
        read_only=True,
        help_text=_(
            "The answer in words, for people; null unless requested with the header "
            "Prefer: include=words. The wording may change; it is in the language of the request."
        ),
    )
    image_url = serializers.HyperlinkedIdentityField(
        view_name="api:prediction-image", lookup_url_kwarg="pk"
    )
    model_input_url = serializers.HyperlinkedIdentityField(
        view_name="api:prediction-model-input", lookup_url_kwarg="pk"
    )

    class Meta:
        model = Prediction
        fields = [
            "id",
            "digit",
            "confidence",
            "probabilities",
            "verdict",
            "personal",
            "network",
            "remembered_id",
            "remembered_image_url",
            "number",
            "number_confidence",
            "parts",
            "model_version",
            "source",
            "suggested_digit",
            "suggested_not_a_digit",
            "suggested_number",
            "words",
            "image_url",
            "model_input_url",
            "created_at",
        ]
        read_only_fields = ["source", "created_at"]

    def get_suggested_digit(self, prediction: Prediction) -> int | None:
        suggestion = prediction.suggestion
        return suggestion if suggestion is not None and suggestion < DIGITS else None

    def get_suggested_not_a_digit(self, prediction: Prediction) -> bool:
        return prediction.suggestion == Label.NOT_A_DIGIT

    def get_suggested_number(self, prediction: Prediction) -> str | None:
        return prediction.number_suggestion or None

    def get_remembered_image_url(self, prediction: Prediction) -> str | None:
        # Always the same person's as this one: both change owners together, or not at all.
        return remembered_image_url(prediction.remembered_id, self.context.get("request"))

    def to_representation(self, instance: Prediction) -> dict[str, Any]:
        """Return what the fields above give, which take ten times as long to be put together."""
        request = self.context.get("request")

        def url(name: str) -> str:
            found: str = reverse(f"api:prediction-{name}", args=[instance.pk], request=request)
            return found

        return {
            "id": str(instance.pk),
            "digit": instance.given_digit,
            "confidence": instance.given_confidence,
            "probabilities": instance.given_probabilities,
            "verdict": instance.given_verdict,
            "personal": instance.is_personal,
            "network": {
                "digit": instance.digit,
                "confidence": instance.confidence,
                "verdict": instance.verdict,
            },
            "remembered_id": id_or_none(instance.remembered_id),
            "remembered_image_url": self.get_remembered_image_url(instance),
            **number_fields(instance),
            "model_version": instance.model_version.name,
            "source": instance.source,
            "suggested_digit": self.get_suggested_digit(instance),
            "suggested_not_a_digit": self.get_suggested_not_a_digit(instance),
            "suggested_number": instance.number_suggestion or None,
            "words": PredictionWordsSerializer(context=self.context).to_representation(instance),
            "image_url": url("image"),
            "model_input_url": url("model-input"),
            "created_at": _CREATED_AT.to_representation(instance.created_at),
        }


def id_or_none(identifier: UUID | None) -> str | None:
    return None if identifier is None else str(identifier)


def remembered_image_url(remembered_id: UUID | None, request: Request | None) -> str | None:
    if remembered_id is None:
        return None
    url: str = reverse("api:prediction-image", args=[remembered_id], request=request)
    return url


class PublicLinkSerializer(serializers.ModelSerializer[PublicLink]):
    """The address at which anybody can see a drawing."""

    url = serializers.SerializerMethodField(help_text=_("Everybody who has it sees the drawing."))

    class Meta:
        model = PublicLink
        fields = ["url"]

    def get_url(self, link: PublicLink) -> str:
        url: str = reverse("shared", args=[link.key], request=self.context.get("request"))
        return url


class RemovedSerializer(serializers.Serializer[Any]):
    """How many drawings were deleted, and how many were anonymised and kept."""

    deleted = serializers.IntegerField(
        min_value=0, help_text=_("How many were deleted from the database.")
    )
    unlinked = serializers.IntegerField(
        min_value=0,
        help_text=_("How many were anonymised and kept because a reviewer had labelled them."),
    )


class ErrorSerializer(serializers.Serializer[Any]):
    """One error."""

    code = serializers.CharField(help_text=_("A stable code for programs."))
    detail = serializers.CharField(help_text=_("A sentence that says what to do."))
    attr = serializers.CharField(allow_null=True, help_text=_("The field that is wrong, if any."))


class ErrorResponseSerializer(serializers.Serializer[Any]):
    """The shape of every error."""

    type = serializers.ChoiceField(choices=["validation_error", "client_error", "server_error"])
    errors = ErrorSerializer(many=True)  # type: ignore[assignment]
