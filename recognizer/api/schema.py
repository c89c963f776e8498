"""The OpenAPI schema: its view, what several endpoints document, and our session authentication.

drf-spectacular finds the schemes once this module is imported.
"""

from __future__ import annotations

import threading
from typing import Any

from django.http import HttpResponse
from django.utils import translation
from drf_spectacular.authentication import SessionScheme
from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.generators import SchemaGenerator
from drf_spectacular.utils import (
    OpenApiExample,
    OpenApiParameter,
    OpenApiResponse,
    PolymorphicProxySerializer,
    extend_schema,
)
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.views import APIView

from recognizer.api.idempotency import KEY_LENGTH
from recognizer.api.personalisation_serializers import (
    DigitSuggestionSerializer,
    NotADigitSuggestionSerializer,
    NumberSuggestionSerializer,
)
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
        "permission_denied: the CSRF token is missing or wrong; insufficient_scope: the token "
        "lacks the scope; cross_site: the request comes from another site."
    ),
    429: error(
        "throttled: too many requests; daily_limit: you have stored as much as one person can in "
        "a day. Wait for the seconds in the header Retry-After."
    ),
}

STAFF_ERRORS = {
    401: error("not_authenticated: log in or send a token; authentication_failed: a wrong token."),
    403: error(
        "permission_denied: your account lacks the permission; insufficient_scope: the token "
        "lacks the scope; cross_site: the request comes from another site."
    ),
    429: WRITE_ERRORS[429],
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
    411: error("length_required: a chunked body, to a server that can't tell where it ends."),
    413: error("image_too_large: more than 8 MB."),
    415: error(
        "unsupported_media_type: the body is neither JSON nor a multipart form, or its charset is "
        "not UTF-8."
    ),
    503: error(
        "no_model: no model is available right now; database_unavailable: the database does not "
        "answer. Wait for the seconds in the header Retry-After."
    ),
}


def json_drawing() -> PolymorphicProxySerializer:
    """Return the schema of a drawing in JSON: an image or strokes."""
    return PolymorphicProxySerializer(
        component_name="Drawing",
        serializers=[DrawingJsonSerializer, DrawingStrokesSerializer],
        resource_type_field_name=None,
    )


DRAWING_REQUEST = {
    "application/json": json_drawing(),
    "multipart/form-data": DrawingUploadSerializer,
}

SUGGESTION_REQUEST = PolymorphicProxySerializer(
    component_name="Suggestion",
    serializers=[
        DigitSuggestionSerializer,
        NotADigitSuggestionSerializer,
        NumberSuggestionSerializer,
    ],
    resource_type_field_name=None,
)

DRAWING_EXAMPLES = [
    OpenApiExample(
        "A picture", value={"image": EXAMPLE}, request_only=True, media_type="application/json"
    ),
    OpenApiExample(
        "Strokes", value=EXAMPLE_STROKES, request_only=True, media_type="application/json"
    ),
]

KEY_HEADER = OpenApiParameter(
    "Idempotency-Key",
    {"type": "string", "minLength": KEY_LENGTH[0], "maxLength": KEY_LENGTH[1]},
    OpenApiParameter.HEADER,
    description=(
        "A random text, such as a UUID, different for each drawing. If you get no response, send "
        "the request again with the same key: the drawing is stored only once. Without a token or "
        "a cookie this works for 24 hours."
    ),
)
KEY_REUSED = {422: error("idempotency_key_reused: the key was sent before, with another drawing.")}

WORDS_HEADER = OpenApiParameter(
    "Prefer",
    str,
    OpenApiParameter.HEADER,
    description="With include=words, the response has the prediction in words.",
    examples=[OpenApiExample("Words", value="include=words")],
)


_ADDRESS = "https://digits.example/api/v1/predictions/efaccd22-dc1a-4505-a1bc-46ab01e17dfd/"
COMPONENT_EXAMPLES: dict[str, Any] = {
    "Prediction": {
        "id": "efaccd22-dc1a-4505-a1bc-46ab01e17dfd",
        "digit": 7,
        "confidence": 0.91,
        "probabilities": [0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.01, 0.91, 0.01, 0.01],
        "verdict": "digit",
        "personal": False,
        "network": {"digit": 7, "confidence": 0.91, "verdict": "digit"},
        "remembered_image_url": None,
        "model_version": "shipped-4",
        "source": "api",
        "suggested_digit": None,
        "suggested_not_a_digit": False,
        "words": None,
        "image_url": f"{_ADDRESS}image/",
        "model_input_url": f"{_ADDRESS}model-input/",
        "created_at": "2026-11-24T04:01:43.467641Z",
    },
    "ErrorResponse": {
        "type": "validation_error",
        "errors": [
            {
                "code": "invalid_base64",
                "detail": "The image is not valid base64. Send a data URL or base64.",
                "attr": "image",
            }
        ],
    },
    "Removed": {"deleted": 3, "unlinked": 1},
    "Labelled": {"id": "efaccd22-dc1a-4505-a1bc-46ab01e17dfd", "label": 7, "previous": None},
}


def complete(result: dict[str, Any], **kwargs: Any) -> dict[str, Any]:
    """Add what drf-spectacular does not know.

    Every body is required. Links say which addresses take the id of a drawing just stored.
    """
    for name, example in COMPONENT_EXAMPLES.items():
        result["components"]["schemas"][name]["example"] = example
    to_one = []
    for path, operations in result["paths"].items():
        for operation in operations.values():
            if "requestBody" in operation:
                operation["requestBody"]["required"] = True
            if path.startswith("/api/v1/predictions/{id}/"):
                to_one.append(operation["operationId"])
    for path, status, pointer in (
        ("/api/v1/predictions/", "201", "/id"),
        ("/api/v1/predictions/batch/", "200", "/results/0/id"),
    ):
        result["paths"][path]["post"]["responses"][status]["links"] = {
            name: {"operationId": name, "parameters": {"id": f"$response.body#{pointer}"}}
            for name in to_one
        }
    return result


class BrowserSessionScheme(SessionScheme):  # type: ignore[no-untyped-call]
    """Describes our session authentication as the session cookie that it is."""

    target_class = "recognizer.api.authentication.BrowserSessionAuthentication"
    name = "cookieAuth"


class TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    """Describes the header with a token."""

    target_class = "recognizer.api.authentication.TokenAuthentication"
    name = "tokenAuth"

    def get_security_definition(self, auto_schema: Any) -> dict[str, Any]:
        return {
            "type": "http",
            "scheme": "bearer",
            "description": (
                "A token from the account page. It can do what its scopes name (predict, read, "
                "review, export), and never more than its user."
            ),
        }


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
    """The schema, always in English: much of it comes from docstrings, which aren't translated.

    It is built once in a process, and is the same for everybody. REST framework's classes must not
    be inspected by two threads at a time.
    """

    # There is one. Without it the query string would name the file.
    api_version = "v1"

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
