"""The page of the review queue. Its JavaScript requests the drawings from `queue_api`."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib.admin import AdminSite
from django.core.exceptions import BadRequest, PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from recognizer.admin.review import queue_api, queue_text
from recognizer.admin.review.queue_serializers import StartSerializer
from recognizer.api.permissions import LABEL_PERMISSION
from recognizer.labelling.queue_orders import Order
from recognizer.models import NOTE_LENGTH, Label


def urls(site: AdminSite) -> list[URLPattern]:
    return [
        path("review/", site.admin_view(page(site)), name="recognizer_review"),
        *queue_api.urls("review/"),
    ]


def page(site: AdminSite) -> Callable[[HttpRequest], HttpResponse]:

    @require_safe
    def view(request: HttpRequest) -> HttpResponse:
        if not request.user.has_perm(LABEL_PERMISSION):
            raise PermissionDenied
        asked = StartSerializer(data=request.GET)
        if not asked.is_valid():
            raise BadRequest(str(asked.errors))
        order = asked.validated_data.get("order") or request.session.get(queue_api.ORDER_KEY)
        digit = asked.validated_data.get("digit")
        context = {
            **site.each_context(request),
            "is_nav_sidebar_enabled": False,
            "title": _("Review queue"),
            "orders": queue_text.orders(),
            "order": order if order in Order else Order.DISAGREEMENT.value,
            "digit": digit,
            "digits": range(10),
            "note_length": NOTE_LENGTH,
            "not_a_digit": Label.NOT_A_DIGIT.value,
            "setup": {
                "urls": {
                    name: reverse(f"admin:recognizer_review_{name}") for name in queue_api.VIEWS
                },
                "digit": digit,
                "texts": queue_text.page_texts(),
            },
        }
        return TemplateResponse(request, "admin/recognizer/review/queue.html", context)

    return view
