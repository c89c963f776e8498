"""The REST API of a person's memory: see it, switch it off and on, forget it."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.exceptions import ParseError
from rest_framework.request import Request
from rest_framework.response import Response

from recognizer.api import base, parsers
from recognizer.api.authentication import owner_for_writing, owner_of
from recognizer.api.personalisation_serializers import MemorySerializer
from recognizer.api.serializers import ErrorResponseSerializer
from recognizer.personalisation import corrections


class SwitchParser(parsers.PlainJSONParser):
    """The JSON that switches the memory."""

    example = '{"enabled": false}'


_STATE = OpenApiExample("On", value={"enabled": True, "count": 3}, response_only=True)
_REFUSED = {
    401: OpenApiResponse(ErrorResponseSerializer, description="The token is wrong."),
    403: OpenApiResponse(
        ErrorResponseSerializer,
        description="The CSRF token is missing, or the request comes from another site.",
    ),
    429: OpenApiResponse(
        ErrorResponseSerializer,
        description="Too many requests in too short a time; see Retry-After.",
    ),
}


@extend_schema(tags=["memory"])
class MemoryView(base.PersonsOwn):
    """What you said of your drawings, as far as it decides what you are answered."""

    parser_classes = [SwitchParser]
    http_method_names = ["get", "patch", "delete", "head", "options"]

    @extend_schema(
        summary="Whether your memory is on, and how much it holds",
        responses={200: MemorySerializer},
        examples=[_STATE],
    )
    def get(self, request: Request) -> Response:
        """Return the state of who asks."""
        return Response(MemorySerializer(corrections.state(owner=owner_of(request))).data)

    @extend_schema(
        summary="Switch your memory off or on",
        description=(
            "Off, every answer is the network's and nothing new is remembered. What was "
            "remembered stays until you forget it."
        ),
        request={"application/json": MemorySerializer},
        examples=[
            OpenApiExample("Off", value={"enabled": False}, request_only=True),
            _STATE,
        ],
        responses={
            200: MemorySerializer,
            400: OpenApiResponse(
                ErrorResponseSerializer,
                description="required, null, invalid: the field enabled is missing or wrong.",
            ),
            **_REFUSED,
        },
    )
    def patch(self, request: Request) -> Response:
        """Switch the memory of who asks."""
        if request.data is None:
            raise ParseError(_("The body is null. Send an object with the field enabled."))
        serializer = MemorySerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        owner = owner_for_writing(request)
        corrections.switch(enabled=serializer.validated_data["enabled"], owner=owner)
        return Response(MemorySerializer(corrections.state(owner=owner)).data)

    @extend_schema(
        summary="Forget all that is remembered for you",
        description="The drawings and what you said of them stay; they decide no answer any more.",
        request=None,
        responses={204: OpenApiResponse(description="Forgotten."), **_REFUSED},
    )
    def delete(self, request: Request) -> Response:
        """Forget what is remembered for who asks."""
        corrections.forget(owner=owner_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)
