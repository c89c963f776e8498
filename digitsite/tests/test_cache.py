"""The cache in a file: atomic between processes, and bounded."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from digitsite import cache
from digitsite.cache import SqliteCache
from recognizer.tests.support.shared_limits import statuses_of_two_processes
from recognizer.tests.support.waiting import PATIENCE

COUNT = """
import sys, django
django.setup()
from digitsite.cache import SqliteCache
cache = SqliteCache(sys.argv[1], {})
cache.add("count", 0, 60)
for _ in range(200):
    cache.incr("count")
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "cache.sqlite3"


def test_it_keeps_values_until_they_expire(path: Path) -> None:
    stored, other = SqliteCache(str(path), {}), SqliteCache(str(path), {})

    stored.set("text", {"a": [1, None]}, 60)
    stored.set("old", 1, -1)

    assert other.get("text") == {"a": [1, None]}
    assert other.get("old", "none") == "none"
    assert other.add("old", 2, 60)
    assert not stored.add("old", 3, 60)
    assert stored.touch("old", -1)
    assert other.get("old") is None
    assert other.delete("text")
    assert not stored.delete("text")
    with pytest.raises(ValueError, match="not found"):
        stored.incr("text")
    stored.set("forever", True, None)
    stored.clear()
    assert other.get("forever") is None


def test_processes_lose_no_count(path: Path, project_root: Path) -> None:
    command = [sys.executable, "-c", COUNT, str(path)]
    environment = {**os.environ, "DJANGO_SETTINGS_MODULE": "digitsite.settings"}
    counting = [subprocess.Popen(command, cwd=project_root, env=environment) for _ in range(3)]

    assert [process.wait(PATIENCE) for process in counting] == [0, 0, 0]
    assert SqliteCache(str(path), {}).get("count") == 600


def test_it_deletes_what_expires_first_where_there_is_too_much(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cache, "CULL_ONE_IN", 1)
    stored = SqliteCache(str(path), {"OPTIONS": {"MAX_ENTRIES": 50}})

    for number in range(60):
        stored.add(f"key-{number}", number, 1000 + number)

    kept = [number for number in range(60) if stored.get(f"key-{number}") is not None]
    assert kept == list(range(10, 60))


def test_processes_of_one_machine_share_their_limits(tmp_path: Path, project_root: Path) -> None:
    answers = statuses_of_two_processes(project_root, tmp_path / "db.sqlite3")

    assert answers == ["[400, 400]", "[400, 429]"]
