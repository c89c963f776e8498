"""Rate limits."""

from __future__ import annotations

from typing import cast

from rest_framework.request import Request
from rest_framework.settings import api_settings
from rest_framework.throttling import AnonRateThrottle, SimpleRateThrottle, UserRateThrottle
from rest_framework.views import APIView

from recognizer.api.authentication import user_of


class AnonWriteThrottle(AnonRateThrottle):
    """Limits what one address may send."""

    def get_rate(self) -> str | None:
        """Return the rate of the settings as they are now."""
        return cast("str | None", api_settings.DEFAULT_THROTTLE_RATES["anon"])


class UserWriteThrottle(UserRateThrottle):
    """Limits what one user may send; who has not logged in is the other throttle's."""

    def get_rate(self) -> str | None:
        """Return the rate of the settings as they are now."""
        return cast("str | None", api_settings.DEFAULT_THROTTLE_RATES["user"])

    def get_cache_key(self, request: Request, view: APIView) -> str | None:
        """Return the user's key, or None where there is no user."""
        key: str | None = super().get_cache_key(request, view)
        return key if user_of(request) else None


class PreviewThrottle(SimpleRateThrottle):
    """Limits how often one user, or one address, may ask without keeping."""

    scope = "preview"

    def get_rate(self) -> str | None:
        """Return the rate of the settings as they are now."""
        return cast("str | None", api_settings.DEFAULT_THROTTLE_RATES.get("preview"))

    def get_cache_key(self, request: Request, view: APIView) -> str:
        """Return the key of the user or, where nobody has logged in, of the address."""
        user = user_of(request)
        ident = self.get_ident(request) if user is None else user.pk
        return self.cache_format % {"scope": self.scope, "ident": ident}
