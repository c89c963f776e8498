"""Who is asking: a user who has logged in or sent a token, or a visitor with a cookie."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request

from recognizer.api.visitors import visitor_for_writing, visitor_of
from recognizer.models import Owner


class BrowserSessionAuthentication(SessionAuthentication):
    """Django's session, with a guard for visitors who have not logged in.

    A user needs the CSRF token, as everywhere. A visitor needs none, so that a program can post
    without one; but a browser that another site sends here is refused. Otherwise that site's
    form would come without this site's cookies (SameSite), and the new cookie in the answer
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
            raise PermissionDenied(
                _("The CSRF token is missing or wrong. Reload the page and try again.")
            ) from error


def _refuse_other_sites(request: Request) -> None:
    origin = request.META.get("HTTP_ORIGIN")
    if origin is None:
        return
    try:
        host = urlsplit(origin).netloc
    except ValueError:
        host = ""
    # The host alone: behind a proxy that ends TLS the schemes may differ.
    if host == request.get_host() or origin in settings.CSRF_TRUSTED_ORIGINS:
        return
    raise PermissionDenied(
        _("This request comes from another site. Send it from this site or from a program."),
        code="cross_site",
    )


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
    return Owner(user=user) if user is not None else Owner(visitor=visitor_for_writing(request))
