"""Counts and times every request for Prometheus."""

from __future__ import annotations

import time
from collections.abc import Callable

from django.core.exceptions import MiddlewareNotUsed
from django.http import HttpRequest
from django.http.response import HttpResponseBase

from recognizer.statistics import metrics

# A client may send any word: each would be another line of the metrics.
METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})

GetResponse = Callable[[HttpRequest], HttpResponseBase]


def request_metrics(get_response: GetResponse) -> GetResponse:
    if not metrics.is_on():
        raise MiddlewareNotUsed
    metrics.start()

    def middleware(request: HttpRequest) -> HttpResponseBase:
        start = time.perf_counter()
        response = get_response(request)
        match, method = request.resolver_match, request.method or ""
        metrics.count_request(
            view=(match.view_name if match else "") or "unknown",
            method=method if method in METHODS else "other",
            status=response.status_code,
            seconds=time.perf_counter() - start,
        )
        return response

    return middleware
