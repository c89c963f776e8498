"""Users in the admin: Django's pages, and a new reviewer in one step."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib.auth.admin import UserAdmin
from django.contrib.auth.forms import AdminUserCreationForm
from django.contrib.auth.models import Group, User
from django.http import HttpRequest
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

if TYPE_CHECKING:
    NewUserForm = AdminUserCreationForm[User]
    BaseAdmin = UserAdmin[User]
else:
    NewUserForm = AdminUserCreationForm
    BaseAdmin = UserAdmin

GROUP = "Reviewer"
"""A migration makes it."""


class NewPersonForm(NewUserForm):
    is_reviewer = forms.BooleanField(
        label=gettext_lazy("Reviewer"),
        required=False,
        help_text=gettext_lazy(
            "Sets Staff status and adds the account to the group Reviewer: it may label drawings "
            "and nothing else."
        ),
    )

    def clean_is_reviewer(self) -> bool:
        chosen = bool(self.cleaned_data["is_reviewer"])
        if chosen and not Group.objects.filter(name=GROUP).exists():
            raise forms.ValidationError(_("There is no group “Reviewer”."))
        return chosen


class PersonAdmin(BaseAdmin):
    class Media:
        css = {"all": ("recognizer/admin/admin.css",)}

    add_form = NewPersonForm
    add_fieldsets = (
        (
            None,
            {"fields": ("username", "usable_password", "password1", "password2", "is_reviewer")},
        ),
    )

    def save_model(self, request: HttpRequest, obj: User, form: Any, change: bool) -> None:
        obj.is_staff = obj.is_staff or form.cleaned_data.get("is_reviewer", False)
        super().save_model(request, obj, form, change)

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None:
        super().save_related(request, form, formsets, change)
        if form.cleaned_data.get("is_reviewer"):
            form.instance.groups.add(Group.objects.get(name=GROUP))
