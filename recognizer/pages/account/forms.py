"""The forms of the account pages."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import forms
from django.contrib.auth.models import User
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from recognizer.api.permissions import EXPORT_PERMISSION
from recognizer.models import Scope

EXPIRIES = [
    ("", _("Never")),
    ("30", _("In 30 days")),
    ("90", _("In 90 days")),
    ("365", _("In a year")),
]


def scopes_for(user: User) -> list[Scope]:
    """Return the scopes of which the user may do anything."""
    allowed = {
        Scope.PREDICT: True,
        Scope.READ: True,
        Scope.REVIEW: user.is_staff,
        Scope.EXPORT: user.has_perm(EXPORT_PERMISSION),
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

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        scopes = self.fields["scopes"]
        assert isinstance(scopes, forms.MultipleChoiceField)
        scopes.choices = [(scope.value, scope.label) for scope in scopes_for(user)]

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

    def __init__(self, user: User, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if not self.user.check_password(password):
            raise forms.ValidationError(_("This is not your password."), code="wrong_password")
        return password
