"""Personal learning: the drawings remembered for a person, and whether it is off."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from recognizer.models.answers import Label, validate_embedding
from recognizer.models.predictions import Prediction
from recognizer.models.versions import ModelVersion


class RememberedDrawing(models.Model):
    """A drawing that its owner has corrected or confirmed; it affects that person only."""

    prediction = models.OneToOneField(
        Prediction,
        verbose_name=_("prediction"),
        on_delete=models.CASCADE,
        related_name="remembered_as",
    )
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
    )
    visitor = models.UUIDField(_("visitor"), null=True, blank=True, editable=False)
    label = models.PositiveSmallIntegerField(_("label"), choices=Label)
    embedding = models.BinaryField(_("embedding"), validators=[validate_embedding])
    model_version = models.ForeignKey(
        ModelVersion,
        verbose_name=_("model version of the embedding"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    remembered_at = models.DateTimeField(_("remembered"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("remembered drawing")
        verbose_name_plural = _("remembered drawings")
        indexes = [
            models.Index(
                fields=["user", "-remembered_at"],
                condition=Q(user__isnull=False),
                name="remembered_of_user",
            ),
            models.Index(
                fields=["visitor", "-remembered_at"],
                condition=Q(visitor__isnull=False),
                name="remembered_of_visitor",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=True, visitor__isnull=False)
                | Q(user__isnull=False, visitor__isnull=True),
                name="remembered_one_owner",
            ),
            models.CheckConstraint(
                condition=Q(label__gte=0, label__lte=10), name="remembered_label_range"
            ),
        ]

    def __str__(self) -> str:
        return f"{Label(self.label).label} {self.prediction_id}"


class MemorySwitchedOff(models.Model):
    """A person who has turned personal learning off; it is on by default."""

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="+",
    )
    visitor = models.UUIDField(_("visitor"), null=True, blank=True, unique=True, editable=False)
    since = models.DateTimeField(_("since"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("personal learning off")
        verbose_name_plural = _("personal learning off")
        constraints = [
            models.CheckConstraint(
                condition=Q(user__isnull=True, visitor__isnull=False)
                | Q(user__isnull=False, visitor__isnull=True),
                name="memory_off_one_owner",
            ),
        ]

    def __str__(self) -> str:
        return str(self.user or self.visitor)
