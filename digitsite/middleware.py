"""What every request passes before a view, and what every response gets."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from typing import BinaryIO

from django.conf import settings
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.core.handlers.wsgi import WSGIRequest
from django.db import DataError, OperationalError, ProgrammingError
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.http.response import HttpResponseBase
from django.middleware.common import CommonMiddleware
from django.urls import reverse
from rest_framework.exceptions import APIException

from recognizer.api import origins, parsers
from recognizer.api.errors import LengthRequired, PayloadTooLarge
from recognizer.pages import errors

HEALTH_CHECKS = frozenset({"/healthz", "/readyz", "/metrics"})

# No page uses any of these, so that no script that gets in can.
PERMISSIONS_POLICY = ", ".join(
    f"{feature}=()"
    for feature in (
        "accelerometer", "browsing-topics", "camera", "display-capture", "geolocation",
        "gyroscope", "magnetometer", "microphone", "midi", "payment", "usb",
    )
)  # fmt: skip

logger = logging.getLogger(__name__)

GetResponse = Callable[[HttpRequest], HttpResponseBase]


def permissions_policy(get_response: GetResponse) -> GetResponse:
    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        return response

    return middleware


def head_without_body(get_response: GetResponse) -> GetResponse:
    """Drop the body of responses to HEAD, which web servers warn about; its length stays."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        response = get_response(request)
        if request.method == "HEAD" and isinstance(response, HttpResponse):
            response.content = b""
        return response

    return middleware


class SiteMiddleware(CommonMiddleware):
    """Django's, but load balancers may ask for the health checks by any host name."""

    def process_request(self, request: HttpRequest) -> HttpResponsePermanentRedirect | None:
        if request.path_info in HEALTH_CHECKS:
            return None
        return super().process_request(request)


def well_formed_requests(get_response: GetResponse) -> GetResponse:
    """Refuse other encodings than UTF-8; give a chunked body a length; normalise the origin."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        origins.normalise(request)
        try:
            parsers.check_charset(request)
            _measure_chunked_body(request)
        except APIException as error:
            return errors.refuse(request, error)
        return get_response(request)

    return middleware


class OddAddressMiddleware:
    """Answers 400 where Django's admin does not expect what is in an address.

    Its lists and its redirect to an object hand parts of the address to the database unchecked.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        kinds: tuple[type[Exception], ...] = (ValidationError,)
        if request.method in ("GET", "HEAD"):
            kinds += (ValueError, TypeError, LookupError, OverflowError, FieldDoesNotExist)
            kinds += (DataError, ProgrammingError)
        # SQLite's word for a regular expression that is none.
        is_regex = isinstance(error, OperationalError) and "user-defined function" in str(error)
        if not ((isinstance(error, kinds) or is_regex) and _is_admin(request)):
            return None
        logger.warning("Not a valid address: %s", request.path, exc_info=error)
        return errors.bad_request(request)


def _is_admin(request: HttpRequest) -> bool:
    return request.path_info.startswith(reverse("admin:index"))


def _measure_chunked_body(request: HttpRequest) -> None:
    """Read a body without a Content-Length; views see one with it.

    Raises:
        LengthRequired: the server does not know where the body ends.
        PayloadTooLarge: it is longer than a request body may be.
    """
    if "HTTP_TRANSFER_ENCODING" not in request.META or request.META.get("CONTENT_LENGTH"):
        return
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    assert limit is not None
    stream = _chunked_body(request)
    body = stream.read(limit + 1)
    if len(body) > limit:
        # Most clients read the response only when they have sent all of the body.
        left = parsers.MAX_DRAINED - limit
        while left > 0 and (piece := stream.read(64 * 1024)):
            left -= len(piece)
        raise PayloadTooLarge
    request.META["CONTENT_LENGTH"] = str(len(body))
    # Where both kinds of request keep what `read` reads.
    request._stream = io.BytesIO(body)


def _chunked_body(request: HttpRequest) -> BinaryIO:
    if not isinstance(request, WSGIRequest):
        # Django has received all of it, into a file.
        stream: BinaryIO = request._stream
        return stream
    if not request.environ.get("wsgi.input_terminated"):
        raise LengthRequired
    terminated: BinaryIO = request.environ["wsgi.input"]
    return terminated
