"""The forms of the account pages."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib.auth.forms import PasswordChangeForm
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from recognizer.api import logins
from recognizer.api.permissions import EXPORT_PERMISSION, lacks_second_factor
from recognizer.models import Scope

EXPIRIES = [
    ("", _("Never")),
    ("30", _("In 30 days")),
    ("90", _("In 90 days")),
    ("365", _("In a year")),
]


def scopes_for(request: HttpRequest) -> list[Scope]:
    """Return the scopes of which the user who has logged in may do anything."""
    user = request.user
    # A password alone must not make a token that needs no second factor any more.
    is_complete = not lacks_second_factor(request)
    allowed = {
        Scope.PREDICT: True,
        Scope.READ: True,
        Scope.REVIEW: is_complete and user.is_staff,
        Scope.EXPORT: is_complete and user.has_perm(EXPORT_PERMISSION),
    }
    return [scope for scope in Scope if allowed[scope]]


class TokenForm(forms.Form):
    """A new token: what it is for, what it may do, and until when."""

    name = forms.CharField(
        label=_("Name"),
        max_length=100,
        help_text=_("What you use it for, so that you know it later."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    scopes = forms.MultipleChoiceField(
        label=_("It may"),
        widget=forms.CheckboxSelectMultiple,
        initial=[Scope.PREDICT.value, Scope.READ.value],
        error_messages={"required": _("Choose what the token may do.")},
    )
    days = forms.ChoiceField(label=_("It expires"), choices=EXPIRIES, required=False)

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        scopes = self.fields["scopes"]
        assert isinstance(scopes, forms.MultipleChoiceField)
        scopes.choices = [(scope.value, scope.label) for scope in scopes_for(request)]

    def expires_at(self) -> datetime | None:
        """The time chosen in a valid form; None for never."""
        days = self.cleaned_data["days"]
        return timezone.now() + timedelta(days=int(days)) if days else None


class DeletionForm(forms.Form):
    """The password, so that nobody else deletes the account at an unlocked computer."""

    password = forms.CharField(
        label=_("Password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if not logins.is_own_password(self.request, password):
            raise forms.ValidationError(_("This is not your password."), code="wrong_password")
        return password


class ChangePasswordForm(PasswordChangeForm):
    """Django's, with the limit on wrong passwords."""

    def __init__(self, request: HttpRequest, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.request = request

    def clean_old_password(self) -> str:
        password: str = self.cleaned_data["old_password"]
        if not logins.is_own_password(self.request, password):
            text = self.error_messages["password_incorrect"]
            raise forms.ValidationError(text, code="password_incorrect")
        return password
