"""The API of the live preview: an answer to a drawing that is not stored."""

from __future__ import annotations

import base64
from typing import Any

from django.contrib.auth.models import AnonymousUser
from django.db import DatabaseError, InterfaceError
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.parsers import BaseParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.throttling import BaseThrottle

from recognizer import imaging
from recognizer.api import base, parsers, visitors
from recognizer.api.authentication import owner_of
from recognizer.api.schema import (
    DRAWING_ERRORS,
    DRAWING_EXAMPLES,
    DRAWING_REQUEST,
    WORDS_HEADER,
)
from recognizer.api.serializers import (
    VERDICTS,
    InkBoxSerializer,
    NetworkAnswerSerializer,
    NumberSerializer,
    id_or_none,
    number_fields,
    remembered_image_url,
)
from recognizer.api.throttling import PreviewThrottle
from recognizer.api.words import AnswerWordsSerializer
from recognizer.models import DIGITS, Label, Scope, Verdict
from recognizer.models.outages import is_outage
from recognizer.predictions import recognition
from recognizer.text import answers as answer_text


class PreviewWordsSerializer(AnswerWordsSerializer):
    """The words for a preview."""

    def words_of(self, instance: Any) -> answer_text.AnswerWords:
        assert isinstance(instance, recognition.Preview)
        given, network = instance.given, instance.network
        alone = Label.NOT_A_DIGIT if network.verdict.value == Verdict.NOT_A_DIGIT else network.digit
        number = instance.number
        return answer_text.answer_words(
            digit=given.digit,
            confidence=given.confidence,
            probabilities=given.probabilities,
            verdict=given.verdict.value,
            network_label=None if instance.remembered_id is None else int(alone),
            number="" if number is None else number.text,
            number_confidence=None if number is None else number.confidence,
        )


class PreviewSerializer(NumberSerializer, serializers.Serializer[recognition.Preview]):
    """The prediction for a drawing that is not stored."""

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
        source="is_personal",
        help_text=_("Whether your corrections of earlier drawings decided the prediction."),
    )
    network = NetworkAnswerSerializer(help_text=_("The prediction without your corrections."))
    remembered_id = serializers.UUIDField(
        allow_null=True,
        help_text=_("The id of your earlier drawing that decided the prediction; null if none."),
    )
    remembered_image_url = serializers.SerializerMethodField(
        help_text=_("Your earlier drawing that decided the prediction, as PNG; null if none did."),
    )
    model_version = serializers.CharField(source="loaded.version.name")
    model_input = serializers.SerializerMethodField(
        help_text=_("What the model saw, 28x28, as a data URL of a PNG."),
    )
    words = PreviewWordsSerializer(
        source="*",
        allow_null=True,
        help_text=_(
            "The answer in words, for people; null unless requested with the header "
            "Prefer: include=words. The wording may change; it is in the language of the request."
        ),
    )
    ink_box = InkBoxSerializer(help_text=_("The part of the image that the model saw."))

    def get_remembered_image_url(self, preview: recognition.Preview) -> str | None:
        return remembered_image_url(preview.remembered_id, self.context.get("request"))

    def get_model_input(self, preview: recognition.Preview) -> str:
        png = imaging.encode_png(preview.model_input)
        return "data:image/png;base64," + base64.b64encode(png).decode()

    def to_representation(self, instance: recognition.Preview) -> dict[str, Any]:
        """Return what the fields above give, which take ten times as long to be put together."""
        given, network = instance.given, instance.network
        return {
            **number_fields(instance),
            "digit": given.digit,
            "confidence": given.confidence,
            "probabilities": list(given.probabilities),
            "verdict": given.verdict.value,
            "personal": instance.is_personal,
            "network": {
                "digit": network.digit,
                "confidence": network.confidence,
                "verdict": network.verdict.value,
            },
            "remembered_id": id_or_none(instance.remembered_id),
            "remembered_image_url": self.get_remembered_image_url(instance),
            "model_version": instance.loaded.name,
            "model_input": self.get_model_input(instance),
            "words": PreviewWordsSerializer(context=self.context).to_representation(instance),
            "ink_box": dict(vars(instance.ink_box)),
        }


class PreviewView(base.PersonsOwn):
    """A prediction while you draw."""

    parser_classes: list[type[BaseParser]] = [parsers.PlainJSONParser, parsers.PlainMultiPartParser]
    http_method_names = ["post", "options"]
    scope = Scope.PREDICT

    def perform_authentication(self, request: Request) -> None:
        """Take whoever asks for nobody while the database is away: nothing is stored here."""
        try:
            super().perform_authentication(request)
            visitors.visitor_of(request)
        except (DatabaseError, InterfaceError) as error:
            if not is_outage(error):
                raise
            request.user, request.auth = AnonymousUser(), None
            visitors.overlook(request)

    def get_throttles(self) -> list[BaseThrottle]:
        return [PreviewThrottle()]

    @extend_schema(
        tags=["predictions"],
        summary="Recognise a drawing without storing it",
        description=(
            "Gives the same prediction as POST /api/v1/predictions/ and stores nothing: for "
            "showing a prediction while somebody draws."
        ),
        parameters=[WORDS_HEADER],
        request=DRAWING_REQUEST,
        examples=DRAWING_EXAMPLES,
        responses={200: PreviewSerializer, **DRAWING_ERRORS},
    )
    def post(self, request: Request) -> Response:
        drawing = base.valid_drawing(request.data, in_form=base.is_form(request))
        try:
            preview = recognition.preview(data=drawing["image"], owner=owner_of(request))
        except (DatabaseError, InterfaceError) as error:
            if not is_outage(error):
                raise
            # The network answers without the owner's corrections.
            preview = recognition.preview(data=drawing["image"])
        return Response(PreviewSerializer(preview, context={"request": request}).data)
