"""API tokens: create, find and revoke them."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Collection
from datetime import datetime, timedelta

from django.contrib.auth.models import User
from django.db.models import Q
from django.utils import timezone

from recognizer.models import ApiToken, Scope

PREFIX = "digitsite_"
"""So that a token in a file or a log is recognised as one."""

MOST_TOKENS = 50
"""Tokens of one user."""

USE_NOTED_EVERY = timedelta(minutes=5)
"""How often the time of a token's last use is written at most."""


class TooManyTokens(ValueError):
    """The user has as many tokens as one may have."""


def create(
    *, user: User, name: str, scopes: Collection[str], expires_at: datetime | None = None
) -> tuple[ApiToken, str]:
    """Store a new token; return its row, and the token, which can't be shown again.

    Raises:
        TooManyTokens: the user has `MOST_TOKENS`.
        ValidationError: the name is empty or too long, or there is no such scope.
    """
    if ApiToken.objects.filter(user=user).count() >= MOST_TOKENS:
        raise TooManyTokens(f"{user} has {MOST_TOKENS} tokens.")
    key = PREFIX + secrets.token_urlsafe(32)
    token = ApiToken(
        user=user,
        name=name,
        key_sha256=hash_of(key),
        # In the order of the class, whatever the order given.
        scopes=[scope for scope in Scope.values if scope in scopes],
        expires_at=expires_at,
    )
    token.full_clean()
    token.save(force_insert=True)
    return token, key


def hash_of(key: str) -> str:
    """Return what is stored of a token. It is random, so it needs no slow hash and no salt."""
    return hashlib.sha256(key.encode()).hexdigest()


def find(key: str) -> ApiToken | None:
    """Return the token with its user, and note that it was used; None if it is not valid.

    Expired tokens, and those of users who may not log in, are not valid.
    """
    try:
        known = ApiToken.objects.select_related("user").get(key_sha256=hash_of(key))
    except (ApiToken.DoesNotExist, UnicodeEncodeError):
        return None
    if known.is_expired or not known.user.is_active:
        return None
    now = timezone.now()
    noted = now - USE_NOTED_EVERY
    if known.last_used_at is None or known.last_used_at < noted:
        # Only one of several simultaneous requests writes.
        ApiToken.objects.filter(
            Q(last_used_at__isnull=True) | Q(last_used_at__lt=noted), pk=known.pk
        ).update(last_used_at=now)
    return known


def of(user: User) -> list[ApiToken]:
    """Return the user's tokens, newest first."""
    return list(ApiToken.objects.filter(user=user))


def revoke(*, user: User, token_id: int) -> None:
    """Delete a token of this user; raises ApiToken.DoesNotExist if they have no such token."""
    deleted, _by_model = ApiToken.objects.filter(user=user, pk=token_id).delete()
    if not deleted:
        raise ApiToken.DoesNotExist(f"{user} has no token {token_id}.")
