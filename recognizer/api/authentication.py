"""Who is asking: a user who has logged in or sent a token, or the visitor of a session."""

from __future__ import annotations

import logging
import uuid
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.middleware.csrf import REASON_BAD_ORIGIN
from django.utils.translation import gettext
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from recognizer.api import origins
from recognizer.models import Owner

logger = logging.getLogger(__name__)

SESSION_KEY = "visitor"


class BrowserSessionAuthentication(SessionAuthentication):
    """Django's session, with a guard for visitors who have not logged in.

    A user needs the CSRF token, as everywhere. A visitor needs none, so that a program can post
    without one; but a browser that another site sends here is refused. Otherwise that site's
    form would come without this site's cookies (SameSite), and the new session in the answer
    would overwrite the visitor's own.
    """

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        authenticated: tuple[Any, None] | None = super().authenticate(request)
        if authenticated is None and request.method not in ("GET", "HEAD", "OPTIONS", "TRACE"):
            _refuse_other_sites(request)
        return authenticated

    def enforce_csrf(self, request: Request) -> None:
        try:
            super().enforce_csrf(request)
        except PermissionDenied as error:
            raise PermissionDenied(csrf_sentence(request._request, str(error.detail))) from error


def csrf_sentence(request: HttpRequest, reason: str) -> str:
    """Return a sentence for Django's reason to refuse a request of a browser."""
    if REASON_BAD_ORIGIN.partition("%s")[0] in reason:
        return origins.refusal(request)
    return gettext("The CSRF token is missing or wrong. Reload the page and try again.")


def _refuse_other_sites(request: Request) -> None:
    if not origins.is_this_site(request._request):
        sentence = origins.refusal(request._request)
        logger.warning("A request was refused. %s", sentence)
        raise PermissionDenied(sentence, code="cross_site")


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


def owner_of(request: HttpRequest | Request) -> Owner:
    """Return who is asking; nobody where the session has no visitor's id yet."""
    user = user_of(request)
    return Owner(user=user) if user is not None else Owner(visitor=visitor_of(request))


def owner_for_writing(request: HttpRequest | Request) -> Owner:
    """Return who is asking, giving the session a visitor's id if it needs one."""
    owner = owner_of(request)
    if owner.is_nobody:
        owner = Owner(visitor=uuid.uuid4())
        request.session[SESSION_KEY] = str(owner.visitor)
    return owner
