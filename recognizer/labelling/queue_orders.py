"""The orders of the review queue, and how many drawings wait. Read-only.

Every order reads a partial index of the unlabelled drawings from its start, and every count stops
at a limit, so a long queue is as fast as a short one.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from django.db import models
from django.utils.translation import gettext_lazy as _

from recognizer.labelling import claims, fairness, notes, opinions, suspects
from recognizer.labelling.claims import Claimant
from recognizer.models import Prediction, PredictionQuerySet

AUDIT_EVERY = 20
"""Every twentieth drawing is from the random audit sample, whatever the order of new drawings."""

SECOND_AT = 10
"""The tenth of twenty drawings is one that is labelled already, for a second opinion."""

COUNT_LIMIT = 1000
"""Counting stops here."""


class Order(models.TextChoices):
    DISAGREEMENT = "disagreement", _("Disagreement first")
    # Margin sampling: B. Settles, Active Learning Literature Survey, 2009, section 3.1.
    LEAST_SURE = "least_sure", _("Least sure first")
    NEWEST = "newest", _("Newest first")
    AUDIT = "audit", _("Random audit sample")
    SUSPECT = "suspect", _("Suspect labels")
    OPINIONS = "opinions", _("Reviewers disagree")
    FLAGGED = "flagged", _("Flagged")

    @property
    def is_of_labelled(self) -> bool:
        """Whether it has drawings that are labelled already, and none are mixed in."""
        return self in (Order.SUSPECT, Order.OPINIONS, Order.FLAGGED)


@dataclass(frozen=True)
class Waiting:
    """How many drawings wait: ``count``, or more if ``is_more``.

    Not counted in it: ``with_others`` are claimed by other pages, ``skipped`` by this reviewer.
    """

    count: int
    is_more: bool
    with_others: int
    skipped: int


@dataclass(frozen=True)
class Pool:
    """Drawings in the order to offer them, or one of each owner in turn (see `fairness`)."""

    drawings: PredictionQuerySet
    by_owner: bool = False

    def first(self, claimant: Claimant, count: int, *, seen: Collection[UUID]) -> list[UUID]:
        """Return the ids of up to ``count`` drawings for this page, except those in ``seen``."""
        found = available(self.drawings, claimant, without=seen)
        if self.by_owner:
            return fairness.interleaved(found, count, seen)
        return list(found.values_list("pk", flat=True)[:count])


def unlabelled() -> PredictionQuerySet:
    """Return the drawings that wait for a label, outside the audit sample."""
    return Prediction.objects.unlabelled().filter(audit_key__isnull=True)


def ordinary(order: Order, *, claimant: Claimant, digit: int | None = None) -> list[Pool]:
    """Return the drawings outside the audit sample, in pools to be used one after the other."""
    if order is Order.SUSPECT:
        return [Pool(suspects.waiting())]
    if order is Order.OPINIONS:
        return [Pool(opinions.third(claimant.reviewer))]
    if order is Order.FLAGGED:
        return [Pool(notes.flagged())]
    waiting = unlabelled()
    if digit is not None:
        waiting = waiting.filter(digit=digit)
    least_sure = waiting.order_by("margin", "id")
    newest = waiting.order_by("-created_at", "-id")
    return {
        Order.DISAGREEMENT: [Pool(newest.disagreements(), by_owner=True), Pool(least_sure)],
        Order.LEAST_SURE: [Pool(least_sure)],
        Order.NEWEST: [Pool(newest)],
        Order.AUDIT: [],
    }[order]


def second_opinions(claimant: Claimant) -> list[Pool]:
    """Return labelled drawings for this reviewer to label again, without seeing the label."""
    return [Pool(drawings) for drawings in opinions.second(claimant.reviewer)]


def audits() -> Pool:
    """Return the drawings of the audit sample that are not audited yet, in their random order.

    Includes labelled ones: without them the sample would be biased towards drawings that no
    reviewer chose to label.
    """
    sample = Prediction.objects.filter(audit_key__isnull=False, audited_at__isnull=True)
    return Pool(sample.order_by("audit_key"))


def available(
    drawings: PredictionQuerySet, claimant: Claimant, *, without: Collection[UUID] = ()
) -> PredictionQuerySet:
    """Exclude drawings that other pages have claimed or this reviewer has skipped."""
    found = claims.unclaimed(drawings, claimant)
    found = found.exclude(pk__in=claims.skips_of(claimant.reviewer).values("prediction"))
    return found.exclude(pk__in=without) if without else found


def waiting_for_anybody() -> int:
    """Return how many drawings wait for a label or an audit; ``COUNT_LIMIT`` + 1 for any more."""
    pools = (unlabelled().order_by("-created_at", "-id"), audits().drawings)
    return min(COUNT_LIMIT + 1, sum(each[: COUNT_LIMIT + 1].count() for each in pools))


def left(*, claimant: Claimant, order: Order, digit: int | None = None) -> Waiting:
    """Return how many drawings wait for this page, its own claims included."""
    pools = []
    if order.is_of_labelled:
        pools += ordinary(order, claimant=claimant)
    elif order is not Order.AUDIT:
        # All orders have the same drawings; this one also has an index by digit.
        pools += ordinary(Order.NEWEST, claimant=claimant, digit=digit)
        pools += [] if digit is not None else second_opinions(claimant)
    if digit is None and not order.is_of_labelled:
        pools.append(audits())
    total = sum(available(each.drawings, claimant)[: COUNT_LIMIT + 1].count() for each in pools)
    return Waiting(
        count=min(total, COUNT_LIMIT),
        is_more=total > COUNT_LIMIT,
        with_others=claims.claims_of_others(claimant)[:COUNT_LIMIT].count(),
        skipped=claims.skips_of(claimant.reviewer)[:COUNT_LIMIT].count(),
    )
