"""The REST API, version 1."""

from __future__ import annotations

import codecs
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timezone
from typing import Any, cast
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import get_conditional_response, patch_vary_headers
from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext
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
from rest_framework.exceptions import NotFound, ParseError, UnsupportedMediaType, ValidationError
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.pagination import Cursor, CursorPagination
from rest_framework.parsers import JSONParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.settings import api_settings
from rest_framework.throttling import AnonRateThrottle, BaseThrottle, UserRateThrottle
from rest_framework.views import APIView

from recognizer import imaging, removal, selectors, services, visitors
from recognizer.errors import ModelUnavailable, PayloadTooLarge
from recognizer.models import Prediction, PredictionQuerySet
from recognizer.personalisation import corrections
from recognizer.serializers import (
    DrawingJsonSerializer,
    DrawingUploadSerializer,
    ErrorResponseSerializer,
    HistoryQuerySerializer,
    PredictionSerializer,
    RemovedSerializer,
)
from recognizer.serializers_memory import SuggestionSerializer
from recognizer.versions.active import NoModel

utc = timezone.utc

# Room for base64 (four characters for three bytes) and the JSON, or the form, around it.
MAX_BODY = imaging.MAX_BYTES // 2 * 3
# Most clients read the answer only when they have sent all of the body: take in that much of it.
MAX_DRAINED = 4 * MAX_BODY
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
IMAGE_CACHE_SECONDS = 24 * 3600
# Characters of an Idempotency-Key: enough that no two are alike by chance.
KEY_LENGTH = (16, 128)


class AnyAccept(BaseContentNegotiation):
    """Answers in the one format there is, whatever the Accept header prefers."""

    def select_parser(self, request: Request, parsers: Any) -> Any:
        """Return the parser for the request's content type."""
        from rest_framework.utils.mediatypes import media_type_matches

        for parser in parsers:
            if media_type_matches(parser.media_type, request.content_type):
                return parser
        return None

    def select_renderer(
        self, request: Request, renderers: Any, format_suffix: str | None = None
    ) -> tuple[Any, str]:
        """Return the first renderer."""
        return renderers[0], renderers[0].media_type


class PlainJSONParser(JSONParser):
    """JSON in UTF-8, as RFC 8259 has it; what nests too deeply is malformed, not a crash."""

    example = '{"image": "data:image/png;base64,..."}'

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Return what the body holds."""
        context = {**(parser_context or {}), "encoding": "utf-8"}
        try:
            return super().parse(stream, media_type, context)
        except (ParseError, RecursionError) as error:
            raise ParseError(
                _("The body is not valid JSON. Send {example}.").format(example=self.example)
            ) from error


class SuggestionParser(PlainJSONParser):
    """The JSON of a suggestion."""

    example = '{"digit": 4} or {"not_a_digit": true}'


class PlainMultiPartParser(MultiPartParser):
    """A form with files; says in a sentence when it is malformed."""

    def parse(self, stream: Any, media_type: str | None = None, parser_context: Any = None) -> Any:
        """Return the fields and files of the body."""
        try:
            return super().parse(stream, media_type, parser_context)
        except ParseError as error:
            raise ParseError(
                _("The form can't be read. Send multipart/form-data with a file named image.")
            ) from error


class NewestFirst(CursorPagination):
    """Cursor pages, newest first; `page_size` up to 100."""

    ordering = ("-created_at", "-id")
    page_size = 20
    page_size_query_param = "page_size"
    max_page_size = 100

    def decode_cursor(self, request: Request) -> Cursor | None:
        """Return the cursor of the request; one that we did not make is no page of ours."""
        cursor = super().decode_cursor(request)
        if (
            cursor is not None
            and cursor.position is not None
            and not _is_time(str(cursor.position))
        ):
            raise NotFound(self.invalid_cursor_message)
        return cursor


def _is_time(text: str) -> bool:
    try:
        moment = parse_datetime(text)
        # At the ends of the calendar a time may have no equivalent in UTC.
        return moment is not None and moment.tzinfo is not None and bool(moment.astimezone(utc))
    except (ValueError, OverflowError):
        return False


class AnonWriteThrottle(AnonRateThrottle):
    """Limits what one address may send."""

    def get_rate(self) -> str | None:
        """Return the rate of the settings as they are now."""
        return cast("str | None", api_settings.DEFAULT_THROTTLE_RATES["anon"])


class UserWriteThrottle(UserRateThrottle):
    """Limits what one user may send; who has not logged in is the other throttle's."""

    def get_rate(self) -> str | None:
        """Return the rate of the settings as they are now."""
        return cast("str | None", api_settings.DEFAULT_THROTTLE_RATES["user"])

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        """Return the user's key, or None where there is no user."""
        key: str | None = super().get_cache_key(request, view)
        return key if visitors.user_of(request) else None


def error(text: str) -> OpenApiResponse:
    """Return the schema of an error, with what it means here."""
    return OpenApiResponse(ErrorResponseSerializer, description=text)


