"""Django for scripts that use the site's own code: settings from the environment, set up once."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from benchmarks.common import databases


def set_up(database_url: str | None = None, *, migrate: bool = False) -> None:
    """Set Django up, for this database instead of the environment's, and migrate it if asked.

    Only the first call in a process counts: Django reads its settings once.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "digitsite.settings")
    os.environ.setdefault("LOG_LEVEL", "WARNING")
    if database_url is not None:
        os.environ["DATABASE_URL"] = database_url
    import django

    django.setup()
    if migrate:
        from django.core.management import call_command

        call_command("migrate", verbosity=0)


@contextmanager
def on_a_new_database() -> Iterator[None]:
    """Set Django up on a temporary SQLite database, migrated and deleted afterwards."""
    with databases.sqlite() as database:
        set_up(database.url, migrate=True)
        from django.db import connections

        try:
            yield
        finally:
            connections.close_all()
