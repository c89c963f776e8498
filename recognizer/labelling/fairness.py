"""Disagreements in an order that no visitor can fill: one of each owner in turn.

The suggestions of an owner whom reviewers contradict more often than they agree come last.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from uuid import UUID

from django.db.models import Count, F, Q

from recognizer.models import Prediction, PredictionQuerySet

WINDOW = 900
"""The most drawings that are ordered at a time. SQLite takes 999 values on old systems."""

OwnerKey = tuple[int | None, UUID | None]


def interleaved(drawings: PredictionQuerySet, count: int, shown: Collection[UUID]) -> list[UUID]:
    """Return the ids of up to ``count`` of these drawings, one of each owner in turn.

    Args:
        drawings: in the order that decides within an owner, and between owners.
        shown: the drawings that the page has already; their owners come later.
    """
    rows = list(drawings.values_list("pk", "user", "visitor")[:WINDOW])
    turns: Counter[OwnerKey] = Counter(_owners_of(shown) if shown else ())
    contradicted = _contradicted((user, visitor) for _pk, user, visitor in rows)
    places: list[tuple[bool, int, int, UUID]] = []
    for position, (pk, user, visitor) in enumerate(rows):
        owner = (user, visitor)
        places.append((owner in contradicted, turns[owner], position, pk))
        # Drawings without an owner came from a file: each stands for itself.
        turns[owner] += any(owner)
    return [pk for _contradicted, _turn, _position, pk in sorted(places)[:count]]


def _owners_of(ids: Collection[UUID]) -> Iterable[OwnerKey]:
    owners = Prediction.objects.filter(pk__in=ids).order_by().values_list("user", "visitor")
    return filter(any, owners)


def _contradicted(owners: Iterable[OwnerKey]) -> set[OwnerKey]:
    """Return the owners whose suggestions reviewers contradict more often than not."""
    known = set(owners)
    users = {user for user, _visitor in known if user is not None}
    visitors = {visitor for _user, visitor in known if visitor is not None}
    judged = Prediction.objects.labelled().filter(suggestion__isnull=False).order_by()
    found: set[OwnerKey] = set()
    # Apart: each uses the index of its column.
    for rows in (judged.filter(user__in=users), judged.filter(visitor__in=visitors)):
        found.update(
            rows.values("user", "visitor")
            .annotate(
                agreed=Count("pk", filter=Q(suggestion=F("label"))),
                against=Count("pk", filter=~Q(suggestion=F("label"))),
            )
            .filter(against__gt=F("agreed"))
            .values_list("user", "visitor")
        )
    return found
