"""The whole database in one file, and back.

SQLite's is a copy by its online backup, which waits for nobody's writes and sees none of them
halfway; PostgreSQL's is what `pg_dump` writes.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import sqlite3
import subprocess
import tempfile
import time
from contextlib import closing
from pathlib import Path
from typing import Any

from django.db import connection
from django.db.backends.postgresql.client import DatabaseClient

PATIENCE = 120.0
"""Seconds that a backup or a restore waits for a lock of SQLite."""

_SQLITE, _POSTGRESQL = b"SQLite format 3\0", b"PGDMP"
_OURS = ("django_migrations", "recognizer_prediction", "recognizer_modelversion")


class BackupError(ValueError):
    """A backup or a restore is not possible; the message says why. The database is as before."""


def back_up(path: Path, *, force: bool = False) -> int:
    """Write the database to a file, which appears when it is complete; return its size in bytes.

    With ``force`` an existing file is replaced. Raises BackupError.
    """
    if path.exists() and not (force and path.is_file()):
        raise BackupError(f"{path} already exists. Choose another name, or overwrite with --force.")
    temporary = path.parent / f".{path.name}.{secrets.token_hex(4)}.partial"
    try:
        # The file holds password hashes.
        os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        if connection.vendor == "sqlite":
            _back_up_sqlite(temporary)
        else:
            _run("pg_dump", "--format=custom", "--no-owner", f"--file={temporary}", _name())
        check(temporary)
        with temporary.open("rb") as file:
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise BackupError(f"Can't write {path}: {error.strerror or error}.") from error
    except sqlite3.Error as error:
        raise BackupError(f"The database can't be backed up: {error}.") from error
    finally:
        for left in (temporary, Path(f"{temporary}-journal")):
            left.unlink(missing_ok=True)
    return path.stat().st_size


def check(path: Path) -> None:
    """Raise BackupError unless a file is a whole backup of such a site's database."""
    try:
        with path.open("rb") as file:
            head = file.read(len(_SQLITE))
    except OSError as error:
        raise BackupError(f"{path} can't be read: {error.strerror or error}.") from error
    kind = "sqlite" if head == _SQLITE else "postgresql" if head.startswith(_POSTGRESQL) else None
    if kind is None:
        raise BackupError(f"{path} is not a backup.")
    if kind != connection.vendor:
        names = {"sqlite": "SQLite", "postgresql": "PostgreSQL"}
        raise BackupError(
            f"{path} is a backup of {names[kind]}, but the site uses {connection.display_name}."
        )
    tables = _tables_in_sqlite(path) if kind == "sqlite" else _tables_in_dump(path)
    if missing := [name for name in _OURS if name not in tables]:
        raise BackupError(f"{path} is not a backup of DigitSite: it has no table {missing[0]}.")


def restore(path: Path) -> None:
    """Replace what is in the database by a backup, in one transaction.

    Raises BackupError; the database is then as it was before.
    """
    check(path)
    connection.close()
    if connection.vendor == "sqlite":
        with closing(_open(path)) as source, closing(sqlite3.connect(_name())) as target:
            try:
                _copy(source, target)
            except sqlite3.Error as error:
                raise BackupError(f"{path} can't be restored: {error}.") from error
    else:
        _restore_dump(path)


# SQLite -----------------------------------------------------------------------------------------


def _back_up_sqlite(path: Path) -> None:
    with closing(sqlite3.connect(_name())) as source, closing(sqlite3.connect(path)) as target:
        _copy(source, target)
        # The copy says that there is a write-ahead log beside it. There is none.
        target.execute("PRAGMA journal_mode=DELETE")


def _copy(source: sqlite3.Connection, target: sqlite3.Connection) -> None:
    """Copy a database in one step, which is one transaction in both; wait while it is locked."""
    deadline = time.monotonic() + PATIENCE

    def give_up(status: int, remaining: int, total: int) -> None:
        if remaining and time.monotonic() > deadline:
            raise sqlite3.OperationalError("database is locked")

    # Without the number of pages, others could write between two steps, and it would start again.
    source.backup(target, pages=-1, progress=give_up, sleep=0.1)


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)


