"""Limits on wrong passwords, counted before a password is checked, on every login page.

Checking one takes half a second of a processor, by design. For one account from one address the
limit is THROTTLE_LOGIN, for one address ADDRESS_LIMIT_FACTOR times as much, and for one account
from everywhere ACCOUNT_FACTOR times as much. The last one does not apply to addresses from which
somebody has logged in to that account before, so nobody can keep its owner out.
"""

from __future__ import annotations

import math
import os
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.backends import ModelBackend
from django.contrib.auth.hashers import PBKDF2PasswordHasher
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.http import HttpRequest
from django.utils.translation import ngettext_lazy

from recognizer.api.limits import Limit, Rate, address_of, rate_named

if TYPE_CHECKING:
    from django_stubs_ext import StrPromise

ACCOUNT_FACTOR = 10
KNOWN_SECONDS = 30 * 24 * 3600
# Two logins at the same moment wait for each other; more than a few are refused.
QUEUE_SECONDS = 1.0

# One password at a time in each process, so that an attack uses one processor.
_checking = threading.Lock()


class YieldingHasher(PBKDF2PasswordHasher):
    """Django's default hash of passwords, computed in a thread that yields to all others."""

    def encode(self, password: str, salt: str, iterations: int | None = None) -> str:
        with ThreadPoolExecutor(1, initializer=_yield_processor) as background:
            return background.submit(super().encode, password, salt, iterations).result()


def _yield_processor() -> None:
    """Give the calling thread the lowest priority, where the system has one for threads."""
    if sys.platform == "linux":
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), 19)


class LimitedBackend(ModelBackend):
    """Django's users and passwords, with a limit on wrong ones."""

    def authenticate(
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **kwargs: Any,
    ) -> User | None:
        """Return the user if the password is right.

        Raises ValidationError, which login forms show, after too many wrong ones.
        """
        rate = rate_named("login")
        if request is None or rate is None or username is None:
            return super().authenticate(request, username, password, **kwargs)
        attempt = _Attempt(rate, account=username, address=address_of(request))
        if (wait := attempt.count()) is not None:
            raise _refused(request, wait)
        if not _checking.acquire(timeout=QUEUE_SECONDS):
            raise _refused(request, 1)
        try:
            user = super().authenticate(request, username, password, **kwargs)
        finally:
            _checking.release()
        if user is not None:
            attempt.succeeded()
        return user


def is_own_password(request: HttpRequest, password: str) -> bool:
    """Whether this is the password of the user who has logged in.

    Wrong ones count as at the login: otherwise whoever finds an open session could try passwords.
    Raises ValidationError after too many.
    """
    assert isinstance(request.user, User)
    name = request.user.get_username()
    return authenticate(request, username=name, password=password) == request.user


def count_account(request: HttpRequest) -> None:
    """Count a new account of an address; raises ValidationError after too many.

    The hash of its password takes as long as a login, and each account has limits of its own.
    """
    rate = rate_named("login")
    if rate is None:
        return
    limit = Limit(rate.times(settings.ADDRESS_LIMIT_FACTOR), "new account", address_of(request))
    if (wait := limit.count()) is not None:
        text = ngettext_lazy(
            "Too many accounts were created from here. Try again in %(n)d minute.",
            "Too many accounts were created from here. Try again in %(n)d minutes.",
            "n",
        )
        raise _refused(request, wait, text)


def wait_of(request: HttpRequest) -> float | None:
    """Return for how many seconds a login was refused in this request; None if it was not."""
    wait: float | None = getattr(request, "login_wait", None)
    return wait


class _Attempt:
    """One password for one account from one address."""

    def __init__(self, rate: Rate, *, account: str, address: str) -> None:
        here = f"{account} from {address}"
        self.here = Limit(rate, "login", here)
        self.address = Limit(rate.times(settings.ADDRESS_LIMIT_FACTOR), "login", address)
        self.account = Limit(rate.times(ACCOUNT_FACTOR), "login account", account)
        self.known = Limit(Rate(1, KNOWN_SECONDS), "login known", here)

    def count(self) -> float | None:
        for limit in (self.here, self.address):
            if (wait := limit.count()) is not None:
                return wait
        return None if self.known.is_counted() else self.account.count()

    def succeeded(self) -> None:
        """Take back what was counted: only wrong passwords count."""
        self.here.reset()
        self.address.take_back()
        if not self.known.is_counted():
            self.account.take_back()
        self.known.count()


_TOO_MANY = ngettext_lazy(
    "Too many attempts to log in. Try again in %(n)d minute.",
    "Too many attempts to log in. Try again in %(n)d minutes.",
    "n",
)


def _refused(request: HttpRequest, wait: float, text: StrPromise = _TOO_MANY) -> ValidationError:
    request.login_wait = wait  # type: ignore[attr-defined]
    return ValidationError(str(text % {"n": math.ceil(wait / 60)}), code="too_many_attempts")
