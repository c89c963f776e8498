"""An id for every request: in its log lines and in the header X-Request-ID of its response."""

from __future__ import annotations

import logging
import re
import uuid
from collections.abc import Callable
from contextvars import ContextVar

from django.http import HttpRequest
from django.http.response import HttpResponseBase

HEADER = "X-Request-ID"
# Of a proxy in front: nothing that could forge a log line or fill the log.
_HARMLESS = re.compile(r"[A-Za-z0-9._-]{1,64}")

_current: ContextVar[str] = ContextVar("request_id", default="-")


class RequestIdMiddleware:
    """Sets ``request.id``: the header that a proxy sent if it is harmless, else a new one."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        sent = request.headers.get(HEADER, "")
        identifier = sent if _HARMLESS.fullmatch(sent) else uuid.uuid4().hex
        request.id = identifier  # type: ignore[attr-defined]
        token = _current.set(identifier)
        try:
            response = self.get_response(request)
        finally:
            _current.reset(token)
        response.headers[HEADER] = identifier
        return response


class RequestIdFilter(logging.Filter):
    """Adds ``request_id`` to log records; "-" outside of a request."""

    def filter(self, record: logging.LogRecord) -> bool:
        # Django logs some responses after all middleware, but names their request.
        request = getattr(record, "request", None)
        record.request_id = getattr(request, "id", None) or _current.get()
        return True


class OneLineFilter(logging.Filter):
    """Drops the traceback of requests that Django refuses: nothing in the site is broken."""

    def filter(self, record: logging.LogRecord) -> bool:
        record.exc_info = record.exc_text = None
        return True
