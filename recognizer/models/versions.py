"""Model versions, their activations, and their answers to stored drawings."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from recognizer.inference.card import ModelCard
from recognizer.models.answers import Verdict


class ModelVersion(models.Model):
    """A trained model: its files and its card."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    serving = models.BinaryField(_("deployed file"), help_text=_("LiteRT model."))
    training = models.BinaryField(
        _("training file"), blank=True, help_text=_("Keras archive for further training.")
    )
    sha256 = models.CharField(
        _("SHA-256"), max_length=64, db_index=True, help_text=_("Of the deployed file.")
    )
    card = models.JSONField(_("model card"), default=dict, blank=True)
    parent = models.ForeignKey(
        "self",
        verbose_name=_("parent"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="children",
    )
    is_bundled = models.BooleanField(
        _("bundled"), default=False, help_text=_("Bundled with the code, not trained here.")
    )
    is_active = models.BooleanField(_("active"), default=False)
    activated_at = models.DateTimeField(_("last activated"), null=True, blank=True)
    retired_at = models.DateTimeField(
        _("retired"),
        null=True,
        blank=True,
        help_text=_("A retired version keeps its predictions but can't be activated."),
    )
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    class Meta:
        ordering = ["-created_at", "-pk"]
        verbose_name = _("model version")
        verbose_name_plural = _("model versions")
        constraints = [
            models.UniqueConstraint(
                fields=["is_active"],
                condition=Q(is_active=True),
                name="modelversion_one_active",
                violation_error_message=_("Another version is already active."),
            ),
            models.CheckConstraint(condition=~Q(name=""), name="modelversion_name_not_empty"),
            models.CheckConstraint(
                condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="modelversion_sha256_hex"
            ),
            models.CheckConstraint(
                condition=Q(is_active=False) | Q(activated_at__isnull=False),
                name="modelversion_active_since",
            ),
            models.CheckConstraint(
                condition=Q(is_active=False) | Q(retired_at__isnull=True),
                name="modelversion_retired_not_active",
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def model_card(self) -> ModelCard:
        return ModelCard.from_json(self.card)


class Cause(models.TextChoices):
    INSTALLED = "installed", _("bundled")
    ADMIN = "admin", _("activated in the admin")
    COMMAND = "command", _("activated on the command line")
    GATE = "gate", _("passed the quality checks")
    ROLL_BACK = "roll_back", _("rolled back")
    UNKNOWN = "unknown", _("unknown")


class Activation(models.Model):
    version = models.ForeignKey(
        ModelVersion,
        verbose_name=_("model version"),
        on_delete=models.CASCADE,
        related_name="activations",
    )
    cause = models.CharField(_("cause"), max_length=12, choices=Cause)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("by"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    at = models.DateTimeField(_("when"), default=timezone.now, editable=False)

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = _("activation")
        verbose_name_plural = _("activations")
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    cause__in=["installed", "admin", "command", "gate", "roll_back", "unknown"]
                ),
                name="activation_cause_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version} {self.at:%Y-%m-%d %H:%M}"


class VersionAnswer(models.Model):
    """A version's answer to a stored drawing: see `recognizer.versions.comparison`."""

    version = models.ForeignKey(
        ModelVersion,
        verbose_name=_("model version"),
        on_delete=models.CASCADE,
        related_name="answers",
        db_index=False,
    )
    prediction = models.ForeignKey(
        "recognizer.Prediction",
        verbose_name=_("prediction"),
        on_delete=models.CASCADE,
        related_name="other_answers",
    )
    digit = models.PositiveSmallIntegerField(
        _("digit"), validators=[MinValueValidator(0), MaxValueValidator(9)]
    )
    confidence = models.FloatField(
        _("confidence"), validators=[MinValueValidator(0), MaxValueValidator(1)]
    )
    verdict = models.CharField(_("verdict"), max_length=16, choices=Verdict)
    answered_at = models.DateTimeField(_("answered"), default=timezone.now, editable=False)

    class Meta:
        verbose_name = _("answer of another version")
        verbose_name_plural = _("answers of other versions")
        constraints = [
            models.UniqueConstraint(fields=["version", "prediction"], name="versionanswer_one"),
            models.CheckConstraint(
                condition=Q(digit__gte=0, digit__lte=9), name="versionanswer_digit_range"
            ),
            models.CheckConstraint(
                condition=Q(confidence__gte=0, confidence__lte=1),
                name="versionanswer_confidence_range",
            ),
            models.CheckConstraint(
                condition=Q(verdict__in=["digit", "uncertain", "not_a_digit"]),
                name="versionanswer_verdict_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version}: {self.digit} ({self.confidence:.0%})"
