"""Label history in the admin: of one drawing, with buttons to restore a label, and of all."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.utils import unquote
from django.contrib.admin.views.main import PAGE_VAR
from django.contrib.auth import get_user_model
from django.contrib.auth.models import User
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import get_object_or_404
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils.html import format_html
from django.utils.text import capfirst
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_POST

from recognizer.api.permissions import LABEL_PERMISSION
from recognizer.labelling import labels
from recognizer.models import Label, LabelEvent, Prediction, Via, label_text
from recognizer.text.times import moment

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise

    PredictionBase = admin.ModelAdmin[Prediction]
    EventBase = admin.ModelAdmin[LabelEvent]
else:
    PredictionBase = EventBase = admin.ModelAdmin

# Events on a page of the history, and on the page of a drawing.
PER_PAGE = 50
LAST = 5
# The form's value for a drawing without a label.
NO_LABEL = "none"


class LabelHistoryAdmin(PredictionBase):
    """The history of one drawing's labels: a page of its own, and the latest on the drawing's."""

    def get_urls(self) -> list[URLPattern]:
        restore = self.admin_site.admin_view(require_POST(self.restore_view))
        return [
            path(
                "<uuid:pk>/history/<int:event>/restore/",
                restore,
                name="recognizer_history_restore",
            ),
            *super().get_urls(),
        ]

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: Prediction | None = None,
    ) -> HttpResponse:
        if obj is not None:
            context |= {"label_events": _events(obj)[:LAST]}
        return super().render_change_form(request, context, add, change, form_url, obj)

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        prediction = self.get_object(request, unquote(object_id))
        if prediction is None:
            return self._get_obj_does_not_exist_redirect(  # type: ignore[attr-defined, no-any-return]
                request, self.opts, object_id
            )
        if not self.has_view_or_change_permission(request, prediction):
            raise PermissionDenied
        paginator = self.get_paginator(request, _events(prediction), PER_PAGE)
        page = paginator.get_page(request.GET.get(PAGE_VAR, 1))
        context = {
            **self.admin_site.each_context(request),
            "title": _("Label history"),
            "subtitle": None,
            "prediction": prediction,
            "events": page,
            "page_range": paginator.get_elided_page_range(page.number),
            "page_var": PAGE_VAR,
            "may_restore": request.user.has_perm(LABEL_PERMISSION),
            "seen": NO_LABEL if prediction.label is None else prediction.label,
            "module_name": capfirst(self.opts.verbose_name_plural),
            "object": prediction,
            "opts": self.opts,
            **(extra_context or {}),
        }
        request.current_app = self.admin_site.name
        template = "admin/recognizer/prediction/object_history.html"
        return TemplateResponse(request, template, context)

    def restore_view(self, request: HttpRequest, pk: uuid.UUID, event: int) -> HttpResponse:
        """Restore an earlier label, unless another reviewer has changed it since."""
        if not request.user.has_perm(LABEL_PERMISSION):
            raise PermissionDenied
        assert isinstance(request.user, User)
        label_event = get_object_or_404(LabelEvent, pk=event, prediction=pk)
        try:
            change = labels.restore(
                event=label_event,
                seen=_seen(request.POST.get("seen", "")),
                by=request.user,
                before="before" in request.POST,
            )
        except labels.LabelConflict as conflict:
            self.message_user(request, _conflict_text(conflict.prediction), messages.ERROR)
        except ValueError:
            text = _("The request did not say which label you saw. Try again from this page.")
            self.message_user(request, text, messages.ERROR)
        else:
            text = _("No change: already set.")
            if change.old != change.new:
                text = _("Label restored: %(old)s → %(new)s.") % {
                    "old": label_text(change.old),
                    "new": label_text(change.new),
                }
            self.message_user(request, text, messages.SUCCESS)
        return HttpResponseRedirect(reverse("admin:recognizer_prediction_history", args=[pk]))

    def get_deleted_objects(
        self, objs: Sequence[Prediction] | QuerySet[Prediction], request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[str]]:
        """Allow deleting a drawing with its history, which has no delete permission of its own."""
        deletable, counts, perms, protected = super().get_deleted_objects(objs, request)
        perms = {name for name in perms if name != LabelEvent._meta.verbose_name}
        return deletable, counts, perms, protected


def _events(prediction: Prediction) -> QuerySet[LabelEvent]:
    return LabelEvent.objects.filter(prediction=prediction).select_related("by")


def _seen(text: str) -> int | None:
    """The label that the page showed. Raises ValueError if it is invalid."""
    return None if text == NO_LABEL else Label(int(text)).value


def _conflict_text(prediction: Prediction) -> str:
    if prediction.label is None:
        return _("Another reviewer has cleared this label in the meantime. Nothing was restored.")
    return _("%(who)s has labelled this “%(label)s” in the meantime. Nothing was restored.") % {
        "who": prediction.labelled_by or _("Another reviewer"),
        "label": label_text(prediction.label),
    }


# The history of all drawings ------------------------------------------------------------------


class ReviewerFilter(admin.SimpleListFilter):
    """Django's filter for relations would read every event to find the reviewers."""

    title = gettext_lazy("reviewer")
    parameter_name = "by"
    DELETED = "gone"

    def lookups(
        self, request: HttpRequest, model_admin: EventBase
    ) -> list[tuple[str, StrOrPromise]]:
        people = get_user_model().objects.filter(is_staff=True).order_by("username")
        names = [(str(pk), name) for pk, name in people.values_list("pk", "username")]
        return [*names, (self.DELETED, gettext_lazy("deleted account"))]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[LabelEvent]
    ) -> QuerySet[LabelEvent]:
        value = self.value()
        if value is None:
            return queryset
        if value == self.DELETED:
            return queryset.filter(by__isnull=True)
        if not value.isdecimal():
            raise IncorrectLookupParameters(f"{self.parameter_name}={value}")
        return queryset.filter(by=int(value))


