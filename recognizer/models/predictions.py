"""Drawings with their answers, suggestions and labels."""

from __future__ import annotations

import uuid

import numpy as np
from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Length
from django.db.models.lookups import Exact, GreaterThanOrEqual, LessThanOrEqual
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from numpy.typing import NDArray

from recognizer import imaging
from recognizer.imaging import pen_strokes
from recognizer.inference import embeddings
from recognizer.inference.numbers import MAX_DIGITS
from recognizer.models import correctness
from recognizer.models.answers import (
    Label,
    Source,
    Verdict,
    validate_embedding,
    validate_number,
    validate_parts,
    validate_probabilities,
    validate_strokes,
)
from recognizer.models.versions import ModelVersion

# The visitor's suggestion differs from the network's answer (`Prediction.answered_label`). Without
# IN: SQLite doesn't match a list with the one in an index's condition.
DISAGREEMENT = Q(suggestion__isnull=False) & (
    Q(verdict="not_a_digit", suggestion__lt=Label.NOT_A_DIGIT)
    | ~Q(verdict="not_a_digit") & (Q(suggestion__lt=F("digit")) | Q(suggestion__gt=F("digit")))
)


def how_many(condition: Q) -> models.Count:
    """Count the predictions that meet a condition, as one of several aggregates of a query.

    It counts a column that all the statistics' indexes cover, so that no rows are read.
    """
    return models.Count("digit", filter=condition)


class PredictionQuerySet(models.QuerySet["Prediction"]):
    def without_bytes(self) -> PredictionQuerySet:
        """Defer the drawing, its embedding and the model's bytes; join the model's name."""
        return self.select_related("model_version").defer(
            "image",
            "strokes",
            "embedding",
            "model_version__serving",
            "model_version__training",
            "model_version__card",
        )

    def given(self, verdict: str) -> PredictionQuerySet:
        """Only drawings whose visitor was given this verdict, personal or not."""
        return self.filter(Q(personal_verdict=verdict) | Q(personal_verdict="", verdict=verdict))

    def unlabelled(self) -> PredictionQuerySet:
        return self.filter(label__isnull=True)

    def labelled(self) -> PredictionQuerySet:
        return self.filter(label__isnull=False)

    def disagreements(self) -> PredictionQuerySet:
        """Only drawings whose visitor disagrees with the network's answer."""
        return self.filter(DISAGREEMENT)

    def misclassified(self) -> PredictionQuerySet:
        return self.filter(correctness.misclassified())

    def correct(self) -> PredictionQuerySet:
        return self.labelled().filter(correctness.correct())


