"""Django for scripts that use the site's own code: settings from the environment, set up once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.common import databases
from benchmarks.common.databases import Database
from benchmarks.common.running_site import ROOT


def set_up(database_url: str | None = None, *, migrate: bool = False) -> None:
    """Set Django up, for this database instead of the environment's, and migrate it if asked.

    Only the first call in a process counts: Django reads its settings once.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "digitsite.settings")
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    if database_url is not None:
        os.environ["DATABASE_URL"] = database_url
    import django
    from django.apps import apps

    # Again, it would turn logging to what is the standard error now.
    if not apps.ready:
        django.setup()
    if migrate:
        from django.core.management import call_command

        call_command("migrate", verbosity=0)


@contextmanager
def on_a_new_database(kind: str = "sqlite") -> Iterator[Database]:
    """Set Django up on a temporary database, migrated, and delete it afterwards.

    Exits with a message if the database server is not installed.
    """
    try:
        with databases.KINDS[kind]() as database:
            set_up(database.url, migrate=True)
            from django.db import connections

            try:
                yield database
            finally:
                connections.close_all()
    except databases.Missing as error:
        raise SystemExit(f"{error} is not installed.") from error


def in_a_process(module: str, *arguments: str, database_url: str) -> list[Any]:
    """Run a module in a new process on a database; return the lines of JSON that it prints.

    Django can be set up for one database in each process. Exits with the error output of the module
    if it fails.
    """
    done = subprocess.run(
        [sys.executable, "-m", module, *arguments],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database_url},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"{module} {' '.join(arguments)} failed:\n{done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
