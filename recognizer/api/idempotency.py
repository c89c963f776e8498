"""The header Idempotency-Key, and the cookie of whoever sends it for the first time."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request

from recognizer.api import visitors
from recognizer.models import Owner, Prediction
from recognizer.predictions.idempotency import IdempotencyKey

# Characters of an Idempotency-Key: enough that no two are the same by chance.
KEY_LENGTH = (16, 128)


def idempotency_key(
    request: Request, owner: Owner, *, place: int | None = None
) -> IdempotencyKey | None:
    """Return the request's key, or that of a place in its batch; raises ValidationError."""
    key: str | None = request.headers.get("Idempotency-Key")
    if key is None:
        return None
    if not KEY_LENGTH[0] <= len(key) <= KEY_LENGTH[1]:
        raise ValidationError(
            _("The header Idempotency-Key must have 16 to 128 characters."),
            code="invalid_idempotency_key",
        )
    # A key has no line feed, so this is no other key.
    text = key if place is None else f"{key}\n{place}"
    return IdempotencyKey(text, owner)


def welcome(request: Request, owner: Owner, stored: Sequence[Prediction]) -> None:
    """Give a new visitor the cookie of the visitor whose drawings these are.

    If they were stored by an earlier request, whose response was lost, that is the visitor of then:
    otherwise nobody could open or delete them. But not if that visitor has other drawings, which
    whoever knows the key does not have to know.
    """
    owners = {row.visitor for row in stored}
    if len(owners) != 1 or None in owners:
        return
    (visitor,) = owners
    assert visitor is not None
    if visitor == owner.visitor or not _has_others(visitor, stored):
        visitors.adopt(request, visitor)


def _has_others(visitor: UUID, stored: Sequence[Prediction]) -> bool:
    rows = Prediction.objects.filter(visitor=visitor)
    return rows.exclude(pk__in=[row.pk for row in stored]).exists()
