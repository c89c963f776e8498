"""Who is asking: a user, or a visitor known by a random id in their session."""

from __future__ import annotations

import uuid

from django.contrib.auth.models import User
from django.http import HttpRequest
from rest_framework.request import Request

SESSION_KEY = "visitor"


def user_of(request: HttpRequest | Request) -> User | None:
    """Return the user who has logged in or sent a token, or None."""
    user = request.user
    return user if isinstance(user, User) and user.is_authenticated else None


def visitor_of(request: HttpRequest | Request) -> uuid.UUID | None:
    """Return the visitor's id if this session has one; reading starts no session."""
    session = getattr(request, "session", None)
    if session is None:
        return None
    try:
        return uuid.UUID(session[SESSION_KEY])
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


def owner(request: HttpRequest | Request) -> tuple[User | None, uuid.UUID | None]:
    """Return (user, visitor) as `selectors.history` takes them."""
    user = user_of(request)
    return user, None if user is not None else visitor_of(request)


def owner_for_writing(request: HttpRequest | Request) -> tuple[User | None, uuid.UUID | None]:
    """Return (user, visitor), giving the session a visitor's id if it needs one."""
    user, visitor = owner(request)
    if user is None and visitor is None:
        visitor = uuid.uuid4()
        request.session[SESSION_KEY] = str(visitor)
    return user, visitor
