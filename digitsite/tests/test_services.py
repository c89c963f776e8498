"""The same site on PostgreSQL and with Redis: throwaway servers, if they are installed."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from recognizer.tests.support import servers

pytestmark = pytest.mark.services

# Unix only, like the servers that are started here.
pytest.importorskip("pwd")

# What is worth running once more: constraints, SQL, locks, the whole way through HTTP.
AGAIN = [
    "recognizer/tests/models/test_store.py",
    "recognizer/tests/inference/test_embeddings.py",
    "recognizer/tests/api/test_predictions.py",
    "recognizer/tests/admin/review/test_queue.py",
    "recognizer/tests/labelling/test_claims.py",
    "recognizer/tests/admin/review/test_grid.py",
    "recognizer/tests/admin/predictions/test_label_history.py",
    "recognizer/tests/api/test_suggestions.py",
    "recognizer/tests/personalisation/test_corrections.py",
    "recognizer/tests/admin/insights/test_accuracy.py",
    "recognizer/tests/admin/insights/test_activity.py",
    "recognizer/tests/admin/jobs/test_jobs.py",
    "recognizer/tests/admin/versions/test_lifecycle.py",
    "recognizer/tests/transfer/test_exporting.py",
    "recognizer/tests/admin/predictions/test_downloads.py",
    "recognizer/tests/transfer/test_importing.py",
    "recognizer/tests/versions/test_comparison.py",
]


def missing(what: str) -> None:
    """Skip, or fail where nothing may be missing."""
    if os.environ.get("REQUIRE_SERVICES") == "1":
        pytest.fail(f"{what} is missing, and REQUIRE_SERVICES=1")
    pytest.skip(f"{what} is not installed")


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """Start a PostgreSQL of our own on a free port; give its URL."""
    with ExitStack() as stack:
        try:
            url = stack.enter_context(servers.postgres())
        except servers.Missing as error:
            missing(str(error))
        yield url


@pytest.fixture(scope="module")
def redis() -> Iterator[str]:
    """Start a Redis of our own on a free port; give its URL."""
    try:
        import redis as client
    except ImportError:
        missing("the Redis client")
    server = shutil.which("redis-server")
    if server is None:
        missing("redis-server")
    port = servers.free_port()
    home = tempfile.mkdtemp(prefix="digitsite-redis-")
    process = subprocess.Popen(
        [str(server), "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", home],
        stdout=subprocess.DEVNULL,
    )
    try:
        for _ in range(100):
            try:
                client.Redis(port=port).ping()
                break
            except client.ConnectionError:
                time.sleep(0.1)
        yield f"redis://127.0.0.1:{port}/0"
    finally:
        process.terminate()
        process.wait(timeout=30)
        shutil.rmtree(home, ignore_errors=True)


def pytest_again(root: Path, *files: str, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--create-db", *files],
        cwd=root,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=400,
        check=False,
    )


def test_the_store_and_the_api_work_on_postgresql(postgres: str, project_root: Path) -> None:
    done = pytest_again(project_root, *AGAIN, DATABASE_URL=postgres)

    assert done.returncode == 0, done.stdout[-6000:]
    assert " passed" in done.stdout
    assert "skipped" not in done.stdout


THROTTLED = """
import os, django
django.setup()
from django.core.cache import cache
from django.test import Client
client = Client(headers={"host": "localhost"})
print([client.post("/api/v1/predictions/", {}, content_type="application/json").status_code
       for _ in range(2)])
"""


def test_throttles_are_shared_through_redis(redis: str, project_root: Path, tmp_path: Path) -> None:
    variables = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "digitsite.settings",
        "REDIS_URL": redis,
        "THROTTLE_ANON": "3/hour",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
    }

    answers = [
        subprocess.run(
            [sys.executable, "-c", THROTTLED],
            cwd=project_root, env=variables, capture_output=True, text=True, check=True,
            timeout=60,
        ).stdout.strip()
        for _ in range(2)
    ]  # fmt: skip

    assert answers == ["[400, 400]", "[400, 429]"]
