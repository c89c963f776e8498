"""What is kept: every drawing with its answer, and every version of the model.

The database is the only state of the site: drawings and models live in the rows themselves.
"""

from __future__ import annotations

import math
import uuid

import numpy as np
from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length
from django.db.models.lookups import Exact, GreaterThanOrEqual, LessThanOrEqual
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from numpy.typing import NDArray

from recognizer import embeddings

DIGITS = 10


class Label(models.IntegerChoices):
    """What a person says a drawing shows."""

    ZERO = 0, "0"
    ONE = 1, "1"
    TWO = 2, "2"
    THREE = 3, "3"
    FOUR = 4, "4"
    FIVE = 5, "5"
    SIX = 6, "6"
    SEVEN = 7, "7"
    EIGHT = 8, "8"
    NINE = 9, "9"
    NOT_A_DIGIT = 10, _("not a digit")


class Verdict(models.TextChoices):
    """How much the model stands by its answer; the values of `classifier.Verdict`."""

    DIGIT = "digit", _("digit")
    UNCERTAIN = "uncertain", _("uncertain")
    NOT_A_DIGIT = "not_a_digit", _("not a digit")


class Source(models.TextChoices):
    """Where a drawing came from."""

    CANVAS = "canvas", _("canvas")
    UPLOAD = "upload", _("upload")
    API = "api", _("API")


def validate_probabilities(value: object) -> None:
    """Raise ValidationError unless `value` is ten probabilities that sum to one."""
    if not isinstance(value, list | tuple) or len(value) != DIGITS:
        raise ValidationError(_("Ten probabilities are needed."), code="probabilities")
    numbers = [v for v in value if isinstance(v, int | float) and not isinstance(v, bool)]
    if len(numbers) != DIGITS or not all(0 <= v <= 1 for v in numbers):
        raise ValidationError(_("Each probability lies between 0 and 1."), code="probabilities")
    if not math.isclose(math.fsum(numbers), 1, abs_tol=1e-4):
        raise ValidationError(_("The probabilities must sum to 1."), code="probabilities")


def validate_embedding(value: object) -> None:
    """Raise ValidationError unless `value` is the bytes of an embedding."""
    try:
        embeddings.unpack(bytes(value))  # type: ignore[call-overload]
    except (TypeError, ValueError) as error:
        raise ValidationError(_("These bytes are no embedding."), code="embedding") from error


