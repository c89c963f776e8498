"""The REST API of drawings: recognise, list, correct and delete your own."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

from django.http import HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiResponse,
    extend_schema,
    extend_schema_view,
)
from rest_framework import mixins, status, viewsets
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from recognizer import imaging
from recognizer.api.authentication import owner_of, owner_or_new
from recognizer.api.base import PersonsOwn, is_form, valid_drawing
from recognizer.api.idempotency import idempotency_key, welcome
from recognizer.api.labels import (
    LABEL_EXAMPLES,
    LabelledSerializer,
    LabelParser,
    LabelSerializer,
    set_label,
)
from recognizer.api.pagination import NewestFirst
from recognizer.api.parsers import PlainJSONParser, PlainMultiPartParser, SuggestionParser
from recognizer.api.permissions import HasScope, MayLabel
from recognizer.api.personalisation_serializers import SuggestionSerializer
from recognizer.api.schema import (
    DRAWING_ERRORS,
    DRAWING_EXAMPLES,
    DRAWING_REQUEST,
    KEY_HEADER,
    KEY_REUSED,
    NO_DRAWING,
    STAFF_ERRORS,
    SUGGESTION_REQUEST,
    WORDS_HEADER,
    WRITE_ERRORS,
    error,
)
from recognizer.api.serializers import (
    HistoryQuerySerializer,
    PredictionSerializer,
    PublicLinkSerializer,
    RemovedSerializer,
)
from recognizer.api.throttling import check_daily_limit, count_stored
from recognizer.models import Prediction, PredictionQuerySet, Scope
from recognizer.personalisation import corrections
from recognizer.predictions import deletion, public_links, recognition, selectors

IMAGE_CACHE_SECONDS = 24 * 3600

_PNG: dict[Any, Any] = {(200, "image/png"): OpenApiTypes.BINARY, **NO_DRAWING}


@extend_schema_view(
    list=extend_schema(
        summary="Your own drawings, newest first",
        parameters=[HistoryQuerySerializer, WORDS_HEADER],
        responses={
            200: PredictionSerializer(many=True),
            400: error("invalid_choice: the verdict is not one of the three."),
            404: error("The cursor is not valid."),
        },
    ),
    retrieve=extend_schema(
        summary="One of your own drawings",
        parameters=[WORDS_HEADER],
        responses={200: PredictionSerializer, **NO_DRAWING},
    ),
)
@extend_schema(tags=["predictions"])
class PredictionViewSet(
    PersonsOwn,
    mixins.ListModelMixin,
    mixins.RetrieveModelMixin,
    viewsets.GenericViewSet[Prediction],
):
    """Drawings and their predictions. You see only your own."""

    serializer_class = PredictionSerializer
    pagination_class = NewestFirst
    parser_classes = [PlainJSONParser, PlainMultiPartParser]
    http_method_names = ["get", "post", "patch", "delete", "head", "options"]
    queryset = Prediction.objects.none()
    lookup_value_converter = "uuid"

    @property
    def scope(self) -> Scope | None:
        """The scope that a token needs; None for the usual ones."""
        return Scope.REVIEW if self.action == "partial_update" else None

    def get_permissions(self) -> list[Any]:
        if self.action == "partial_update":
            return [HasScope(), MayLabel()]
        return list(super().get_permissions())

    def get_parsers(self) -> list[Any]:
        # In the schema there is no request.
        if getattr(self.request, "method", None) == "PATCH":
            return [LabelParser()]
        return list(super().get_parsers())

    def get_queryset(self) -> PredictionQuerySet:
        return selectors.history(owner=owner_of(self.request))

    def filter_queryset(self, queryset: Any) -> Any:
        if self.action != "list":
            return queryset
        query = HistoryQuerySerializer(data=self.request.query_params)
        query.is_valid(raise_exception=True)
        verdict = query.validated_data.get("verdict")
        return queryset.given(verdict) if verdict else queryset

    @extend_schema(
        summary="Recognise a drawing",
        description=(
            "Send one drawing, as JSON or as a form with a file: PNG, JPEG, WebP, GIF or BMP, "
            "at most 8 MB and 4096x4096 px (WebP: 3.6 megapixels, 2.8 if "
            "it is lossless or has alpha; progressive JPEG: about 12). "
            "In JSON you can send the strokes of a pen instead; the server draws them. The drawing "
            "is stored with its prediction, and so are strokes."
        ),
        parameters=[
            KEY_HEADER,
            WORDS_HEADER,
        ],
        request=DRAWING_REQUEST,
        examples=DRAWING_EXAMPLES,
        responses={201: PredictionSerializer, **KEY_REUSED, **DRAWING_ERRORS},
    )
    def create(self, request: Request) -> Response:
        drawing = valid_drawing(request.data, in_form=is_form(request))
        check_daily_limit(request)
        owner = owner_or_new(request)
        prediction = recognition.recognise(
            data=drawing["image"],
            source=drawing["source"],
            owner=owner,
            key=idempotency_key(request, owner),
        )
        if owner.is_new:
            welcome(request, owner, [prediction])
        count_stored(request, prediction)
        body = self.get_serializer(prediction).data
        location = self.reverse_action("detail", args=[prediction.pk])
        return Response(body, status=status.HTTP_201_CREATED, headers={"Location": location})

    @extend_schema(
        summary="Label a drawing, as a reviewer",
        description=(
            "For staff with the permission to label; a token needs the scope review. The drawing "
            "may be anybody's. The rules are those of the review queue: the change is written to "
            "the label history, a drawing of the random audit sample is then audited, and your own "
            "claim on it ends."
        ),
        request={"application/json": LabelSerializer},
        examples=LABEL_EXAMPLES,
        responses={
            200: LabelledSerializer,
            400: error(
                "required, null, invalid, min_value, max_value: a field is missing or wrong; "
                "ambiguous: both a label and a number were sent; "
                "step_reused: the step was used for another label; parse_error: the body is "
                "malformed."
            ),
            404: error("There is no drawing with this id."),
            409: error("conflict: the drawing has another label than the one in seen."),
            415: error("The body is not JSON."),
            **STAFF_ERRORS,
        },
    )
    def partial_update(self, request: Request, pk: UUID) -> Response:
        return Response(set_label(request, pk))

    @extend_schema(
        summary="Delete one of your drawings",
        description=(
            "It is deleted from the database. If a reviewer has labelled it, it is anonymised and "
            "kept as training data."
        ),
        request=None,
        responses={200: RemovedSerializer, **WRITE_ERRORS, **NO_DRAWING},
    )
    def destroy(self, request: Request, pk: UUID) -> Response:
        removed = deletion.remove_one(prediction_id=pk, owner=owner_of(request))
        return Response(RemovedSerializer(removed).data)

    @extend_schema(
        operation_id="predictions_destroy_all",
        summary="Delete all of your drawings",
        description="Drawings that a reviewer has labelled are anonymised and kept.",
        request=None,
        responses={200: RemovedSerializer, **WRITE_ERRORS},
    )
    def destroy_all(self, request: Request) -> Response:
        return Response(RemovedSerializer(deletion.remove_all(owner=owner_of(request))).data)

    @extend_schema(
        summary="A drawing as PNG",
        description="As it was drawn, in grey, at most 512 pixels on a side.",
        responses=_PNG,
    )
    @action(detail=True, methods=["get"])
    def image(self, request: Request, pk: UUID) -> HttpResponseBase:
        return _png(request, bytes(self._with_image(pk).image))

    @extend_schema(
        summary="What the model saw of a drawing, as PNG",
        description="28x28 pixels, white on black.",
        responses=_PNG,
    )
    @action(detail=True, methods=["get"], url_path="model-input", url_name="model-input")
    def model_input(self, request: Request, pk: UUID) -> HttpResponseBase:
        return _png(request, imaging.encode_png(self._with_image(pk).model_input()))

    @extend_schema(
        summary="Correct a prediction of yours",
        description=(
            "Send the digit that the drawing shows, or that it is not a digit; you can also "
            "confirm a correct prediction. It changes at once how similar drawings of yours are "
            "recognised, and nobody else's. Sending it again replaces what you sent before. "
            "A model learns from it only after a reviewer has labelled the drawing."
        ),
        parameters=[WORDS_HEADER],
        request={"application/json": SUGGESTION_REQUEST},
        examples=[
            OpenApiExample("A digit", value={"digit": 4}, request_only=True),
            OpenApiExample("Not a digit", value={"not_a_digit": True}, request_only=True),
            OpenApiExample("A number of several digits", value={"number": "42"}, request_only=True),
        ],
        responses={
            200: PredictionSerializer,
            400: error(
                "required: none of the three was sent; ambiguous: several were; invalid, null, "
                "min_value, max_value: a field is wrong; parse_error: the body is malformed."
            ),
            415: error("The body is not JSON."),
            **WRITE_ERRORS,
            **NO_DRAWING,
        },
    )
    @action(detail=True, methods=["post"], parser_classes=[SuggestionParser])
    def suggestion(self, request: Request, pk: UUID) -> Response:
        serializer = SuggestionSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        sent, owner = serializer.validated_data, owner_of(request)
        if "number" in sent:
            number = sent["number"]
            prediction = corrections.suggest_number(prediction_id=pk, number=number, owner=owner)
        else:
            label = sent["label"]
            prediction = corrections.suggest(prediction_id=pk, label=label, owner=owner)
        return Response(self.get_serializer(prediction).data)

    @extend_schema(
        summary="Delete your correction",
        description="It no longer affects your predictions.",
        request=None,
        responses={
            204: OpenApiResponse(description="The correction is deleted."),
            **WRITE_ERRORS,
            **NO_DRAWING,
        },
    )
    @suggestion.mapping.delete
    def withdraw_suggestion(self, request: Request, pk: UUID) -> Response:
        corrections.withdraw(prediction_id=pk, owner=owner_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    @extend_schema(
        summary="Make a public link to a drawing of yours",
        description=(
            "Everybody who has the link can see the drawing and its prediction, and nothing else. "
            "A drawing has one link at most: sending this again gives the same one."
        ),
        request=None,
        responses={200: PublicLinkSerializer, **WRITE_ERRORS, **NO_DRAWING},
    )
    @action(detail=True, methods=["post"])
    def link(self, request: Request, pk: UUID) -> Response:
        link = public_links.publish(prediction_id=pk, owner=owner_of(request))
        return Response(PublicLinkSerializer(link, context={"request": request}).data)

    @extend_schema(
        summary="Revoke the public link to a drawing of yours",
        description="The link shows nothing from then on, also if you make another one later.",
        request=None,
        responses={
            204: OpenApiResponse(description="The drawing has no public link."),
            **WRITE_ERRORS,
            **NO_DRAWING,
        },
    )
    @link.mapping.delete
    def revoke_link(self, request: Request, pk: UUID) -> Response:
        public_links.revoke(prediction_id=pk, owner=owner_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _with_image(self, pk: UUID) -> Prediction:
        return selectors.visible_prediction(
            prediction_id=pk, owner=owner_of(self.request), with_image=True
        )


def _png(request: Request, data: bytes) -> HttpResponseBase:
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
