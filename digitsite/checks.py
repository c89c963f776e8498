"""System checks of the configuration: an unsafe or broken site does not start."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.apps.config import AppConfig
from django.conf import settings
from django.core.checks import CheckMessage, Error, Tags, register, run_checks
from django.core.exceptions import ImproperlyConfigured

from digitsite import file_systems
from digitsite.environment import is_loopback

SHORTEST_SECRET_KEY = 50

Apps = Sequence[AppConfig] | None


def _is_public() -> bool:
    # "testserver" is the host that Django's own test runner adds.
    return any(not is_loopback(host) for host in settings.ALLOWED_HOSTS if host != "testserver")


@register(Tags.security)
def environment_is_readable(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """E001: every variable has a valid value."""
    return [
        Error(
            problem.message,
            hint=f"Correct {problem.variable} in the environment or in .env, or unset it.",
            id="digitsite.E001",
        )
        for problem in settings.ENVIRONMENT_PROBLEMS
    ]


@register(Tags.security)
def public_site_has_its_own_key(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """E002: a public site has a SECRET_KEY from the environment."""
    if not _is_public() or settings.SECRET_KEY_FROM_ENVIRONMENT:
        return []
    return [
        Error(
            "ALLOWED_HOSTS includes other hosts than this machine, but SECRET_KEY is not set.",
            hint="Set SECRET_KEY in the environment, to the same value on every web server.",
            id="digitsite.E002",
        )
    ]


@register(Tags.security)
def secret_key_is_strong(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """E003: a SECRET_KEY from the environment is hard to guess."""
    key = settings.SECRET_KEY
    strong = (
        len(key) >= SHORTEST_SECRET_KEY
        and len(set(key)) > 5
        and not key.startswith("django-insecure-")
    )
    if not (_is_public() and settings.SECRET_KEY_FROM_ENVIRONMENT) or strong:
        return []
    return [
        Error(
            f"SECRET_KEY must be random and at least {SHORTEST_SECRET_KEY} characters long.",
            hint='Create one: python -c "import secrets; print(secrets.token_urlsafe(48))"',
            id="digitsite.E003",
        )
    ]


@register(Tags.security)
def public_site_has_debug_off(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """E004: a public site shows no debug pages."""
    if not (_is_public() and settings.DEBUG):
        return []
    return [
        Error(
            "DEBUG is on, but ALLOWED_HOSTS includes other hosts than this machine.",
            hint="Unset DEBUG, or limit ALLOWED_HOSTS to localhost.",
            id="digitsite.E004",
        )
    ]


@register(Tags.security)
def public_cookies_are_secure(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """E005: a public site sends cookies over HTTPS only."""
    if not _is_public() or (settings.SESSION_COOKIE_SECURE and settings.CSRF_COOKIE_SECURE):
        return []
    return [
        Error(
            "ALLOWED_HOSTS includes other hosts than this machine, but cookies are not secure.",
            hint="Leave SESSION_COOKIE_SECURE and CSRF_COOKIE_SECURE on.",
            id="digitsite.E005",
        )
    ]


@register(Tags.security)
def trusted_origins_are_origins(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """E006: CSRF_TRUSTED_ORIGINS lists origins: scheme and host only."""
    return [
        Error(
            f"CSRF_TRUSTED_ORIGINS includes {origin!r}, which is not an origin.",
            hint="Use the form https://digits.example or https://*.digits.example.",
            id="digitsite.E006",
        )
        for origin in settings.CSRF_TRUSTED_ORIGINS
        if not _is_origin(origin)
    ]


@register(Tags.security)
def hosts_are_hosts(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """E007: ALLOWED_HOSTS lists host names, without scheme, port or path."""
    return [
        Error(
            f"ALLOWED_HOSTS includes {host!r}, which is not a host name.",
            hint="Use the form digits.example, without https:// and without a port.",
            id="digitsite.E007",
        )
        for host in settings.ALLOWED_HOSTS
        if "/" in host or " " in host or (":" in host and not host.startswith("["))
    ]


@register(Tags.security)
def cache_file_can_be_written(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """E008: a public site can count requests."""
    folder = Path(settings.CACHE_FILE).parent
    if not _is_public() or settings.REDIS_URL or os.access(folder, os.W_OK | os.X_OK):
        return []
    return [
        Error(
            f"Requests can't be counted: {folder} is no folder that this process can write to.",
            hint="Set CACHE_FILE to a file in such a folder, or REDIS_URL.",
            id="digitsite.E008",
        )
    ]


@register(Tags.security)
def write_ahead_logging_works(app_configs: Apps, **kwargs: Any) -> list[CheckMessage]:
    """E009: where SQLite can't log ahead, another journal is set."""
    path = settings.DATABASES["default"].get("NAME")
    if settings.SQLITE_JOURNAL != "WAL" or not isinstance(path, Path):
        return []
    problem = file_systems.wal_problem(path.parent)
    if problem is None:
        return []
    return [
        Error(
            f"SQLite can't use write-ahead logging for {path} on "
            f"{file_systems.name_of(path.parent)}: {problem}.",
            hint="Move the database to a local disk (DATABASE_URL), or set SQLITE_JOURNAL=DELETE, "
            "which makes readers wait for writers.",
            id="digitsite.E009",
        )
    ]


def _is_origin(origin: str) -> bool:
    parts = urlsplit(origin)
    return (
        parts.scheme in {"http", "https"}
        and bool(parts.netloc)
        and not (parts.path or parts.query or parts.fragment)
    )


def stop_on_errors() -> None:
    """Run the security checks.

    Raises:
        ImproperlyConfigured: a check failed; the message has every error and its hint.
    """
    errors = [
        message
        for message in run_checks(tags=[Tags.security])
        if message.is_serious() and not message.is_silenced()
    ]
    if errors:
        raise ImproperlyConfigured("\n".join(str(error) for error in errors))
