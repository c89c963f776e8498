"""Tokens with which programs use the API."""

from __future__ import annotations

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Scope(models.TextChoices):
    """What a token may do, if its user may do it too."""

    PREDICT = "predict", _("Send drawings, and correct or delete your own")
    READ = "read", _("List and download your own drawings")
    REVIEW = "review", _("Label drawings and see all model versions")
    EXPORT = "export", _("Export labelled drawings")


def validate_scopes(value: object) -> None:
    """Raise ValidationError unless `value` is a list of different scopes, at least one."""
    if (
        not isinstance(value, list)
        or not value
        or not all(scope in Scope.values for scope in value)
        or len(set(value)) != len(value)
    ):
        raise ValidationError(_("Choose at least one of the scopes."), code="scopes")


class ApiToken(models.Model):
    """A token of a user. Only its hash is stored: nobody can read the token from the database."""

    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        on_delete=models.CASCADE,
        related_name="api_tokens",
    )
    name = models.CharField(
        _("name"), max_length=100, help_text=_("What you use it for, so that you know it later.")
    )
    key_sha256 = models.CharField(
        _("SHA-256 of the token"), max_length=64, unique=True, editable=False
    )
    scopes = models.JSONField(_("scopes"), validators=[validate_scopes])
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)
    last_used_at = models.DateTimeField(_("last used"), null=True, blank=True, editable=False)
    expires_at = models.DateTimeField(_("expires"), null=True, blank=True)

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        constraints = [
            models.CheckConstraint(condition=~Q(name=""), name="apitoken_name_not_empty"),
            models.CheckConstraint(
                condition=Q(key_sha256__regex=r"^[0-9a-f]{64}$"), name="apitoken_sha256_hex"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.user})"

    @property
    def is_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()

    @property
    def scope_texts(self) -> list[str]:
        """What it may do, in words."""
        return [str(Scope(scope).label) for scope in self.scopes if scope in Scope.values]
