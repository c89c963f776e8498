"""The OpenAPI schema: its view, what several endpoints document, and our session authentication.

drf-spectacular finds `BrowserSessionScheme` once this module is imported.
"""

from __future__ import annotations

from typing import Any

from django.utils import translation
from drf_spectacular.authentication import SessionScheme
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    PolymorphicProxySerializer,
    extend_schema,
)
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

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
    429: error("Too many requests. Wait for the seconds in the header Retry-After."),
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


class JsonErrors(APIView):
    """Answers errors as JSON, whatever the view's own format is; there are only GET and HEAD."""

    http_method_names = ["get", "head"]

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        if getattr(response, "exception", False):
            request.accepted_renderer = JSONRenderer()
            request.accepted_media_type = "application/json"
        return super().finalize_response(request, response, *args, **kwargs)


class DocsView(JsonErrors, SpectacularSwaggerSplitView):
    """The page that shows the schema."""

    url_name = "schema"
    template_name = "api/docs.html"


class SchemaView(JsonErrors, SpectacularAPIView):
    """The schema, always in English: much of it comes from docstrings, which aren't translated."""

    # There is one. Without it the query string would name the file.
    api_version = "v1"

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        with translation.override("en"):
            response: Response = super().get(request, *args, **kwargs)  # type: ignore[no-untyped-call]
        return response
