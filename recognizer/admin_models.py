"""The model versions in the admin: what each is, how good it is, and which one answers."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from django.contrib import admin, messages
from django.db.models import QuerySet
from django.db.models.functions import Length
from django.http import HttpRequest, HttpResponse
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recognizer import admin_card, services
from recognizer.models import ModelVersion

if TYPE_CHECKING:
    BaseAdmin = admin.ModelAdmin[ModelVersion]
else:
    BaseAdmin = admin.ModelAdmin

# Metrics that the list has room for; the page of a version has them all.
METRICS_IN_LIST = 4


class ModelVersionAdmin(BaseAdmin):
    """Versions are made by training and never edited: read, activate, delete the unused."""

    list_display = ("name", "is_active", "created_at", "metrics", "parent", "size")
    list_filter = ("is_active", "is_bundled", "created_at")
    search_fields = ("name",)
    show_full_result_count = False
    ordering = ("-is_active", "-created_at")
    fields = (
        "name",
        "is_active",
        "activated_at",
        "created_at",
        "is_bundled",
        "parent",
        "size",
        "sha256",
        "in_use",
    )
    readonly_fields = fields
    actions = ("activate",)

    class Media:
        css = {"all": ("recognizer/admin.css",)}

    # --- who may do what --------------------------------------------------------------------

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ModelVersion | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: ModelVersion | None = None) -> bool:
        return super().has_delete_permission(request, obj) and (
            obj is None or why_kept(obj) is None
        )

    def has_activate_permission(self, request: HttpRequest) -> bool:
        return bool(request.user.is_active and getattr(request.user, "is_superuser", False))

    def get_deleted_objects(
        self, objs: Sequence[ModelVersion] | QuerySet[ModelVersion], request: HttpRequest
    ) -> tuple[list[Any], dict[str, int], set[str], list[str]]:
        """What would be deleted; versions in use are named as protected.

        Django would find that out by loading every drawing that refers to them.
        """
        kept = {version: why for version in objs if (why := why_kept(version))}
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

    @admin.display(description=gettext_lazy("size"), ordering="bytes")
    def size(self, version: ModelVersion) -> str:
        return filesizeformat(version.bytes)  # type: ignore[attr-defined]

    @admin.display(description=gettext_lazy("metrics"))
    def metrics(self, version: ModelVersion) -> str | None:
        return ", ".join(admin_card.headlines(version)[:METRICS_IN_LIST]) or None

    @admin.display(description=gettext_lazy("in use"))
    def in_use(self, version: ModelVersion) -> str:
        return format_html(
            '{} <a href="{}?model_version={}">{}</a>',
            why_kept(version) or _("by nothing; it can be deleted."),
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
        """The page of one version, with its card in a readable form and as it is stored."""
        assert obj is not None
        extra = {
            "chapters": admin_card.chapters(obj),
            "stored_card": json.dumps(obj.card, indent=2, ensure_ascii=False, sort_keys=True),
        }
        return super().render_change_form(request, {**context, **extra}, add, change, form_url, obj)

    # --- deleting and activating ------------------------------------------------------------

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[ModelVersion]) -> None:
        # It may have been activated since the page that asked "Are you sure?".
        super().delete_queryset(request, queryset.filter(is_active=False))

    @admin.action(description=gettext_lazy("Activate"), permissions=["activate"])
    def activate(self, request: HttpRequest, queryset: QuerySet[ModelVersion]) -> None:
        """Make the one selected version answer from now on."""
        if len(versions := list(queryset[:2])) != 1:
            self.message_user(request, _("Select one version to activate."), messages.WARNING)
            return
        version = versions[0]
        try:
            services.activate_model(name=version.name)
        except services.ActivationError as error:
            self.message_user(request, str(error), messages.ERROR)
            return
        self.log_change(request, version, _("Activated."))
        self.message_user(
            request, _("“%(name)s” answers from now on.") % {"name": version}, messages.SUCCESS
        )


def why_kept(version: ModelVersion) -> str | None:
    """Why a version can't be deleted, or None if it can."""
    if version.is_active:
        return _("It is the active one.")
    if version.predictions.exists():
        return _("Predictions refer to it.")
    if version.children.exists():
        return _("Another version was trained from it.")
    return None
