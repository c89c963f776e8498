"""Failures of the database that pass: it is stopped, full, or can't be written for now."""

from __future__ import annotations

from django.db import InterfaceError, OperationalError, connection

# SQLite has one class of errors for these and for faults of the code, such as "no such table".
_OF_SQLITE = (
    "database is locked",
    "database table is locked",
    "database or disk is full",
    "disk I/O error",
    "unable to open database file",
    "attempt to write a readonly database",
    "locking protocol",
)


def is_outage(error: BaseException | None) -> bool:
    """Whether the same query may succeed later, with the same code and tables."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    return connection.vendor != "sqlite" or any(text in str(error) for text in _OF_SQLITE)