def _tables_in_sqlite(path: Path) -> set[str]:
    try:
        with closing(_open(path)) as database:
            # Those of the tables need functions that Django adds to its own connections.
            database.execute("PRAGMA ignore_check_constraints=ON")
            found = database.execute("PRAGMA integrity_check(1)").fetchone()[0]
            tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            names = {name for (name,) in tables}
    except sqlite3.Error as error:
        raise BackupError(f"{path} is damaged: {error}.") from error
    if found != "ok":
        raise BackupError(f"{path} is damaged: {' '.join(str(found).split())}.")
    return names


# PostgreSQL -------------------------------------------------------------------------------------


def _tables_in_dump(path: Path) -> set[str]:
    try:
        done = _run("pg_restore", "--list", str(path))
    except BackupError as error:
        raise BackupError(f"{path} can't be read: {error}") from error
    # 3421; 0 16385 TABLE DATA public recognizer_prediction owner
    lines = [line.split() for line in done.stdout.decode().splitlines() if " TABLE DATA " in line]
    return {words[6] for words in lines if len(words) > 6}


def _restore_dump(path: Path) -> None:
    """Send the dump's SQL to `psql` in one transaction, committed only if all of it has come."""
    with connection.cursor() as cursor:
        tables = connection.introspection.table_names(cursor)
    ours = [name for name in connection.introspection.django_table_names() if name in tables]
    quoted = [connection.ops.quote_name(name) for name in [*ours, "django_migrations"]]
    dropped = f"DROP TABLE IF EXISTS {', '.join(quoted)} CASCADE;\n"
    connection.close()
    command, environment = _command("psql", "--quiet", "--no-psqlrc", "-v", "ON_ERROR_STOP=1")
    dump, _ = _command("pg_restore", "--clean", "--if-exists", "--no-owner", "--file=-", str(path))
    with (
        tempfile.TemporaryFile() as said,
        subprocess.Popen(
            [*command, _name()], env=environment, stdin=subprocess.PIPE, stdout=said, stderr=said
        ) as psql,
        subprocess.Popen(dump, env=environment, stdout=subprocess.PIPE, stderr=said) as reading,
    ):
        assert psql.stdin is not None
        assert reading.stdout is not None
        try:
            psql.stdin.write(b"BEGIN;\n" + dropped.encode())
            shutil.copyfileobj(reading.stdout, psql.stdin, 1 << 16)
            if reading.wait() == 0:
                psql.stdin.write(b"\nCOMMIT;\n")
            psql.stdin.close()
        except BrokenPipeError:
            # `psql` has ended at an error, which it names. Nobody reads the rest.
            reading.stdout.close()
            with contextlib.suppress(BrokenPipeError):
                psql.stdin.close()
        failed = psql.wait() or reading.wait()
        said.seek(0)
        why = _complaint(said.read())
    if failed:
        raise BackupError(f"{path} can't be restored: {why}")


def _command(program: str, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """Return a command line of PostgreSQL and its environment, which has the password."""
    if shutil.which(program) is None:
        raise BackupError(f"{program} is not installed. It is part of PostgreSQL's client.")
    return [program, *arguments], {**os.environ, **_environment()}


def _environment() -> dict[str, str]:
    place: dict[str, Any] = connection.settings_dict
    _, environment = DatabaseClient.settings_to_cmd_args_env(place, [])
    known = {"PGHOST": place["HOST"], "PGPORT": place["PORT"], "PGUSER": place["USER"]}
    return {
        **{name: str(value) for name, value in known.items() if value},
        **(environment or {}),
    }


def _run(program: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
    command, environment = _command(program, *arguments)
    done = subprocess.run(command, env=environment, capture_output=True, check=False)
    if done.returncode:
        raise BackupError(f"{program} failed: {_complaint(done.stderr)}")
    return done


def _complaint(output: bytes) -> str:
    """Return the first line that names an error, else the last one."""
    lines = output.decode(errors="replace").strip().splitlines()
    errors = (line for line in lines if "error:" in line.lower())
    return next(errors, lines[-1] if lines else "it did not say why.")


def _name() -> str:
    return str(connection.settings_dict["NAME"])
