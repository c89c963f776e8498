"""Whether SQLite can use write-ahead logging in a folder, and what file system the folder is on."""

from __future__ import annotations

import os
import sqlite3
import tempfile
from contextlib import closing
from pathlib import Path

_MOUNTS = Path("/proc/mounts")


def wal_problem(folder: Path) -> str | None:
    """Return why SQLite can't use write-ahead logging here; None if it can.

    Tried on a temporary database. A folder that can't be written to is no problem of the journal.
    """
    if not os.access(folder, os.W_OK | os.X_OK):
        return None
    try:
        with tempfile.TemporaryDirectory(prefix=".journal-", dir=folder) as temporary:
            return _tried(os.path.join(temporary, "try.sqlite3"))
    except OSError:
        return None


def _tried(path: str) -> str | None:
    with closing(sqlite3.connect(path, isolation_level=None)) as database:
        try:
            database.execute("CREATE TABLE tried (number INTEGER)")
        except sqlite3.Error:
            # Without the log neither: the disk is full, for example.
            return None
        try:
            mode = database.execute("PRAGMA journal_mode=WAL").fetchone()[0]
            database.execute("INSERT INTO tried VALUES (1)")
        except sqlite3.Error as error:
            return str(error)
    return None if mode == "wal" else f"SQLite keeps to journal_mode={mode}"


def name_of(folder: Path) -> str:
    """Return the type of a folder's file system and where it is mounted, as far as is known."""
    try:
        lines = _MOUNTS.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return "its file system"
    # A space in a path is written as \040.
    mounts = [(line.split()[1].replace("\\040", " "), line.split()[2]) for line in lines]
    real = folder.resolve()
    above = [(Path(at), kind) for at, kind in mounts if real.is_relative_to(at)]
    if not above:
        return "its file system"
    # Of two mounts at one place the later one counts.
    at, kind = max(reversed(above), key=lambda mount: len(mount[0].parts))
    return f"the file system {kind} at {at}"
