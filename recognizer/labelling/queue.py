"""The review queue: the next drawings for a reviewer's page; labels, skips and undo."""

from __future__ import annotations

import datetime
from collections import deque
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from uuid import UUID

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from recognizer.labelling import (
    claims,
    labels,
    notes,
    opinions,
    queue_orders,
    second_opinions,
    suspects,
)
from recognizer.labelling.claims import CLAIMED_FOR, Claimant
from recognizer.labelling.labels import Change
from recognizer.labelling.queue_orders import AUDIT_EVERY, SECOND_AT, Order, Pool
from recognizer.models import (
    LabelEvent,
    Opinion,
    Prediction,
    ReviewNote,
    ReviewSkip,
    SuspectLabel,
    Via,
)

SKIPPED_FOR = datetime.timedelta(hours=1)
"""How long a skipped drawing is hidden from the reviewer."""

MAX_BATCH = 30
"""The most drawings in one response."""


class NotYourLabel(ValueError):
    """Another reviewer set the label, so this one can't undo it."""


@dataclass(frozen=True)
class Batch:
    """Drawings for a page, with their bytes, in the order to show them.

    ``turn`` counts the drawings shown to this reviewer: every twentieth is an audit. ``until`` is
    when the claims expire. ``suspects`` are the labels that look wrong, in the order of these, and
    ``notes`` what reviewers say about the drawings.
    """

    drawings: list[Prediction]
    turn: int
    until: datetime.datetime
    suspects: Mapping[UUID, SuspectLabel]
    notes: Mapping[UUID, ReviewNote]


@dataclass(frozen=True)
class Renewal:
    """The state of the drawings that a page shows.

    ``lost`` were deleted or are claimed by another page; ``labelled`` have got a label since.
    Labels of the audit sample are not disclosed, nor those about which the reviewer is to give an
    opinion.
    """

    until: datetime.datetime
    lost: list[UUID]
    labelled: list[Prediction]


@dataclass(frozen=True)
class Returned:
    """A drawing claimed again for the page until then, with its bytes and its current label."""

    drawing: Prediction
    until: datetime.datetime


# Drawings to show -----------------------------------------------------------------------------


def next_batch(
    *,
    claimant: Claimant,
    order: Order,
    wanted: int,
    digit: int | None = None,
    have: Collection[UUID] = (),
    turn: int = 0,
) -> Batch:
    """Claim the next drawings for a page and return them.

    Every twentieth comes from the audit sample, and every twentieth is labelled already and wants a
    second opinion, whatever the order of new drawings. When one kind runs out, the others continue,
    except after the last drawing of a queue filtered by digit. Orders of labelled drawings have
    nothing mixed in.

    Args:
        digit: only drawings predicted as this digit. The audit sample is never filtered: it must
            remain a random sample of all drawings.
        have: the drawings that the page already has.
        turn: the ``turn`` of the last batch.
    """
    turns = range(turn + 1, turn + min(wanted, MAX_BATCH) + 1)
    until = timezone.now() + CLAIMED_FOR
    claims.delete_expired()
    with transaction.atomic():
        take = partial(_take, claimant=claimant, until=until, seen=set(have))
        ordinary_drawings = queue_orders.ordinary(order, claimant=claimant, digit=digit)
        mixes_audits = not order.is_of_labelled
        plain_turns = [each for each in turns if each % AUDIT_EVERY or not mixes_audits]
        second: list[UUID] = []
        if mixes_audits and digit is None and order is not Order.AUDIT:
            second_turns = [each for each in plain_turns if each % AUDIT_EVERY == SECOND_AT]
            wanting = queue_orders.second_opinions(claimant)
            second = take(wanting, len(second_turns))
            ordinary_drawings = [*ordinary_drawings, *wanting]
        first = take(ordinary_drawings, len(plain_turns) - len(second))
        ordinary = deque(_mixed(first, second, plain_turns))
        if mixes_audits:
            kinds = _kinds(turns, len(ordinary), goes_on=digit is None or not ordinary_drawings)
        else:
            kinds = [Via.QUEUE] * len(ordinary)
        audits = deque(take([queue_orders.audits()], kinds.count(Via.AUDIT)))
        ordinary.extend(take(ordinary_drawings, kinds.count(Via.AUDIT) - len(audits)))
    chosen: list[UUID] = []
    for kind in kinds:
        these, others = (audits, ordinary) if kind is Via.AUDIT else (ordinary, audits)
        if these or others:
            chosen.append((these or others).popleft())
    by_id = _with_images().in_bulk(chosen)
    drawings = [by_id[each] for each in chosen if each in by_id]
    shown = chosen if order is Order.SUSPECT else []
    return Batch(drawings, turn + len(chosen), until, suspects.of(shown), notes.of(by_id))


