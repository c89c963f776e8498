"""The REST API of model versions: the card of the active one, and for staff all of them."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema
from rest_framework import generics, serializers
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from recognizer.api.authentication import TokenAuthentication
from recognizer.api.base import PersonsOwn
from recognizer.api.errors import ModelUnavailable
from recognizer.api.pagination import NewestFirst
from recognizer.api.permissions import HasScope, IsStaff
from recognizer.api.schema import DRAWING_ERRORS, STAFF_ERRORS, error
from recognizer.models import ModelVersion, Scope
from recognizer.predictions import selectors


class ModelVersionSerializer(serializers.ModelSerializer[ModelVersion]):
    """A model version."""

    parent = serializers.CharField(  # type: ignore[assignment]
        source="parent.name",
        default=None,
        allow_null=True,
        read_only=True,
        help_text=_("The version that it was fine-tuned from; null if it was not."),
    )
    card = serializers.DictField(
        read_only=True,
        help_text=_(
            "What it was trained on, how accurate it is, its calibration. Fields that are missing "
            "are not known."
        ),
    )

    class Meta:
        model = ModelVersion
        fields = [
            "name",
            "sha256",
            "parent",
            "is_active",
            "is_bundled",
            "created_at",
            "activated_at",
            "retired_at",
            "card",
        ]
        read_only_fields = fields


class ModelView(PersonsOwn):
    """The model that answers."""

    # Public: whoever asks gets the same, also scripts on other sites.
    authentication_classes = [TokenAuthentication]
    permission_classes = [AllowAny]
    http_method_names = ["get", "head", "options"]

    @extend_schema(
        tags=["models"],
        operation_id="model_retrieve",
        summary="The active model version and its card",
        responses={
            200: ModelVersionSerializer,
            401: error("The token is not valid."),
            503: DRAWING_ERRORS[503],
        },
    )
    def get(self, request: Request) -> Response:
        try:
            version = selectors.active_model()
        except ModelVersion.DoesNotExist as error:
            raise ModelUnavailable from error
        return Response(ModelVersionSerializer(version).data)


class ModelsView(PersonsOwn, generics.ListAPIView[ModelVersion]):
    """All model versions."""

    permission_classes = [HasScope, IsStaff]
    pagination_class = NewestFirst
    serializer_class = ModelVersionSerializer
    http_method_names = ["get", "head", "options"]
    scope = Scope.REVIEW

    def get_queryset(self) -> QuerySet[ModelVersion]:
        return ModelVersion.objects.select_related("parent").defer(
            "serving", "training", "parent__serving", "parent__training", "parent__card"
        )

    @extend_schema(
        tags=["models"],
        operation_id="models_list",
        summary="All model versions, newest first",
        description="For staff; a token needs the scope review.",
        responses={
            200: ModelVersionSerializer(many=True),
            404: error("The cursor is not valid."),
            **STAFF_ERRORS,
        },
    )
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Response:
        return self.list(request, *args, **kwargs)
