"""Django's requests, which never take a client's word for how text is encoded."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.core.handlers.asgi import ASGIRequest
from django.core.handlers.wsgi import WSGIRequest
from django.utils.http import parse_header_parameters


class _InUTF8:
    """Leaves ``encoding`` at UTF-8. Django would decode the query string with the charset of the
    body already here, where no middleware can refuse it, and "hex" is no encoding of text.

    `digitsite.middleware` refuses other charsets.
    """

    content_type: str | None
    content_params: dict[str, str] | None

    def _set_content_type_params(self, meta: Mapping[str, Any]) -> None:
        try:
            found = parse_header_parameters(meta.get("CONTENT_TYPE", ""))
        except (LookupError, ValueError):
            # A parameter names an encoding of its own (RFC 2231), which Python does not have.
            found = "", {"charset": "unknown"}
        self.content_type, self.content_params = found


class Request(_InUTF8, WSGIRequest):
    pass


class AsynchronousRequest(_InUTF8, ASGIRequest):
    pass
