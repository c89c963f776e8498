"""Model versions in the admin: their cards and metrics, and which one is active."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import F, QuerySet
from django.db.models.functions import Length
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.defaultfilters import filesizeformat
from django.template.loader import render_to_string
from django.urls import URLPattern, reverse
from django.utils.html import format_html, format_html_join
from django.utils.safestring import mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recognizer.admin.versions import actions as version_actions
from recognizer.admin.versions import (
    card_table,
    compare_view,
    gate_table,
    learned_table,
    regression_view,
)
from recognizer.models import ModelVersion
from recognizer.text.times import moment
from recognizer.versions import lifecycle

if TYPE_CHECKING:
    BaseAdmin = admin.ModelAdmin[ModelVersion]
else:
    BaseAdmin = admin.ModelAdmin

# Metrics in the list; the page of a version shows all.
METRICS_IN_LIST = 4
ACTIVATIONS_SHOWN = 10
OTHERS_SHOWN = 50


class ModelVersionAdmin(BaseAdmin):
    """Versions are created by training and never edited: view, activate, delete unused ones."""

    list_display = ("name", "state", "created", "metrics", "trained_from")
    search_fields = ("name",)
    show_full_result_count = False
    ordering = ("-is_active", F("retired_at").asc(nulls_first=True), "-created_at")
    fields = (
        "name",
        "state",
        "activated_at",
        "retired_at",
        "created_at",
        "is_bundled",
        "trained_from",
        "size",
        "sha256",
        "in_use",
    )
    readonly_fields = fields
    actions = ("compare",)

    class Media:
        css = {"all": ("recognizer/admin/admin.css", "recognizer/admin/versions.css")}

    # --- permissions ------------------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ModelVersion | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ModelVersion | None = None) -> bool:
        return super().has_delete_permission(request, obj) and (
            obj is None or why_protected(obj) is None
        )

    def get_deleted_objects(
        self, objs: Sequence[ModelVersion] | QuerySet[ModelVersion], request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[str]]:
        """List versions in use as protected; Django would load every drawing that uses them."""
        kept = {version: why for version in objs if (why := why_protected(version))}
        free = [version for version in objs if version not in kept]
        deletable, counts, perms, protected = super().get_deleted_objects(free, request)
        return deletable, counts, perms, [*protected, *(f"{v}: {why}" for v, why in kept.items())]

    # --- the list and the page --------------------------------------------------------------

    def get_queryset(self, request: HttpRequest) -> QuerySet[ModelVersion]:
        return (
            super()
            .get_queryset(request)
            .select_related("parent")
            .defer("serving", "training", "parent__serving", "parent__training", "parent__card")
            .annotate(bytes=Length("serving") + Length("training"))
        )

    def get_list_display(self, request: HttpRequest) -> tuple[str, ...]:
        return (*self.list_display, "buttons" if version_actions.may_activate(request) else "links")

    def get_urls(self) -> list[URLPattern]:
        own = [
            *version_actions.urls(self),
            *compare_view.urls(self),
            *regression_view.urls(self),
        ]
        return [*own, *super().get_urls()]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        extra = {
            "title": _("Model versions"),
            "activations": lifecycle.history()[:ACTIVATIONS_SHOWN],
            "roll_back_to": lifecycle.previous_version(),
            "may_activate": version_actions.may_activate(request),
            "may_train": request.user.has_perm("recognizer.add_trainingjob"),
        }
        return super().changelist_view(request, {**extra, **(extra_context or {})})

    @admin.display(description=gettext_lazy("state"), ordering="is_active")
    def state(self, version: ModelVersion) -> str:
        return state_badge(version)

    @admin.display(description=gettext_lazy("base model"), ordering="parent__name")
    def trained_from(self, version: ModelVersion) -> str:
        if version.parent is None:
            return _("none (from scratch)")
        address = reverse("admin:recognizer_modelversion_change", args=[version.parent.pk])
        return format_html('<a href="{}">{}</a>', address, version.parent)

    @admin.display(description="")
    def buttons(self, version: ModelVersion) -> str:
        """A row's buttons and links. The buttons belong to the form of the list."""
        return self.row_of_buttons(version, may_activate=True)

    @admin.display(description="")
    def links(self, version: ModelVersion) -> str:
        """A row's links, for users who may not activate a version."""
        return self.row_of_buttons(version, may_activate=False)

    def row_of_buttons(self, version: ModelVersion, *, may_activate: bool) -> str:
        return render_to_string(
            "admin/recognizer/modelversion/buttons.html",
            {"version": version, "may_activate": may_activate, "in_list": True},
        )

    @admin.display(description=gettext_lazy("size"), ordering="bytes")
    def size(self, version: ModelVersion) -> str:
        return filesizeformat(version.bytes)  # type: ignore[attr-defined]

    @admin.display(description=gettext_lazy("created"), ordering="created_at")
    def created(self, version: ModelVersion) -> str:
        return moment(version.created_at)

    @admin.display(description=gettext_lazy("correct after training"))
    def metrics(self, version: ModelVersion) -> str:
        lines = card_table.headlines(version.model_card)[:METRICS_IN_LIST]
        return format_html_join(mark_safe("<br>"), "{}", ((line,) for line in lines)) or "–"

    @admin.display(description=gettext_lazy("in use"))
    def in_use(self, version: ModelVersion) -> str:
        return format_html(
            '{} <a href="{}?model_version={}">{}</a>',
            why_protected(version) or _("No. It can be deleted."),
            reverse("admin:recognizer_prediction_changelist"),
            version.pk,
            _("Its predictions"),
        )

    def render_change_form(
        self,
        request: HttpRequest,
        context: dict[str, Any],
        add: bool = False,
        change: bool = False,
        form_url: str = "",
        obj: ModelVersion | None = None,
    ) -> HttpResponse:
        assert obj is not None
        extra = {
            "family": lifecycle.family(obj),
            "activations": lifecycle.history().filter(version=obj)[:ACTIVATIONS_SHOWN],
            "others": others(obj),
            "may_activate": version_actions.may_activate(request),
            "gate": gate_table.of_version(obj),
            "learned": learned_table.of_version(obj),
            **regression_view.section(obj, request),
            "chapters": card_table.chapters(obj.model_card),
            "stored_card": json.dumps(obj.card, indent=2, ensure_ascii=False, sort_keys=True),
        }
        return super().render_change_form(request, {**context, **extra}, add, change, form_url, obj)

    # --- deleting and comparing -------------------------------------------------------------

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ModelVersion]) -> None:
        # It may have been activated since the confirmation page was opened.
        super().delete_queryset(request, queryset.filter(is_active=False))

    @admin.action(description=gettext_lazy("Compare two selected"), permissions=["view"])
    def compare(
        self, request: HttpRequest, queryset: QuerySet[ModelVersion]
    ) -> HttpResponse | None:
        """Redirect to the page that compares two versions, the older one first."""
        chosen = list(queryset.order_by("created_at", "pk").values_list("pk", flat=True)[:3])
        if len(chosen) != 2:
            self.message_user(request, _("Select two versions to compare."), messages.WARNING)
            return None
        return redirect(compare_view.address(*chosen))


def why_protected(version: ModelVersion) -> str | None:
    if version.is_active:
        return _("The active version can't be deleted.")
    if version.predictions.exists():
        return _("It has predictions, so it can't be deleted.")
    if version.children.exists():
        return _("Another version was trained from it, so it can't be deleted.")
    return None


def state_badge(version: ModelVersion) -> str:
    if version.is_active:
        return format_html('<span class="version-state active">{}</span>', _("active"))
    if version.retired_at is not None:
        return format_html('<span class="version-state retired">{}</span>', _("retired"))
    return "–"


def others(version: ModelVersion) -> QuerySet[ModelVersion]:
    """The versions offered for a comparison with this one, the active one first."""
    return (
        ModelVersion.objects.exclude(pk=version.pk)
        .only("name", "is_active")
        .order_by("-is_active", "-created_at")[:OTHERS_SHOWN]
    )