class PersonsOwn(APIView):
    """What every view of one person's own things has: guards before, no shared caches after."""

    parser_classes = [PlainJSONParser]
    content_negotiation_class = AnyAccept

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Refuse a body that can't be read before anything reads it."""
        if request.method not in SAFE_METHODS:
            _check_body(request._request)
        super().initial(request, *args, **kwargs)

    def get_throttles(self) -> list[BaseThrottle]:
        """Return the throttles: for writing only, since one page shows many thumbnails."""
        if self.request.method in SAFE_METHODS:
            return []
        return [AnonWriteThrottle(), UserWriteThrottle()]

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Keep what belongs to one person out of shared caches."""
        final = super().finalize_response(request, response, *args, **kwargs)
        if not final.has_header("Cache-Control"):
            final["Cache-Control"] = "private, no-store"
        patch_vary_headers(final, ["Cookie", "Authorization"])
        return final


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
        user, visitor = visitors.owner(self.request)
        return selectors.history(user=user, visitor=visitor)

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
        user, visitor = visitors.owner_for_writing(request)
        with drawing_errors():
            prediction = services.recognise(
                data=serializer.validated_data["image"],
                source=serializer.validated_data["source"],
                user=user,
                visitor=visitor,
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
        user, visitor = visitors.owner(request)
        try:
            removed = removal.remove_one(prediction_id=pk, user=user, visitor=visitor)
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
        user, visitor = visitors.owner(request)
        return Response(RemovedSerializer(removal.remove_all(user=user, visitor=visitor)).data)

    @extend_schema(summary="The drawing, as PNG", responses=_PNG)
    @action(detail=True, methods=["get"])
    def image(self, request: Request, pk: UUID) -> HttpResponseBase:
        """Return the drawing as it was drawn."""
        return _png(request, bytes(self._visible(pk).image))

    @extend_schema(summary="What the model saw of it, 28x28, as PNG", responses=_PNG)
    @action(detail=True, methods=["get"], url_path="model-input", url_name="model-input")
    def model_input(self, request: Request, pk: UUID) -> HttpResponseBase:
        """Return the 28x28 image that the model saw, white on black."""
        return _png(request, imaging.encode_png(services.model_input(self._visible(pk))))

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
        user, visitor = visitors.owner(request)
        try:
            prediction = corrections.suggest(
                prediction_id=pk,
                label=serializer.validated_data["label"],
                user=user,
                visitor=visitor,
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
        user, visitor = visitors.owner(request)
        try:
            corrections.withdraw(prediction_id=pk, user=user, visitor=visitor)
        except Prediction.DoesNotExist as error:
            raise NotFound from error
        return Response(status=status.HTTP_204_NO_CONTENT)

    def _visible(self, pk: UUID) -> Prediction:
        user, visitor = visitors.owner(self.request)
        try:
            return selectors.visible_prediction(
                prediction_id=pk, user=user, visitor=visitor, with_image=True
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


def drawing_serializer(request: Request) -> BaseSerializer[Any]:
    """Return the serializer of a drawing that is sent as JSON or as a form with a file."""
    if request.data is None:
        raise ParseError(_("The body is null. Send an object with the field image."))
    if str(request.content_type).lower().startswith("multipart/"):
        return DrawingUploadSerializer(data=request.data)
    return DrawingJsonSerializer(data=request.data)


@contextmanager
def drawing_errors() -> Iterator[None]:
    """Turn what is wrong with a drawing, or a missing model, into errors of the API."""
    try:
        yield
    except imaging.FileTooLarge as error:
        raise PayloadTooLarge from error
    except imaging.ImageError as error:
        raise ValidationError({"image": [_as_detail(error)]}) from error
    except NoModel as error:
        raise ModelUnavailable from error


def _as_detail(error: imaging.ImageError) -> Any:
    from rest_framework.exceptions import ErrorDetail

    return ErrorDetail(gettext(error.text).format(**error.limits), code=error.code)


def _check_body(request: HttpRequest) -> None:
    if request.encoding is not None and not _is_utf8(request.encoding):
        # Python knows "encodings" that are none, such as hex.
        request.encoding = "utf-8"
        raise UnsupportedMediaType(request.META.get("CONTENT_TYPE", ""))
    length = str(request.META.get("CONTENT_LENGTH") or "")
    if length.isdecimal() and int(length) > MAX_BODY:
        if int(length) <= MAX_DRAINED:
            _drain(request)
        raise PayloadTooLarge


def _is_utf8(encoding: str) -> bool:
    try:
        return codecs.lookup(encoding).name in ("utf-8", "ascii")
    except LookupError:
        return False


def _drain(request: HttpRequest) -> None:
    while request.read(64 * 1024):
        pass


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


class UnknownAddress(APIView):
    """Answers addresses below /api/ that do not exist in the shape of every other error."""

    authentication_classes = []
    content_negotiation_class = AnyAccept
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Answer 404 before anything else is looked at."""
        raise NotFound(_("There is nothing at this address. See /api/docs/."))
