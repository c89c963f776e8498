"""The review queue: drawings handed out to reviewers, labelled, put off and taken back.

A reviewer holds the drawings that they are given by a claim, which nobody else can have at the
same time. Claims run out, so that a closed browser keeps nothing from the others for long.
"""

from __future__ import annotations

import datetime
from collections import deque
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from recognizer.labelling import labels
from recognizer.labelling.labels import Change
from recognizer.labelling.queue_orders import (
    AUDIT_EVERY,
    Order,
    audit_walk,
    open_to,
    ordinary_walks,
)
from recognizer.models import (
    LabelEvent,
    Prediction,
    PredictionQuerySet,
    ReviewClaim,
    ReviewSkip,
    Via,
)

CLAIM = datetime.timedelta(minutes=10)
"""How long a drawing is kept for a reviewer who gives no sign of life."""

SKIP = datetime.timedelta(hours=1)
"""How long a drawing that was put off stays away from who put it off."""

MAX_BATCH = 30
"""How many drawings are handed out at once, at most."""


class NotYours(ValueError):
    """A reviewer may only take back what they did themselves."""


@dataclass(frozen=True)
class Batch:
    """Drawings for a reviewer, with their bytes, in the order in which they are to be shown.

    ``turn`` counts what this reviewer has been given: every twentieth is an audit. ``until`` is
    when the claims run out.
    """

    drawings: list[Prediction]
    turn: int
    until: datetime.datetime


@dataclass(frozen=True)
class Holdings:
    """What became of the drawings that a reviewer holds.

    ``lost`` are gone or with another reviewer; ``labelled`` have been labelled meanwhile, by
    whomever. Of a drawing of the audit sample no label is told.
    """

    until: datetime.datetime
    lost: list[UUID]
    labelled: list[Prediction]


@dataclass(frozen=True)
class Returned:
    """A drawing that is the reviewer's once more, with its bytes, as it is now, until then."""

    drawing: Prediction
    until: datetime.datetime


# Handing out ----------------------------------------------------------------------------------


def next_batch(
    *,
    reviewer: User,
    order: Order,
    wanted: int,
    digit: int | None = None,
    have: Collection[UUID] = (),
    turn: int = 0,
) -> Batch:
    """Claim the next drawings for a reviewer and return them.

    Every twentieth comes from the audit sample, whatever the order. Where one kind has run out
    the other goes on, except after the last drawing of a queue narrowed to one digit.

    Args:
        digit: only drawings that the network read so. The audit sample is never narrowed: what is
            audited must remain a random part of all drawings.
        have: what the reviewer holds already and does not need again.
        turn: what the last batch gave.
    """
    turns = range(turn + 1, turn + min(wanted, MAX_BATCH) + 1)
    until = timezone.now() + CLAIM
    drop_expired()
    with transaction.atomic():
        hands = _Hands(reviewer, until, have)
        walks = ordinary_walks(order, digit=digit)
        plain_turns = sum(1 for each in turns if each % AUDIT_EVERY)
        ordinary = deque(hands.take(walks, plain_turns))
        kinds = _kinds(turns, len(ordinary), goes_on=digit is None or not walks)
        audits = deque(hands.take([audit_walk()], kinds.count(Via.AUDIT)))
        ordinary.extend(hands.take(walks, kinds.count(Via.AUDIT) - len(audits)))
    chosen: list[UUID] = []
    for kind in kinds:
        first, second = (audits, ordinary) if kind is Via.AUDIT else (ordinary, audits)
        if first or second:
            chosen.append((first or second).popleft())
    by_id = _with_images().in_bulk(chosen)
    drawings = [by_id[each] for each in chosen if each in by_id]
    return Batch(drawings, turn + len(chosen), until)


def _kinds(turns: Iterable[int], ordinary: int, *, goes_on: bool) -> list[Via]:
    """Return what each turn is to be, for as many ordinary drawings as there are."""
    kinds = []
    for turn in turns:
        if not ordinary and not goes_on:
            break
        if turn % AUDIT_EVERY and ordinary:
            ordinary -= 1
            kinds.append(Via.QUEUE)
        else:
            kinds.append(Via.AUDIT)
    return kinds


class _Hands:
    """A reviewer's claims within one transaction."""

    def __init__(self, reviewer: User, until: datetime.datetime, have: Iterable[UUID]) -> None:
        self.reviewer = reviewer
        self.until = until
        self.seen = set(have)

    def take(self, walks: Sequence[PredictionQuerySet], count: int) -> list[UUID]:
        """Claim up to so many drawings, in the order of the walks."""
        taken: list[UUID] = []
        for walk in walks:
            while len(taken) < count:
                # Rows that somebody else is just claiming are passed by, not waited for.
                free = (
                    open_to(walk, self.reviewer, without=self.seen)
                    .select_for_update(skip_locked=True, no_key=True)
                    .values_list("pk", flat=True)[: count - len(taken)]
                )
                candidates = list(free)
                if not candidates:
                    break
                self.seen.update(candidates)
                held = self.claim(candidates)
                taken += [each for each in candidates if each in held]
        return taken

    def claim(self, ids: Collection[UUID]) -> set[UUID]:
        """Claim these drawings, or claim them for longer; return those that are the reviewer's.

        One claim a drawing is a constraint of the database, so of two who try at once one wins.
        """
        ReviewClaim.objects.bulk_create(
            # All in one order, so that two reviewers never wait for each other in a circle.
            [
                ReviewClaim(prediction_id=each, reviewer=self.reviewer, expires_at=self.until)
                for each in sorted(ids)
            ],
            ignore_conflicts=True,
        )
        own = ReviewClaim.objects.filter(prediction__in=ids, reviewer=self.reviewer)
        locked = own.select_for_update().order_by("prediction_id")
        held = dict(locked.values_list("prediction_id", "pk"))
        ReviewClaim.objects.filter(pk__in=held.values()).update(expires_at=self.until)
        return set(held)


