"""Settings from the environment or `.env`.

Each method returns a usable value and records a problem if a variable has an invalid one. The
system checks (`digitsite.checks`) then report all problems at once and stop the start. Nothing
here imports Django, because it runs while the settings load.
"""

from __future__ import annotations

import contextlib
import ipaddress
import os
import secrets
import string
import tempfile
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import environ

T = TypeVar("T")

LOOPBACK_HOSTS = ("localhost", ".localhost", "127.0.0.1", "[::1]")
TRUE = frozenset({"1", "true", "yes", "on", "y", "t"})
FALSE = frozenset({"0", "false", "no", "off", "n", "f", ""})
SECRET_KEY_LENGTH = 64


@dataclass(frozen=True)
class Problem:
    variable: str
    message: str


@dataclass
class Environment:
    """Reads variables and collects their problems."""

    problems: list[Problem] = field(default_factory=list)

    def read(self, name: str, parse: Callable[[str], T], default: T) -> T:
        """Return `parse(value)`, or `default` if the variable is unset or invalid (ValueError)."""
        raw = self.text(name)
        if raw is None:
            return default
        try:
            return parse(raw)
        except ValueError as error:
            self.problems.append(Problem(name, f"{name} is {raw!r}: {error}"))
            return default

    def text(self, name: str) -> str | None:
        """Return the variable without surrounding space, or None if it is unset."""
        value = os.environ.get(name)
        return None if value is None else value.strip()

    def flag(self, name: str, default: bool) -> bool:
        return self.read(name, _flag, default)

    def whole_number(self, name: str, default: int, *, least: int = 0) -> int:
        """Return a whole number, ``least`` or more."""

        def parse(raw: str) -> int:
            if not raw.isascii() or not raw.isdigit() or int(raw) < least:
                raise ValueError(f"it must be a whole number, {least} or more.")
            return int(raw)

        return self.read(name, parse, default)

    def share(self, name: str, default: float) -> float:
        """Return a share, 0 to 1."""

        def parse(raw: str) -> float:
            try:
                value = float(raw)
            except ValueError:
                value = -1.0
            if not 0 <= value <= 1:
                raise ValueError("it must be a number from 0 to 1, such as 0.05.")
            return value

        return self.read(name, parse, default)

    def seconds(self, name: str, default: float) -> float:
        """Return a number of seconds, 0 or more."""

        def parse(raw: str) -> float:
            try:
                value = float(raw)
            except ValueError:
                value = -1.0
            if not 0 <= value < float("inf"):
                raise ValueError("it must be a number of seconds, 0 or more.")
            return value

        return self.read(name, parse, default)

    def words(self, name: str, default: list[str]) -> list[str]:
        return self.read(
            name, lambda raw: [w for w in (p.strip() for p in raw.split(",")) if w], default
        )

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        def parse(raw: str) -> str:
            if raw.upper() not in choices:
                raise ValueError(f"it must be one of {', '.join(choices)}.")
            return raw.upper()

        return self.read(name, parse, default)

    def rate(self, name: str, default: str | None) -> str | None:
        """Return a rate such as "60/min", or None for "off"."""

        def parse(raw: str) -> str | None:
            if raw.lower() == "off":
                return None
            number, _, period = raw.partition("/")
            units = {"s", "sec", "second", "m", "min", "minute", "h", "hour", "d", "day"}
            if not number.isascii() or not number.isdigit() or int(number) < 1:
                raise ValueError('it must be a rate such as "60/min", or "off".')
            if period not in units:
                raise ValueError('it must end in /sec, /min, /hour or /day, or be "off".')
            return raw

        return self.read(name, parse, default)

    def database(self, name: str, *, base: Path, journal: str) -> dict[str, Any]:
        """Return Django's settings for the database named by a URL; SQLite in `base` if unset."""
        default = sqlite_settings(base / "db.sqlite3", journal)

        def parse(raw: str) -> dict[str, Any]:
            return parse_database_url(raw, base=base, journal=journal)

        try:
            return self.read(name, parse, default)
        finally:
            # The value may contain a password, which must not be logged.
            self.problems[:] = [
                Problem(p.variable, f"{name}: {p.message.split(': ', 1)[-1]}")
                if p.variable == name
                else p
                for p in self.problems
            ]


