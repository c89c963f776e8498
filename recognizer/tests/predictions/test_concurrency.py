"""Many at once, on the default database: a file, as `manage.py runserver` uses it."""

from __future__ import annotations

import json
import os
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from recognizer.tests.support.drawings import DrawDigit

THREADS = 50
ROUNDS = 3


@pytest.fixture(scope="module")
def database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("many") / "db.sqlite3"


@pytest.fixture(scope="module", params=["runserver", "gunicorn"])
def server(
    request: pytest.FixtureRequest, database: Path, project_root: Path
) -> Iterator[tuple[str, Path]]:
    """Start a real server on an empty SQLite file; give its address and its log."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    variables = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{database}",
        "THROTTLE_ANON": "off",
        "PYTHONUNBUFFERED": "1",
    }
    variables.pop("DEBUG", None)
    manage = [sys.executable, "manage.py"]
    subprocess.run(
        [*manage, "migrate", "--no-input", "-v0"], cwd=project_root, env=variables, check=True
    )
    place = f"127.0.0.1:{port}"
    command = {
        "runserver": [*manage, "runserver", "--noreload", place],
        # Two processes, so that they compete for the file and not only for a lock of Python's.
        "gunicorn": [
            sys.executable, "-m", "gunicorn", "--bind", place,
            "--workers", "2", "--threads", "8", "digitsite.wsgi",
        ],
    }[request.param]  # fmt: skip
    log = database.with_suffix(f".{request.param}.log")
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=project_root, env=variables, stdout=output, stderr=output
        )
    try:
        _wait_until_ready(f"http://{place}/readyz", process, log)
        yield f"http://{place}", log
    finally:
        process.terminate()
        process.wait(timeout=30)


def _wait_until_ready(address: str, process: subprocess.Popen[bytes], log: Path) -> None:
    for _ in range(300):
        if process.poll() is not None:
            break
        try:
            with urllib.request.urlopen(address, timeout=5):
                return
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            time.sleep(0.1)
    pytest.fail(f"the server did not start: {log.read_text()}")


def test_fifty_at_once_lose_nothing(
    server: tuple[str, Path],
    database: Path,
    draw_digit: DrawDigit,
    data_url: Callable[[bytes], str],
) -> None:
    address, log = server
    body = json.dumps({"image": data_url(draw_digit(4)), "source": "canvas"}).encode()

    def post(_: int) -> tuple[int, str]:
        request = urllib.request.Request(
            f"{address}/api/v1/predictions/", body, {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=120) as response:
                return response.status, json.load(response)["id"]
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()

    with ThreadPoolExecutor(THREADS) as pool:
        answers = list(pool.map(post, range(THREADS * ROUNDS)))

    assert {status for status, _ in answers} == {201}, log.read_text()[-3000:]
    posted = {identifier.replace("-", "") for _, identifier in answers}
    assert len(posted) == THREADS * ROUNDS
    with sqlite3.connect(database) as connection:
        kept = {row[0] for row in connection.execute("SELECT id FROM recognizer_prediction")}
        digits = connection.execute("SELECT DISTINCT digit FROM recognizer_prediction").fetchall()
        mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    connection.close()
    assert posted <= kept
    assert digits == [(4,)]
    assert mode == "wal"
    assert "locked" not in log.read_text()
    assert "Traceback" not in log.read_text()


@pytest.mark.parametrize("size", [13, 30])
def test_a_body_that_is_too_large_is_answered_not_cut_off(
    server: tuple[str, Path], size: int
) -> None:
    address, _ = server
    request = urllib.request.Request(
        f"{address}/api/v1/predictions/",
        b'{"image": "' + b"A" * (size * 2**20) + b'"}',
        {"Content-Type": "application/json"},
    )

    with pytest.raises(urllib.error.HTTPError) as refused:
        urllib.request.urlopen(request, timeout=60)

    assert refused.value.code == 413
    assert json.load(refused.value)["errors"][0]["code"] == "image_too_large"


def test_static_files_are_served(server: tuple[str, Path]) -> None:
    address, _ = server

    with urllib.request.urlopen(f"{address}/static/admin/css/base.css", timeout=30) as response:
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("text/css")
