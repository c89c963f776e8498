"""Django's cache in an SQLite file that all processes of one machine share."""

from __future__ import annotations

import contextlib
import json
import os
import random
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.core.cache.backends.base import DEFAULT_TIMEOUT, BaseCache

BUSY_SECONDS = 1.0
# Expired entries are deleted at one in this many additions.
CULL_ONE_IN = 1000

_SCHEMA = """
CREATE TABLE IF NOT EXISTS entries (key TEXT PRIMARY KEY, value, expires REAL NOT NULL)
WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS entries_expire ON entries (expires);
"""


class SqliteCache(BaseCache):
    """Keeps whole numbers, and what JSON can express, until they expire.

    `add` and `incr` are atomic between processes, as Redis's are; Django's own file and database
    caches read, then write. A count here is no write in the site's database. After a power failure
    the newest entries may be missing.
    """

    def __init__(self, location: str, params: dict[str, Any]) -> None:
        super().__init__(params)
        self._path = Path(location)
        self._connection: sqlite3.Connection | None = None
        self._process = 0

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        row = self._row(self._connected().cursor(), self._key(key, version))
        return default if row is None else _unpacked(row[0])

    def set(
        self,
        key: str,
        value: Any,
        timeout: Any = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> None:
        with self._transaction() as cursor:
            self._store(cursor, self._key(key, version), value, timeout)

    def add(
        self,
        key: str,
        value: Any,
        timeout: Any = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> bool:
        with self._transaction() as cursor:
            if self._row(cursor, self._key(key, version)) is not None:
                return False
            self._store(cursor, self._key(key, version), value, timeout)
            if random.randrange(CULL_ONE_IN) == 0:  # noqa: S311 - nothing secret
                self._cull(cursor)
        return True

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        with self._transaction() as cursor:
            row = self._row(cursor, self._key(key, version))
            if row is None:
                raise ValueError(f"Key {key!r} not found")
            value = int(row[0]) + delta
            cursor.execute(
                "UPDATE entries SET value = ? WHERE key = ?", (value, self._key(key, version))
            )
        return value

    def touch(
        self,
        key: str,
        timeout: Any = DEFAULT_TIMEOUT,
        version: int | None = None,
    ) -> bool:
        with self._transaction() as cursor:
            row = self._row(cursor, self._key(key, version))
            if row is not None:
                cursor.execute(
                    "UPDATE entries SET expires = ? WHERE key = ?",
                    (self._expires(timeout), self._key(key, version)),
                )
        return row is not None

    def delete(self, key: str, version: int | None = None) -> bool:
        with self._transaction() as cursor:
            found = self._row(cursor, self._key(key, version)) is not None
            cursor.execute("DELETE FROM entries WHERE key = ?", (self._key(key, version),))
        return found

    def clear(self) -> None:
        with self._transaction() as cursor:
            cursor.execute("DELETE FROM entries")

    def __del__(self) -> None:
        # One cache, and so one connection, for each thread: it ends with the thread. `close`, which
        # Django calls after each request, leaves it open.
        if self._connection is not None and self._process == os.getpid():
            self._connection.close()

    def _key(self, key: str, version: int | None) -> str:
        return self.make_and_validate_key(key, version=version)

    def _row(self, cursor: sqlite3.Cursor, key: str) -> tuple[Any] | None:
        cursor.execute(
            "SELECT value FROM entries WHERE key = ? AND expires > ?", (key, time.time())
        )
        row: tuple[Any] | None = cursor.fetchone()
        return row

    def _store(self, cursor: sqlite3.Cursor, key: str, value: Any, timeout: Any) -> None:
        whole = isinstance(value, int) and not isinstance(value, bool)
        cursor.execute(
            "INSERT OR REPLACE INTO entries VALUES (?, ?, ?)",
            (key, value if whole else json.dumps(value), self._expires(timeout)),
        )

    def _expires(self, timeout: Any) -> float:
        moment = self.get_backend_timeout(timeout)
        return float("inf") if moment is None else float(moment)

    def _cull(self, cursor: sqlite3.Cursor) -> None:
        """Delete what has expired; where too much is left, what expires next."""
        cursor.execute("DELETE FROM entries WHERE expires <= ?", (time.time(),))
        cursor.execute("SELECT count(*) FROM entries")
        surplus = cursor.fetchone()[0] - self._max_entries
        if surplus > 0:
            cursor.execute(
                "DELETE FROM entries WHERE key IN "
                "(SELECT key FROM entries ORDER BY expires LIMIT ?)",
                (surplus,),
            )

    @contextlib.contextmanager
    def _transaction(self) -> Iterator[sqlite3.Cursor]:
        cursor = self._connected().cursor()
        cursor.execute("BEGIN IMMEDIATE")
        try:
            yield cursor
        except BaseException:
            cursor.execute("ROLLBACK")
            raise
        cursor.execute("COMMIT")

    def _connected(self) -> sqlite3.Connection:
        # A connection must not be used after a fork.
        if self._connection is None or self._process != os.getpid():
            connection = sqlite3.connect(
                self._path, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
            )
            connection.execute("PRAGMA journal_mode=WAL")
            connection.execute("PRAGMA synchronous=OFF")
            connection.executescript(_SCHEMA)
            self._connection, self._process = connection, os.getpid()
        return self._connection


def _unpacked(stored: Any) -> Any:
    return json.loads(stored) if isinstance(stored, str) else stored
