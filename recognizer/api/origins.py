"""Where a browser's request comes from: the header Origin, compared with this site's address."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from django.conf import settings
from django.utils.translation import gettext as _

if TYPE_CHECKING:
    # The settings themselves import this module.
    from django.http import HttpRequest

_DEFAULT_PORTS = {"http": ":80", "https": ":443"}


def normalised(origin: str) -> str:
    """Return an origin in lower case without its default port, as browsers send it (RFC 6454)."""
    lower = origin.strip().lower()
    return lower.removesuffix(_DEFAULT_PORTS.get(lower.partition(":")[0], "-"))


def normalise(request: HttpRequest) -> None:
    """Write Origin and Host the same way, whichever program or proxy wrote them."""
    if "HTTP_ORIGIN" in request.META:
        request.META["HTTP_ORIGIN"] = normalised(request.META["HTTP_ORIGIN"])
    if "HTTP_HOST" in request.META:
        host = request.META["HTTP_HOST"].lower()
        request.META["HTTP_HOST"] = host.removesuffix(_DEFAULT_PORTS[request.scheme or "http"])


def is_this_site(request: HttpRequest) -> bool:
    """Whether the request comes from this site, an origin that it trusts, or no browser at all."""
    origin = request.META.get("HTTP_ORIGIN")
    if origin is None:
        return True
    origin = normalised(origin)
    try:
        parts = urlsplit(origin)
    except ValueError:
        return False
    # The host alone: behind a proxy that ends TLS the schemes may differ.
    host = request.get_host().lower().removesuffix(_DEFAULT_PORTS["https"])
    if parts.netloc and parts.netloc == host.removesuffix(_DEFAULT_PORTS["http"]):
        return True
    return any(_matches(parts.scheme, parts.netloc, each) for each in settings.CSRF_TRUSTED_ORIGINS)


def _matches(scheme: str, host: str, trusted: str) -> bool:
    trusted_scheme, _separator, trusted_host = normalised(trusted).partition("://")
    if scheme != trusted_scheme:
        return False
    if trusted_host.startswith("*"):
        return host.endswith(trusted_host[1:])
    return host == trusted_host


def refusal(request: HttpRequest) -> str:
    """Return a sentence for a request from another origin: what to do, or which setting to mend."""
    origin = request.META.get("HTTP_ORIGIN", "")
    if origin == "null":
        return _(
            "The browser does not say where this request comes from (Origin: null). Send it from "
            "this site, outside of a sandboxed frame. If you run the site: a proxy must not set "
            "Referrer-Policy: no-referrer."
        )
    return _(
        "This request comes from another site: {origin}, not {host}. Send it from this site or "
        "from a program. If you run the site: the proxy must pass on the Host header, or add the "
        "origin to CSRF_TRUSTED_ORIGINS."
    ).format(origin=origin[:60], host=request.get_host()[:60])
