"""The REST API, version 1."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
)
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ParseError, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from recognizer import imaging
from recognizer.api.authentication import owner_for_writing, owner_of
from recognizer.api.base import PersonsOwn, drawing_errors, drawing_serializer, error
from recognizer.api.pagination import NewestFirst
from recognizer.api.parsers import PlainJSONParser, PlainMultiPartParser, SuggestionParser
from recognizer.api.personalisation_serializers import SuggestionSerializer
from recognizer.api.serializers import (
    DrawingJsonSerializer,
    DrawingUploadSerializer,
    HistoryQuerySerializer,
    PredictionSerializer,
    RemovedSerializer,
)
from recognizer.models import Prediction, PredictionQuerySet
from recognizer.personalisation import corrections
from recognizer.predictions import deletion, recognition, selectors

IMAGE_CACHE_SECONDS = 24 * 3600
# Characters of an Idempotency-Key: enough that no two are alike by chance.
KEY_LENGTH = (16, 128)


_PNG = {(200, "image/png"): OpenApiTypes.BINARY, 404: error("No drawing of yours.")}


@extend_schema_view(
    list=extend_schema(
        summary="Your own drawings, newest first",
        parameters=[HistoryQuerySerializer],
        responses={
            200: PredictionSerializer(many=True),
            400: error("invalid_choice: the verdict is none of the three."),
            404: error("The cursor is not one that this API has given."),
        },
    ),
    retrieve=extend_schema(
        summary="One of your own drawings",
        responses={200: PredictionSerializer, 404: error("No drawing of yours.")},
    ),
)
@extend_schema(tags=["predictions"])
class PredictionViewSet(
    PersonsOwn,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[Prediction],
):
    """Drawings and the answers to them. Everybody sees their own only."""

    serializer_class = PredictionSerializer
    pagination_class = NewestFirst
    parser_classes = [PlainJSONParser, PlainMultiPartParser]
    http_method_names = ["get", "post", "delete", "head", "options"]
    queryset = Prediction.objects.none()
    lookup_value_converter = "uuid"

    def get_queryset(self) -> PredictionQuerySet:
        """Return the drawings of who asks."""
        return selectors.history(owner=owner_of(self.request))

    def filter_queryset(self, queryset: Any) -> Any:
        """Narrow the list down to what its address asks for."""
        if self.action != "list":
            return queryset
        query = HistoryQuerySerializer(data=self.request.query_params)
        query.is_valid(raise_exception=True)
        verdict = query.validated_data.get("verdict")
        return queryset.given(verdict) if verdict else queryset

    @extend_schema(
        summary="Read a drawing",
        description=(
            "Send one drawing, as JSON or as a form with a file: PNG, JPEG, WebP, GIF or BMP, "
            "at most 8 MB and 4096x4096 px. The drawing is kept with its answer."
        ),
        parameters=[
            OpenApiParameter(
                "Idempotency-Key",
                str,
                OpenApiParameter.HEADER,
                description=(
                    "Any text of 16 to 128 characters, new for each drawing. Sent again with the "
                    "same key, after an answer that never came, the drawing is kept once."
                ),
            )
        ],
        request={
            "application/json": DrawingJsonSerializer,
            "multipart/form-data": DrawingUploadSerializer,
        },
        responses={
            201: PredictionSerializer,
            400: error(
                "The drawing can't be read: invalid_base64, empty_image, not_an_image, "
                "unsupported_image, truncated_image, image_too_large (in pixels), blank_drawing; "
                "or a field is missing or wrong: required, null, invalid, invalid_choice; or the "
                "body is malformed: parse_error."
            ),
            401: error("The token is wrong."),
            403: error("The CSRF token is missing, or the request comes from another site."),
            413: error("image_too_large: more than 8 MB."),
            415: error("The body is neither JSON nor a multipart form."),
            429: error("Too many drawings in too short a time; see Retry-After."),
            503: error("no_model: no model can answer right now."),
        },
    )
    def create(self, request: Request) -> Response:
        """Read a drawing, keep it, answer."""
        serializer = drawing_serializer(request)
        serializer.is_valid(raise_exception=True)
        with drawing_errors():
            prediction = recognition.recognise(
                data=serializer.validated_data["image"],
                source=serializer.validated_data["source"],
                owner=owner_for_writing(request),
                key=_idempotency_key(request),
            )
        body = self.get_serializer(prediction).data
        location = self.reverse_action("detail", args=[prediction.pk])
        return Response(body, status=status.HTTP_201_CREATED, headers={"Location": location})

    @extend_schema(
        summary="Delete one of your own drawings",
        description=(
            "It is gone from the database. One that a reviewer has labelled stays as training "
            "data, but nothing ties it to you any more."
        ),
        request=None,
        responses={
            200: RemovedSerializer,
            401: error("The token is wrong."),
            403: error("The CSRF token is missing, or the request comes from another site."),
            404: error("No drawing of yours."),
            429: error("Too many requests in too short a time; see Retry-After."),
        },
    )
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Remove one of the person's own drawings."""
        try:
            removed = deletion.remove_one(prediction_id=pk, owner=owner_of(request))
        except Prediction.DoesNotExist as error:
            raise NotFound from error
        return Response(RemovedSerializer(removed).data)

    @extend_schema(
        operation_id="predictions_destroy_all",
        summary="Delete all of your own drawings",
        description="As deleting each of them.",
        request=None,
        responses={
            200: RemovedSerializer,
            401: error("The token is wrong."),
            403: error("The CSRF token is missing, or the request comes from another site."),
            429: error("Too many requests in too short a time; see Retry-After."),
        },
    )
    def destroy_all(self, request: Request) -> Response:
        """Remove all of the person's own drawings."""
        return Response(RemovedSerializer(deletion.remove_all(owner=owner_of(request))).data)

    @extend_schema(summary="The drawing, as PNG", responses=_PNG)
    @action(detail=True, methods=["get"])
    def image(self, request: Request, pk: UUID) -> HttpResponseBase:
        """Return the drawing as it was drawn."""
        return _png(request, bytes(self._visible(pk).image))

    @extend_schema(summary="What the model saw of it, 28x28, as PNG", responses=_PNG)
    @action(detail=True, methods=["get"], url_path="model-input", url_name="model-input")
    def model_input(self, request: Request, pk: UUID) -> HttpResponseBase:
        """Return the 28x28 image that the model saw, white on black."""
        return _png(request, imaging.encode_png(self._visible(pk).model_input()))

    @extend_schema(
        summary="Say what a drawing of yours was",
        description=(
            "Whether the answer was right or not: send the digit, or that it is none. Your next "
            "drawings are read by it at once; nobody else's are. Sent again it replaces what you "
            "said before. It trains no model unless a reviewer confirms it."
        ),
        request={"application/json": SuggestionSerializer},
        examples=[
            OpenApiExample("A digit", value={"digit": 4}, request_only=True),
            OpenApiExample("Not a digit", value={"not_a_digit": True}, request_only=True),
        ],
        responses={
            200: PredictionSerializer,
            400: error(
                "required: neither of the two was sent; ambiguous: both were; invalid, null, "
                "min_value, max_value: a field is wrong; parse_error: the body is malformed."
            ),
            401: error("The token is wrong."),
            403: error("The CSRF token is missing, or the request comes from another site."),
            404: error("No drawing of yours."),
            415: error("The body is not JSON."),
            429: error("Too many requests in too short a time; see Retry-After."),
        },
    )
    @action(detail=True, methods=["post"], parser_classes=[SuggestionParser])
    def suggestion(self, request: Request, pk: UUID) -> Response:
        """Keep what the person says of their own drawing."""
        if request.data is None:
            raise ParseError(_("The body is null. Send an object with the field digit."))
        serializer = SuggestionSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        try:
            prediction = corrections.suggest(
                prediction_id=pk,
                label=serializer.validated_data["label"],
                owner=owner_of(request),
            )
        except Prediction.DoesNotExist as error:
            raise NotFound from error
        return Response(self.get_serializer(prediction).data)

    @extend_schema(
        summary="Take back what you said of a drawing",
        request=None,
        responses={
            204: OpenApiResponse(description="Taken back, and forgotten."),
            401: error("The token is wrong."),
            403: error("The CSRF token is missing, or the request comes from another site."),
            404: error("No drawing of yours."),
            429: error("Too many requests in too short a time; see Retry-After."),
        },
    )
    @suggestion.mapping.delete
    def withdraw_suggestion(self, request: Request, pk: UUID) -> Response:
        """Take back what the person said of their own drawing."""
        try:
            corrections.withdraw(prediction_id=pk, owner=owner_of(request))
        except Prediction.DoesNotExist as error:
            raise NotFound from error
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _visible(self, pk: UUID) -> Prediction:
        try:
            return selectors.visible_prediction(
                prediction_id=pk, owner=owner_of(self.request), with_image=True
            )
        except Prediction.DoesNotExist as error:
            raise NotFound from error


def _idempotency_key(request: Request) -> str | None:
    """Return the key that makes sending again harmless, or None where none was sent."""
    key: str | None = request.headers.get("Idempotency-Key")
    if key is not None and not KEY_LENGTH[0] <= len(key) <= KEY_LENGTH[1]:
        raise ValidationError(
            _("The header Idempotency-Key must have 16 to 128 characters."),
            code="invalid_idempotency_key",
        )
    return key


def _png(request: Request, data: bytes) -> HttpResponseBase:
    """Return a PNG that the asker's own browser may keep for a day."""
    response = HttpResponse(data, content_type="image/png")
    response["Cache-Control"] = f"private, max-age={IMAGE_CACHE_SECONDS}"
    response["X-Content-Type-Options"] = "nosniff"
    response["Content-Disposition"] = "inline"
    etag = f'"{hashlib.sha256(data).hexdigest()[:32]}"'
    response["ETag"] = etag
    conditional: HttpResponseBase | None = get_conditional_response(
        request._request, etag=etag, response=response
    )
    return conditional or response
