"""Fixtures for all tests: digits drawn as strokes, clients, users.

Nothing is mocked: the bundled model classifies the drawn strokes through the real views.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from django.apps import apps
from django.contrib.auth.models import Permission, User
from django.core.cache import cache
from django.db import connections
from django.db.models.signals import post_migrate
from django.test import Client
from django.utils import translation
from pytest_django import Settings
from rest_framework.test import APIClient

from recognizer.tests.support import drawings
from recognizer.versions import active as active_version


def pytest_configure(config: pytest.Config) -> None:
    for mark in (
        "services: starts PostgreSQL or Redis; skipped where missing unless REQUIRE_SERVICES=1",
        "store: depends on the database's SQL, locks or constraints; `make test-postgres` runs it",
    ):
        config.addinivalue_line("markers", mark)


# The slowest groups, in the order in which they start; each group runs in one worker, as does each
# other module. TensorFlow's import takes seconds and 500 MB, so few workers should need it.
LONG = {
    "training/tests/model/": "train",
    "training/tests/management/": "train",
    "training/tests/test_": "jobs",
    "benchmarks/tests/": "benchmarks",
}


@pytest.hookimpl(wrapper=True)
def pytest_collection_modifyitems(
    config: pytest.Config, items: list[pytest.Item]
) -> Iterator[None]:
    """Group the tests for parallel runs, so that a module's fixtures are set up once."""
    if not getattr(config.option, "loadgroup", False):
        # One process. "-k group" would find the mark's name in every test.
        yield
        return
    order = [*dict.fromkeys(LONG.values())]
    places: dict[pytest.Item, int] = {}
    for item in items:
        path = item.nodeid.partition("::")[0]
        group = next((name for start, name in LONG.items() if path.startswith(start)), None)
        places[item] = len(order) if group is None else order.index(group)
        item.add_marker(pytest.mark.xdist_group(group or item.path.stem))
    yield
    items.sort(key=places.__getitem__)


@pytest.fixture(scope="session")
def draw_digit() -> drawings.DrawDigit:
    """Return the function that draws a digit as PNG bytes."""
    return drawings.digit_png


@pytest.fixture(scope="session")
def data_url() -> Callable[[bytes], str]:
    """Return the function that wraps a PNG in a data URL, as a canvas does."""
    return drawings.data_url


@pytest.fixture(autouse=True)
def _isolated(settings: Settings) -> Iterator[None]:
    """Make each test independent of others and of this checkout's files."""
    # Names without hashes: `live_server` serves no others, and `collectstatic` may have run here.
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    settings.MODEL_RECHECK_SECONDS = 0
    # Tests of second opinions draw every label; elsewhere none comes back by chance.
    settings.SECOND_OPINION_SHARE = 0
    settings.REST_FRAMEWORK = {
        **settings.REST_FRAMEWORK,
        "DEFAULT_THROTTLE_RATES": {"anon": None, "user": None, "preview": None},
    }
    # Not the file, which tests in other processes would share.
    settings.CACHES = {"default": {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}}
    cache.clear()
    # A request's language stays active for the next test in the same thread.
    translation.deactivate()
    yield
    active_version.forget()


@pytest.fixture
def api() -> APIClient:
    """Return a client of the API that is not logged in."""
    return APIClient()


@pytest.fixture
def make_user(db: None) -> Callable[..., User]:
    """Return the function that makes a user: make_user("name", is_staff=True, ...)."""

    def make(username: str = "ada", **fields: Any) -> User:
        return User.objects.create_user(username, password="pass-of-" + username, **fields)

    return make


@pytest.fixture
def user(make_user: Callable[..., User]) -> User:
    """Return a user without permissions."""
    return make_user("ada")


@pytest.fixture
def reviewer(make_user: Callable[..., User]) -> User:
    """Return a member of staff with permission to view, label and export drawings only."""
    person = make_user("reviewer", is_staff=True)
    person.user_permissions.set(
        Permission.objects.filter(
            content_type__app_label="recognizer",
            codename__in=["view_prediction", "label_prediction", "export_prediction"],
        )
    )
    return person


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Keep SQLite's test database in a file: with one in memory all threads of the live server
    would share a connection, and their transactions would conflict.
    """
    database = connections.databases["default"]
    if database["ENGINE"] == "django.db.backends.sqlite3":
        folder = tmp_path_factory.mktemp("database")
        database.setdefault("TEST", {})["NAME"] = str(folder / "test.sqlite3")


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None) -> Iterator[None]:
    """Make the Reviewer group again whenever a test with transactions has emptied the database.

    A migration makes it, which does not run again; what `post_migrate` makes comes back by itself.
    """
    migration = importlib.import_module("recognizer.migrations.0002_reviewer_group")

    def make_group(using: str, **_: object) -> None:
        migration.create_group(apps, SimpleNamespace(connection=connections[using]))

    recognizer = apps.get_app_config("recognizer")
    post_migrate.connect(make_group, sender=recognizer)
    yield
    post_migrate.disconnect(make_group, sender=recognizer)


@pytest.fixture
def reviewing(client: Client, reviewer: User) -> Client:
    """Return a browser in which the reviewer is logged in."""
    client.force_login(reviewer)
    return client


@pytest.fixture(scope="session")
def project_root() -> Path:
    """Return the folder with manage.py."""
    return Path(__file__).resolve().parent
