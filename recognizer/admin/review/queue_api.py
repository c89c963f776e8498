"""The endpoints for the JavaScript of the review queue: POST and JSON, with REST framework.

Errors have the format of the public API. A label conflict also includes the stored label.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any, ClassVar

from django.contrib.auth.models import User
from django.urls import URLPattern, path
from django.utils.translation import gettext_lazy as _
from django.views.decorators.cache import never_cache
from rest_framework import status
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import (
    APIException,
    NotFound,
    PermissionDenied,
    ValidationError,
)
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.serializers import Serializer
from rest_framework.views import APIView

from recognizer.admin.review import queue_serializers as serializers
from recognizer.admin.review import queue_text
from recognizer.api.parsers import AnyAccept, PlainJSONParser
from recognizer.api.permissions import MayLabel
from recognizer.labelling import claims, notes, opinions, queue, queue_orders
from recognizer.labelling.claims import Claimant
from recognizer.labelling.labels import LabelConflict
from recognizer.labelling.numbers import set_number
from recognizer.labelling.queue_orders import Order
from recognizer.models import Prediction
from recognizer.versions.active import NoModel

Data = dict[str, Any]

# Session keys: the reviewer's order, and how many drawings they have been shown.
ORDER_KEY = "review_order"
TURN_KEY = "review_turn"


def urls(page: str) -> list[URLPattern]:
    return [
        path(f"{page}{name}/", never_cache(view.as_view()), name=f"recognizer_review_{name}")
        for name, view in VIEWS.items()
    ]


# Shared by all endpoints ----------------------------------------------------------------------


class ReviewerSession(SessionAuthentication):
    def enforce_csrf(self, request: Request) -> None:
        try:
            super().enforce_csrf(request)
        except PermissionDenied as error:
            raise PermissionDenied(
                _("This page has expired. Reload it."), code="csrf_failed"
            ) from error


class BodyParser(PlainJSONParser):
    example = '{"page": "...", "have": []}'


class Conflict(APIException):
    """The stored label, in ``state``, is not the one that the reviewer saw."""

    status_code = status.HTTP_409_CONFLICT
    default_code = "conflict"

    def __init__(self, state: Data) -> None:
        super().__init__(state["text"])
        self.state = state


class NoDigits(APIException):
    """No model version is active, so a number's digits can't be found."""

    status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    default_code = "no_model"
    default_detail = _("No model version is active, so the number's digits can't be found.")


class QueueView(APIView):
    """Validates the page's request and responds with JSON."""

    authentication_classes = [ReviewerSession]
    permission_classes = [MayLabel]
    parser_classes = [BodyParser]
    content_negotiation_class = AnyAccept
    http_method_names = ["post"]
    schema = None
    serializer: ClassVar[type[Serializer[Any]]]

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        # REST framework's parsers have no limit, Django's `body` has.
        _body = request._request.body
        super().initial(request, *args, **kwargs)

    def post(self, request: Request) -> Response:
        sent = self.serializer(data=request.data)
        sent.is_valid(raise_exception=True)
        assert isinstance(request.user, User)
        claimant = Claimant(request.user, sent.validated_data["page"])
        return Response(self.answer(claimant, sent.validated_data))

    def answer(self, claimant: Claimant, data: Data) -> Data:
        raise NotImplementedError

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, Prediction.DoesNotExist):
            exc = NotFound(_("This drawing has been deleted."))
        elif isinstance(exc, LabelConflict):
            assert isinstance(self.request.user, User)
            exc = Conflict(queue_text.label_state(exc.prediction, self.request.user))
        response = super().handle_exception(exc)
        if isinstance(exc, Conflict):
            response.data["label"] = exc.state
        return response


# Endpoints ------------------------------------------------------------------------------------


