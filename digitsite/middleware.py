"""What every request passes before a view, and what every response gets."""

from __future__ import annotations

import io
import logging
from collections.abc import Callable
from typing import BinaryIO

from django.conf import settings
from django.core.exceptions import FieldDoesNotExist, ValidationError
from django.core.handlers.wsgi import WSGIRequest
from django.db import DataError, NotSupportedError, OperationalError, ProgrammingError
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.http.response import HttpResponseBase
from django.middleware.common import CommonMiddleware
from django.urls import reverse
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException, ParseError

from recognizer.api import origins, parsers
from recognizer.api.errors import LengthRequired, PayloadTooLarge
from recognizer.pages import errors

PROXY_HEADERS = ("X-Forwarded-For", "X-Forwarded-Proto")
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


class UntrustedProxyMiddleware:
    """Names NUM_PROXIES in the log, once in each process, where a proxy's headers are ignored.

    Without it all visitors of a proxy share one limit, and a redirect to HTTPS never ends.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response
        self._is_named = settings.NUM_PROXIES > 0

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if not self._is_named:
            found = [name for name in PROXY_HEADERS if name in request.headers]
            if found:
                self._is_named = True
                logger.warning(
                    "%s is ignored. If a reverse proxy of yours sends it, set NUM_PROXIES to the "
                    "number of your proxies: until then they count as one visitor, and pages that "
                    "redirect to HTTPS do so without end.",
                    " and ".join(found),
                )
        return self.get_response(request)


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

    Its lists and its redirect to an object hand parts of the address, and the ids of the rows that
    an action is for, to the database unchecked.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        kinds: tuple[type[Exception], ...] = (ValidationError,)
        if request.method in ("GET", "HEAD") or _is_list(request):
            kinds += (ValueError, TypeError, LookupError, OverflowError, FieldDoesNotExist)
            kinds += (DataError, ProgrammingError, NotImplementedError, NotSupportedError)
        # SQLite's word for a regular expression that is none.
        is_regex = isinstance(error, OperationalError) and "user-defined function" in str(error)
        if not ((isinstance(error, kinds) or is_regex) and _is_admin(request)):
            return None
        logger.warning("Not a valid address: %s", request.path, exc_info=error)
        return errors.bad_request(request)


def _is_admin(request: HttpRequest) -> bool:
    return request.path_info.startswith(reverse("admin:index"))


def _is_list(request: HttpRequest) -> bool:
    match = request.resolver_match
    return match is not None and str(match.url_name).endswith("_changelist")


def _measure_chunked_body(request: HttpRequest) -> None:
    """Read a body without a Content-Length; views see one with it.

    Raises:
        LengthRequired: the server does not know where the body ends.
        ParseError: the chunks are malformed, or some are missing.
        PayloadTooLarge: it is longer than a request body may be.
    """
    if "HTTP_TRANSFER_ENCODING" not in request.META or request.META.get("CONTENT_LENGTH"):
        return
    stream = _chunked_body(request)
    try:
        body = _read_all(stream)
    except APIException:
        raise
    except Exception as error:
        # Each web server has its own errors for chunks that are malformed or cut off.
        raise ParseError(_("The connection was interrupted. Send the request again.")) from error
    request.META["CONTENT_LENGTH"] = str(len(body))
    # Where both kinds of request keep what `read` reads.
    request._stream = io.BytesIO(body)


def _read_all(stream: BinaryIO) -> bytes:
    limit = settings.DATA_UPLOAD_MAX_MEMORY_SIZE
    assert limit is not None
    body = stream.read(limit + 1)
    if len(body) > limit:
        # Most clients read the response only when they have sent all of the body.
        left = parsers.MAX_DRAINED - limit
        while left > 0 and (piece := stream.read(64 * 1024)):
            left -= len(piece)
        raise PayloadTooLarge
    return body


def _chunked_body(request: HttpRequest) -> BinaryIO:
    if not isinstance(request, WSGIRequest):
        # Django has received all of it, into a file.
        stream: BinaryIO = request._stream
        return stream
    if not request.environ.get("wsgi.input_terminated"):
        raise LengthRequired
    terminated: BinaryIO = request.environ["wsgi.input"]
    return terminated
