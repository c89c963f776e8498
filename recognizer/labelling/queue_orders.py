"""What waits in the review queue, and in which order a reviewer is given it. Nothing here writes.

Every order walks a partial index that holds only what is still to be labelled, from its first
entry, and every count stops at a limit: a long queue costs as much as a short one.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import User
from django.db import models
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from recognizer.models import Prediction, PredictionQuerySet, ReviewClaim, ReviewSkip

AUDIT_EVERY = 20
"""One drawing in so many comes from the random audit sample, whatever the order."""

COUNT_LIMIT = 1000
"""No more drawings than these are counted."""


class Order(models.TextChoices):
    """What a reviewer is given first."""

    DISAGREEMENT = "disagreement", _("Disagreement first")
    # Margin sampling: B. Settles, Active Learning Literature Survey, 2009, section 3.1.
    LEAST_SURE = "least_sure", _("Least sure first")
    NEWEST = "newest", _("Newest first")
    AUDIT = "audit", _("Random audit sample")


@dataclass(frozen=True)
class Left:
    """How many drawings wait: exactly, or at least so many where `is_more`.

    Beside them, of whatever order, ``with_others`` are looked at by others, and ``put_off`` were
    skipped by this reviewer.
    """

    count: int
    is_more: bool
    with_others: int
    put_off: int


def ordinary_walks(order: Order, *, digit: int | None = None) -> list[PredictionQuerySet]:
    """Return the drawings outside the audit sample, as walks to be taken one after the other.

    With ``digit`` only those that the network read so.
    """
    waiting = Prediction.objects.unlabelled().filter(audit_key__isnull=True)
    if digit is not None:
        waiting = waiting.filter(digit=digit)
    least_sure = waiting.order_by("margin", "id")
    newest = waiting.order_by("-created_at", "-id")
    return {
        Order.DISAGREEMENT: [newest.disagreements(), least_sure],
        Order.LEAST_SURE: [least_sure],
        Order.NEWEST: [newest],
        Order.AUDIT: [],
    }[order]


def audit_walk() -> PredictionQuerySet:
    """Return the drawings of the audit sample that nobody has audited, in their random order.

    Also those that somebody has labelled by another way: to leave these out would make the sample
    one of the drawings that nobody chose.
    """
    return Prediction.objects.filter(audit_key__isnull=False, audited_at__isnull=True).order_by(
        "audit_key"
    )


def claims_of_others(reviewer: User) -> QuerySet[ReviewClaim]:
    """Return the claims that keep drawings from this reviewer."""
    return ReviewClaim.objects.filter(expires_at__gt=timezone.now()).exclude(reviewer=reviewer)


def skips_of(reviewer: User) -> QuerySet[ReviewSkip]:
    """Return what this reviewer has put off and is not to see yet."""
    return ReviewSkip.objects.filter(reviewer=reviewer, expires_at__gt=timezone.now())


def open_to(
    drawings: PredictionQuerySet, reviewer: User, *, without: Collection[UUID] = ()
) -> PredictionQuerySet:
    """Leave out what others are looking at and what this reviewer has put off."""
    # NOT IN a list made once, not a join: the database goes on walking its index.
    found = drawings.exclude(pk__in=claims_of_others(reviewer).values("prediction"))
    found = found.exclude(pk__in=skips_of(reviewer).values("prediction"))
    return found.exclude(pk__in=without) if without else found


def left(*, reviewer: User, order: Order, digit: int | None = None) -> Left:
    """Return how many drawings wait for this reviewer, those that they hold among them."""
    pools = []
    if order is not Order.AUDIT:
        # All the orders hold the same drawings, and this one has an index for each digit too.
        pools += ordinary_walks(Order.NEWEST, digit=digit)
    if digit is None:
        pools.append(audit_walk())
    total = sum(open_to(pool, reviewer)[: COUNT_LIMIT + 1].count() for pool in pools)
    return Left(
        count=min(total, COUNT_LIMIT),
        is_more=total > COUNT_LIMIT,
        with_others=claims_of_others(reviewer)[:COUNT_LIMIT].count(),
        put_off=skips_of(reviewer)[:COUNT_LIMIT].count(),
    )
