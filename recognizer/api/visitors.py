"""Visitors who are not logged in: a signed cookie with a random id, and no row in any table.

The cookie is set once something of the visitor is stored, and again whenever they store more.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from rest_framework.request import Request

COOKIE = "visitor"
_SALT = "recognizer.visitor"
# Earlier versions kept the id in the session, which lasts for 180 days.
_SESSION_KEY = "visitor"


def visitor_of(request: HttpRequest | Request) -> uuid.UUID | None:
    """Return the visitor's id if the request has one; nothing is stored."""
    state = _state(request)
    if not state.read:
        state.visitor = _from_cookie(state.request) or _from_session(state)
        state.read = True
    return state.visitor


def visitor_for_writing(request: HttpRequest | Request) -> uuid.UUID:
    """Return the visitor's id, a new one if needed; a response without an error sets the cookie."""
    visitor = visitor_of(request)
    if visitor is None:
        visitor = uuid.uuid4()
        adopt(request, visitor)
    _state(request).keeps = True
    return visitor


def adopt(request: HttpRequest | Request, visitor: uuid.UUID) -> None:
    """Make a visitor of whoever is asking; a response without an error sets the cookie."""
    state = _state(request)
    state.visitor = visitor
    state.read = state.is_new = state.keeps = True


def overlook(request: HttpRequest | Request) -> None:
    """Treat whoever is asking as nobody for this request; cookies stay as they are."""
    state = _state(request)
    state.read, state.visitor, state.keeps = True, None, False


def forget(request: HttpRequest | Request) -> None:
    """Delete the cookie: whoever knows its id must not see what is drawn after a login."""
    state = _state(request)
    state.read, state.visitor, state.keeps = True, None, False
    state.forgets = True
    state.request.session.pop(_SESSION_KEY, None)


def is_new(request: HttpRequest | Request) -> bool:
    """Whether this request has made its visitor."""
    return _state(request).is_new


class _State:
    """What is known of a request's visitor."""

    def __init__(self, request: HttpRequest) -> None:
        self.request = request
        self.visitor: uuid.UUID | None = None
        self.read = self.is_new = self.keeps = self.forgets = self.was_session = False


def _state(request: HttpRequest | Request) -> _State:
    plain: HttpRequest = getattr(request, "_request", request)
    state = getattr(plain, "visitor_state", None)
    if not isinstance(state, _State):
        state = _State(plain)
        plain.visitor_state = state  # type: ignore[attr-defined]
    return state


def _from_cookie(request: HttpRequest) -> uuid.UUID | None:
    # None where it is missing, forged or too old.
    text = request.get_signed_cookie(
        COOKIE, default=None, salt=_SALT, max_age=settings.VISITOR_COOKIE_AGE
    )
    return _uuid(text)


def _from_session(state: _State) -> uuid.UUID | None:
    """Return the id that an older version stored in the session, to be moved to the cookie."""
    session = getattr(state.request, "session", None)
    if session is None or settings.SESSION_COOKIE_NAME not in state.request.COOKIES:
        return None
    visitor = _uuid(session.get(_SESSION_KEY))
    if visitor is not None:
        state.keeps = True
        state.was_session = set(session.keys()) == {_SESSION_KEY}
    return visitor


def _uuid(text: object) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if isinstance(text, str) else None
    except ValueError:
        return None


class VisitorMiddleware:
    """Sets and deletes the visitor's cookie."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        state = _state(request)
        if state.forgets:
            response.delete_cookie(COOKIE, samesite="Lax")
        elif state.keeps and state.visitor is not None and response.status_code < 400:
            response.set_signed_cookie(
                COOKIE,
                state.visitor.hex,
                salt=_SALT,
                max_age=settings.VISITOR_COOKIE_AGE,
                secure=settings.SESSION_COOKIE_SECURE,
                httponly=True,
                samesite="Lax",
            )
            if state.was_session:
                # In the same response: a browser has one of the two cookies at any time. The row
                # stays until it expires, in case the response is lost.
                response.delete_cookie(settings.SESSION_COOKIE_NAME, samesite="Lax")
        return response
