"""The same site on PostgreSQL and with Redis: throwaway servers, if they are installed."""

from __future__ import annotations

import glob
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from recognizer.tests.test_embeddings import migrate_both_ways

pytestmark = pytest.mark.services

# Unix only, like the servers that are started here.
pwd = pytest.importorskip("pwd")

# What is worth running once more: constraints, SQL, locks, the whole way through HTTP.
AGAIN = [
    "recognizer/tests/test_store.py",
    "recognizer/tests/test_embeddings.py",
    "recognizer/tests/test_api_predictions.py",
    "recognizer/tests/test_insights.py",
    "recognizer/tests/test_activity.py",
]


def missing(what: str) -> None:
    """Skip, or fail where nothing may be missing."""
    if os.environ.get("REQUIRE_SERVICES") == "1":
        pytest.fail(f"{what} is missing, and REQUIRE_SERVICES=1")
    pytest.skip(f"{what} is not installed")


def program(name: str) -> str:
    """Return the path of a program of PostgreSQL, which Debian keeps out of PATH."""
    found = shutil.which(name) or next(
        iter(sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), reverse=True)), None
    )
    if found is None:
        missing(f"PostgreSQL ({name})")
    return str(found)


def free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """Start a PostgreSQL of our own on a free port; give its URL."""
    try:
        import psycopg  # noqa: F401
    except ImportError:
        missing("psycopg")
    initdb, server = program("initdb"), program("postgres")
    # PostgreSQL refuses to run as root.
    account: dict[str, Any] = {}
    home = Path(tempfile.mkdtemp(prefix="digitsite-postgres-"))
    if os.geteuid() == 0:
        nobody = next((u for u in pwd.getpwall() if u.pw_name in {"postgres", "nobody"}), None)
        if nobody is None:
            missing("an account without rights, to run PostgreSQL as")
        assert nobody is not None
        account = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        os.chown(home, nobody.pw_uid, nobody.pw_gid)
    port = free_port()
    data = str(home / "data")
    process = None
    try:
        subprocess.run(
            [initdb, "-D", data, "-U", "digits", "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=True, capture_output=True, cwd=home, **account,
        )  # fmt: skip
        process = subprocess.Popen(
            [server, "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", str(home), "-F"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=home, **account,
        )  # fmt: skip
        url = f"postgres://digits@127.0.0.1:{port}/postgres"
        _wait_for_postgres(url, process)
        yield url
    finally:
        if process is not None:
            process.terminate()
            process.wait(timeout=30)
        shutil.rmtree(home, ignore_errors=True)


def _wait_for_postgres(url: str, process: subprocess.Popen[bytes]) -> None:
    import psycopg

    for _ in range(300):
        assert process.poll() is None, "PostgreSQL did not start"
        try:
            psycopg.connect(url.replace("postgres://", "postgresql://")).close()
            return
        except psycopg.OperationalError:
            time.sleep(0.1)
    pytest.fail("PostgreSQL did not answer")


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
    port = free_port()
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


def test_rows_of_before_live_through_the_migration_both_ways_on_postgresql(
    postgres: str, project_root: Path
) -> None:
    migrate_both_ways(project_root, postgres)


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
