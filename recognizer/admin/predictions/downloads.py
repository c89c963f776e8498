"""Downloads of drawings: those selected in the list, or all that match its filters and search."""

from __future__ import annotations

import mimetypes
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ERROR_FLAG
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseRedirect,
    StreamingHttpResponse,
)
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.http import content_disposition_header
from django.utils.text import format_lazy
from django.utils.translation import gettext_lazy as _
from django.views.decorators.http import require_safe

from recognizer.api.permissions import EXPORT_PERMISSION
from recognizer.models import Prediction
from recognizer.transfer import exporting
from recognizer.transfer.formats import FORMATS, Format

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    PredictionAdmin = admin.ModelAdmin[Prediction]

Action = Callable[["PredictionAdmin", HttpRequest, QuerySet[Prediction]], HttpResponseBase | None]

URL_NAME = "recognizer_prediction_export"


def actions() -> list[Action]:
    return [_action(format) for format in exporting.available_formats()]


def _action(format: Format) -> Action:
    description = format_lazy(_("Export selected as {}"), _(format.title))

    @admin.action(description=description, permissions=["export"])
    def action(
        modeladmin: PredictionAdmin, request: HttpRequest, queryset: QuerySet[Prediction]
    ) -> HttpResponseBase | None:
        return send(modeladmin, request, queryset, format)

    action.__name__ = f"export_{format.name.replace('-', '_')}"
    return action


def urls(model_admin: PredictionAdmin) -> list[URLPattern]:
    @require_safe
    def view(request: HttpRequest, name: str) -> HttpResponseBase:
        return export_these(model_admin, request, name)

    return [
        path("export/<slug:name>/", model_admin.admin_site.admin_view(view), name=URL_NAME),
    ]


def export_these(model_admin: PredictionAdmin, request: HttpRequest, name: str) -> HttpResponseBase:
    """Send all drawings of the list with this query string, whatever the number of pages."""
    if not (model_admin.has_view_permission(request) and request.user.has_perm(EXPORT_PERMISSION)):
        raise PermissionDenied
    if name not in [format.name for format in exporting.available_formats()]:
        raise Http404
    back = reverse("admin:recognizer_prediction_changelist")
    try:
        shown = model_admin.get_changelist_instance(request).queryset
    except IncorrectLookupParameters:
        # As in the list itself.
        return HttpResponseRedirect(f"{back}?{ERROR_FLAG}=1")
    if request.method == "HEAD":
        return HttpResponse()
    query = request.GET.urlencode()
    return send(model_admin, request, shown, FORMATS[name]) or HttpResponseRedirect(
        f"{back}?{query}" if query else back
    )


def send(
    model_admin: PredictionAdmin,
    request: HttpRequest,
    drawings: QuerySet[Prediction],
    format: Format,
) -> StreamingHttpResponse | None:
    """Send drawings as a file; None, after an error message, if that is not possible.

    A drawing that can't be exported is noticed while the file is sent, which then ends too early:
    browsers say that the download has failed.
    """
    try:
        content = exporting.stream_download(
            drawings=drawings, format=format, unlabelled=format.takes_unlabelled
        )
    except exporting.ExportError as error:
        level = messages.WARNING if isinstance(error, exporting.NothingToExport) else messages.ERROR
        model_admin.message_user(request, str(error), level)
        return None
    name = f"drawings-{timezone.localdate().isoformat()}{format.download_suffix}"
    disposition = content_disposition_header(as_attachment=True, filename=name)
    kind, _encoding = mimetypes.guess_type(name)
    return StreamingHttpResponse(
        content,
        content_type=kind or "application/octet-stream",
        headers={"Content-Disposition": disposition},
    )


class Link(NamedTuple):
    url: str
    text: StrOrPromise


def links(query: str) -> list[Link]:
    """The downloads of what a list with this query string (with its "?") shows."""
    return [
        Link(reverse(f"admin:{URL_NAME}", args=[format.name]) + query, _(format.title))
        for format in exporting.available_formats()
    ]
