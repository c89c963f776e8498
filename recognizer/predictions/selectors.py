"""What can be asked of the store. Nothing here writes."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import F

from recognizer.models import ModelVersion, Prediction, PredictionQuerySet


def owned_by(user: User | None, visitor: UUID | None) -> PredictionQuerySet:
    """Return the drawings of a user or, for who has not logged in, of a visitor; else none."""
    predictions = Prediction.objects.all()
    if user is not None:
        return predictions.filter(user=user)
    if visitor is not None:
        return predictions.filter(visitor=visitor)
    return predictions.none()


def history(*, user: User | None, visitor: UUID | None) -> PredictionQuerySet:
    """Return the drawings of one person, newest first, without the bytes of the drawings.

    A person is a user or, for who has not logged in, the visitor of a session. With neither there
    is no history.
    """
    return owned_by(user, visitor).without_bytes().order_by("-created_at", "-id")


def visible_prediction(
    *, prediction_id: UUID, user: User | None, visitor: UUID | None, with_image: bool = False
) -> Prediction:
    """Return one drawing of this person.

    Raises:
        Prediction.DoesNotExist: there is none, or it is somebody else's.
    """
    predictions = owned_by(user, visitor)
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
    """Return the drawings that a reviewer has labelled, oldest first, drawings included,
    embeddings not.

    Args:
        only_mistakes: only those that the model misclassified.
        since: only those labelled at this time (timezone-aware) or later.
        until: only those labelled before this time.
        include_confirmed: also those whose label is the digit that the model had read.
        labels: only those with one of these labels, if any are given.
        version: only those that the model version of this name answered.
        only_audited: only those labelled by way of the random audit.
        include_unlabelled: also those without a label; for them the day they were drawn counts.
    """
    found = Prediction.objects.misclassified() if only_mistakes else Prediction.objects.labelled()
    if not include_confirmed:
        found = found.exclude(label=F("digit"))
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
    """Return the active model version, without its bytes.

    Raises:
        ModelVersion.DoesNotExist: none is active.
    """
    return ModelVersion.objects.defer("serving", "training").get(is_active=True)
