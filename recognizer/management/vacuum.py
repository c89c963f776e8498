"""Giving the space of deleted rows back to the file system, and fresh statistics to the planner."""

from __future__ import annotations

from django.contrib.sessions.models import Session
from django.db import connection

from recognizer.models import LabelEvent, Prediction

WORTH_BYTES = 1024 * 1024
WORTH_SHARE = 0.1
"""Less free space than this stays in the file: new drawings use it."""

INCREMENTAL = 2
PAGES_AT_ONCE = 2000
"""Pages moved in one transaction, during which nobody else can write."""


def give_space_back() -> int:
    """Shrink the database if it is worth it; return by how many bytes.

    SQLite: the first time with VACUUM, during which nobody can write (about a second for 200 MB)
    and which needs as much free space on the disk as the database has. It also turns
    `auto_vacuum=INCREMENTAL` on; from then on with short transactions.

    PostgreSQL: VACUUM ANALYZE makes the space usable for new rows and returns what lies at the end
    of a table. Nobody has to wait; VACUUM FULL, which returns all of it, would lock the table.
    """
    if connection.in_atomic_block:
        # No database vacuums inside a transaction.
        return 0
    if connection.vendor != "sqlite":
        with connection.cursor() as cursor:
            for model in (Prediction, LabelEvent, Session):
                cursor.execute(f'VACUUM (ANALYZE) "{model._meta.db_table}"')
        return 0
    before, free = _pragma("page_count"), _pragma("freelist_count")
    size = _pragma("page_size")
    if free * size >= WORTH_BYTES and free >= WORTH_SHARE * before:
        if _pragma("auto_vacuum") == INCREMENTAL:
            while _pragma("freelist_count"):
                # A script: `execute` would free one page only.
                connection.connection.executescript(f"PRAGMA incremental_vacuum({PAGES_AT_ONCE})")
        else:
            connection.connection.executescript("PRAGMA auto_vacuum = INCREMENTAL; VACUUM")
    connection.connection.executescript("PRAGMA optimize; PRAGMA wal_checkpoint(TRUNCATE)")
    return max(0, before - _pragma("page_count")) * size


def _pragma(name: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA {name}")
        return int(cursor.fetchone()[0])