def _mixed(first: list[UUID], second: list[UUID], turns: Sequence[int]) -> list[UUID]:
    """Put a second opinion at each turn for one."""
    mixed, waiting = first, deque(second)
    for place, turn in enumerate(turns):
        if waiting and turn % AUDIT_EVERY == SECOND_AT:
            mixed.insert(place, waiting.popleft())
    return mixed


def _kinds(turns: Iterable[int], ordinary: int, *, goes_on: bool) -> list[Via]:
    """Return the kind of each turn, given how many ordinary drawings there are."""
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


def _take(
    pools: Sequence[Pool],
    count: int,
    *,
    claimant: Claimant,
    until: datetime.datetime,
    seen: set[UUID],
) -> list[UUID]:
    """Claim up to ``count`` drawings in the order of the pools; add candidates to ``seen``."""
    taken: list[UUID] = []
    for pool in pools:
        while len(taken) < count:
            candidates = pool.first(claimant, count - len(taken), seen=seen)
            if not candidates:
                break
            seen.update(candidates)
            # Another page may just have claimed some of them: then take the next ones.
            claimed = claims.claim(ids=candidates, claimant=claimant, until=until)
            taken += [each for each in candidates if each in claimed]
    return taken


def renew(*, claimant: Claimant, ids: Collection[UUID]) -> Renewal:
    """Extend the claims of a page that is still open, and report what has changed."""
    until = timezone.now() + CLAIMED_FOR
    with transaction.atomic():
        claimed = claims.claim(ids=ids, claimant=claimant, until=until, wait=True)
        hidden = opinions.hidden_from(claimant.reviewer, claimed)
        labelled = (
            Prediction.objects.labelled()
            .filter(pk__in=claimed - hidden, audit_key__isnull=True)
            .select_related("labelled_by")
            .only("label", "audit_key", "labelled_by__username")
            .order_by("pk")
        )
        return Renewal(
            until=until,
            lost=[each for each in ids if each not in claimed],
            labelled=list(labelled),
        )


# Labels, skips and undo -----------------------------------------------------------------------


def label(
    *,
    claimant: Claimant,
    prediction_id: UUID,
    label: int,
    seen: int | None,
    step: UUID,
    clears_flag: bool = False,
) -> Change:
    """Label a drawing of the queue; for one of the audit sample this is the audit.

    If the reviewer saw no label, and a second opinion about the drawing's label is wanted of them,
    this is the opinion: the label stays. The result does not say what it is.

    Args:
        seen: the label that the reviewer saw; None for none.
        step: the id of this step, for `undo_label`. Sending the same step twice labels once.
        clears_flag: whether the drawing was shown because of its flag.

    Raises:
        LabelConflict: its label is neither ``seen`` nor ``label``.
        Prediction.DoesNotExist: there is no such drawing.
        ValueError: `label` is not one of `Label`, or ``step`` was used for another label.
    """
    reviewer = claimant.reviewer
    with transaction.atomic():
        done = LabelEvent.objects.filter(batch=step).first()
        if done is not None:
            if (done.prediction_id, done.by_id, done.new) != (prediction_id, reviewer.pk, label):
                raise ValueError("This step id belongs to another label.")
            return Change(prediction_id, done.old, done.new)
        if _has_opinion(step, prediction_id, reviewer, label):
            return Change(prediction_id, None, label)
        audit_key, audited_at = Prediction.objects.values_list("audit_key", "audited_at").get(
            pk=prediction_id
        )
        is_audit = audit_key is not None and audited_at is None
        wanted = opinions.wanted_of(prediction_id, reviewer)
        if wanted is not None and seen is None and not is_audit:
            second_opinions.give(opinion=wanted, label=label, by=reviewer, step=step)
            claims.release(claimant=claimant, ids=[prediction_id])
            return Change(prediction_id, None, label)
        change = labels.label_one(
            prediction_id=prediction_id,
            label=label,
            seen=seen,
            by=reviewer,
            via=Via.QUEUE if audit_key is None else Via.AUDIT,
            batch=step,
        )
        if change.old == change.new:
            suspects.keep(prediction_id)
        if clears_flag:
            notes.clear_flag(prediction_id)
        claims.release(claimant=claimant, ids=[prediction_id])
    return change


