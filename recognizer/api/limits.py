"""Counting what somebody does within a period, in the cache that all processes share."""

from __future__ import annotations

import ipaddress
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from django.conf import settings
from django.core.cache import cache
from django.http import HttpRequest
from django.utils.crypto import salted_hmac
from rest_framework.settings import api_settings

logger = logging.getLogger(__name__)

T = TypeVar("T")

# A cache that fails is left alone for this long: nobody waits for it, and the log stays readable.
REST_SECONDS = 5.0
# A count and the moment at which its period began are one whole number, which changes as a whole.
_COUNT_BITS = 30
_PERIODS = {"s": 1, "m": 60, "h": 3600, "d": 24 * 3600}

_resting_until = 0.0


@dataclass(frozen=True)
class Rate:
    """At most ``most`` in ``period`` seconds, which begin with the first."""

    most: int
    period: int

    @classmethod
    def parse(cls, text: str) -> Rate:
        """Return the rate of a text such as "60/min"."""
        most, period = text.split("/")
        return cls(int(most), _PERIODS[period[0]])

    def times(self, factor: int) -> Rate:
        return Rate(self.most * factor, self.period)


@dataclass(frozen=True)
class Limit:
    """A rate for one identity, such as a visitor or an address, and one kind of action."""

    rate: Rate
    kind: str
    identity: str

    @property
    def _key(self) -> str:
        # Hashed: the cache holds no addresses and no names.
        name = f"{self.kind} {self.rate.period} {self.identity}"
        return "limit:" + salted_hmac("recognizer.limits", name).hexdigest()

    def count(self, amount: int = 1) -> float | None:
        """Count; return None within the limit, else for how many seconds to wait.

        If the cache fails, everything is within the limit, and the log says so.
        """
        return _asking(lambda: self._wait(self._add(amount)), otherwise=None)

    def wait(self) -> float | None:
        """Return for how many seconds to wait where the limit is reached, without counting."""
        return _asking(lambda: self._wait(cache.get(self._key, 0) + 1), otherwise=None)

    def is_counted(self) -> bool:
        """Whether anything has been counted in the current period."""
        return _asking(lambda: cache.get(self._key) is not None, otherwise=False)

    def take_back(self) -> None:
        """Count one less, unless the period in which it was counted has ended."""
        # Below nothing it would take from the moment at which the period began.
        if _asking(lambda: cache.get(self._key, 0), otherwise=0) % (1 << _COUNT_BITS):
            _asking(lambda: self._add(-1), otherwise=0)

    def reset(self) -> None:
        _asking(lambda: cache.delete(self._key), otherwise=False)

    def _add(self, amount: int) -> int:
        key, now = self._key, int(time.time())
        first = (now << _COUNT_BITS) + max(0, amount)
        # Mostly the period has begun. Twice: another request may begin it between the two.
        for _attempt in range(2):
            try:
                value = cache.incr(key, amount)
            except ValueError:
                if cache.add(key, first, self.rate.period):
                    return first
            else:
                if value >> _COUNT_BITS >= now - self.rate.period - 1:
                    return value
        # The period ended meanwhile, and Redis has counted on from nothing.
        cache.set(key, first, self.rate.period)
        return first

    def _wait(self, value: int) -> float | None:
        began, count = divmod(value, 1 << _COUNT_BITS)
        if count <= self.rate.most:
            return None
        return max(1.0, began + self.rate.period - time.time())


def _asking(work: Callable[[], T], *, otherwise: T) -> T:
    """Return what ``work`` gets from the cache; ``otherwise`` where the cache fails."""
    global _resting_until
    if time.monotonic() < _resting_until:
        return otherwise
    if _resting_until:
        # It has failed before. While this thread asks whether it answers again, no other waits.
        _resting_until = time.monotonic() + REST_SECONDS
    try:
        found = work()
    except Exception as error:
        # Each kind of cache has its own errors. Refusing everybody would stop the site.
        _resting_until = time.monotonic() + REST_SECONDS
        logger.error(
            "The cache fails: for %g seconds nothing is limited. %s: %s",
            REST_SECONDS,
            type(error).__name__,
            " ".join(str(error).split()),
        )
        return otherwise
    _resting_until = 0.0
    return found


def cache_answers() -> bool:
    """Whether the cache answers, so that requests are counted."""
    return _asking(lambda: cache.get("limit:ready") is None, otherwise=False)


def rate_named(name: str) -> Rate | None:
    """Return a rate of the settings as they are now, or None for no limit."""
    text = api_settings.DEFAULT_THROTTLE_RATES.get(name)
    return None if text is None else Rate.parse(str(text))


def address_of(request: HttpRequest) -> str:
    """Return the sender's network: an IPv4 address, or the /64 of an IPv6 address.

    One customer of a provider has at least a /64. Only the proxies in NUM_PROXIES are believed.
    """
    address = request.META.get("REMOTE_ADDR", "")
    forwarded = request.META.get("HTTP_X_FORWARDED_FOR")
    if settings.NUM_PROXIES and forwarded is not None:
        addresses = forwarded.split(",")
        address = addresses[-min(settings.NUM_PROXIES, len(addresses))]
    try:
        parsed = ipaddress.ip_address(address.strip().partition("%")[0].strip("[]"))
    except ValueError:
        return str(address.strip())
    if isinstance(parsed, ipaddress.IPv4Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((parsed, 64), strict=False))
