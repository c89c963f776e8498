"""Rate limits."""

from __future__ import annotations

from typing import cast

from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import AnonRateThrottle, SimpleRateThrottle
from rest_framework.views import APIView

from recognizer.api.authentication import user_of


class _SettingsThrottle(SimpleRateThrottle):
    """Takes its rate from the settings as they are now, not as they were at import."""

    num_requests: int
    duration: int

    def get_rate(self) -> str | None:
        return cast("str | None", api_settings.DEFAULT_THROTTLE_RATES.get(str(self.scope)))

    def allow_request(self, request: Request, view: APIView) -> bool:
        """Count the request as often as its view's ``cost`` says, or refuse it."""
        cost = getattr(view, "cost", 1)
        if self.rate is None or (key := self.get_cache_key(request, view)) is None:
            return True
        self.key, self.now = key, self.timer()
        since = self.now - self.duration
        self.history = [each for each in self.cache.get(key, []) if each > since]
        if len(self.history) + cost > self.num_requests:
            return self.throttle_failure()
        self.history = [self.now] * cost + self.history
        self.cache.set(key, self.history, self.duration)
        return True


class AnonWriteThrottle(_SettingsThrottle, AnonRateThrottle):
    """Limits what one address may send without a user."""


class UserWriteThrottle(_SettingsThrottle):
    """Limits what one user may send."""

    scope = "user"

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        user = user_of(request)
        if user is None:
            return None
        return self.cache_format % {"scope": self.scope, "ident": user.pk}


class PreviewThrottle(_SettingsThrottle):
    """Limits how many previews one user, or one address without a user, may ask for."""

    scope = "preview"

    def get_cache_key(self, request: Request, view: APIView) -> str:
        user = user_of(request)
        ident = self.get_ident(request) if user is None else user.pk
        return self.cache_format % {"scope": self.scope, "ident": ident}
