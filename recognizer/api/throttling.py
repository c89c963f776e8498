"""Who may ask how often: limits for a user, a visitor and an address, on every address of the site.

A visitor has a limit of their own, and all visitors of one address together have one that is
ADDRESS_LIMIT_FACTOR times as high: a school class has one address. So do users who are not staff.
Requests without a cookie share their address's own limit, so throwing cookies away gains nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from rest_framework import status
from rest_framework.exceptions import APIException
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from recognizer.api import logins, visitors
from recognizer.api.authentication import user_of
from recognizer.api.limits import Limit, Rate, address_of, rate_named
from recognizer.models import Prediction

if TYPE_CHECKING:
    # Not at run time: REST framework imports this module for its views.
    from rest_framework.views import APIView

WRITE, PREVIEW, READ = "write", "preview", "read"

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})

# Of each row, besides its image and strokes: the other columns and the indexes.
ROW_BYTES = 2048
_DAY = 24 * 3600

View = TypeVar("View", bound=Callable[..., Any])


def wait_for(request: HttpRequest | Request, kind: str, amount: int = 1) -> float | None:
    """Count requests; return None within all limits, else for how many seconds to wait."""
    # Up to the first that refuses: what a visitor may not do must not use up their address's limit.
    waits = (limit.count(amount) for limit in _limits(request, kind))
    return next((wait for wait in waits if wait is not None), None)


def _limits(request: HttpRequest | Request, kind: str) -> list[Limit]:
    anonymous = rate_named("anon" if kind == WRITE else kind)
    known = rate_named("user" if kind == WRITE else kind)
    if anonymous is None and known is None:
        return []
    user = user_of(request)
    if user is not None:
        return [] if known is None else _of_user(request, user, kind, known)
    return [] if anonymous is None else _of_visitor(request, kind, anonymous)


def _of_user(request: HttpRequest | Request, user: User, kind: str, rate: Rate) -> list[Limit]:
    if user.is_staff:
        # Reviewers label dozens of drawings in a minute, and see a hundred on one page.
        return [Limit(rate.times(settings.ADDRESS_LIMIT_FACTOR), kind, f"user {user.pk}")]
    # With SIGN_UP, one person can have many accounts.
    return [Limit(rate, kind, f"user {user.pk}"), _ceiling(request, kind, rate, "users")]


def _of_visitor(request: HttpRequest | Request, kind: str, rate: Rate) -> list[Limit]:
    # A visitor whom this request has made came without a cookie.
    visitor = None if visitors.is_new(request) else visitors.visitor_of(request)
    address = address_of(_plain(request))
    own = f"address {address}" if visitor is None else f"visitor {visitor}"
    return [Limit(rate, kind, own), _ceiling(request, kind, rate, "everybody")]


def _ceiling(request: HttpRequest | Request, kind: str, rate: Rate, who: str) -> Limit:
    address = address_of(_plain(request))
    return Limit(rate.times(settings.ADDRESS_LIMIT_FACTOR), kind, f"{who} at {address}")


def _plain(request: HttpRequest | Request) -> HttpRequest:
    return request._request if isinstance(request, Request) else request


# The API ----------------------------------------------------------------------------------------


class MethodThrottle(BaseThrottle):
    """Limits reading and writing."""

    _wait: float | None = None

    def allow_request(self, request: Request, view: APIView) -> bool:
        self._wait = wait_for(request, self.kind(request))
        return self._wait is None

    def wait(self) -> float | None:
        return self._wait

    def kind(self, request: Request) -> str:
        return READ if request.method in SAFE_METHODS else WRITE


class PreviewThrottle(MethodThrottle):
    """Limits previews, which are sent while somebody draws."""

    def kind(self, request: Request) -> str:
        return PREVIEW


# What is stored in a day ------------------------------------------------------------------------


class DailyLimitReached(APIException):
    """A user, a visitor or an address has stored as much as one may in a day."""

    status_code = status.HTTP_429_TOO_MANY_REQUESTS
    default_code = "daily_limit"
    default_detail = _(
        "You have stored as many drawings as one person can in a day. Try again tomorrow."
    )

    def __init__(self, wait: float) -> None:
        super().__init__()
        # REST framework sends it as Retry-After.
        self.wait = math.ceil(wait)


def check_daily_limit(request: Request) -> None:
    """Raise DailyLimitReached for whoever has stored STORED_MB_PER_DAY."""
    waits = [limit.wait() for limit in _daily_limits(request)]
    if wait := max((wait for wait in waits if wait is not None), default=None):
        raise DailyLimitReached(wait)


def count_stored(request: Request, prediction: Prediction) -> None:
    """Count what a new drawing takes in the database; nothing for one that was there before."""
    if "image" in prediction.get_deferred_fields():
        return
    size = len(prediction.image) + len(prediction.strokes or b"") + ROW_BYTES
    for limit in _daily_limits(request):
        limit.count(math.ceil(size / 1024))


def _daily_limits(request: Request) -> list[Limit]:
    if not settings.STORED_MB_PER_DAY:
        return []
    # Counted in KiB.
    rate, user = Rate(settings.STORED_MB_PER_DAY * 1024, _DAY), user_of(request)
    if user is not None:
        return _of_user(request, user, "stored", rate)
    return _of_visitor(request, "stored", rate)


def charge(request: Request, drawings: int) -> float | None:
    """Count a request for as many drawings as it has, as `wait_for` does.

    One was counted when the request came.
    """
    request._request.drawings = drawings  # type: ignore[attr-defined]
    return wait_for(request, WRITE, drawings - 1) if drawings > 1 else None


# Pages and the admin ----------------------------------------------------------------------------


def limits_itself(view: View) -> View:
    """Mark a page that counts its own POST requests, to show the refusal in its own place."""
    view.limits_itself = True  # type: ignore[attr-defined]
    return view


def unlimited(view: View) -> View:
    """Mark a page that monitoring must be able to open at any time."""
    view.unlimited = True  # type: ignore[attr-defined]
    return view


class LimitsMiddleware:
    """Limits every view that is not of the API: pages, forms, the admin."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if visitors.is_new(request) and response.status_code < 400:
            # The request that made a visitor is the first of theirs.
            _count_first(request)
        if (wait := logins.wait_of(request)) is not None:
            # The form says it; a program needs the status.
            response.status_code = 429
            response["Retry-After"] = str(math.ceil(wait))
        return response

    def process_view(
        self, request: HttpRequest, view: Any, args: Any, kwargs: Any
    ) -> HttpResponseBase | None:
        kind = READ if request.method in SAFE_METHODS else WRITE
        # Views of REST framework, which have `cls`, are limited by MethodThrottle.
        if hasattr(view, "cls") or hasattr(view, "unlimited"):
            return None
        if kind == WRITE and hasattr(view, "limits_itself"):
            return None
        wait = wait_for(request, kind)
        return None if wait is None else too_many(request, wait)


def _count_first(request: HttpRequest) -> None:
    if (rate := rate_named("anon")) is not None:
        amount = getattr(request, "drawings", 1)
        Limit(rate, WRITE, f"visitor {visitors.visitor_of(request)}").count(amount)


def too_many(request: HttpRequest, wait: float) -> HttpResponseBase:
    """Return the page that says how long to wait."""
    seconds = math.ceil(wait)
    page = render(request, "429.html", {"seconds": seconds}, status=429)
    page["Retry-After"] = str(seconds)
    return page
