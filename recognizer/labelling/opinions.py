"""Second opinions: a share of the labels is given again by another reviewer, who does not see it.

The draw is made with the site's key, so that no visitor and no reviewer can choose which. A rarer
draw shows reviewers drawings that they labelled themselves a week ago or longer. A differing
opinion never overwrites the label: a third reviewer is asked, again without seeing a label, and
the label that two have given stands.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Exists, F, OuterRef, Q
from django.utils import timezone
from django.utils.crypto import salted_hmac

from recognizer.models import Opinion, OpinionKind, Prediction, PredictionQuerySet

OWN_SHARE = 0.2
"""Share of the share of second opinions: one in five as many labels come back to their reviewer."""

OWN_AFTER = datetime.timedelta(days=7)
"""A label comes back to its own reviewer when they have forgotten it."""


def is_drawn(prediction_id: UUID, kind: OpinionKind) -> bool:
    """Whether a label is given a second time: the same for every label of the drawing."""
    share = settings.SECOND_OPINION_SHARE * (OWN_SHARE if kind is OpinionKind.OWN else 1)
    digest = salted_hmac(f"labelling.opinion.{kind.value}", str(prediction_id), algorithm="sha256")
    return int.from_bytes(digest.digest()[:4], "big") < share * 2**32


def forget_wanted(ids: Iterable[UUID]) -> None:
    """Ask for no more opinions about drawings whose label has changed."""
    Opinion.objects.filter(prediction__in=list(ids), label__isnull=True).delete()


def ask_second(
    labels: Sequence[tuple[UUID, int | None]], *, by: User | None, imported: bool = False
) -> None:
    """Ask for second opinions about some of the labels that were just set.

    Each drawing gets one second opinion, whatever happens to its label after that. Imported labels
    don't come back to the user who imported them, who may never have looked at them.
    """
    if not settings.SECOND_OPINION_SHARE:
        return
    kinds = [OpinionKind.SECOND, OpinionKind.OWN] if by and not imported else [OpinionKind.SECOND]
    drawn = [
        (pk, label, kind)
        for pk, label in labels
        for kind in kinds
        if label is not None and is_drawn(pk, kind)
    ]
    given = set(
        Opinion.objects.filter(prediction__in=[pk for pk, *_ in drawn]).values_list(
            "prediction", "kind"
        )
    )
    now = timezone.now()
    Opinion.objects.bulk_create(
        Opinion(prediction_id=pk, kind=kind, first=label, first_by=by, first_at=now)
        for pk, label, kind in drawn
        if (pk, kind.value) not in given
    )


def ask_third(row: Prediction) -> None:
    """Ask a third reviewer about a label that two do not agree on."""
    assert row.label is not None
    assert row.labelled_at is not None
    Opinion.objects.get_or_create(
        prediction=row,
        kind=OpinionKind.THIRD,
        label=None,
        defaults={
            "first": row.label,
            "first_by_id": row.labelled_by_id,
            "first_at": row.labelled_at,
        },
    )


def wanted_of(prediction_id: UUID, reviewer: User) -> Opinion | None:
    """Return the opinion about a drawing that this reviewer may give, if any is wanted."""
    wanted = Opinion.objects.filter(prediction=prediction_id, label__isnull=True)
    gave = Opinion.objects.filter(prediction=prediction_id, by=reviewer)
    if gave.exclude(kind=OpinionKind.OWN).exists():
        return None
    return wanted.filter(_for(reviewer)).order_by("kind").first()


def _for(reviewer: User) -> Q:
    """The condition that a wanted opinion is one for this reviewer to give."""
    own = Q(kind=OpinionKind.OWN)
    return (own & _forgotten(reviewer)) | (~own & _not_by(reviewer))


def _forgotten(reviewer: User, prefix: str = "") -> Q:
    since = timezone.now() - OWN_AFTER
    return Q(**{f"{prefix}first_by": reviewer, f"{prefix}first_at__lt": since})


def _not_by(reviewer: User, prefix: str = "") -> Q:
    # Without NOT, for which Django would join the table again.
    name = f"{prefix}first_by"
    return (
        Q(**{f"{name}__isnull": True})
        | Q(**{f"{name}__lt": reviewer.pk})
        | Q(**{f"{name}__gt": reviewer.pk})
    )


def second(reviewer: User) -> list[PredictionQuerySet]:
    """Return the drawings for this reviewer's second opinion, and their own earlier ones."""
    return [
        _wanting(OpinionKind.SECOND, _not_by(reviewer, "opinions__"), reviewer),
        _wanting(OpinionKind.OWN, _forgotten(reviewer, "opinions__")),
    ]


def third(reviewer: User) -> PredictionQuerySet:
    """Return the drawings that others do not agree on, for this reviewer to decide."""
    return _wanting(OpinionKind.THIRD, _not_by(reviewer, "opinions__"), reviewer)


def _wanting(kind: OpinionKind, who: Q, new_to: User | None = None) -> PredictionQuerySet:
    """Return the drawings for which an opinion is wanted, the longest wanted first.

    Those that wait for their audit are left out, and those of which ``new_to`` gave an opinion.
    """
    found = Prediction.objects.filter(
        who,
        waits_for_no_audit(),
        opinions__kind=kind,
        opinions__label__isnull=True,
    )
    if new_to is not None:
        gave = Opinion.objects.filter(prediction=OuterRef("pk"), by=new_to)
        found = found.filter(~Exists(gave))
    return found.order_by("opinions__first_at", "pk")


def waits_for_no_audit() -> Q:
    """The condition that a drawing's label may be shown: an audit has to be blind."""
    return Q(audit_key__isnull=True) | Q(audited_at__isnull=False)


def hidden_from(reviewer: User, ids: Iterable[UUID]) -> set[UUID]:
    """Return the drawings whose label is not shown to a reviewer who is to give an opinion."""
    wanted = Opinion.objects.filter(prediction__in=list(ids), label__isnull=True)
    return set(wanted.filter(_for(reviewer)).values_list("prediction", flat=True))


def confirmed_among(ids: Iterable[UUID]) -> set[UUID]:
    """Return the drawings whose label another reviewer has given too."""
    found = Prediction.objects.filter(is_confirmed(), pk__in=list(ids))
    return set(found.values_list("pk", flat=True))


def is_confirmed() -> Exists:
    """The condition that another reviewer has given a drawing the same label."""
    same = Opinion.objects.filter(prediction=OuterRef("pk"), label=OuterRef("label"))
    other = (
        Q(by__isnull=True)
        | ~Q(by=F("prediction__labelled_by"))
        | Q(prediction__labelled_by__isnull=True)
    )
    return Exists(same.filter(other).exclude(kind=OpinionKind.OWN))
