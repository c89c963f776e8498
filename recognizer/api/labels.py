"""The REST API of reviewers: label a drawing, export the labelled ones."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.http import StreamingHttpResponse
from django.utils.translation import gettext_lazy as _
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers, status
from rest_framework.exceptions import APIException, ErrorDetail, NotFound, ValidationError
from rest_framework.request import Request

from recognizer.api.base import PersonsOwn
from recognizer.api.parsers import PlainJSONParser
from recognizer.api.permissions import HasScope, MayExport
from recognizer.api.personalisation_serializers import NumberField, WholeNumberField
from recognizer.api.schema import STAFF_ERRORS, error
from recognizer.labelling import queue
from recognizer.labelling.claims import Claimant
from recognizer.labelling.labels import LabelConflict
from recognizer.labelling.numbers import set_number
from recognizer.models import ApiToken, Label, Prediction, Scope, label_text
from recognizer.predictions import selectors
from recognizer.transfer import exporting

_NO_LABEL = _("A label is a whole number from 0 to 9, or 10 for “not a digit”.")
_BAD_LABEL: dict[str, Any] = dict.fromkeys(
    ("invalid", "min_value", "max_value", "max_string_length"), _NO_LABEL
)

LABEL_EXAMPLES = [
    OpenApiExample("A digit", value={"label": 4}, request_only=True),
    OpenApiExample("Not a digit", value={"label": 10}, request_only=True),
    OpenApiExample("A number of several digits", value={"number": "42"}, request_only=True),
    OpenApiExample("Another label than before", value={"label": 4, "seen": 9}, request_only=True),
]


class LabelParser(PlainJSONParser):
    example = '{"label": 4}'


class LabelSerializer(serializers.Serializer[Any]):
    """A label for a drawing."""

    default_error_messages = {"invalid": _("Send a JSON object with the field label.")}

    label = WholeNumberField(  # type: ignore[assignment]
        min_value=0,
        max_value=Label.NOT_A_DIGIT,
        required=False,
        error_messages={"null": _NO_LABEL, **_BAD_LABEL},
        help_text=_("The digit that the drawing shows; 10 if it is not a digit."),
    )
    number = NumberField(
        required=False,
        help_text=_(
            "In place of the label: the number that the drawing shows. The label is then 10, and "
            "the digits of the number become labelled drawings of their own."
        ),
    )
    seen = WholeNumberField(
        min_value=0,
        max_value=Label.NOT_A_DIGIT,
        allow_null=True,
        default=None,
        error_messages=_BAD_LABEL,
        help_text=_(
            "The label that you saw, null for none. If the drawing has another one by now, it is "
            "kept."
        ),
    )
    step = serializers.UUIDField(
        required=False,
        error_messages={key: _("The step is a UUID.") for key in ("invalid", "null")},
        help_text=_("An id of this change. Sending it again labels only once."),
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Give a number the label "not a digit"."""
        if "number" in attrs:
            if attrs.get("label", Label.NOT_A_DIGIT) != Label.NOT_A_DIGIT:
                raise ValidationError(
                    {"number": [ErrorDetail(str(_("Send a label or a number.")), "ambiguous")]}
                )
            return {**attrs, "label": Label.NOT_A_DIGIT.value}
        if "label" not in attrs:
            raise ValidationError(
                {"label": [ErrorDetail(str(_("Send the field label.")), "required")]}
            )
        return attrs


class LabelledSerializer(serializers.Serializer[Any]):
    """A change of a label."""

    id = serializers.UUIDField(help_text=_("The drawing."))
    label = serializers.IntegerField(  # type: ignore[assignment]
        min_value=0, max_value=Label.NOT_A_DIGIT, help_text=_("The label now.")
    )
    previous = serializers.IntegerField(
        min_value=0,
        max_value=Label.NOT_A_DIGIT,
        allow_null=True,
        help_text=_("The label before; null for none."),
    )
    parts = serializers.IntegerField(
        min_value=0,
        required=False,
        help_text=_("How many digits of a number became labelled drawings."),
    )


class Conflict(APIException):
    """The stored label is not the one that the reviewer saw."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"


def set_label(request: Request, pk: UUID) -> dict[str, Any]:
    """Label a drawing as a reviewer in the review queue does; return the change."""
    serializer = LabelSerializer(data=request.data)
    serializer.is_valid(raise_exception=True)
    sent = serializer.validated_data
    try:
        change = queue.label(
            claimant=_claimant(request),
            prediction_id=pk,
            label=sent["label"],
            seen=sent["seen"],
            step=sent.get("step") or uuid.uuid4(),
        )
        changed = {"id": pk, "label": sent["label"], "previous": change.old}
        if "number" in sent:
            assert isinstance(request.user, User)
            changed["parts"] = set_number(prediction_id=pk, number=sent["number"], by=request.user)
    except Prediction.DoesNotExist as error:
        raise NotFound(_("There is no drawing with this id.")) from error
    except LabelConflict as error:
        raise Conflict(
            _("The drawing has the label {label} by now. To change it, send it as seen.").format(
                label=label_text(error.prediction.label)
            )
        ) from error
    except ValueError as error:
        text = _("This step was used for another label. Use another one for each.")
        raise ValidationError({"step": [ErrorDetail(str(text), "step_reused")]}) from error
    return dict(LabelledSerializer(changed).data)


def _claimant(request: Request) -> Claimant:
    """Return the reviewer; a token, like a browser tab, has claims of its own."""
    assert isinstance(request.user, User)
    page = f"token {request.auth.pk}" if isinstance(request.auth, ApiToken) else "API"
    return Claimant(request.user, uuid.uuid5(uuid.NAMESPACE_OID, page))


class ExportQuerySerializer(serializers.Serializer[Any]):
    """Which labelled drawings are exported."""

    since = serializers.DateTimeField(
        required=False, help_text=_("Only those labelled at this time or later.")
    )
    until = serializers.DateTimeField(
        required=False, help_text=_("Only those labelled before this time.")
    )
    only_mistakes = serializers.BooleanField(
        default=False, help_text=_("Only those that the model misclassified.")
    )


class ExportView(PersonsOwn):
    """Labelled drawings as JSON lines."""

    permission_classes = [HasScope, MayExport]
    http_method_names = ["get", "head", "options"]
    scope = Scope.EXPORT

    @extend_schema(
        tags=["review"],
        operation_id="labels_export",
        summary="Export labelled drawings",
        description=(
            "For users with the permission to export; a token needs the scope export. A drawing a "
            "line, oldest first, each a JSON object with the drawing as a data URL and its label: "
            "the JSON lines of `manage.py export_drawings`. It is streamed, so it may be long. The "
            "field export of the last line counts the drawings: without it the file is incomplete."
        ),
        parameters=[ExportQuerySerializer],
        responses={
            (200, "application/x-ndjson"): OpenApiTypes.BINARY,
            400: error("invalid: a time or a choice is malformed."),
            **STAFF_ERRORS,
        },
    )
    def get(self, request: Request) -> StreamingHttpResponse:
        query = ExportQuerySerializer(data=request.query_params)
        query.is_valid(raise_exception=True)
        drawings = selectors.labelled_drawings(**query.validated_data)
        lines: Iterator[bytes] = exporting.stream_json_lines(drawings)
        if request.method == "HEAD":
            lines = iter(())
        response = StreamingHttpResponse(lines, content_type="application/x-ndjson")
        response["Content-Disposition"] = 'attachment; filename="drawings.jsonl"'
        return response
