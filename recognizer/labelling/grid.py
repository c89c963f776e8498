"""The grid: drawings with the same predicted label, reviewed sixty at a time.

The reviewer corrects the wrong ones and confirms the others, in one transaction and as one batch.
Drawings of the audit sample are left to the queue, which shows them in random order.
"""

from __future__ import annotations

import datetime
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import User
from django.db import models, transaction
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from recognizer.labelling import claims
from recognizer.labelling import labels as labelling_labels
from recognizer.labelling.claims import CLAIMED_FOR, Claimant
from recognizer.models import Label, LabelEvent, Prediction, PredictionQuerySet, Via
from recognizer.models.correctness import predicted_as

PAGE = 60
"""Drawings on a page; the same number is claimed ahead, so that the browser can preload them."""
COUNT_LIMIT = 1000
"""Counting the drawings that wait stops here, for each predicted label."""
BATCHES_LISTED = 5
"""The number of recent batches that a reviewer can undo."""

SKIPPED_FOR = datetime.timedelta(hours=12)
REMEMBERED_FOR = datetime.timedelta(days=7)
# Another reviewer may claim some of the drawings between the query and the claim: try again.
TRIES = 3


class GridError(ValueError):
    """The request is not a valid page of the grid."""


class Order(models.TextChoices):
    LEAST_SURE = "least-sure", gettext_lazy("Least sure first")
    NEWEST = "newest", gettext_lazy("Newest first")


@dataclass(frozen=True)
class Page:
    """The drawings to review, those of the next page, and labels that were chosen before."""

    drawings: list[Prediction]
    ahead: list[Prediction]
    chosen: Mapping[UUID, int]


@dataclass(frozen=True)
class Saved:
    """The result of a page: counts, and the drawings that another reviewer labelled differently."""

    batch: UUID
    confirmed: int
    corrected: int
    left_open: int
    conflicts: list[UUID]


@dataclass(frozen=True)
class Batch:
    """A page that was saved at ``at``; ``answer`` is the predicted label of its drawings."""

    pk: UUID
    at: datetime.datetime
    answer: Label
    confirmed: int
    corrected: int
    is_undone: bool


# Drawings to review ---------------------------------------------------------------------------


def waiting(answer: Label) -> PredictionQuerySet:
    unlabelled = Prediction.objects.unlabelled().filter(audit_key__isnull=True)
    return unlabelled.filter(predicted_as(answer))


def waiting_counts() -> dict[Label, int]:
    """Return how many drawings of each predicted label wait, counted up to `COUNT_LIMIT`."""
    # The order of their index; without it SQLite picks an unsuitable one.
    return {each: waiting(each).order_by("margin", "id")[:COUNT_LIMIT].count() for each in Label}


def take(*, answer: Label, order: Order, claimant: Claimant, left_open: bool = False) -> Page:
    """Claim the next drawings for a page and release those that it showed before.

    With ``left_open`` claim those that the reviewer left undecided, not new ones.
    """
    skipped = Q(pk__in=claims.skips_of(claimant.reviewer).values("prediction"))
    drawings = claims.unclaimed(waiting(answer), claimant).filter(
        skipped if left_open else ~skipped
    )
    found = drawings.order_by(*_fields(answer, order))
    mine: list[Prediction] = []
    claims.delete_expired()
    until = timezone.now() + CLAIMED_FOR
    with transaction.atomic():
        claims.release(claimant=claimant)
        for _try in range(TRIES):
            rows = list(_shown(found)[: 2 * PAGE])
            claimed = claims.claim(ids=[row.pk for row in rows], claimant=claimant, until=until)
            mine = [row for row in rows if row.pk in claimed]
            if len(mine) == len(rows):
                break
    return Page(mine[:PAGE], mine[PAGE:], {})


def take_again(*, batch: UUID, answer: Label, order: Order, claimant: Claimant) -> Page:
    """Claim the drawings of an undone batch; return them with the labels they had.

    Skips drawings that another page has claimed since.
    """
    given = dict(
        LabelEvent.objects.filter(batch=batch, by=claimant.reviewer, via=Via.GRID).values_list(
            "prediction", "new"
        )
    )
    with transaction.atomic():
        claims.release(claimant=claimant)
        claimed = claims.claim(
            ids=given, claimant=claimant, until=timezone.now() + CLAIMED_FOR, wait=True
        )
        rows = list(
            _shown(waiting(answer).filter(pk__in=claimed).order_by(*_fields(answer, order)))
        )
    return Page(rows[:PAGE], [], {pk: label for pk, label in given.items() if label is not None})


