"""Queries for drawings. Nothing here writes."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.db.models import F

from recognizer.models import ModelVersion, Owner, Prediction, PredictionQuerySet, Verdict


def history(*, owner: Owner) -> PredictionQuerySet:
    """Return the owner's drawings, newest first, without the bytes of the images."""
    return owner.filter(Prediction.objects.without_bytes()).order_by("-created_at", "-id")


def visible_prediction(
    *, prediction_id: UUID, owner: Owner, with_image: bool = False
) -> Prediction:
    """Return the owner's drawing; raises Prediction.DoesNotExist if they have no such drawing."""
    predictions = owner.filter(Prediction.objects.all())
    if with_image:
        return predictions.only("image", "is_model_input", "created_at").get(pk=prediction_id)
    return predictions.without_bytes().get(pk=prediction_id)


def labelled_drawings(
    *,
    only_mistakes: bool = False,
    since: datetime | None = None,
    until: datetime | None = None,
    include_confirmed: bool = True,
    labels: Collection[int] = (),
    version: str | None = None,
    only_audited: bool = False,
    include_unlabelled: bool = False,
) -> PredictionQuerySet:
    """Return the drawings that a reviewer has labelled, oldest first, with their images but
    without their embeddings.

    Args:
        only_mistakes: only those that the model misclassified.
        since: only those labelled at this time (timezone-aware) or later.
        until: only those labelled before this time.
        include_confirmed: also those whose label is the predicted digit.
        labels: only those with one of these labels, if any are given.
        version: only those predicted by the model version of this name.
        only_audited: only those labelled in the random audit.
        include_unlabelled: also those without a label, by the time they were drawn.
    """
    found = Prediction.objects.misclassified() if only_mistakes else Prediction.objects.labelled()
    if not include_confirmed:
        found = found.exclude(label=F("digit"), verdict__in=[Verdict.DIGIT, Verdict.UNCERTAIN])
    if labels:
        found = found.filter(label__in=labels)
    if only_audited:
        found = found.filter(audited_at__isnull=False)
    found = _between(found, "labelled_at", since, until)
    if include_unlabelled:
        unlabelled = Prediction.objects.unlabelled()
        found = found | _between(unlabelled, "created_at", since, until)
    if version is not None:
        found = found.filter(model_version__name=version)
    return (
        found.select_related("model_version")
        .defer(
            "embedding",
            "model_version__serving",
            "model_version__training",
            "model_version__card",
        )
        .order_by("created_at", "id")
    )


def _between(
    found: PredictionQuerySet, field: str, since: datetime | None, until: datetime | None
) -> PredictionQuerySet:
    if since is not None:
        found = found.filter(**{f"{field}__gte": since})
    if until is not None:
        found = found.filter(**{f"{field}__lt": until})
    return found


def active_model() -> ModelVersion:
    """Return the active version without its bytes; raises ModelVersion.DoesNotExist if none is."""
    return ModelVersion.objects.defer("serving", "training").get(is_active=True)