class ModelVersion(models.Model):
    """One trained model: its bytes, where they came from, how good they are."""

    name = models.CharField(_("name"), max_length=100, unique=True)
    serving = models.BinaryField(_("serving bytes"), help_text=_("The LiteRT model."))
    training = models.BinaryField(
        _("training bytes"), blank=True, help_text=_("The Keras archive to train further from.")
    )
    sha256 = models.CharField(
        _("SHA-256"), max_length=64, db_index=True, help_text=_("Of the serving bytes.")
    )
    card = models.JSONField(_("card"), default=dict, blank=True)
    parent = models.ForeignKey(
        "self",
        verbose_name=_("parent"),
        null=True,
        blank=True,
        on_delete=models.PROTECT,
        related_name="children",
    )
    is_bundled = models.BooleanField(
        _("bundled"), default=False, help_text=_("It came with the code, not from training here.")
    )
    is_active = models.BooleanField(_("active"), default=False)
    activated_at = models.DateTimeField(_("last activated"), null=True, blank=True)
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
                violation_error_message=_("Another version is active already."),
            ),
            models.CheckConstraint(condition=~Q(name=""), name="modelversion_name_not_empty"),
            models.CheckConstraint(
                condition=Q(sha256__regex=r"^[0-9a-f]{64}$"), name="modelversion_sha256_hex"
            ),
            models.CheckConstraint(
                condition=Q(is_active=False) | Q(activated_at__isnull=False),
                name="modelversion_active_since",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class PredictionQuerySet(models.QuerySet["Prediction"]):
    """Ways to narrow down predictions."""

    def without_bytes(self) -> PredictionQuerySet:
        """Leave the drawing, its embedding and the model's bytes in the database; join the
        model's name.
        """
        return self.select_related("model_version").defer(
            "image",
            "embedding",
            "model_version__serving",
            "model_version__training",
            "model_version__card",
        )

    def labelled(self) -> PredictionQuerySet:
        """Only drawings that a reviewer has labelled."""
        return self.filter(label__isnull=False)

    def mistakes(self) -> PredictionQuerySet:
        """Only drawings that a reviewer labelled otherwise than the model read them.

        "Not a digit" is a mistake unless the verdict said so.
        """
        refused = Q(label=Label.NOT_A_DIGIT, verdict=Verdict.NOT_A_DIGIT)
        return self.labelled().exclude(label=F("digit")).exclude(refused)

    def right(self) -> PredictionQuerySet:
        """Only labelled drawings that the model read as the reviewer does."""
        refused = Q(label=Label.NOT_A_DIGIT, verdict=Verdict.NOT_A_DIGIT)
        return self.labelled().filter(Q(label=F("digit")) | refused)


class Prediction(models.Model):
    """One drawing, the model's answer to it, and what people said about it."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    image = models.BinaryField(
        _("drawing"), help_text=_("Greyscale PNG as drawn, at most 512 pixels on a side.")
    )
    digit = models.PositiveSmallIntegerField(
        _("digit"), validators=[MinValueValidator(0), MaxValueValidator(9)]
    )
    confidence = models.FloatField(
        _("confidence"), validators=[MinValueValidator(0), MaxValueValidator(1)]
    )
    probabilities = models.JSONField(_("probabilities"), validators=[validate_probabilities])
    verdict = models.CharField(_("verdict"), max_length=16, choices=Verdict)
    embedding = models.BinaryField(
        _("embedding"),
        null=True,
        blank=True,
        validators=[validate_embedding],
        help_text=_("The network's last hidden vector: 64 to 128 numbers, little-endian float16."),
    )
    model_version = models.ForeignKey(
        ModelVersion,
        verbose_name=_("model version"),
        on_delete=models.PROTECT,
        related_name="predictions",
    )
    source = models.CharField(_("source"), max_length=8, choices=Source, default=Source.API)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("user"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="predictions",
        db_index=False,
    )
    visitor = models.UUIDField(_("visitor"), null=True, blank=True, editable=False)
    suggestion = models.PositiveSmallIntegerField(
        _("visitor's suggestion"), null=True, blank=True, choices=Label
    )
    label = models.PositiveSmallIntegerField(_("label"), null=True, blank=True, choices=Label)
    labelled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("labelled by"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    labelled_at = models.DateTimeField(_("labelled at"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), default=timezone.now, editable=False)

    objects = PredictionQuerySet.as_manager()

    class Meta:
        ordering = ["-created_at", "-id"]
        verbose_name = _("prediction")
        verbose_name_plural = _("predictions")
        permissions = [("label_prediction", _("Can label predictions"))]
        indexes = [
            models.Index(fields=["-created_at", "-id"], name="prediction_newest"),
            models.Index(
                fields=["visitor", "-created_at"],
                condition=Q(visitor__isnull=False),
                name="prediction_of_visitor",
            ),
            models.Index(
                fields=["user", "-created_at"],
                condition=Q(user__isnull=False),
                name="prediction_of_user",
            ),
            models.Index(
                fields=["labelled_at"],
                condition=Q(label__isnull=False),
                name="prediction_labelled",
            ),
            models.Index(fields=["digit", "-created_at"], name="prediction_by_digit"),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(digit__gte=0, digit__lte=9), name="prediction_digit_range"
            ),
            models.CheckConstraint(
                condition=Q(confidence__gte=0, confidence__lte=1),
                name="prediction_confidence_range",
            ),
            models.CheckConstraint(
                condition=Q(verdict__in=["digit", "uncertain", "not_a_digit"]),
                name="prediction_verdict_known",
            ),
            models.CheckConstraint(
                condition=Q(source__in=["canvas", "upload", "api"]),
                name="prediction_source_known",
            ),
            models.CheckConstraint(
                condition=Q(suggestion__isnull=True) | Q(suggestion__gte=0, suggestion__lte=10),
                name="prediction_suggestion_range",
            ),
            models.CheckConstraint(
                condition=Q(label__isnull=True) | Q(label__gte=0, label__lte=10),
                name="prediction_label_range",
            ),
            models.CheckConstraint(
                condition=Q(label__isnull=True, labelled_at__isnull=True)
                | Q(label__isnull=False, labelled_at__isnull=False),
                name="prediction_label_dated",
            ),
            models.CheckConstraint(
                condition=Q(label__isnull=False) | Q(labelled_by__isnull=True),
                name="prediction_labeller_has_label",
            ),
            models.CheckConstraint(
                condition=Q(user__isnull=True) | Q(visitor__isnull=True),
                name="prediction_one_owner",
            ),
            models.CheckConstraint(condition=~Q(image=b""), name="prediction_image_not_empty"),
            models.CheckConstraint(
                condition=Q(embedding__isnull=True)
                | Q(
                    GreaterThanOrEqual(Length("embedding"), embeddings.MIN_BYTES),
                    LessThanOrEqual(Length("embedding"), embeddings.MAX_BYTES),
                    Exact(Length("embedding") % embeddings.STORED.itemsize, 0),
                ),
                name="prediction_embedding_length",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.digit} ({self.confidence:.0%}) {self.pk}"

    @property
    def embedding_vector(self) -> NDArray[np.float32] | None:
        """The embedding as float32 (d,) of length 1; None where none was kept."""
        return None if self.embedding is None else embeddings.unpack(bytes(self.embedding))

    @property
    def is_mistake(self) -> bool | None:
        """Whether the reviewer disagrees with the model; None without a label."""
        if self.label is None:
            return None
        if self.label == Label.NOT_A_DIGIT:
            return self.verdict != Verdict.NOT_A_DIGIT
        return self.label != self.digit
