"""The REST API of personal learning: its state, turning it off and on, forgetting."""

from __future__ import annotations

from drf_spectacular.utils import OpenApiExample, OpenApiResponse, extend_schema
from rest_framework import status
from rest_framework.request import Request
from rest_framework.response import Response

from recognizer.api import base, parsers
from recognizer.api.authentication import owner_for_writing, owner_of
from recognizer.api.personalisation_serializers import MemorySerializer, MemorySwitchSerializer
from recognizer.api.schema import WRITE_ERRORS, error
from recognizer.personalisation import corrections

_STATE = OpenApiExample("On", value={"enabled": True, "count": 3}, response_only=True)


@extend_schema(tags=["personal learning"])
class MemoryView(base.PersonsOwn):
    """Personal learning: whether your corrections change how your drawings are recognised."""

    parser_classes = [parsers.SwitchParser]
    http_method_names = ["get", "patch", "delete", "head", "options"]

    @extend_schema(
        summary="Whether personal learning is on, and how many drawings are remembered",
        responses={200: MemorySerializer},
        examples=[_STATE],
    )
    def get(self, request: Request) -> Response:
        return Response(MemorySerializer(corrections.state(owner=owner_of(request))).data)

    @extend_schema(
        summary="Turn personal learning off or on",
        description=(
            "While it is off, your corrections change no prediction and no new ones are "
            "remembered. Those remembered before stay until you delete them."
        ),
        request={"application/json": MemorySwitchSerializer},
        examples=[
            OpenApiExample("Off", value={"enabled": False}, request_only=True),
            _STATE,
        ],
        responses={
            200: MemorySerializer,
            400: error("required, null, invalid: the field enabled is missing or wrong."),
            415: error("The body is not JSON."),
            **WRITE_ERRORS,
        },
    )
    def patch(self, request: Request) -> Response:
        serializer = MemorySwitchSerializer(data=request.data)
        serializer.is_valid(raise_exception=True)
        owner = owner_for_writing(request)
        corrections.switch(enabled=serializer.validated_data["enabled"], owner=owner)
        return Response(MemorySerializer(corrections.state(owner=owner)).data)

    @extend_schema(
        summary="Forget all of your corrections",
        description=(
            "Your drawings and what you said about them stay for the reviewer; they no longer "
            "affect your predictions."
        ),
        request=None,
        responses={
            204: OpenApiResponse(description="Forgotten."),
            **WRITE_ERRORS,
        },
    )
    def delete(self, request: Request) -> Response:
        corrections.forget(owner=owner_of(request))
        return Response(status=status.HTTP_204_NO_CONTENT)