class Next(QueueView):
    """More drawings, and how many wait."""

    serializer = serializers.NextSerializer

    def answer(self, claimant: Claimant, data: Data) -> Data:
        session = self.request.session
        order = Order(data["order"])
        digit = None if order is Order.AUDIT else data["digit"]
        batch = queue.next_batch(
            claimant=claimant,
            order=order,
            wanted=data["wanted"],
            digit=digit,
            have=data["have"],
            turn=session.get(TURN_KEY, 0),
        )
        session[ORDER_KEY] = order.value
        session[TURN_KEY] = batch.turn
        return {
            "drawings": [
                queue_text.drawing(
                    each, batch.suspects.get(each.pk), batch.notes.get(each.pk), order
                )
                for each in batch.drawings
            ],
            "left": asdict(queue_orders.left(claimant=claimant, order=order, digit=digit)),
            "until": batch.until.isoformat(),
        }


class Renew(QueueView):
    """The state of the drawings that the page shows; extends their claims."""

    serializer = serializers.ShownSerializer

    def answer(self, claimant: Claimant, data: Data) -> Data:
        renewal = queue.renew(claimant=claimant, ids=data["have"])
        return {
            "until": renewal.until.isoformat(),
            "lost": [str(each) for each in renewal.lost],
            "labelled": {
                str(each.pk): queue_text.label_state(each, claimant.reviewer)
                for each in renewal.labelled
            },
        }


class Release(QueueView):
    """Releases claims; returns how many."""

    serializer = serializers.ReleaseSerializer

    def answer(self, claimant: Claimant, data: Data) -> Data:
        released = claims.release(claimant=claimant, ids=data["have"], until=data["until"])
        if released:
            # These were not reviewed, so they don't count for the next audit.
            session = self.request.session
            session[TURN_KEY] = max(0, session.get(TURN_KEY, 0) - released)
        return {"released": released}


class SetLabel(QueueView):
    """The label before and after."""

    serializer = serializers.LabelSerializer

    def answer(self, claimant: Claimant, data: Data) -> Data:
        try:
            change = queue.label(
                claimant=claimant,
                prediction_id=data["id"],
                label=data["label"],
                seen=data["seen"],
                step=data["step"],
                clears_flag=data["clears_flag"],
            )
        except LabelConflict:
            raise
        except ValueError as error:
            raise ValidationError(str(error)) from error
        if "number" in data:
            try:
                set_number(prediction_id=data["id"], number=data["number"], by=claimant.reviewer)
            except NoModel as error:
                raise NoDigits from error
        return {"old": change.old, "new": change.new}


class Skip(QueueView):
    """Skips a drawing; returns an empty object."""

    serializer = serializers.DrawingSerializer

    def answer(self, claimant: Claimant, data: Data) -> Data:
        queue.skip(claimant=claimant, prediction_id=data["id"])
        return {}


class Note(QueueView):
    """Sets a drawing's note and flag; returns who has set it and when, as a sentence."""

    serializer = serializers.NoteSerializer

    def answer(self, claimant: Claimant, data: Data) -> Data:
        pk = data["id"]
        notes.set_note(
            prediction_id=pk,
            text=data["text"],
            is_flagged=data["is_flagged"],
            by=claimant.reviewer,
        )
        return {"said": queue_text.said(notes.of([pk]).get(pk))}


class Undo(QueueView):
    """The label of the drawing after a label or a skip was undone."""

    serializer = serializers.UndoSerializer

    def answer(self, claimant: Claimant, data: Data) -> Data:
        pk, step = data["id"], data["step"]
        try:
            back = (
                queue.undo_skip(claimant=claimant, prediction_id=pk)
                if step is None
                else queue.undo_label(claimant=claimant, prediction_id=pk, step=step)
            )
        except queue.NotYourLabel as error:
            raise ValidationError(str(error)) from error
        found = back.drawing
        # A label is not disclosed before the reviewer has audited it or given an opinion.
        is_hidden = found.audit_key is not None or opinions.hidden_from(
            claimant.reviewer, [found.pk]
        )
        is_disclosed = found.label is not None and not is_hidden
        return {
            "label": queue_text.label_state(found, claimant.reviewer) if is_disclosed else None,
            "until": back.until.isoformat(),
        }


VIEWS: dict[str, type[QueueView]] = {
    "next": Next,
    "label": SetLabel,
    "skip": Skip,
    "note": Note,
    "undo": Undo,
    "renew": Renew,
    "release": Release,
}
