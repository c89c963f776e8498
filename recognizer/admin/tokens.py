"""API tokens in the admin: who has which, and revoking them. Users create their own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _

from recognizer.models import ApiToken

if TYPE_CHECKING:
    BaseAdmin = admin.ModelAdmin[ApiToken]
else:
    BaseAdmin = admin.ModelAdmin


class ApiTokenAdmin(BaseAdmin):
    """Deleting a token revokes it at once."""

    list_display = ("name", "user", "may", "created_at", "last_used_at", "expires_at")
    list_select_related = ("user",)
    search_fields = ("name", "user__username")
    fields = ("user", "name", "may", "created_at", "last_used_at", "expires_at")
    readonly_fields = fields
    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: ApiToken | None = None) -> bool:
        return False

    @admin.display(description=_("scopes"))
    def may(self, token: ApiToken) -> str:
        return ", ".join(token.scope_texts)
