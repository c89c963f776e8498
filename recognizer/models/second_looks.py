"""Labels that are looked at again: those that look wrong, and second opinions."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from recognizer.models.answers import Label
from recognizer.models.predictions import Prediction


class SuspectLabel(models.Model):
    """A label that looks wrong: see `recognizer.labelling.suspects`.

    Deleted when the label changes. One that a reviewer has looked at and kept stays, with its
    time, so that it is not found again.
    """

    prediction = models.OneToOneField(
        Prediction, verbose_name=_("prediction"), on_delete=models.CASCADE, related_name="suspect"
    )
    label = models.PositiveSmallIntegerField(_("label"), choices=Label)
    labelled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("labelled by"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )
    likely = models.PositiveSmallIntegerField(_("looks like"), choices=Label)
    score = models.FloatField(
        _("score"),
        validators=[MinValueValidator(0), MaxValueValidator(1)],
        help_text=_("How wrong the label looks, 0-1."),
    )
    kept_at = models.DateTimeField(_("kept"), null=True, blank=True)

    class Meta:
        ordering = ["-score", "pk"]
        verbose_name = _("suspect label")
        verbose_name_plural = _("suspect labels")
        indexes = [
            models.Index(
                fields=["-score", "prediction"],
                condition=Q(kept_at__isnull=True),
                name="suspect_worst",
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(label__gte=0, label__lte=10, likely__gte=0, likely__lte=10),
                name="suspect_label_range",
            ),
            models.CheckConstraint(
                condition=Q(score__gte=0, score__lte=1), name="suspect_score_range"
            ),
        ]

    def __str__(self) -> str:
        return (
            f"{self.prediction_id}: {Label(self.label).label}, perhaps {Label(self.likely).label}"
        )


class LabelCheck(models.Model):
    """A search for suspect labels. Only the latest row counts."""

    at = models.DateTimeField(_("when"), default=timezone.now, editable=False)
    labels = models.PositiveIntegerField(_("labels"))

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = _("search for suspect labels")
        verbose_name_plural = _("searches for suspect labels")

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}"


class OpinionKind(models.TextChoices):
    SECOND = "second", _("second opinion")
    THIRD = "third", _("third opinion")
    OWN = "own", _("own label again")


class Opinion(models.Model):
    """Another opinion about a label, given without seeing it: see `recognizer.labelling.opinions`.

    ``first`` is the label and ``first_by`` its reviewer. Until somebody gives the opinion, it has
    no ``label`` and no ``at``. ``step`` identifies the page's step, for undo.
    """

    prediction = models.ForeignKey(
        Prediction,
        verbose_name=_("prediction"),
        on_delete=models.CASCADE,
        related_name="opinions",
        db_index=False,
    )
    kind = models.CharField(_("kind"), max_length=8, choices=OpinionKind)
    first = models.PositiveSmallIntegerField(_("first label"), choices=Label)
    first_by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("first reviewer"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )
    first_at = models.DateTimeField(_("first labelled"), default=timezone.now)
    label = models.PositiveSmallIntegerField(_("label"), null=True, blank=True, choices=Label)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("reviewer"),
        null=True,
        blank=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )
    at = models.DateTimeField(_("when"), null=True, blank=True)
    step = models.UUIDField(_("step"), null=True, blank=True)

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = _("opinion")
        verbose_name_plural = _("opinions")
        indexes = [
            models.Index(fields=["prediction"], name="opinion_of_prediction"),
            models.Index(
                fields=["kind", "first_at", "prediction"],
                condition=Q(label__isnull=True),
                name="opinion_wanted",
            ),
            # The insights read only this index.
            models.Index(
                fields=["kind", "at", "first_by", "by", "first", "label"],
                condition=Q(label__isnull=False),
                name="opinion_given",
            ),
            models.Index(fields=["step"], condition=Q(step__isnull=False), name="opinion_step"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["prediction", "kind"],
                condition=Q(label__isnull=True),
                name="opinion_one_wanted",
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["second", "third", "own"]), name="opinion_kind_known"
            ),
            models.CheckConstraint(
                condition=Q(first__gte=0, first__lte=10)
                & (Q(label__isnull=True) | Q(label__gte=0, label__lte=10)),
                name="opinion_label_range",
            ),
            models.CheckConstraint(
                condition=Q(label__isnull=True, at__isnull=True, by__isnull=True)
                | Q(label__isnull=False, at__isnull=False),
                name="opinion_given_dated",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.prediction_id}: {self.kind}"
