"""Label history, claims and skips of reviewers."""

from __future__ import annotations

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from recognizer.models.answers import Label
from recognizer.models.predictions import Prediction

NOTE_LENGTH = 200
"""The most characters of a note."""


class Via(models.TextChoices):
    """The source of a label."""

    QUEUE = "queue", _("review queue")
    AUDIT = "audit", _("random audit")
    GRID = "grid", _("grid")
    ADMIN = "admin", _("list")
    IMPORT = "import", _("import")
    UNDO = "undo", _("undo")
    RESTORE = "restore", _("restored")


class LabelEvent(models.Model):
    """One change of a label. Never edited, and deleted only with its drawing."""

    prediction = models.ForeignKey(
        Prediction,
        verbose_name=_("prediction"),
        on_delete=models.CASCADE,
        related_name="label_events",
        db_index=False,
    )
    old = models.PositiveSmallIntegerField(_("from"), null=True, blank=True, choices=Label)
    new = models.PositiveSmallIntegerField(_("to"), null=True, blank=True, choices=Label)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("who"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )
    at = models.DateTimeField(_("when"), default=timezone.now, editable=False)
    via = models.CharField(_("source"), max_length=8, choices=Via, default=Via.ADMIN)
    batch = models.UUIDField(
        _("batch"), null=True, blank=True, help_text=_("Shared by changes made as one.")
    )

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = _("label change")
        verbose_name_plural = _("label history")
        indexes = [
            models.Index(fields=["prediction", "-at"], name="labelevent_of_prediction"),
            models.Index(fields=["by", "at"], name="labelevent_by"),
            models.Index(fields=["at"], name="labelevent_at"),
            models.Index(
                fields=["batch"], condition=Q(batch__isnull=False), name="labelevent_batch"
            ),
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(old__isnull=True) | Q(old__gte=0, old__lte=10),
                name="labelevent_old_range",
            ),
            models.CheckConstraint(
                condition=Q(new__isnull=True) | Q(new__gte=0, new__lte=10),
                name="labelevent_new_range",
            ),
            # An audit may confirm an existing label.
            models.CheckConstraint(
                condition=~Q(old=F("new")) | Q(via="audit"), name="labelevent_is_a_change"
            ),
            models.CheckConstraint(
                condition=Q(
                    via__in=["queue", "audit", "grid", "admin", "import", "undo", "restore"]
                ),
                name="labelevent_via_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.prediction_id}: {label_text(self.old)} \u2192 {label_text(self.new)}"


def label_text(label: int | None) -> str:
    """A label in words; "none" where there is none."""
    return str(_("none")) if label is None else str(Label(label).label)


class ReviewNote(models.Model):
    """What reviewers say to each other about a drawing. A flag asks somebody to look at it."""

    prediction = models.OneToOneField(
        Prediction, verbose_name=_("prediction"), on_delete=models.CASCADE, related_name="note"
    )
    text = models.CharField(_("note"), max_length=NOTE_LENGTH, blank=True, default="")
    is_flagged = models.BooleanField(_("flagged"), default=False)
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("who"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
    )
    at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        verbose_name = _("note of a reviewer")
        verbose_name_plural = _("notes of reviewers")
        indexes = [
            models.Index(
                fields=["at", "prediction"], condition=Q(is_flagged=True), name="reviewnote_flagged"
            )
        ]
        constraints = [
            models.CheckConstraint(
                condition=Q(is_flagged=True) | ~Q(text=""), name="reviewnote_says_something"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.prediction_id}: {self.text}"


class ReviewClaim(models.Model):
    """A reviewer's page shows this drawing; until then no other page is offered it."""

    prediction = models.OneToOneField(
        Prediction, verbose_name=_("prediction"), on_delete=models.CASCADE, related_name="claim"
    )
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("reviewer"),
        on_delete=models.CASCADE,
        related_name="+",
    )
    page = models.UUIDField(_("page"), help_text=_("The browser tab that shows the drawing."))
    expires_at = models.DateTimeField(_("expires"), db_index=True)

    class Meta:
        verbose_name = _("claim of a reviewer")
        verbose_name_plural = _("claims of reviewers")

    def __str__(self) -> str:
        return f"{self.reviewer}: {self.prediction_id}"


class ReviewSkip(models.Model):
    """A reviewer skipped this drawing and is not shown it again until then."""

    prediction = models.ForeignKey(
        Prediction, verbose_name=_("prediction"), on_delete=models.CASCADE, related_name="skips"
    )
    reviewer = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("reviewer"),
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
    )
    expires_at = models.DateTimeField(_("expires"), db_index=True)

    class Meta:
        verbose_name = _("skipped drawing")
        verbose_name_plural = _("skipped drawings")
        constraints = [
            models.UniqueConstraint(fields=["reviewer", "prediction"], name="reviewskip_one"),
        ]

    def __str__(self) -> str:
        return f"{self.reviewer}: {self.prediction_id}"