def _has_opinion(step: UUID, prediction_id: UUID, reviewer: User, label: int) -> bool:
    """Whether this step has given this opinion before; raises ValueError if it was another's."""
    done = Opinion.objects.filter(step=step).first()
    if done is None:
        return False
    if (done.prediction_id, done.by_id, done.label) != (prediction_id, reviewer.pk, label):
        raise ValueError("This step id belongs to another label.")
    return True


def skip(*, claimant: Claimant, prediction_id: UUID) -> None:
    """Offer a drawing to others now, to this one in an hour; raises Prediction.DoesNotExist."""
    until = timezone.now() + SKIPPED_FOR
    with transaction.atomic():
        if not claims.skip(ids=[prediction_id], reviewer=claimant.reviewer, until=until):
            raise Prediction.DoesNotExist
        claims.release(claimant=claimant, ids=[prediction_id])


def undo_label(*, claimant: Claimant, prediction_id: UUID, step: UUID) -> Returned:
    """Undo a label and claim the drawing again. A label that was set since is kept.

    Raises:
        NotYourLabel: another reviewer did this step.
        Prediction.DoesNotExist: the drawing was deleted.
    """
    reviewer = claimant.reviewer
    with transaction.atomic():
        events = LabelEvent.objects.filter(batch=step, prediction=prediction_id)
        if events.exclude(by=reviewer).exists():
            raise NotYourLabel("Another reviewer set this label.")
        opinion = Opinion.objects.filter(step=step, prediction=prediction_id).first()
        if opinion is None:
            labels.undo(changes=labels.changes_of(step), by=reviewer, batch=step)
            suspects.undo_keep(prediction_id)
        elif opinion.by_id != reviewer.pk:
            raise NotYourLabel("Another reviewer set this label.")
        else:
            second_opinions.undo(opinion=opinion, by=reviewer)
        return _back_to(claimant, prediction_id)


def undo_skip(*, claimant: Claimant, prediction_id: UUID) -> Returned:
    """Undo a skip and claim the drawing again; raises Prediction.DoesNotExist if it was deleted."""
    with transaction.atomic():
        ReviewSkip.objects.filter(reviewer=claimant.reviewer, prediction=prediction_id).delete()
        return _back_to(claimant, prediction_id)


def _back_to(claimant: Claimant, prediction_id: UUID) -> Returned:
    """Claim one drawing again, unless another page has it."""
    until = timezone.now() + CLAIMED_FOR
    claims.claim(ids=[prediction_id], claimant=claimant, until=until, wait=True)
    drawing = _with_images().select_related("labelled_by").get(pk=prediction_id)
    return Returned(drawing, until)


def _with_images() -> QuerySet[Prediction]:
    """Return all drawings with their bytes and their model's name, without other large columns."""
    return Prediction.objects.select_related("model_version").defer(
        "strokes",
        "embedding",
        "model_version__serving",
        "model_version__training",
        "model_version__card",
    )