class ViaFilter(admin.SimpleListFilter):
    template = "admin/recognizer/compact_filter.html"
    title = gettext_lazy("source")
    parameter_name = "via"

    def lookups(
        self, request: HttpRequest, model_admin: EventBase
    ) -> list[tuple[str, StrOrPromise]]:
        return [(via.value, via.label) for via in Via]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[LabelEvent]
    ) -> QuerySet[LabelEvent]:
        value = self.value()
        if value is None:
            return queryset
        if value not in Via.values:
            raise IncorrectLookupParameters(f"{self.parameter_name}={value}")
        return queryset.filter(via=value)


class LabelEventAdmin(EventBase):
    """All changes of labels, read-only."""

    list_display = ("drawing", "change", "who", "via", "when", "batch_link")
    list_display_links = None
    # Only the time has an index.
    sortable_by = ("when",)
    show_facets = admin.ShowFacets.NEVER
    list_filter = (ReviewerFilter, ViaFilter, ("at", admin.DateFieldListFilter))
    list_per_page = PER_PAGE
    list_max_show_all = PER_PAGE
    show_full_result_count = False
    fields = ("prediction", "old", "new", "by", "at", "via", "batch")

    class Media:
        css = {"all": ("recognizer/admin/admin.css",)}

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: LabelEvent | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: LabelEvent | None = None) -> bool:
        return False

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The list with its own title: nothing can be selected here."""
        title = capfirst(self.opts.verbose_name_plural)
        return super().changelist_view(request, {"title": title, **(extra_context or {})})

    def get_queryset(self, request: HttpRequest) -> QuerySet[LabelEvent]:
        return super().get_queryset(request).select_related("by").order_by("-at", "-pk")

    @admin.display(description=gettext_lazy("drawing"))
    def drawing(self, event: LabelEvent) -> str:
        return format_html(
            '<a href="{}"><img class="drawing-thumbnail" src="{}" alt="{}"'
            ' width="48" height="48" loading="lazy"></a>',
            reverse("admin:recognizer_prediction_history", args=[event.prediction_id]),
            reverse("admin:recognizer_prediction_thumbnail", args=[event.prediction_id]),
            _("Drawing %(id)s and its history") % {"id": str(event.prediction_id)[:8]},
        )

    @admin.display(description=gettext_lazy("label"))
    def change(self, event: LabelEvent) -> str:
        return format_html(
            '<span class="label-change">{} → {}</span>',
            label_text(event.old),
            label_text(event.new),
        )

    @admin.display(description=gettext_lazy("who"))
    def who(self, event: LabelEvent) -> str:
        return str(event.by or _("deleted account"))

    @admin.display(description=gettext_lazy("when"), ordering="at")
    def when(self, event: LabelEvent) -> str:
        return moment(event.at)

    @admin.display(description=gettext_lazy("batch"))
    def batch_link(self, event: LabelEvent) -> str | None:
        if event.batch is None:
            return None
        return format_html(
            '<a href="?batch={}"><code class="short-id">{}</code></a>',
            event.batch,
            str(event.batch)[:8],
        )