class Prediction(models.Model):
    """One drawing with the model's answer, the visitor's suggestion and the reviewer's label."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    image = models.BinaryField(
        _("drawing"), help_text=_("Greyscale PNG as drawn, at most 512 pixels on a side.")
    )
    strokes = models.BinaryField(
        _("strokes"),
        null=True,
        blank=True,
        validators=[validate_strokes],
        help_text=_("As `imaging.PenStrokes` packs them; empty if a picture was sent."),
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
    margin = models.FloatField(
        _("margin"),
        default=1.0,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text=_("How far the likeliest digit is ahead of the second likeliest."),
    )
    pixels_sha256 = models.CharField(
        _("SHA-256 of the pixels"),
        max_length=64,
        blank=True,
        default="",
        help_text=_("Of the drawing's size and pixels: equal for equal drawings."),
    )
    is_model_input = models.BooleanField(
        _("is the model's input"),
        default=False,
        help_text=_("The drawing is the 28x28 that a model saw: it came in by an import."),
    )
    audit_key = models.FloatField(
        _("audit key"),
        null=True,
        blank=True,
        help_text=_("Its place, from 0 to 1, in the random audit sample; empty if not in it."),
    )
    audited_at = models.DateTimeField(_("audited"), null=True, blank=True)
    personal_digit = models.PositiveSmallIntegerField(
        _("personal digit"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(9)],
        help_text=_("What was answered because of this person's own earlier corrections."),
    )
    personal_confidence = models.FloatField(
        _("personal confidence"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
    )
    personal_probabilities = models.JSONField(
        _("personal probabilities"),
        null=True,
        blank=True,
        validators=[validate_probabilities],
    )
    personal_verdict = models.CharField(
        _("personal verdict"), max_length=16, choices=Verdict, blank=True, default=""
    )
    remembered = models.ForeignKey(
        "self",
        verbose_name=_("remembered drawing"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        help_text=_("The earlier drawing that decided the personal answer."),
    )
    number = models.CharField(
        _("number"),
        max_length=MAX_DIGITS,
        blank=True,
        default="",
        validators=[validate_number],
        help_text=_("The number that the drawing shows; empty for anything else."),
    )
    number_confidence = models.FloatField(
        _("confidence of the number"),
        null=True,
        blank=True,
        validators=[MinValueValidator(0), MaxValueValidator(1)],
    )
    number_parts = models.JSONField(
        _("parts of the number"), default=list, blank=True, validators=[validate_parts]
    )
    number_suggestion = models.CharField(
        _("number, by the visitor"),
        max_length=MAX_DIGITS,
        blank=True,
        default="",
        validators=[validate_number],
    )
    number_label = models.CharField(
        _("number, by a reviewer"),
        max_length=MAX_DIGITS,
        blank=True,
        default="",
        validators=[validate_number],
        help_text=_("Its digits become labelled drawings of their own."),
    )
    part_of = models.ForeignKey(
        "self",
        verbose_name=_("number that it is part of"),
        null=True,
        blank=True,
        on_delete=models.CASCADE,
        related_name="labelled_parts",
        db_index=False,
    )
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
        permissions = [
            ("label_prediction", _("Can label predictions")),
            ("export_prediction", _("Can export predictions")),
        ]
        indexes = [
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
            models.Index(
                fields=["pixels_sha256"],
                condition=~Q(pixels_sha256=""),
                name="prediction_pixels",
            ),
            models.Index(
                fields=["part_of"],
                condition=Q(part_of__isnull=False),
                name="prediction_part",
            ),
            # The review queue's orders: each reads an index of the unlabelled drawings only.
            models.Index(
                fields=["margin", "id"],
                condition=Q(label__isnull=True, audit_key__isnull=True),
                name="prediction_least_sure",
            ),
            models.Index(
                fields=["-created_at", "-id"],
                condition=Q(label__isnull=True, audit_key__isnull=True),
                name="prediction_unlabelled",
            ),
            models.Index(
                fields=["digit", "-created_at", "-id"],
                condition=Q(label__isnull=True, audit_key__isnull=True),
                name="prediction_unlabelled_digit",
            ),
            # The grid's pages: all but the rejected drawings, or only those. They include the
            # verdict because SQLite would otherwise read every row, or use another index.
            models.Index(
                fields=["digit", "margin", "id", "verdict"],
                condition=Q(label__isnull=True, audit_key__isnull=True)
                & ~Q(verdict=Verdict.NOT_A_DIGIT),
                name="prediction_grid",
            ),
            *(
                models.Index(
                    fields=fields,
                    condition=Q(label__isnull=True, audit_key__isnull=True)
                    & Q(verdict=Verdict.NOT_A_DIGIT),
                    name=name,
                )
                for fields, name in (
                    (["verdict", "margin", "id"], "prediction_refused"),
                    (["verdict", "-created_at", "-id"], "prediction_refused_newest"),
                )
            ),
            # Most suggestions confirm the answer: those are not in the index.
            models.Index(
                fields=["-created_at", "-id"],
                condition=Q(label__isnull=True, audit_key__isnull=True) & DISAGREEMENT,
                name="prediction_disagreement",
            ),
            models.Index(
                fields=["audit_key"],
                condition=Q(audit_key__isnull=False, audited_at__isnull=True),
                name="prediction_to_audit",
            ),
            models.Index(
                fields=["model_version", "audited_at"],
                condition=Q(audited_at__isnull=False),
                name="prediction_audited",
            ),
            # The insights read only these two indexes, not the rows with their drawings. So do the
            # counts of labels since the last training. Backwards, they are the order of the lists.
            models.Index(
                fields=[
                    "label",
                    "created_at",
                    "id",
                    "digit",
                    "verdict",
                    "model_version",
                    "audited_at",
                    "confidence",
                    "labelled_at",
                ],
                condition=Q(label__isnull=False),
                name="prediction_judged",
            ),
            models.Index(
                fields=[
                    "created_at",
                    "id",
                    "source",
                    "verdict",
                    "digit",
                    "confidence",
                    "suggestion",
                ],
                name="prediction_answered",
            ),
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
                condition=Q(source__in=["canvas", "upload", "api", "import", "number"]),
                name="prediction_source_known",
            ),
            models.CheckConstraint(
                condition=Q(margin__gte=0, margin__lte=1), name="prediction_margin_range"
            ),
            models.CheckConstraint(
                condition=Q(audit_key__isnull=True) | Q(audit_key__gte=0, audit_key__lt=1),
                name="prediction_audit_key_range",
            ),
            models.CheckConstraint(
                condition=Q(audited_at__isnull=True)
                | Q(audit_key__isnull=False, label__isnull=False),
                name="prediction_audited_in_sample",
            ),
            models.CheckConstraint(
                condition=Q(
                    personal_digit__isnull=True,
                    personal_confidence__isnull=True,
                    personal_probabilities__isnull=True,
                    personal_verdict="",
                    remembered__isnull=True,
                )
                | Q(
                    personal_digit__gte=0,
                    personal_digit__lte=9,
                    personal_confidence__gte=0,
                    personal_confidence__lte=1,
                    personal_probabilities__isnull=False,
                    personal_verdict__in=["digit", "uncertain", "not_a_digit"],
                ),
                name="prediction_personal_whole",
            ),
            models.CheckConstraint(
                condition=Q(number="", number_confidence__isnull=True)
                | ~Q(number="") & Q(number_confidence__gte=0, number_confidence__lte=1),
                name="prediction_number_whole",
            ),
            models.CheckConstraint(
                condition=Q(number_label="") | Q(label=10),
                name="prediction_number_not_a_digit",
            ),
            models.CheckConstraint(
                condition=Q(part_of__isnull=True) | Q(source="number"),
                name="prediction_part_of_number",
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
                condition=Q(strokes__isnull=True)
                | Q(
                    GreaterThanOrEqual(Length("strokes"), 1),
                    LessThanOrEqual(Length("strokes"), pen_strokes.MAX_PACKED),
                ),
                name="prediction_strokes_length",
            ),
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

    def stored_drawing(self) -> imaging.Drawing:
        """Decode the drawing; raises imaging.ImageError if it is damaged."""
        image = imaging.decode(bytes(self.image))
        return imaging.Drawing(np.asarray(image.convert("L")))

    def pen_strokes(self) -> imaging.PenStrokes | None:
        """The strokes that were sent, or None; raises imaging.StrokesError if damaged."""
        return None if self.strokes is None else imaging.PenStrokes.unpack(bytes(self.strokes))

    def model_input(self) -> imaging.Pixels:
        """The model's input, uint8 (28, 28), white ink on black; raises imaging.ImageError."""
        drawing = self.stored_drawing()
        return drawing.pixels if self.is_model_input else imaging.model_input(drawing)

    @property
    def embedding_vector(self) -> NDArray[np.float32] | None:
        """The embedding as float32 (d,) of length 1; None if none is stored."""
        return None if self.embedding is None else embeddings.unpack(bytes(self.embedding))

    @property
    def answered_label(self) -> Label:
        """The network's answer as a label: its digit, or "not a digit" where it rejected it."""
        return correctness.answer_label(self.digit, self.verdict)

    @property
    def is_personal(self) -> bool:
        """Whether the visitor's earlier corrections decided the answer."""
        return self.personal_digit is not None

    @property
    def given_digit(self) -> int:
        """The digit given to the visitor: the personal one, else the network's."""
        return self.digit if self.personal_digit is None else self.personal_digit

    @property
    def given_confidence(self) -> float:
        """The confidence of `given_digit`, 0-1."""
        return self.confidence if self.personal_confidence is None else self.personal_confidence

    @property
    def given_probabilities(self) -> list[float]:
        given: list[float] = self.personal_probabilities or self.probabilities
        return given

    @property
    def given_verdict(self) -> str:
        """The verdict given to the visitor; one of `Verdict`."""
        return self.personal_verdict or self.verdict

    @property
    def given_number(self) -> str | None:
        """The number that the drawing shows, or None."""
        return self.number or None

    @property
    def given_label(self) -> Label:
        """The answer given to the visitor as a label: the digit, or "not a digit"."""
        return correctness.answer_label(self.given_digit, self.given_verdict)

    @property
    def is_correct(self) -> bool | None:
        """Whether the network's answer is correct; None without a label."""
        if self.label is None:
            return None
        return correctness.is_correct(label=self.label, digit=self.digit, verdict=self.verdict)
