"""Temporary databases for measurements."""

from __future__ import annotations

import os
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from recognizer.tests.support import servers

START_SECONDS = 60


class Database(Protocol):
    """A database whose caches can be emptied."""

    @property
    def url(self) -> str:
        """The value for DATABASE_URL."""

    def cool_down(self) -> None:
        """Make the next query read from the disk. Connections must be closed."""


@dataclass(frozen=True)
class Sqlite:
    path: Path

    @property
    def url(self) -> str:
        return f"sqlite:///{self.path.as_posix()}"

    def cool_down(self) -> None:
        forget(self.path.parent)


class Postgres:
    """A PostgreSQL server with its default settings."""

    def __init__(self, home: Path, account: dict[str, Any]) -> None:
        self.home, self.data, self.account = home, home / "data", account
        self.port = servers.free_port()
        self.process: subprocess.Popen[bytes] | None = None
        initdb = servers.program("initdb")
        subprocess.run(
            [initdb, "-D", self.data, "-U", "digits", "-A", "trust", "-E", "UTF8"],
            check=True, capture_output=True, cwd=home, **account,
        )  # fmt: skip

    @property
    def url(self) -> str:
        return f"postgres://digits@127.0.0.1:{self.port}/postgres"

    def start(self) -> None:
        """Start the server and wait until it answers."""
        import psycopg

        self.process = subprocess.Popen(
            [servers.program("postgres"), "-D", self.data, "-p", str(self.port), "-h", "127.0.0.1",
             "-k", self.home],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=self.home, **self.account,
        )  # fmt: skip
        deadline = time.monotonic() + START_SECONDS
        while True:
            try:
                psycopg.connect(self.url.replace("postgres://", "postgresql://")).close()
            except psycopg.OperationalError:
                if self.process.poll() is not None or time.monotonic() > deadline:
                    raise SystemExit("PostgreSQL did not start.") from None
                time.sleep(0.1)
            else:
                return

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(timeout=START_SECONDS)
            self.process = None

    def cool_down(self) -> None:
        self.stop()
        forget(self.data)
        self.start()


def forget(folder: Path) -> None:
    """Drop the files of a folder from the system's cache, if the system supports it."""
    if not hasattr(os, "posix_fadvise"):
        return
    os.sync()
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


@contextmanager
def sqlite() -> Iterator[Database]:
    with tempfile.TemporaryDirectory(prefix="digitsite-", ignore_cleanup_errors=True) as folder:
        yield Sqlite(Path(folder, "site.sqlite3"))


@contextmanager
def postgresql() -> Iterator[Database]:
    """Yield a PostgreSQL database in a temporary folder.

    Raises:
        Missing: PostgreSQL is not installed.
    """
    account = servers.unprivileged()
    with tempfile.TemporaryDirectory(prefix="digitsite-", ignore_cleanup_errors=True) as folder:
        if account:
            os.chown(folder, account["user"], account["group"])
        server = Postgres(Path(folder), account)
        server.start()
        try:
            yield server
        finally:
            server.stop()


Missing = servers.Missing
KINDS = {"sqlite": sqlite, "postgresql": postgresql}
