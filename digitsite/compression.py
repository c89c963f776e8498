"""Compression of HTML pages, but not of files, exports and API responses."""

from __future__ import annotations

from django.http import HttpRequest
from django.http.response import HttpResponseBase
from django.middleware.gzip import GZipMiddleware


class PageCompressionMiddleware(GZipMiddleware):
    """Django's gzip, with its padding against BREACH, for HTML only.

    Exports are already compressed, or streamed with a known length; a preview of 500 bytes would
    only get slower.
    """

    def process_response(
        self, request: HttpRequest, response: HttpResponseBase
    ) -> HttpResponseBase:
        kind = response.headers.get("Content-Type", "")
        if response.streaming or not kind.startswith("text/html"):
            return response
        return super().process_response(request, response)