def renew(*, reviewer: User, ids: Collection[UUID]) -> Holdings:
    """Keep drawings for a reviewer who is still there, and tell what became of them meanwhile."""
    until = timezone.now() + CLAIM
    drop_expired()
    with transaction.atomic():
        rows = (
            Prediction.objects.select_for_update(of=("self",), no_key=True)
            .filter(pk__in=ids)
            .select_related("labelled_by")
            .only("label", "audit_key", "labelled_by__username")
            .order_by("pk")
        )
        there = {row.pk: row for row in rows}
        held = _Hands(reviewer, until, ()).claim(there) if there else set()
    return Holdings(
        until=until,
        lost=[each for each in ids if each not in held],
        labelled=[
            row
            for pk, row in there.items()
            if pk in held and row.label is not None and row.audit_key is None
        ],
    )


def release(*, reviewer: User, ids: Collection[UUID], until: datetime.datetime) -> int:
    """Give drawings back; return how many.

    Args:
        until: when the claims that are given back run out, as they were last told. Claims that
            the reviewer's other window, or the same page opened anew, has made since stay.
    """
    claims = ReviewClaim.objects.filter(
        prediction__in=ids, reviewer=reviewer, expires_at__lte=until
    )
    return claims.delete()[0]


def drop_expired() -> None:
    """Delete the claims and skips that have run out; those that somebody is at are left alone."""
    now = timezone.now()
    for model in (ReviewClaim, ReviewSkip):
        with transaction.atomic():
            expired = model._default_manager.filter(expires_at__lte=now)
            ids = list(expired.select_for_update(skip_locked=True).values_list("pk", flat=True))
            if ids:
                model._default_manager.filter(pk__in=ids).delete()


# What a reviewer does -------------------------------------------------------------------------


def label(
    *, reviewer: User, prediction_id: UUID, label: int, seen: int | None, step: UUID
) -> Change:
    """Label a drawing of the queue; by way of the audit if it is of the audit sample.

    Args:
        seen: the label that the reviewer knows of; None for none.
        step: names this step, to take it back by. The same step sent twice is done once.

    Raises:
        LabelConflict: it carries another label than ``seen`` and ``label``.
        Prediction.DoesNotExist: there is no such drawing.
        ValueError: `label` is none of `Label`, or ``step`` named something else.
    """
    with transaction.atomic():
        done = LabelEvent.objects.filter(batch=step).first()
        if done is not None:
            if (done.prediction_id, done.by_id, done.new) != (prediction_id, reviewer.pk, label):
                raise ValueError("This step was another one.")
            return Change(prediction_id, done.old, done.new)
        audit_key = Prediction.objects.values_list("audit_key", flat=True).get(pk=prediction_id)
        change = labels.label_one(
            prediction_id=prediction_id,
            label=label,
            seen=seen,
            by=reviewer,
            via=Via.QUEUE if audit_key is None else Via.AUDIT,
            batch=step,
        )
        ReviewClaim.objects.filter(prediction=prediction_id, reviewer=reviewer).delete()
    return change


def skip(*, reviewer: User, prediction_id: UUID) -> None:
    """Put a drawing off: others are given it, this reviewer in an hour.

    Raises:
        Prediction.DoesNotExist: there is no such drawing.
    """
    with transaction.atomic():
        _hold_row(prediction_id)
        ReviewSkip.objects.update_or_create(
            reviewer=reviewer,
            prediction_id=prediction_id,
            defaults={"expires_at": timezone.now() + SKIP},
        )
        ReviewClaim.objects.filter(prediction=prediction_id, reviewer=reviewer).delete()


def undo_label(*, reviewer: User, prediction_id: UUID, step: UUID) -> Returned:
    """Take a label back and claim the drawing again.

    It keeps a label that somebody has set since.

    Raises:
        NotYours: somebody else did this step.
        Prediction.DoesNotExist: the drawing is gone.
    """
    with transaction.atomic():
        events = LabelEvent.objects.filter(batch=step, prediction=prediction_id)
        if events.exclude(by=reviewer).exists():
            raise NotYours("Another reviewer set this label.")
        labels.undo(changes=labels.changes_of(step), by=reviewer, batch=step)
        return _back_to(reviewer, prediction_id)


def undo_skip(*, reviewer: User, prediction_id: UUID) -> Returned:
    """Take a skip back and claim the drawing again.

    Raises:
        Prediction.DoesNotExist: the drawing is gone.
    """
    with transaction.atomic():
        ReviewSkip.objects.filter(reviewer=reviewer, prediction=prediction_id).delete()
        return _back_to(reviewer, prediction_id)


def _back_to(reviewer: User, prediction_id: UUID) -> Returned:
    """Claim one drawing again, if nobody else has."""
    until = timezone.now() + CLAIM
    _hold_row(prediction_id)
    _Hands(reviewer, until, ()).claim([prediction_id])
    drawing = _with_images().select_related("labelled_by").get(pk=prediction_id)
    return Returned(drawing, until)


def _with_images() -> QuerySet[Prediction]:
    """Return all drawings with their bytes and the name of their model, without what is large."""
    return Prediction.objects.select_related("model_version").defer(
        "embedding", "model_version__serving", "model_version__training", "model_version__card"
    )


def _hold_row(prediction_id: UUID) -> None:
    """Keep the drawing from being deleted until the transaction ends, or say that it is gone."""
    Prediction.objects.select_for_update(no_key=True).only("pk").get(pk=prediction_id)
