"""The review queue: one drawing after another, labelled by a key each.

The page itself holds no drawing. Its JavaScript asks for drawings and sends what the reviewer did
to the addresses below it, all of them POST and JSON.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from django.contrib.admin import AdminSite
from django.contrib.auth.models import User
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe
from rest_framework.serializers import Serializer

from recognizer.admin.navigation import LABEL_PERMISSION
from recognizer.admin.review import queue_serializers as serializers
from recognizer.admin.review import queue_text
from recognizer.labelling import claims, queue_orders
from recognizer.labelling import queue as review_queue
from recognizer.labelling.claims import Claimant
from recognizer.labelling.labels import LabelConflict
from recognizer.labelling.queue_orders import Order
from recognizer.models import Label, Prediction

Body = dict[str, Any]
Handler = Callable[[HttpRequest, User, Body], Body]

# In the session: the order that this reviewer chose, and how many drawings they have been given.
ORDER_KEY = "review_order"
TURN_KEY = "review_turn"


def urls(site: AdminSite) -> list[URLPattern]:
    """The addresses below the list of predictions."""
    return [
        path("review/", site.admin_view(page(site)), name="recognizer_review"),
        *(
            path(
                f"review/{name}/",
                endpoint(site, serializer, handler),
                name=f"recognizer_review_{name}",
            )
            for name, (serializer, handler) in ENDPOINTS.items()
        ),
    ]


def page(site: AdminSite) -> Callable[[HttpRequest], HttpResponse]:
    """The view of the page."""

    @require_safe
    def view(request: HttpRequest) -> HttpResponse:
        if not request.user.has_perm(LABEL_PERMISSION):
            raise PermissionDenied
        asked = serializers.StartSerializer(data=request.GET)
        if not asked.is_valid():
            raise BadRequest(first_error(asked.errors))
        order = asked.validated_data.get("order") or request.session.get(ORDER_KEY)
        digit = asked.validated_data.get("digit")
        context = {
            **site.each_context(request),
            "is_nav_sidebar_enabled": False,
            "title": _("Review queue"),
            "orders": queue_text.orders(),
            "order": order if order in Order else Order.DISAGREEMENT.value,
            "digit": digit,
            "digits": range(10),
            "not_a_digit": Label.NOT_A_DIGIT.value,
            "setup": {
                "urls": {name: reverse(f"admin:recognizer_review_{name}") for name in ENDPOINTS},
                "digit": digit,
                "texts": queue_text.page_texts(),
            },
        }
        return TemplateResponse(request, "admin/recognizer/review/queue.html", context)

    return view


# What is answered -----------------------------------------------------------------------------


class Refusal(Exception):
    """An answer that is an error: its status, its stable code, a sentence that says what to do."""

    def __init__(self, status: int, code: str, detail: str, **more: Any) -> None:
        super().__init__(detail)
        self.status = status
        self.body = {
            "type": "client_error",
            "errors": [{"code": code, "detail": detail, "attr": None}],
            **more,
        }


def endpoint(
    site: AdminSite, serializer: type[Serializer[Any]], handler: Handler
) -> Callable[[HttpRequest], HttpResponse]:
    """The view of an address that takes and gives JSON."""

    @require_POST
    def allowed(request: HttpRequest) -> HttpResponse:
        user = request.user
        assert isinstance(user, User)
        try:
            if not user.has_perm(LABEL_PERMISSION):
                raise Refusal(403, "permission_denied", _("You may not label drawings any more."))
            asked = serializer(data=body_of(request))
            if not asked.is_valid():
                raise Refusal(400, "invalid", first_error(asked.errors))
            return JsonResponse(handler(request, user, asked.validated_data))
        except Refusal as refusal:
            return JsonResponse(refusal.body, status=refusal.status)
        except Prediction.DoesNotExist:
            gone = Refusal(404, "not_found", _("This drawing has been deleted meanwhile."))
            return JsonResponse(gone.body, status=404)

    guarded = site.admin_view(allowed)

    def view(request: HttpRequest) -> HttpResponse:
        if not site.has_permission(request):
            # Not admin_view's way to the login page: a script would take that for an answer.
            out = Refusal(403, "not_authenticated", _("You are logged out. Log in again."))
            return JsonResponse(out.body, status=403)
        return guarded(request)

    return view


def body_of(request: HttpRequest) -> object:
    """The JSON of a request; a page that is being left can send it in a form only."""
    try:
        return json.loads(request.POST.get("body") or request.body)
    except (ValueError, RecursionError):
        raise Refusal(400, "parse_error", _("The request is no JSON.")) from None


def first_error(errors: Any) -> str:
    """The first thing that is wrong, with the field it is about."""
    while isinstance(errors, list) and errors and not isinstance(errors[0], str):
        errors = errors[0]
    if isinstance(errors, dict):
        name, inner = next(iter(errors.items()))
        return f"{name}: {first_error(inner)}"
    return str(errors[0])


def _claimant(reviewer: User, body: Body) -> Claimant:
    return Claimant(reviewer, body["page"])


def next_drawings(request: HttpRequest, reviewer: User, body: Body) -> Body:
    """More drawings, how many wait, and what became of those that the page holds."""
    order = Order(body["order"])
    digit = None if order is Order.AUDIT else body["digit"]
    batch = review_queue.next_batch(
        claimant=_claimant(reviewer, body),
        order=order,
        wanted=body["wanted"],
        digit=digit,
        have=body["have"],
        turn=request.session.get(TURN_KEY, 0),
    )
    request.session[ORDER_KEY] = order.value
    request.session[TURN_KEY] = batch.turn
    left = queue_orders.left(claimant=_claimant(reviewer, body), order=order, digit=digit)
    return {
        "drawings": [queue_text.drawing(each) for each in batch.drawings],
        "left": asdict(left),
        "until": batch.until.isoformat(),
    }


def renew(request: HttpRequest, reviewer: User, body: Body) -> Body:
    """What became of the drawings that the page holds and goes on holding."""
    held = review_queue.renew(claimant=_claimant(reviewer, body), ids=body["have"])
    return {
        "until": held.until.isoformat(),
        "lost": [str(each) for each in held.lost],
        "labelled": {
            str(each.pk): queue_text.label_state(each, reviewer) for each in held.labelled
        },
    }


def release(request: HttpRequest, reviewer: User, body: Body) -> Body:
    """Drawings given back."""
    released = claims.release(
        claimant=_claimant(reviewer, body), ids=body["have"], until=body["until"]
    )
    if released:
        # Not seen, so not counted: the next audit is not put off by opening the page anew.
        request.session[TURN_KEY] = max(0, request.session.get(TURN_KEY, 0) - released)
    return {"released": released}


def label(request: HttpRequest, reviewer: User, body: Body) -> Body:
    """A label set. Refused with 409 and the label that is there, if the reviewer knew another."""
    try:
        change = review_queue.label(
            claimant=_claimant(reviewer, body),
            prediction_id=body["id"],
            label=body["label"],
            seen=body["seen"],
            step=body["step"],
        )
    except LabelConflict as conflict:
        state = queue_text.label_state(conflict.prediction, reviewer)
        raise Refusal(409, "conflict", state["text"], label=state) from conflict
    except ValueError as error:
        raise Refusal(400, "invalid", str(error)) from error
    return {"old": change.old, "new": change.new}


def skip(request: HttpRequest, reviewer: User, body: Body) -> Body:
    """A drawing put off."""
    review_queue.skip(claimant=_claimant(reviewer, body), prediction_id=body["id"])
    return {}


def undo(request: HttpRequest, reviewer: User, body: Body) -> Body:
    """A label or a skip taken back; the label that the drawing has now."""
    try:
        if body["step"] is None:
            back = review_queue.undo_skip(
                claimant=_claimant(reviewer, body), prediction_id=body["id"]
            )
        else:
            back = review_queue.undo_label(
                claimant=_claimant(reviewer, body), prediction_id=body["id"], step=body["step"]
            )
    except review_queue.NotYours as error:
        raise Refusal(400, "invalid", str(error)) from error
    found = back.drawing
    # Of the audit's drawings no label is told before they are judged.
    is_told = found.label is not None and found.audit_key is None
    return {
        "label": queue_text.label_state(found, reviewer) if is_told else None,
        "until": back.until.isoformat(),
    }


ENDPOINTS: dict[str, tuple[type[Serializer[Any]], Handler]] = {
    "next": (serializers.NextSerializer, next_drawings),
    "label": (serializers.LabelSerializer, label),
    "skip": (serializers.DrawingSerializer, skip),
    "undo": (serializers.UndoSerializer, undo),
    "renew": (serializers.ShownSerializer, renew),
    "release": (serializers.ReleaseSerializer, release),
}
