"""`copy_database`: from SQLite to PostgreSQL, or into another SQLite file, by one command."""

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

# As a site has it after a while: a reviewer whose group's permissions have other ids than those of
# a new database, drawings with strokes and labels, a session, a queued job, ids with gaps.
FILL = """
from uuid import uuid4
from django.contrib.auth.models import Group, Permission, User
from django.contrib.sessions.backends.db import SessionStore
from recognizer.models import Label, Owner, Prediction, ApiToken, Scope
from recognizer.labelling import labels
from recognizer.predictions import recognition
from recognizer.tests.support.drawings import digit_png
group = Group.objects.get(name="Reviewer")
rights = [each.codename for each in group.permissions.all()]
group.permissions.clear()
Permission.objects.filter(codename="label_prediction").update(id=900)
group.permissions.set(Permission.objects.filter(codename__in=rights))
User.objects.create_user("gone").delete()
ada = User.objects.create_user("ada", password="pass-of-ada", is_staff=True)
ada.groups.add(group)
session = SessionStore(); session["seen"] = "é"; session.save()
for digit in (3, 7):
    owner = Owner(visitor=uuid4())
    row = recognition.recognise(data=digit_png(digit), source="canvas", owner=owner)
    Prediction.objects.filter(pk=row.pk).update(
        label=digit, labelled_by=ada, labelled_at=row.created_at, confidence=1.0, remembered=row.pk,
        personal_digit=digit, personal_confidence=1e-12, personal_verdict="digit",
        personal_probabilities=[1.0] + [0.0] * 9,
    )
"""
LOOK = """
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from recognizer.models import Prediction
ada = User.objects.get(username="ada")
print(ada.has_perm("recognizer.label_prediction"), ada.has_perm("recognizer.delete_prediction"))
print(len(ada.get_group_permissions()), ada.check_password("pass-of-ada"))
print(Session.objects.get().get_decoded())
print(sorted(Prediction.objects.values_list("label", "digit", "personal_confidence")))
new = User.objects.create_user(f"new-{User.objects.count()}")
print(new.pk > ada.pk)
"""


def run(project_root: Path, url: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "manage.py", *arguments],
        cwd=project_root, env={**os.environ, "DATABASE_URL": url}, capture_output=True, text=True,
        check=False, timeout=PATIENCE,
    )  # fmt: skip


@pytest.fixture(scope="module")
def source(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> str:
    """Return the URL of an SQLite database with data."""
    url = f"sqlite:///{tmp_path_factory.mktemp('source') / 'site.sqlite3'}"
    for arguments in (["migrate", "--verbosity", "0"], ["shell", "--verbosity", "0", "-c", FILL]):
        done = run(project_root, url, *arguments)
        assert done.returncode == 0, done.stderr
    return url


@pytest.fixture(params=["postgresql", "sqlite"])
def target(request: pytest.FixtureRequest, project_root: Path, tmp_path: Path) -> Iterator[str]:
    """Return the URL of an empty database."""
    with ExitStack() as stack:
        if request.param == "sqlite":
            url = f"sqlite:///{tmp_path / 'copy.sqlite3'}"
        else:
            try:
                url = stack.enter_context(servers.postgres())
            except servers.Missing as error:
                skip_or_fail(f"{error} is not installed", variable="REQUIRE_SERVICES")
        assert run(project_root, url, "migrate", "--verbosity", "0").returncode == 0
        yield url


def test_the_copy_is_complete_and_new_rows_fit_in(
    project_root: Path, source: str, target: str
) -> None:
    copied = run(project_root, target, "copy_database", "--from", source)

    assert copied.returncode == 0, copied.stderr
    assert "tables copied and compared." in copied.stdout
    looks = [
        run(project_root, url, "shell", "--verbosity", "0", "-c", LOOK) for url in (source, target)
    ]
    assert looks[0].stdout.splitlines()[:2] == ["True False", "2 True"]
    assert looks[1].stdout == looks[0].stdout, looks[1].stderr
    again = run(project_root, target, "copy_database", "--from", source)
    assert again.returncode == 1
    assert "The target is not empty (it has " in again.stderr
    assert "Traceback" not in again.stderr


def test_an_error_leaves_the_target_as_it_was(
    project_root: Path, source: str, target: str, tmp_path: Path
) -> None:
    damaged = tmp_path / "damaged.sqlite3"
    damaged.write_bytes(Path(source.removeprefix("sqlite:///")).read_bytes())
    subprocess.run(
        [sys.executable, "-c", "import sqlite3, sys; c = sqlite3.connect(sys.argv[1]); "
         "c.execute('DELETE FROM recognizer_modelversion'); c.commit()", damaged],
        check=True, timeout=PATIENCE,
    )  # fmt: skip
    models = ["list_models"]
    before = run(project_root, target, *models).stdout

    failed = run(project_root, target, "copy_database", "--from", f"sqlite:///{damaged}")

    assert failed.returncode == 1
    assert "Traceback" not in failed.stderr
    assert run(project_root, target, *models).stdout == before
    assert run(project_root, target, "copy_database", "--from", source).returncode == 0


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("mysql://x/y", "--from: it must start with postgres:// or sqlite:///"),
        ("sqlite:///no-such-file", "there is no file"),
    ],
)
def test_a_wrong_source_is_refused(
    project_root: Path, tmp_path: Path, url: str, words: str
) -> None:
    target = f"sqlite:///{tmp_path / 'empty.sqlite3'}"

    done = run(project_root, target, "copy_database", "--from", url)

    assert done.returncode == 1
    assert words in done.stderr
    assert "Traceback" not in done.stderr
