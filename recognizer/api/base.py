"""What every view of the API shares: guards, errors, cache headers."""

from __future__ import annotations

from typing import Any

from django.http import Http404
from django.utils.cache import patch_vary_headers
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import NotFound
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView

from recognizer.api import throttling
from recognizer.api.errors import drawing_error
from recognizer.api.parsers import AnyAccept, PlainJSONParser, check_body
from recognizer.api.permissions import HasScope
from recognizer.api.serializers import (
    DrawingJsonSerializer,
    DrawingStrokesSerializer,
    DrawingUploadSerializer,
)
from recognizer.models import Prediction
from recognizer.predictions.recognition import Refused

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


class PersonsOwn(APIView):
    """What every view of one person's own things has: guards before, no shared caches after."""

    parser_classes = [PlainJSONParser]
    # AllowAny tells the schema that neither token nor cookie is needed.
    permission_classes = [AllowAny, HasScope]
    content_negotiation_class = AnyAccept

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        if request.method not in SAFE_METHODS:
            check_body(request._request)
        super().initial(request, *args, **kwargs)

    def charge(self, drawings: int) -> None:
        """Count a request for as many drawings as it has; raises Throttled for too many."""
        if (wait := throttling.charge(self.request, drawings)) is not None:
            self.throttled(self.request, wait)

    def handle_exception(self, exc: Exception) -> Response:
        """Say what is wrong with the drawing that was sent or asked for."""
        if isinstance(exc, Http404 | Prediction.DoesNotExist):
            exc = NotFound(_("You have no drawing with this id."))
        # Of a stored drawing it would be a fault of the server.
        elif isinstance(exc, Refused) and self.request.method == "POST":
            exc = drawing_error(exc)
        return super().handle_exception(exc)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        final = super().finalize_response(request, response, *args, **kwargs)
        if not final.has_header("Cache-Control"):
            final["Cache-Control"] = "private, no-store"
        patch_vary_headers(final, ["Cookie", "Authorization", "Prefer"])
        return final


def is_form(request: Request) -> bool:
    return str(request.content_type).lower().startswith("multipart/")


def valid_drawing(sent: Any, *, in_form: bool) -> dict[str, Any]:
    """Return the fields of a drawing: a file in a form, or JSON with image or strokes.

    ``image`` is what `recognition` takes: the bytes of a file, or strokes. Raises APIException.
    """
    kind: type[BaseSerializer[Any]] = DrawingJsonSerializer
    if in_form:
        kind = DrawingUploadSerializer
    elif isinstance(sent, dict) and sent.get("strokes") is not None:
        kind = DrawingStrokesSerializer
    serializer = kind(data=sent)
    serializer.is_valid(raise_exception=True)
    valid: dict[str, Any] = serializer.validated_data
    return valid


class UnknownAddress(APIView):
    """Answers addresses below /api/ that do not exist in the shape of every other error."""

    authentication_classes = []
    content_negotiation_class = AnyAccept
    schema = None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """Answer 404 before anything else is looked at."""
        raise NotFound(_("There is nothing at this address. See /api/docs/."))