def _flag(raw: str) -> bool:
    value = raw.lower()
    if value in TRUE:
        return True
    if value in FALSE:
        return False
    raise ValueError("it must be yes or no (also 1/0, true/false, on/off).")


def parse_database_url(raw: str, *, base: Path, journal: str = "WAL") -> dict[str, Any]:
    """Return Django's settings for the database named by a URL; a relative file is in `base`.

    Raises:
        ValueError: it names no database; the message leaves the URL out: it may have a password.
    """
    scheme = raw.partition(":")[0]
    if scheme not in {"sqlite", "postgres", "postgresql"}:
        raise ValueError(
            "it must start with postgres:// or sqlite:///, "
            "as in postgres://user:password@host:5432/name."
        )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            parsed: dict[str, Any] = dict(environ.Env.db_url_config(raw))
        except Exception as error:
            raise ValueError("it can't be read as a database URL.") from error
    if scheme == "sqlite":
        path = parsed["NAME"]
        if path == ":memory:":
            raise ValueError("a database in memory is lost at the end; use a file.")
        return sqlite_settings(base / path, journal)
    if not parsed.get("NAME"):
        raise ValueError("the name of the database is missing.")
    return postgres_settings(parsed)


def sqlite_settings(path: Path, journal: str = "WAL") -> dict[str, Any]:
    """Return Django's settings for an SQLite file that many threads can write to.

    With write-ahead logging, readers don't wait for a writer. IMMEDIATE takes the write lock at
    the start of a transaction, where SQLite can wait for it; later it fails instead. Without
    write-ahead logging, only synchronous=FULL keeps the file whole if the power fails.
    """
    synchronous = "NORMAL" if journal == "WAL" else "FULL"
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "CONN_MAX_AGE": 60,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 30,
            "init_command": (
                f"PRAGMA journal_mode={journal}; PRAGMA synchronous={synchronous}; "
                "PRAGMA foreign_keys=ON;"
            ),
        },
    }


def postgres_settings(parsed: dict[str, Any]) -> dict[str, Any]:
    """Return Django's settings for PostgreSQL; ``parsed`` is django-environ's result."""
    return {
        **parsed,
        # A server that does not answer must not hold every thread.
        "OPTIONS": {"connect_timeout": 5, **parsed.get("OPTIONS", {})},
        "ENGINE": "django.db.backends.postgresql",
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


def is_loopback(host: str) -> bool:
    """Whether an entry of ALLOWED_HOSTS can only refer to this machine."""
    if host in LOOPBACK_HOSTS or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def stored_secret_key(path: Path) -> str:
    """Return the key in the file `path`; create it if it does not exist, with mode 0600.

    Two processes that start at the same time get the same key: the file appears complete, and the
    second process reads what the first one wrote.

    Raises:
        ValueError: the file can't be written or has no usable key.
    """
    try:
        if not path.exists():
            _create_secret_key(path)
        key = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(
            f"no key could be stored in {path} ({error}). Set SECRET_KEY in the environment."
        ) from error
    if len(key) < SECRET_KEY_LENGTH // 2:
        raise ValueError(f"{path} has no usable key. Delete it and start again.")
    return key


def _create_secret_key(path: Path) -> None:
    alphabet = string.ascii_letters + string.digits
    key = "".join(secrets.choice(alphabet) for _ in range(SECRET_KEY_LENGTH))
    # mkstemp creates with mode 0600.
    handle, temporary = tempfile.mkstemp(prefix=".secret_key-", dir=path.parent)
    try:
        with os.fdopen(handle, "w", encoding="ascii") as file:
            file.write(key + "\n")
        try:
            os.link(temporary, path)
        except FileExistsError:
            pass
        except OSError:
            # A file system without hard links: the last process wins, and all read its key.
            os.replace(temporary, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
