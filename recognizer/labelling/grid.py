"""The grid: drawings that the network answered alike, reviewed sixty at a time.

The reviewer picks the wrong ones; the rest is confirmed with them, in one transaction and as one
batch. Drawings of the audit sample are not in it: they are given at random, by the queue.
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
"""Drawings on a page; as many again are claimed ahead, so that they can be loaded meanwhile."""
COUNTED = 1000
"""Of each answer so many waiting drawings are counted, at most."""
LISTED = 5
"""So many of a reviewer's last batches are offered to be undone."""

SKIPPED_FOR = datetime.timedelta(hours=12)
REMEMBERED_FOR = datetime.timedelta(days=7)
# Another reviewer may take some of the drawings between the look and the claim: look again.
TRIES = 3


class GridError(ValueError):
    """What was sent is not a page of the grid."""


class Order(models.TextChoices):
    """Which drawings come first."""

    LEAST_SURE = "least-sure", gettext_lazy("Least sure first")
    NEWEST = "newest", gettext_lazy("Newest first")


@dataclass(frozen=True)
class Page:
    """Drawings to be reviewed now, those that come after them, and labels chosen already."""

    drawings: list[Prediction]
    ahead: list[Prediction]
    chosen: Mapping[UUID, int]


@dataclass(frozen=True)
class Saved:
    """What came of a page: numbers of drawings, and those that another reviewer labelled."""

    batch: UUID
    confirmed: int
    corrected: int
    left_open: int
    meanwhile: list[UUID]


@dataclass(frozen=True)
class Batch:
    """A page that was saved: when, what the network had answered, how many of each, if undone."""

    pk: UUID
    at: datetime.datetime
    answer: Label
    confirmed: int
    corrected: int
    is_undone: bool


# What waits -----------------------------------------------------------------------------------


def waiting(answer: Label) -> PredictionQuerySet:
    """Return the unlabelled drawings that were predicted as this answer."""
    unlabelled = Prediction.objects.unlabelled().filter(audit_key__isnull=True)
    return unlabelled.filter(predicted_as(answer))


def how_many_wait() -> dict[Label, int]:
    """Return how many drawings of each answer wait, counted up to `COUNTED`."""
    # With the order of their index; without it SQLite walks one that doesn't fit.
    return {answer: waiting(answer).order_by("margin", "id")[:COUNTED].count() for answer in Label}


def take(*, answer: Label, order: Order, claimant: Claimant, left_open: bool = False) -> Page:
    """Claim the next drawings for a page and release those that it showed before.

    Args:
        left_open: the drawings that the reviewer left undecided, instead of new ones.
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
    """Claim the drawings of a batch that was undone, with the labels that they had been given.

    Drawings that another page has claimed since are left out.
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


def labelled_meanwhile(ids: Iterable[UUID]) -> PredictionQuerySet:
    """Return those of the drawings that carry a label, with who set it, the last one first."""
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
    """The order's columns: each order walks an index."""
    if order is Order.NEWEST:
        return "-created_at", "-id"
    if answer is Label.NOT_A_DIGIT:
        # Refused, and yet one digit is far ahead: the refusal is in doubt.
        return "-margin", "-id"
    return "margin", "id"


# What is done ---------------------------------------------------------------------------------


def save(*, answer: Label, choices: Mapping[UUID, int | None], claimant: Claimant) -> Saved:
    """Label the drawings of a page as one batch; None leaves a drawing open.

    A drawing that somebody has labelled otherwise meanwhile is left alone and reported, the rest
    is saved. One left open is not given to this reviewer again for half a day, unless they ask.

    Raises:
        GridError: these are no drawings of such a page, or a label is none.
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
        changes, left_alone = labelling_labels.label_each(
            labels=labels, by=claimant.reviewer, via=Via.GRID, batch=batch
        )
        still_open = [row.pk for row in rows if row.label is None and row.pk not in labels]
        until = timezone.now() + SKIPPED_FOR
        claims.skip(ids=still_open, reviewer=claimant.reviewer, until=until)
        claims.release(claimant=claimant, ids=choices)
    confirmed = sum(change.new == answer for change in changes)
    there = {row.pk for row in rows}
    return Saved(
        batch=batch,
        confirmed=confirmed,
        corrected=len(changes) - confirmed,
        left_open=len(still_open),
        meanwhile=[pk for pk in left_alone if pk in there],
    )


def undo(*, batch: UUID, by: User) -> tuple[Label, int, int]:
    """Take back a batch of this reviewer.

    Return what the network had answered, how many labels were taken back, and how many were not
    because they have been changed since, or taken back already.

    Raises:
        GridError: this reviewer has saved no such batch.
    """
    with transaction.atomic():
        events = LabelEvent.objects.filter(batch=batch, by=by, via=Via.GRID)
        ids = list(events.values_list("prediction", flat=True))
        rows = labelling_labels.locked(ids)
        if not rows:
            raise GridError(_("You have no such batch. Open the grid again."))
        back, _kept = labelling_labels.undo(
            changes=labelling_labels.changes_of(batch), by=by, batch=batch
        )
    return rows[0].answered_label, len(back), len(ids) - len(back)


def last_batches(reviewer: User) -> list[Batch]:
    """Return the last batches of a reviewer, the newest first."""
    events = (
        LabelEvent.objects.filter(
            by=reviewer, via=Via.GRID, at__gte=timezone.now() - REMEMBERED_FOR, batch__isnull=False
        )
        .select_related("prediction")
        .only("at", "batch", "new", "prediction__digit", "prediction__verdict")
        .order_by("-at", "-pk")[: LISTED * PAGE]
    )
    batches: dict[UUID, list[LabelEvent]] = {}
    for event in events:
        assert event.batch is not None
        batches.setdefault(event.batch, []).append(event)
    listed = list(batches.items())[:LISTED]
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
