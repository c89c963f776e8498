"""Claims, which reserve a drawing for the page that shows it, and skips.

A claim belongs to a page (a browser tab), so two tabs of one reviewer show different drawings, and
closing one does not affect the claims of the other. Claims only decide who is shown a drawing:
anyone may still label it. Claims and skips expire.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from recognizer.models import Prediction, PredictionQuerySet, ReviewClaim, ReviewSkip

CLAIMED_FOR = datetime.timedelta(minutes=10)
"""How long a claim lasts unless its page renews it."""

DELETED_AT_ONCE = 200
"""The most expired claims, and the most expired skips, that one call deletes."""


@dataclass(frozen=True)
class Claimant:
    """One open page of a reviewer. A reload keeps the page's id, a new tab has another."""

    reviewer: User
    page: UUID

    @property
    def claims(self) -> QuerySet[ReviewClaim]:
        """The claims of this page, expired ones included."""
        return ReviewClaim.objects.filter(reviewer=self.reviewer, page=self.page)


def claim(
    *, ids: Iterable[UUID], claimant: Claimant, until: datetime.datetime, wait: bool = False
) -> set[UUID]:
    """Claim drawings for a page, or renew its claims; return the ids that it has claimed.

    Skips deleted drawings, those that another page has claimed, and rows that another transaction
    has locked, unless ``wait`` is true.
    """
    with transaction.atomic(savepoint=False):
        # Locking the row makes two claims of one drawing run one after the other on PostgreSQL;
        # SQLite has one writer anyway. Sorted by id, so that two transactions can't deadlock.
        free = set(
            Prediction.objects.select_for_update(skip_locked=not wait, no_key=True)
            .filter(pk__in=set(ids))
            .order_by("pk")
            .values_list("pk", flat=True)
        )
        free.difference_update(
            claims_of_others(claimant)
            .filter(prediction__in=free)
            .values_list("prediction", flat=True)
        )
        ReviewClaim.objects.bulk_create(
            [
                ReviewClaim(
                    prediction_id=pk,
                    reviewer=claimant.reviewer,
                    page=claimant.page,
                    expires_at=until,
                )
                for pk in sorted(free)
            ],
            update_conflicts=True,
            unique_fields=["prediction"],
            update_fields=["reviewer", "page", "expires_at"],
        )
    return free


def release(
    *,
    claimant: Claimant,
    ids: Iterable[UUID] | None = None,
    until: datetime.datetime | None = None,
) -> int:
    """End claims of a page, all or those on these drawings; return how many.

    Args:
        until: only claims that expire by then, the last expiry that the page knows of. When a page
            is reloaded, its release may arrive after its next request, whose claims must stay.
    """
    claims = claimant.claims
    if ids is not None:
        claims = claims.filter(prediction__in=set(ids))
    if until is not None:
        claims = claims.filter(expires_at__lte=until)
    return claims.delete()[0]


def claims_of_others(claimant: Claimant) -> QuerySet[ReviewClaim]:
    """Return the claims that reserve drawings for other pages, of this reviewer or another."""
    return ReviewClaim.objects.filter(expires_at__gt=timezone.now()).exclude(
        reviewer=claimant.reviewer, page=claimant.page
    )


def unclaimed(drawings: PredictionQuerySet, claimant: Claimant) -> PredictionQuerySet:
    # NOT IN a list made once, not a join: the database still reads its index in order.
    return drawings.exclude(pk__in=claims_of_others(claimant).values("prediction"))


def skip(*, ids: Iterable[UUID], reviewer: User, until: datetime.datetime) -> int:
    """Don't show these drawings to the reviewer until then; return how many still exist."""
    with transaction.atomic():
        existing = list(
            Prediction.objects.select_for_update(no_key=True)
            .filter(pk__in=set(ids))
            .order_by("pk")
            .values_list("pk", flat=True)
        )
        ReviewSkip.objects.bulk_create(
            [ReviewSkip(prediction_id=pk, reviewer=reviewer, expires_at=until) for pk in existing],
            update_conflicts=True,
            unique_fields=["reviewer", "prediction"],
            update_fields=["expires_at"],
        )
    return len(existing)


def skips_of(reviewer: User) -> QuerySet[ReviewSkip]:
    """Return the skips of a reviewer that have not expired."""
    return ReviewSkip.objects.filter(reviewer=reviewer, expires_at__gt=timezone.now())


def delete_expired() -> int:
    """Delete expired claims and skips, except those that another transaction has locked.

    Returns how many; if that is not 0, there may be more.
    """
    now, deleted = timezone.now(), 0
    for model in (ReviewClaim, ReviewSkip):
        with transaction.atomic(savepoint=False):
            expired = (
                model._default_manager.select_for_update(skip_locked=True)
                .filter(expires_at__lte=now)
                .order_by("expires_at")
                .values_list("pk", flat=True)[:DELETED_AT_ONCE]
            )
            if pks := list(expired):
                deleted += model._default_manager.filter(pk__in=pks).delete()[0]
    return deleted
