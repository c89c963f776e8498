"""The REST API of many drawings in one request."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import QueryDict
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, PolymorphicProxySerializer, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException, ErrorDetail, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from recognizer.api import parsers
from recognizer.api.authentication import owner_or_new
from recognizer.api.base import PersonsOwn, is_form, valid_drawing
from recognizer.api.errors import drawing_error
from recognizer.api.idempotency import idempotency_key, welcome
from recognizer.api.schema import DRAWING_ERRORS, KEY_HEADER, WORDS_HEADER, error, json_drawing
from recognizer.api.serializers import (
    EXAMPLE,
    EXAMPLE_STROKES,
    ErrorResponseSerializer,
    PredictionSerializer,
    SourceField,
    UploadedImageField,
)
from recognizer.api.throttling import check_daily_limit, count_stored
from recognizer.models import Prediction, Source
from recognizer.predictions import recognition
from recognizer.predictions.recognition import Sent

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

MOST_DRAWINGS = parsers.MOST_DRAWINGS


class BatchJsonSerializer(serializers.Serializer[Any]):
    """Up to 100 drawings as JSON, each as in a request of its own."""

    drawings = serializers.ListField(child=json_drawing(), min_length=1, max_length=MOST_DRAWINGS)


class BatchUploadSerializer(serializers.Serializer[Any]):
    """Up to 100 files in a form, all in the field image."""

    image = serializers.ListField(
        child=UploadedImageField(), min_length=1, max_length=MOST_DRAWINGS
    )
    source = SourceField(default=Source.API)  # type: ignore[assignment]


class _FormSerializer(serializers.Serializer[Any]):
    """What a form says of all its files."""

    source = SourceField(required=False)  # type: ignore[assignment]


class BatchAnswerSerializer(serializers.Serializer[Any]):
    """One answer for each drawing, in the order in which they were sent."""

    results = serializers.ListField(
        child=PolymorphicProxySerializer(
            component_name="BatchResult",
            serializers=[PredictionSerializer, ErrorResponseSerializer],
            resource_type_field_name=None,
        ),
        max_length=MOST_DRAWINGS,
        help_text=_("A prediction, or the error of a drawing that was refused."),
    )


class BatchView(PersonsOwn):
    """Predictions for many drawings."""

    parser_classes = [parsers.BatchJSONParser, parsers.BatchMultiPartParser]
    http_method_names = ["post", "options"]

    @extend_schema(
        tags=["predictions"],
        operation_id="predictions_batch",
        summary="Recognise up to 100 drawings",
        description=(
            "Send the drawings as a list in JSON, or as files of a form that are all named image. "
            "There is one result for each, in the same order: the prediction, or an error that "
            "stops no other. The body has at most 12 MB, and JSON at most 100,000 values. Each "
            "drawing counts as a request in the limits. With an Idempotency-Key, sending the same "
            "request again stores nothing new."
        ),
        parameters=[KEY_HEADER, WORDS_HEADER],
        request={
            "application/json": BatchJsonSerializer,
            "multipart/form-data": BatchUploadSerializer,
        },
        examples=[
            OpenApiExample(
                "A picture and strokes",
                value={"drawings": [{"image": EXAMPLE}, EXAMPLE_STROKES]},
                request_only=True,
                media_type="application/json",
            )
        ],
        responses={
            200: BatchAnswerSerializer,
            **DRAWING_ERRORS,
            400: error(
                "required: no drawings were sent; invalid: drawings is not a list; "
                "too_many_drawings: more than 100; invalid_choice: the source of a form is wrong; "
                "invalid_idempotency_key; parse_error: the body is malformed."
            ),
        },
    )
    def post(self, request: Request) -> Response:
        items = _items(request)
        self.charge(len(items))
        check_daily_limit(request)
        owner = owner_or_new(request)
        results: list[Prediction | APIException | Sent] = []
        for place, item in enumerate(items):
            key = idempotency_key(request, owner, place=place)
            try:
                valid = valid_drawing(item, in_form=is_form(request))
            except APIException as refusal:
                results.append(refusal)
            else:
                results.append(Sent(valid["image"], valid["source"], key))
        sent = [each for each in results if isinstance(each, Sent)]
        answers = iter(recognition.recognise_many(drawings=sent, owner=owner))
        found = [next(answers) if isinstance(each, Sent) else each for each in results]
        stored = [each for each in found if isinstance(each, Prediction)]
        if owner.is_new:
            welcome(request, owner, stored)
        for each in stored:
            count_stored(request, each)
        serializer = PredictionSerializer(context={"request": request})
        return Response(
            {
                "results": [
                    serializer.to_representation(each)
                    if isinstance(each, Prediction)
                    else self._error(each)
                    for each in found
                ]
            }
        )

    def _error(self, refusal: APIException | recognition.Refused) -> Any:
        """Return the body that a request with this drawing alone would get."""
        exc = refusal if isinstance(refusal, APIException) else drawing_error(refusal)
        return self.handle_exception(exc).data


def _items(request: Request) -> list[Any]:
    """Return the drawings as they were sent; raises ValidationError."""
    data = request.data
    if is_form(request):
        field = "image"
        # Text in a file's place is refused at its place.
        assert isinstance(data, QueryDict)
        form = _FormSerializer(data=data)
        form.is_valid(raise_exception=True)
        items: Any = [{"image": each, **form.validated_data} for each in data.getlist("image")]
    else:
        field = "drawings"
        items = data.get("drawings") if isinstance(data, dict) else None
        if items is not None and not isinstance(items, list):
            raise _refusal(field, _("Send the drawings as a list."), "invalid")
    if not items:
        raise _refusal(
            field,
            _("Send the drawings as a list in the field drawings, or as files named image."),
            "required",
        )
    if len(items) > MOST_DRAWINGS:
        raise _refusal(field, parsers.TOO_MANY_DRAWINGS, "too_many_drawings")
    return list(items)


def _refusal(field: str, text: StrOrPromise, code: str) -> ValidationError:
    return ValidationError({field: [ErrorDetail(str(text), code=code)]})
