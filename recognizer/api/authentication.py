"""The API's session authentication, with a guard for visitors who have not logged in."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from rest_framework.authentication import SessionAuthentication
from rest_framework.exceptions import PermissionDenied
from rest_framework.request import Request


class BrowserSessionAuthentication(SessionAuthentication):
    """Django's session, with a guard for visitors who have not logged in.

    Who has logged in needs the CSRF token, as everywhere. A visitor needs none, so that a program
    can post without ceremony; but a browser that another site sends here is refused. Otherwise
    that site's form would come without this site's cookies (SameSite), and the new session in
    the answer would overwrite the visitor's own.
    """

    def authenticate(self, request: Request) -> tuple[Any, None] | None:
        """Return the session's user, or None for a visitor."""
        authenticated: tuple[Any, None] | None = super().authenticate(request)
        if authenticated is None and request.method not in ("GET", "HEAD", "OPTIONS", "TRACE"):
            _refuse_other_sites(request)
        return authenticated


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
