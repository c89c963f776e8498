"""What versions learned and unlearned, and what labels would be worth."""

from __future__ import annotations

from django.conf import settings
from django.core.validators import MaxValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from recognizer.models.answers import Label
from recognizer.models.jobs import Job, job_constraints
from recognizer.models.versions import ModelVersion


class LearnedLabels(models.Model):
    """How many labels of one origin a version was trained on: see `labelling.learned`.

    With a ``batch`` they came with that import, whose id it is; otherwise ``by`` is the reviewer.
    With neither they came from a file, or the account was deleted.
    """

    version = models.ForeignKey(
        ModelVersion,
        verbose_name=_("model version"),
        on_delete=models.CASCADE,
        related_name="learned_labels",
    )
    label = models.PositiveSmallIntegerField(
        _("label"), choices=Label, validators=[MaxValueValidator(10)]
    )
    by = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        verbose_name=_("labelled by"),
        null=True,
        on_delete=models.SET_NULL,
        related_name="+",
        db_index=False,
    )
    batch = models.UUIDField(_("import"), null=True, blank=True)
    n = models.PositiveIntegerField(_("learned"))
    held_out = models.PositiveIntegerField(_("held out for evaluation"))

    class Meta:
        ordering = ["label", "-n", "pk"]
        verbose_name = _("labels that a version learned")
        verbose_name_plural = _("labels that versions learned")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(label__gte=0, label__lte=10), name="learnedlabels_label_range"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.version}: {self.n} labelled {Label(self.label).label}"


class RegressionJob(Job):
    """A search for the labelled drawings that ``before`` recognises and ``version`` does not."""

    version = models.ForeignKey(
        ModelVersion,
        verbose_name=_("model version"),
        on_delete=models.CASCADE,
        related_name="regression_jobs",
    )
    before = models.ForeignKey(
        ModelVersion,
        verbose_name=_("compared with"),
        on_delete=models.CASCADE,
        related_name="+",
        db_index=False,
    )

    class Meta:
        ordering = ["-created_at"]
        verbose_name = _("search for unlearned drawings")
        verbose_name_plural = _("searches for unlearned drawings")
        default_permissions = ()
        constraints = job_constraints("regressionjob")


class StyleReport(models.Model):
    """The newest drawings by digit and handwriting style. Only the latest row counts.

    See `labelling.styles`, which writes and reads ``report``.
    """

    at = models.DateTimeField(_("when"), default=timezone.now, editable=False)
    report = models.JSONField(_("report"))

    class Meta:
        ordering = ["-at", "-pk"]
        verbose_name = _("report on handwriting styles")
        verbose_name_plural = _("reports on handwriting styles")
        default_permissions = ()

    def __str__(self) -> str:
        return f"{self.at:%Y-%m-%d %H:%M}"
