"""The OpenAPI schema: its view, what several endpoints document, and our session authentication.

drf-spectacular finds `BrowserSessionScheme` once this module is imported.
"""

from __future__ import annotations

import threading
from typing import Any

from django.http import HttpResponse
from django.utils import translation
from drf_spectacular.authentication import SessionScheme
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    PolymorphicProxySerializer,
    extend_schema,
)
from drf_spectacular.views import SpectacularAPIView
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from recognizer.api.serializers import (
    EXAMPLE,
    EXAMPLE_STROKES,
    DrawingJsonSerializer,
    DrawingStrokesSerializer,
    DrawingUploadSerializer,
    ErrorResponseSerializer,
)


def error(text: str) -> OpenApiResponse:
    return OpenApiResponse(ErrorResponseSerializer, description=text)


NO_DRAWING = {404: error("You have no drawing with this id.")}

WRITE_ERRORS = {
    401: error("The token is not valid."),
    403: error(
        "permission_denied: the CSRF token is missing or wrong; cross_site: the request comes "
        "from another site."
    ),
    429: error(
        "throttled: too many requests; daily_limit: you have stored as much as one person can in "
        "a day. Wait for the seconds in the header Retry-After."
    ),
}

DRAWING_ERRORS = {
    **WRITE_ERRORS,
    400: error(
        "The drawing can't be used: invalid_base64, empty_image, not_an_image, "
        "unsupported_image, truncated_image, image_too_large (in pixels), blank_drawing; "
        "or its strokes: invalid_strokes, empty_strokes, too_many_strokes, invalid_point, "
        "outside_canvas, invalid_times, invalid_width, invalid_size, invalid_erasers; ambiguous: "
        "both image and strokes were sent; "
        "or a field is missing or wrong: required, null, invalid, invalid_choice; or the "
        "body is malformed: parse_error."
    ),
    413: error("image_too_large: more than 8 MB."),
    415: error("The body is neither JSON nor a multipart form."),
    503: error("no_model: no model is available right now."),
}


DRAWING_REQUEST = {
    "application/json": PolymorphicProxySerializer(
        component_name="Drawing",
        serializers=[DrawingJsonSerializer, DrawingStrokesSerializer],
        resource_type_field_name=None,
    ),
    "multipart/form-data": DrawingUploadSerializer,
}

DRAWING_EXAMPLES = [
    OpenApiExample(
        "A picture", value={"image": EXAMPLE}, request_only=True, media_type="application/json"
    ),
    OpenApiExample(
        "Strokes", value=EXAMPLE_STROKES, request_only=True, media_type="application/json"
    ),
]

WORDS_HEADER = OpenApiParameter(
    "Prefer",
    str,
    OpenApiParameter.HEADER,
    enum=["include=words"],
    description="With include=words, the response has the prediction in words.",
)


class BrowserSessionScheme(SessionScheme):  # type: ignore[no-untyped-call]
    """Describes our session authentication as the session cookie that it is."""

    target_class = "recognizer.api.authentication.BrowserSessionAuthentication"
    name = "cookieAuth"


class SchemaView(SpectacularAPIView):
    """The schema, always in English: much of it comes from docstrings, which aren't translated.

    It is built once in a process, and is the same for everybody. REST framework's classes must not
    be inspected by two threads at a time.
    """

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> HttpResponse:
        renderer = request.accepted_renderer
        response = HttpResponse(_rendered(renderer), content_type=renderer.media_type)
        name = self._get_filename(request, None)  # type: ignore[no-untyped-call]
        response["Content-Disposition"] = f'inline; filename="{name}"'
        return response


_building = threading.Lock()
# By media type.
_built: dict[str, bytes] = {}


def _rendered(renderer: BaseRenderer) -> bytes:
    with _building:
        if renderer.media_type not in _built:
            with translation.override("en"):
                schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
                text = renderer.render(schema, renderer_context={})
            _built[renderer.media_type] = text.encode() if isinstance(text, str) else text
        return _built[renderer.media_type]
