"""What every view of the API shares: guards, errors, cache headers."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.http import HttpRequest
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import (
    OpenApiResponse,
)
from rest_framework.exceptions import NotFound, ParseError, UnsupportedMediaType, ValidationError
from rest_framework.request import Request
from rest_framework.serializers import BaseSerializer
from rest_framework.throttling import BaseThrottle
from rest_framework.views import APIView

from recognizer import imaging
from recognizer.api.errors import ModelUnavailable, PayloadTooLarge
from recognizer.api.parsers import AnyAccept, PlainJSONParser
from recognizer.api.serializers import (
    DrawingJsonSerializer,
    DrawingUploadSerializer,
    ErrorResponseSerializer,
)
from recognizer.api.throttling import AnonWriteThrottle, UserWriteThrottle
from recognizer.versions.active import NoModel

# Room for base64 (four characters for three bytes) and the JSON, or the form, around it.
MAX_BODY = imaging.MAX_BYTES // 2 * 3
# Most clients read the answer only when they have sent all of the body: take in that much of it.
MAX_DRAINED = 4 * MAX_BODY
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


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


class UnknownAddress(APIView):
    """Answers addresses below /api/ that do not exist in the shape of every other error."""

    authentication_classes = []
    content_negotiation_class = AnyAccept
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Answer 404 before anything else is looked at."""
        raise NotFound(_("There is nothing at this address. See /api/docs/."))
