"""Copying a whole database to another one, of another kind if need be, and comparing both."""

from __future__ import annotations

import hashlib
import itertools
import json
import math
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import Group, Permission
from django.contrib.contenttypes.models import ContentType
from django.core.management.color import no_style
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connections, models, transaction
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.recorder import MigrationRecorder

from recognizer.models import Activation, ModelVersion

SOURCE = "source"
# A model version has 2.4 MB.
ROWS_AT_ONCE = 50
# What `migrate` writes to an empty database. The copy replaces it.
WRITTEN_BY_MIGRATE = (ContentType, Permission, Group, Group.permissions.through)


class CopyError(Exception):
    """The database can't be copied; the target is unchanged."""


@dataclass(frozen=True)
class Table:
    """How many rows a table has, and a hash of all of them that does not depend on their order."""

    name: str
    rows: int
    sha256: str


def copy_database(
    source: dict[str, Any], *, on_table: Callable[[Table], object] = lambda _table: None
) -> list[Table]:
    """Copy everything from a database (Django's settings of it) into the default one.

    Ids stay the same, those of content types and permissions too, so that groups and users keep
    their rights. The source is read as it is at one moment. It is all one transaction: after an
    error the target is as before.

    Raises:
        CopyError: the migrations differ, the target has data, or a table is not the same after
            the copy.
    """
    with _connected(source) as reading:
        target = connections[DEFAULT_DB_ALIAS]
        try:
            _check_migrations(reading, target)
            with transaction.atomic(using=SOURCE), transaction.atomic():
                _check_empty()
                copied = _copy(on_table)
                _reset_sequences(target)
                # References to rows that are missing; PostgreSQL would check them at the end.
                target.check_constraints()
        except DatabaseError as error:
            raise CopyError(f"{error}".strip()) from error
        finally:
            ContentType.objects.clear_cache()
    return copied


def tables() -> list[type[models.Model]]:
    """Every table of the site, with those of many-to-many relations."""
    return [
        model
        for model in apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    ]


class _connected:
    """Adds the source to Django's databases while the block runs."""

    def __init__(self, source: dict[str, Any]) -> None:
        options = dict(source.get("OPTIONS", {}))
        if source["ENGINE"].endswith("sqlite3"):
            # Only reading: others may go on writing.
            options["transaction_mode"] = "DEFERRED"
        else:
            from psycopg import IsolationLevel

            options["isolation_level"] = IsolationLevel.REPEATABLE_READ
        configured = connections.configure_settings(
            {
                DEFAULT_DB_ALIAS: settings.DATABASES[DEFAULT_DB_ALIAS],
                SOURCE: {**source, "OPTIONS": options},
            }
        )
        connections.settings[SOURCE] = configured[SOURCE]

    def __enter__(self) -> BaseDatabaseWrapper:
        return connections[SOURCE]

    def __exit__(self, *_: object) -> None:
        connections[SOURCE].close()
        del connections[SOURCE]
        del connections.settings[SOURCE]


def _check_migrations(source: BaseDatabaseWrapper, target: BaseDatabaseWrapper) -> None:
    there = set(MigrationRecorder(source).applied_migrations())
    here = set(MigrationRecorder(target).applied_migrations())
    if not there:
        raise CopyError("The source is no database of this site: it has no tables.")
    if there != here:
        names = ", ".join(sorted(".".join(each) for each in there ^ here)[:5])
        raise CopyError(
            f"The two databases have not had the same migrations: {names}. "
            "Run `migrate` on each with this code first."
        )


def _check_empty() -> None:
    filled = [
        model._meta.label
        for model in tables()
        if model not in (*WRITTEN_BY_MIGRATE, ModelVersion, Activation)
        and model._base_manager.using(DEFAULT_DB_ALIAS).exists()
    ]
    if ModelVersion.objects.filter(is_bundled=False).exists():
        filled.append(ModelVersion._meta.label)
    if filled:
        raise CopyError(
            f"The target is not empty (it has {', '.join(sorted(filled))}). Copy into a database "
            "on which only `migrate` has run."
        )


def _copy(on_table: Callable[[Table], object]) -> list[Table]:
    # Constraints between tables are checked at the end of the transaction, so any order will do.
    for written in (Activation, ModelVersion, *reversed(WRITTEN_BY_MIGRATE)):
        _target(written)._raw_delete(DEFAULT_DB_ALIAS)
    copied = []
    for model in tables():
        fields = model._meta.local_concrete_fields
        known = _Digest(model)
        for rows in _in_batches(known.watch(_rows(model, SOURCE))):
            # Raw: no field may set itself, as one that dates a row does.
            _target(model)._insert(rows, fields=fields, using=DEFAULT_DB_ALIAS, raw=True)
        table = known.table()
        if (found := table_of(model, DEFAULT_DB_ALIAS)) != table:
            raise CopyError(
                f"{table.name} is not the same after the copy: "
                f"{table.rows} rows were read, {found.rows} are there."
            )
        copied.append(table)
        on_table(table)
    return copied


def _target(model: type[models.Model]) -> Any:
    """The target's rows of a table, with the methods that Django's own `loaddata` relies on."""
    return model._base_manager.using(DEFAULT_DB_ALIAS)


def _rows(model: type[models.Model], using: str) -> Iterator[models.Model]:
    return model._base_manager.using(using).order_by("pk").iterator(chunk_size=ROWS_AT_ONCE)


def _in_batches(rows: Iterator[models.Model]) -> Iterator[list[models.Model]]:
    while batch := list(itertools.islice(rows, ROWS_AT_ONCE)):
        yield batch


def table_of(model: type[models.Model], using: str) -> Table:
    """Read a table and hash it."""
    digest = _Digest(model)
    for _row in digest.watch(_rows(model, using)):
        pass
    return digest.table()


class _Digest:
    """Sums the SHA-256 of rows: two databases may sort text differently."""

    def __init__(self, model: type[models.Model]) -> None:
        self._fields = model._meta.local_concrete_fields
        self._name = model._meta.db_table
        self._rows, self._sum = 0, 0

    def watch(self, rows: Iterable[models.Model]) -> Iterator[models.Model]:
        for row in rows:
            values = [_plain(field.value_from_object(row)) for field in self._fields]
            digest = hashlib.sha256(json.dumps(values, sort_keys=True).encode()).digest()
            self._sum = (self._sum + int.from_bytes(digest, "big")) % 2**256
            self._rows += 1
            yield row

    def table(self) -> Table:
        return Table(self._name, self._rows, f"{self._sum:064x}")


def _plain(value: Any) -> Any:
    """Return a value as JSON has it, the same for each kind of database."""
    if isinstance(value, bytes | memoryview):
        return hashlib.sha256(value).hexdigest()
    if isinstance(value, dict):
        return {key: _plain(each) for key, each in value.items()}
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        # PostgreSQL's JSON has one kind of number.
        return int(value)
    return value if isinstance(value, int | float | str | None) else str(value)


def _reset_sequences(target: BaseDatabaseWrapper) -> None:
    with target.cursor() as cursor:
        for statement in target.ops.sequence_reset_sql(no_style(), tables()):
            cursor.execute(statement)