def labelled_among(ids: Iterable[UUID]) -> PredictionQuerySet:
    """Return the labelled ones of these drawings, with their reviewer, the latest label first."""
    return _shown(
        Prediction.objects.labelled()
        .filter(pk__in=set(ids))
        .select_related("labelled_by")
        .order_by("-labelled_at", "pk"),
        "label",
        "labelled_at",
        "labelled_by__username",
    )


def _shown(drawings: PredictionQuerySet, *more: str) -> PredictionQuerySet:
    return drawings.only("digit", "confidence", "verdict", "created_at", *more)


def _fields(answer: Label, order: Order) -> tuple[str, str]:
    """Return the columns to order by; each order has an index."""
    if order is Order.NEWEST:
        return "-created_at", "-id"
    if answer is Label.NOT_A_DIGIT:
        # Rejected although one digit is far ahead: the rejection is doubtful.
        return "-margin", "-id"
    return "margin", "id"


# Saving and undoing ---------------------------------------------------------------------------


def save(*, answer: Label, choices: Mapping[UUID, int | None], claimant: Claimant) -> Saved:
    """Label the drawings of a page as one batch; None leaves a drawing undecided.

    Labels that another reviewer has set differently are kept and reported; the rest is saved.
    Undecided drawings are hidden from this reviewer for half a day, except in "Undecided". Raises
    GridError if a drawing does not belong on this page, or a label is invalid.
    """
    if len(choices) > PAGE:
        raise GridError(_("A page has at most %(n)d drawings.") % {"n": PAGE})
    labels = {pk: label for pk, label in choices.items() if label is not None}
    if not set(labels.values()) <= set(Label.values):
        raise GridError(_("A label is 0 to 9, or 10 for not a digit."))
    batch = uuid.uuid4()
    with transaction.atomic():
        rows = labelling_labels.locked(choices)
        if any(row.answered_label is not answer or row.audit_key is not None for row in rows):
            raise GridError(
                _("Some of these drawings are not from this page. Open the grid again.")
            )
        changes, not_labelled = labelling_labels.label_each(
            labels=labels, by=claimant.reviewer, via=Via.GRID, batch=batch
        )
        still_open = [row.pk for row in rows if row.label is None and row.pk not in labels]
        until = timezone.now() + SKIPPED_FOR
        claims.skip(ids=still_open, reviewer=claimant.reviewer, until=until)
        claims.release(claimant=claimant, ids=choices)
    confirmed = sum(change.new == answer for change in changes)
    existing = {row.pk for row in rows}
    return Saved(
        batch=batch,
        confirmed=confirmed,
        corrected=len(changes) - confirmed,
        left_open=len(still_open),
        conflicts=[pk for pk in not_labelled if pk in existing],
    )


def undo(*, batch: UUID, by: User) -> tuple[Label, int, int]:
    """Undo a batch of this reviewer.

    Return the predicted label, how many labels were undone, and how many were not, because they
    have been changed or undone since. Raises GridError if this reviewer has no such batch.
    """
    with transaction.atomic():
        events = LabelEvent.objects.filter(batch=batch, by=by, via=Via.GRID)
        ids = list(events.values_list("prediction", flat=True))
        rows = labelling_labels.locked(ids)
        if not rows:
            raise GridError(_("You have no such batch. Open the grid again."))
        undone, _changed_since = labelling_labels.undo(
            changes=labelling_labels.changes_of(batch), by=by, batch=batch
        )
    return rows[0].answered_label, len(undone), len(ids) - len(undone)


def last_batches(reviewer: User) -> list[Batch]:
    events = (
        LabelEvent.objects.filter(
            by=reviewer, via=Via.GRID, at__gte=timezone.now() - REMEMBERED_FOR, batch__isnull=False
        )
        .select_related("prediction")
        .only("at", "batch", "new", "prediction__digit", "prediction__verdict")
        .order_by("-at", "-pk")[: BATCHES_LISTED * PAGE]
    )
    batches: dict[UUID, list[LabelEvent]] = {}
    for event in events:
        assert event.batch is not None
        batches.setdefault(event.batch, []).append(event)
    listed = list(batches.items())[:BATCHES_LISTED]
    undone = set(
        LabelEvent.objects.filter(
            batch__in=[batch for batch, _events in listed], via=Via.UNDO
        ).values_list("batch", flat=True)
    )
    return [_batch(pk, some, pk in undone) for pk, some in listed]


def _batch(pk: UUID, events: list[LabelEvent], is_undone: bool) -> Batch:
    answer = events[0].prediction.answered_label
    confirmed = sum(event.new == answer for event in events)
    return Batch(pk, events[0].at, answer, confirmed, len(events) - confirmed, is_undone)
