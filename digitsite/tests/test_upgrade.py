"""A database with an older schema and data is migrated, and goes on working."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from recognizer.tests.support import servers
from recognizer.tests.support.required import skip_or_fail
from recognizer.tests.support.waiting import PATIENCE

pytestmark = pytest.mark.services

# The newest migration of the release before. There is no older release than the first.
BEFORE = "0003_strokes"
# With the columns of that time only: today's models may have others.
FILL = """
import json, uuid
from django.db import connection
from django.utils import timezone
from django.contrib.auth.hashers import make_password
from recognizer.tests.support.drawings import digit_png
now = timezone.now()
def insert(table, **values):
    names = ", ".join(f'"{name}"' for name in values)
    marks = ", ".join(["%s"] * len(values))
    with connection.cursor() as cursor:
        cursor.execute(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(values.values()))
own = connection.ops.adapt_datetimefield_value
insert("auth_user", id=7, username="ada", password=make_password("pass-of-ada"), is_superuser=False,
       is_staff=True, is_active=True, first_name="", last_name="", email="", date_joined=own(now))
for digit, labelled in ((3, False), (7, True)):
    identifier = uuid.uuid4()
    stored = identifier if connection.vendor == "postgresql" else identifier.hex
    insert("recognizer_prediction", id=stored, image=digit_png(digit), digit=digit, confidence=0.9,
           probabilities=json.dumps([0.1] * 10), verdict="digit", source="canvas",
           model_version_id=1, margin=0.5, pixels_sha256="",
           is_model_input=False, personal_verdict="", created_at=own(now), user_id=7,
           label=digit if labelled else None, labelled_at=own(now) if labelled else None,
           labelled_by_id=7 if labelled else None)
"""
LOOK = """
from django.contrib.auth.models import Group, User
from django.test import Client
from recognizer.models import ModelVersion, Prediction
print(sorted(Prediction.objects.values_list("digit", "label", "user__username")))
print(sorted(Group.objects.get(name="Reviewer").permissions.values_list("codename", flat=True)))
client = Client(headers={"host": "localhost"})
logged_in = client.login(username="ada", password="pass-of-ada")
print(logged_in, len(client.get("/api/v1/predictions/").json()["results"]))
from recognizer.tests.support.drawings import data_url, digit_png
drawing = {"image": data_url(digit_png(4))}
answer = client.post("/api/v1/predictions/", drawing, content_type="application/json")
print(answer.status_code, ModelVersion.objects.filter(is_active=True).count())
"""


@pytest.fixture(params=["sqlite", "postgresql"])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """Return the URL of an empty database."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            yield f"sqlite:///{tmp_path / 'site.sqlite3'}"
            return
        try:
            yield stack.enter_context(servers.postgres())
        except servers.Missing as error:
            skip_or_fail(f"{error} is not installed", variable="REQUIRE_SERVICES")


def test_a_database_of_the_release_before_is_upgraded(project_root: Path, url: str) -> None:
    def manage(*arguments: str) -> str:
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=project_root, env={**os.environ, "DATABASE_URL": url}, capture_output=True,
            text=True, check=False, timeout=PATIENCE,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout

    manage("migrate", "recognizer", BEFORE, "--verbosity", "0")
    manage("migrate", "auth", "--verbosity", "0")
    manage("shell", "--verbosity", "0", "-c", FILL)

    manage("migrate", "--no-input", "--verbosity", "0")

    assert manage("shell", "--verbosity", "0", "-c", LOOK).splitlines() == [
        "[(3, None, 'ada'), (7, 7, 'ada')]",
        "['label_prediction', 'view_prediction']",
        "True 2",
        "201 1",
    ]
