"""Links by which anybody can see one drawing and its answer."""

from __future__ import annotations

import secrets

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from recognizer.models.predictions import Prediction

KEY_BYTES = 16


def new_key() -> str:
    """Return a key of 128 random bits that can stand in an address, 22 characters."""
    return secrets.token_urlsafe(KEY_BYTES)


class PublicLink(models.Model):
    """A drawing that its owner shows to everybody who knows the key; deleted to revoke it."""

    prediction = models.OneToOneField(
        Prediction,
        verbose_name=_("prediction"),
        on_delete=models.CASCADE,
        related_name="public_link",
    )
    key = models.CharField(_("key"), max_length=22, unique=True, default=new_key, editable=False)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("public link")
        verbose_name_plural = _("public links")

    def __str__(self) -> str:
        return str(self.prediction_id)
