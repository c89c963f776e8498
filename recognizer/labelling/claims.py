"""Who is looking at which drawings, so that two reviewers at once are given different ones.

A claim keeps nobody from labelling; it only decides who is shown what. It ends by itself, and so
does putting a drawing off.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from recognizer.models import Prediction, PredictionQuerySet, ReviewClaim, ReviewSkip

# So many ended claims are swept away by each new one, at most.
SWEPT = 200


def claim(*, ids: Iterable[UUID], reviewer: User, until: datetime.datetime) -> set[UUID]:
    """Claim drawings for a reviewer until then; return those that are really theirs now.

    What another reviewer has claimed and not yet let go is left out, and so is a drawing that is
    gone or that somebody else's transaction holds at this moment. One's own claims are renewed.
    """
    now = timezone.now()
    with transaction.atomic():
        _sweep(now)
        # Whoever claims a drawing holds its row: PostgreSQL lets no second one pass here until the
        # first has committed, and SQLite lets only one write at all. Nobody waits for anybody.
        free = set(
            Prediction.objects.select_for_update(skip_locked=True, no_key=True)
            .filter(pk__in=set(ids))
            .order_by("pk")
            .values_list("pk", flat=True)
        )
        free.difference_update(
            ReviewClaim.objects.filter(prediction__in=free, expires_at__gt=now)
            .exclude(reviewer=reviewer)
            .values_list("prediction", flat=True)
        )
        ReviewClaim.objects.bulk_create(
            [
                ReviewClaim(prediction_id=pk, reviewer=reviewer, expires_at=until)
                for pk in sorted(free)
            ],
            update_conflicts=True,
            unique_fields=["prediction"],
            update_fields=["reviewer", "expires_at"],
        )
    return free


def release(*, reviewer: User, ids: Iterable[UUID] | None = None) -> int:
    """Let go of a reviewer's claims, all or those on these drawings; return how many there were."""
    held = ReviewClaim.objects.filter(reviewer=reviewer)
    if ids is not None:
        held = held.filter(prediction__in=set(ids))
    return held.delete()[0]


def free_for(drawings: PredictionQuerySet, reviewer: User) -> PredictionQuerySet:
    """Leave out what another reviewer is looking at."""
    others = ReviewClaim.objects.filter(
        prediction=OuterRef("pk"), expires_at__gt=timezone.now()
    ).exclude(reviewer=reviewer)
    return drawings.filter(~Exists(others))


def put_off(*, ids: Iterable[UUID], reviewer: User, until: datetime.datetime) -> int:
    """Give these drawings to the reviewer no more until then; return how many there are.

    A drawing that is gone is left out.
    """
    with transaction.atomic():
        ReviewSkip.objects.filter(reviewer=reviewer, expires_at__lte=timezone.now()).delete()
        there = list(
            Prediction.objects.select_for_update(no_key=True)
            .filter(pk__in=set(ids))
            .order_by("pk")
            .values_list("pk", flat=True)
        )
        ReviewSkip.objects.bulk_create(
            [ReviewSkip(prediction_id=pk, reviewer=reviewer, expires_at=until) for pk in there],
            update_conflicts=True,
            unique_fields=["reviewer", "prediction"],
            update_fields=["expires_at"],
        )
    return len(there)


def put_off_by(reviewer: User) -> Exists:
    """The condition that the reviewer has put a drawing off."""
    return Exists(
        ReviewSkip.objects.filter(
            prediction=OuterRef("pk"), reviewer=reviewer, expires_at__gt=timezone.now()
        )
    )


def _sweep(now: datetime.datetime) -> None:
    """Delete some of the claims that have ended."""
    ended = (
        ReviewClaim.objects.select_for_update(skip_locked=True)
        .filter(expires_at__lte=now)
        .order_by("expires_at")
        .values_list("pk", flat=True)[:SWEPT]
    )
    if pks := list(ended):
        ReviewClaim.objects.filter(pk__in=pks).delete()
