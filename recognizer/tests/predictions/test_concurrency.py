"""Many requests at once, on the default database: a file, as `manage.py runserver` uses it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import socket
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from recognizer.tests.support.drawings import DrawDigit
from recognizer.tests.support.servers import free_port
from recognizer.tests.support.waiting import PATIENCE, wait_until

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
    place = f"127.0.0.1:{free_port()}"
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
        wait_until(
            lambda: _is_ready(process, place, log), "the server answers", details=log.read_text
        )
        yield f"http://{place}", log
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)


def _is_ready(process: subprocess.Popen[bytes], place: str, log: Path) -> bool:
    assert process.poll() is None, log.read_text()
    try:
        with urllib.request.urlopen(f"http://{place}/readyz", timeout=PATIENCE):
            return True
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return False


def test_fifty_at_once_lose_nothing(
    server: tuple[str, Path],
    database: Path,
    draw_digit: DrawDigit,
    data_url: Callable[[bytes], str],
) -> None:
    address, log = server
    before = log.stat().st_size
    body = json.dumps({"image": data_url(draw_digit(4)), "source": "canvas"}).encode()

    def post(_: int) -> tuple[int, str]:
        request = urllib.request.Request(
            f"{address}/api/v1/predictions/", body, {"Content-Type": "application/json"}
        )
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as response:
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
    # The next test shows that a server error would be in this log, with its traceback.
    written = log.read_bytes()[before:].decode()
    assert "locked" not in written
    assert "Traceback" not in written


def test_a_server_error_leaves_its_traceback_and_request_id_in_the_log(
    server: tuple[str, Path],
    database: Path,
    draw_digit: DrawDigit,
    data_url: Callable[[bytes], str],
) -> None:
    address, log = server
    body = json.dumps({"image": data_url(draw_digit(4))}).encode()
    rename = "ALTER TABLE recognizer_prediction RENAME TO"
    with sqlite3.connect(database) as connection:
        connection.execute(f"{rename} elsewhere")
    try:
        with pytest.raises(urllib.error.HTTPError) as api_error:
            urllib.request.urlopen(
                urllib.request.Request(
                    f"{address}/api/v1/predictions/",
                    body,
                    {"Content-Type": "application/json", "X-Request-ID": "from-the-proxy"},
                ),
                timeout=PATIENCE,
            )
    finally:
        with sqlite3.connect(database) as connection:
            connection.execute("ALTER TABLE elsewhere RENAME TO recognizer_prediction")
        connection.close()

    assert api_error.value.code == 500
    assert api_error.value.headers["X-Request-ID"] == "from-the-proxy"
    failure = json.load(api_error.value)
    assert (failure["type"], failure["errors"][0]["code"]) == ("server_error", "error")
    text = log.read_text()
    assert "[from-the-proxy]" in text
    assert "Traceback" in text[text.index("[from-the-proxy]") :]
    assert "no such table" in text


def test_a_chunked_body_is_read_up_to_the_limit(
    server: tuple[str, Path],
    draw_digit: DrawDigit,
    data_url: Callable[[bytes], str],
) -> None:
    address, _ = server
    body = json.dumps({"image": data_url(draw_digit(4))}).encode()

    status, answer = post_in_chunks(address, [body[:100], body[100:]])
    assert (status, answer["digit"]) == (201, 4)
    status, answer = post_in_chunks(address, [b" " * 2**20] * 12 + [b" "])
    assert (status, answer["errors"][0]["code"]) == (413, "image_too_large")


@pytest.mark.parametrize(
    "chunks", [b"zz\r\nabc\r\n0\r\n\r\n", b"-5\r\nabc\r\n", b"5\r\nab", b"f" * 20]
)
def test_malformed_chunks_are_refused(server: tuple[str, Path], chunks: bytes) -> None:
    address, _ = server
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=PATIENCE)
    with contextlib.closing(connection):
        connection.putrequest("POST", "/api/v1/predictions/")
        connection.putheader("Content-Type", "application/json")
        connection.putheader("Transfer-Encoding", "chunked")
        connection.endheaders(chunks)
        connection.sock.shutdown(socket.SHUT_WR)
        assert connection.getresponse().status == 400


def post_in_chunks(address: str, chunks: list[bytes]) -> tuple[int, Any]:
    """Post a body without its length; return the status and the JSON of the response."""
    connection = http.client.HTTPConnection(address.removeprefix("http://"), timeout=PATIENCE)
    with contextlib.closing(connection):
        connection.request(
            "POST",
            "/api/v1/predictions/",
            iter(chunks),
            {"Content-Type": "application/json"},
            encode_chunked=True,
        )
        response = connection.getresponse()
        return response.status, json.load(response)


def test_head_of_a_page_warns_of_nothing(server: tuple[str, Path]) -> None:
    address, log = server
    before = log.stat().st_size

    for page in ("/", "/about/", "/admin/login/", "/api/docs/"):
        request = urllib.request.Request(f"{address}{page}", method="HEAD")
        with urllib.request.urlopen(request, timeout=PATIENCE) as response:
            assert int(response.headers["Content-Length"]) > 0

    warnings = [
        line for line in log.read_bytes()[before:].decode().splitlines() if "WARNING" in line
    ]
    assert not [line for line in warnings if "HEAD" in line]


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
        urllib.request.urlopen(request, timeout=PATIENCE)

    assert refused.value.code == 413
    assert json.load(refused.value)["errors"][0]["code"] == "image_too_large"


def test_static_files_are_served(server: tuple[str, Path]) -> None:
    address, _ = server

    with urllib.request.urlopen(
        f"{address}/static/admin/css/base.css", timeout=PATIENCE
    ) as response:
        assert response.status == 200
        assert response.headers["Content-Type"].startswith("text/css")
