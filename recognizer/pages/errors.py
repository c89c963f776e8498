"""Errors outside of the API's views: JSON below /api/, a page elsewhere."""

from __future__ import annotations

import logging
import math
import sys

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.http.response import HttpResponseBase
from django.middleware.csrf import REASON_BAD_ORIGIN
from django.shortcuts import render
from django.template.exceptions import TemplateDoesNotExist
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException, NotFound, ParseError, PermissionDenied

from recognizer.api import origins, throttling
from recognizer.api.authentication import csrf_sentence
from recognizer.api.errors import DatabaseUnavailable
from recognizer.models.outages import is_outage

logger = logging.getLogger(__name__)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return refuse(
        request, ParseError(_("The request is malformed. Check its headers and its body."))
    )


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refuse(request, PermissionDenied(_("You don't have permission to do this.")))


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    return refuse(request, NotFound(_("There is nothing at this address. See /api/docs/.")))


def server_error(request: HttpRequest) -> HttpResponse:
    """Answer 503 while the database is away, else 500. Called where the error is handled."""
    if is_outage(sys.exc_info()[1]):
        return refuse(request, DatabaseUnavailable())
    return refuse(
        request, APIException(_("Something went wrong on the server. Try again in a minute."))
    )


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponseBase:
    """Refuse a form; say in the page and in the log which setting is wrong, if one is."""
    match = request.resolver_match
    # Such a view would have counted the request only now.
    if match is not None and hasattr(match.func, "limits_itself"):
        wait = throttling.wait_for(request, throttling.WRITE)
        if wait is not None:
            return throttling.too_many(request, wait)
    sentence = csrf_sentence(request, reason)
    is_origin = reason.startswith(REASON_BAD_ORIGIN.partition("%s")[0])
    if is_origin:
        logger.warning("A form was refused. %s", origins.refusal(request))
    if _is_api(request):
        return refuse(request, PermissionDenied(sentence))
    context = {"advice": sentence} if is_origin else {}
    return render(request, "403_csrf.html", context, status=403)


def refuse(request: HttpRequest, error: APIException) -> HttpResponse:
    """Return the response for an error of the API, as its own views would answer or as a page."""
    response = _refusal(request, error)
    if wait := getattr(error, "wait", None):
        response["Retry-After"] = str(math.ceil(wait))
    return response


def _refusal(request: HttpRequest, error: APIException) -> HttpResponse:
    status = error.status_code
    if _is_api(request):
        kind = "server_error" if status >= 500 else "client_error"
        first = {"code": error.get_codes(), "detail": str(error.detail), "attr": None}
        return JsonResponse({"type": kind, "errors": [first]}, status=status)
    context = {
        "status": status,
        "detail": error.detail,
        "request_id": getattr(request, "id", "") if status >= 500 else "",
    }
    try:
        return render(request, f"{status}.html", context, status=status)
    except TemplateDoesNotExist:
        return render(request, "refused.html", context, status=status)


def _is_api(request: HttpRequest) -> bool:
    return request.path_info.startswith("/api/")
