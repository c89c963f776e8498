"""What drf-spectacular can't find out by itself: importing it is enough. And the schema's view."""

from __future__ import annotations

from typing import Any

from django.utils import translation
from drf_spectacular.authentication import SessionScheme
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView
from rest_framework.request import Request
from rest_framework.response import Response


class BrowserSessionScheme(SessionScheme):  # type: ignore[no-untyped-call]
    """Describes our session authentication as the session cookie that it is."""

    target_class = "recognizer.api.authentication.BrowserSessionAuthentication"
    name = "cookieAuth"


class SchemaView(SpectacularAPIView):
    """The schema in English, whoever asks: much of it stands in docstrings, which stay English."""

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        """Return the schema."""
        with translation.override("en"):
            response: Response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]
        return response
