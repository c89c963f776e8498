"""Who is asking: a user who has logged in or sent a token, or a visitor with a cookie."""

from __future__ import annotations

import logging
import uuid
from typing import Any

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.middleware.csrf import REASON_BAD_ORIGIN
from django.utils.translation import gettext
from rest_framework.authentication import (
    BaseAuthentication,
    SessionAuthentication,
    get_authorization_header,
)
from rest_framework.exceptions import AuthenticationFailed, PermissionDenied
from rest_framework.request import Request

from recognizer.accounts import tokens
from recognizer.api import origins, visitors
from recognizer.api.visitors import visitor_of
from recognizer.models import ApiToken, Owner

logger = logging.getLogger(__name__)


class TokenAuthentication(BaseAuthentication):
    """The header ``Authorization: Bearer`` with a token; ``Token`` in place of Bearer works too."""

    keywords = (b"bearer", b"token")

    def authenticate(self, request: Request) -> tuple[User, ApiToken] | None:
        scheme, _space, key = get_authorization_header(request).partition(b" ")
        if scheme.lower() not in self.keywords:
            return None
        token = tokens.find(key.strip().decode("latin-1"))
        if token is None:
            raise AuthenticationFailed
        return token.user, token

    def authenticate_header(self, request: Request) -> str:
        return "Bearer"


class BrowserSessionAuthentication(SessionAuthentication):
    """Django's session, with a guard for visitors who have not logged in.

    A user needs the CSRF token, as everywhere. A visitor needs none, so that a program can post
    without one; but a browser that another site sends here is refused. Otherwise that site's
    form would come without this site's cookies (SameSite), and the new cookie in the answer
    would overwrite the visitor's own.
    """

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        # Scripts on other sites, where CORS_ALLOWED_ORIGINS lets them in, need a token.
        if request.method != "OPTIONS":
            _refuse_other_sites(request)
        authenticated: tuple[Any, None] | None = super().authenticate(request)
        return authenticated

    def enforce_csrf(self, request: Request) -> None:
        try:
            super().enforce_csrf(request)
        except PermissionDenied as error:
            logger.warning("A request was refused. %s", error.detail)
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


def owner_or_new(request: HttpRequest | Request) -> Owner:
    """Return who is asking; a new visitor for whoever has neither a login nor a cookie.

    A new visitor gets a cookie only by `visitors.adopt`, once something of theirs is stored.
    """
    if owner_of(request).is_nobody:
        return Owner(visitor=uuid.uuid4(), is_new=True)
    return owner_for_writing(request)


def user_of(request: HttpRequest | Request) -> User | None:
    """Return the user who has logged in or sent a token, or None."""
    user = request.user
    return user if isinstance(user, User) and user.is_authenticated else None


def owner_of(request: HttpRequest | Request) -> Owner:
    """Return who is asking; nobody without a login and a visitor's cookie."""
    user = user_of(request)
    return Owner(user=user) if user is not None else Owner(visitor=visitor_of(request))


def owner_for_writing(request: HttpRequest | Request) -> Owner:
    """Return who is asking, as a new visitor if they have no cookie yet."""
    user = user_of(request)
    if user is not None:
        return Owner(user=user)
    return Owner(visitor=visitors.visitor_for_writing(request))
