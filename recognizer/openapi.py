"""What drf-spectacular can't find out by itself. Importing it is enough."""

from __future__ import annotations

from drf_spectacular.authentication import SessionScheme


class BrowserSessionScheme(SessionScheme):  # type: ignore[no-untyped-call]
    """Describes our session authentication as the session cookie that it is."""

    target_class = "recognizer.visitors.BrowserSessionAuthentication"
    name = "cookieAuth"
