"""The API of the live guess: an answer to a drawing that is not kept."""

from __future__ import annotations

import base64
from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from recognizer import imaging
from recognizer.api import base, parsers
from recognizer.api.serializers import (
    VERDICTS,
    DrawingJsonSerializer,
    DrawingUploadSerializer,
    NetworkAnswerSerializer,
    remembered_image_url,
)
from recognizer.api.throttling import PreviewThrottle
from recognizer.api.words import AnswerWordsSerializer
from recognizer.models import DIGITS, Label, Verdict
from recognizer.predictions import owner, recognition
from recognizer.text import answers as answer_text


class InkBoxSerializer(serializers.Serializer[Any]):
    """Where in the image the digit is, as shares of its width and height."""

    left = serializers.FloatField(min_value=0, max_value=1)
    top = serializers.FloatField(min_value=0, max_value=1)
    width = serializers.FloatField(min_value=0, max_value=1)
    height = serializers.FloatField(min_value=0, max_value=1)


class PreviewWordsSerializer(AnswerWordsSerializer):
    """The words for a preview."""

    def to_representation(self, instance: Any) -> dict[str, Any]:
        """Return the words as JSON."""
        assert isinstance(instance, recognition.Preview)
        given, network = instance.given, instance.network
        alone = Label.NOT_A_DIGIT if network.verdict.value == Verdict.NOT_A_DIGIT else network.digit
        words = answer_text.answer_words(
            digit=given.digit,
            confidence=given.confidence,
            probabilities=given.probabilities,
            verdict=given.verdict.value,
            network_label=None if instance.remembered_id is None else int(alone),
        )
        return super().to_representation(words)


class PreviewSerializer(serializers.Serializer[recognition.Preview]):
    """The answer to a drawing that is not kept."""

    digit = serializers.IntegerField(source="given.digit", min_value=0, max_value=9)
    confidence = serializers.FloatField(source="given.confidence", min_value=0, max_value=1)
    probabilities = serializers.ListField(
        source="given.probabilities",
        child=serializers.FloatField(min_value=0, max_value=1),
        min_length=DIGITS,
        max_length=DIGITS,
        help_text=_("Of the digits 0 to 9; they sum to 1."),
    )
    verdict = serializers.ChoiceField(source="given.verdict.value", choices=VERDICTS)
    personal = serializers.BooleanField(
        help_text=_("Whether what you said of earlier drawings decided the answer."),
    )
    network = NetworkAnswerSerializer(help_text=_("The network's own answer."))
    remembered_image_url = serializers.SerializerMethodField(
        help_text=_("Your earlier drawing that decided the answer, as PNG; null where none did."),
    )
    model_version = serializers.CharField()
    model_input = serializers.SerializerMethodField(
        help_text=_("What the model saw, 28x28, as a data URL of a PNG."),
    )
    words = PreviewWordsSerializer(
        source="*",
        help_text=_("The answer in words, for people: they may change, and follow your language."),
    )
    ink_box = InkBoxSerializer(help_text=_("The part of the image that was read."))

    def get_remembered_image_url(self, preview: recognition.Preview) -> str | None:
        """Return the address of the remembered drawing that decided."""
        return remembered_image_url(preview.remembered_id, self.context.get("request"))

    def get_model_input(self, preview: recognition.Preview) -> str:
        """Return what the model saw as a data URL."""
        png = imaging.encode_png(preview.recognition.model_input)
        return "data:image/png;base64," + base64.b64encode(png).decode()


class PreviewView(base.PersonsOwn):
    """A guess while you draw."""

    parser_classes: list[type[BaseParser]] = [parsers.PlainJSONParser, parsers.PlainMultiPartParser]
    http_method_names = ["post", "options"]

    def get_throttles(self) -> list[BaseThrottle]:
        """Return the throttle of previews: they don't count as drawings."""
        return [PreviewThrottle()]

    @extend_schema(
        tags=["predictions"],
        summary="Read a drawing without keeping it",
        description=(
            "Answers as POST /api/v1/predictions/ does, and stores nothing: for a guess while "
            "somebody draws."
        ),
        request={
            "application/json": DrawingJsonSerializer,
            "multipart/form-data": DrawingUploadSerializer,
        },
        responses={
            200: PreviewSerializer,
            400: base.error("The drawing can't be read: see POST /api/v1/predictions/."),
            401: base.error("The token is wrong."),
            403: base.error("The CSRF token is missing, or the request comes from another site."),
            413: base.error("image_too_large: more than 8 MB."),
            415: base.error("The body is neither JSON nor a multipart form."),
            429: base.error("Too many previews in too short a time; see Retry-After."),
            503: base.error("no_model: no model can answer right now."),
        },
    )
    def post(self, request: Request) -> Response:
        """Read a drawing and answer."""
        serializer = base.drawing_serializer(request)
        serializer.is_valid(raise_exception=True)
        user, visitor = owner.owner(request)
        with base.drawing_errors():
            preview = recognition.preview(
                data=serializer.validated_data["image"], user=user, visitor=visitor
            )
        return Response(PreviewSerializer(preview, context={"request": request}).data)
