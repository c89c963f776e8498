"""What the site does while its database, its cache or its disk fail, and after that."""

from __future__ import annotations

import json
import resource
import socket
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from itertools import takewhile
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from recognizer.tests.support import servers
from recognizer.tests.support.drawings import DrawDigit
from recognizer.tests.support.required import skip_or_fail
from recognizer.tests.support.sites import Response, running_site
from recognizer.tests.support.waiting import PATIENCE, wait_until

Start = Callable[[str], servers.Server]


@pytest.fixture
def start() -> Iterator[Start]:
    """Return the function that starts a server: "postgres" or "redis"."""
    with ExitStack() as stack:

        def start(name: str) -> servers.Server:
            run = {"postgres": servers.postgres_server, "redis": servers.redis_server}[name]
            try:
                return stack.enter_context(run())
            except servers.Missing as error:
                skip_or_fail(f"{error} is not installed", variable="REQUIRE_SERVICES")

        yield start


def assert_unavailable(response: Response) -> None:
    """Assert that a response is the API's 503 with the seconds to wait."""
    assert response.status == 503
    assert response.json()["type"] == "server_error"
    assert response.json()["errors"][0]["code"] == "database_unavailable"
    assert int(response.headers["Retry-After"]) > 0


# The database -----------------------------------------------------------------------------------


@pytest.mark.services
def test_without_postgresql_previews_go_on_and_nothing_is_a_server_error(
    start: Start, tmp_path: Path, draw_digit: DrawDigit
) -> None:
    postgres = start("postgres")
    with running_site(tmp_path, {"DATABASE_URL": postgres.url}) as site:
        first = site.post_drawing(draw_digit(4))
        assert first.status == 201
        visitor = first.headers["Set-Cookie"].partition(";")[0]
        before = len(site.log.read_text())

        postgres.stop()
        preview = site.post_drawing(draw_digit(7), "preview/", Cookie=visitor)
        of_session = site.post_drawing(draw_digit(7), "preview/", Cookie="sessionid=" + "x" * 32)
        refused = site.post_drawing(draw_digit(7), Cookie=visitor)
        history = site.get("api/v1/predictions/", Cookie=visitor)
        page = site.get("", Cookie="sessionid=" + "x" * 32)
        ready = site.get("readyz")
        log = site.log.read_text()[before:]

        assert (preview.status, preview.json()["digit"]) == (200, 7)
        assert (of_session.status, of_session.json()["digit"]) == (200, 7)
        assert_unavailable(refused)
        assert_unavailable(history)
        assert (page.status, int(page.headers["Retry-After"]) > 0) == (503, True)
        assert b"not available right now" in page.body
        assert ready.status == 503
        assert ready.json()["problem"] == "The database does not answer."
        assert refused.headers["X-Request-ID"] in log
        assert page.headers["X-Request-ID"] in log
        assert "Traceback" not in log

        postgres.start()
        after = site.post_drawing(draw_digit(7), Cookie=visitor)
        found = site.get("api/v1/predictions/", Cookie=visitor)

        assert after.status == 201
        assert [row["id"] for row in found.json()["results"]] == [
            after.json()["id"], first.json()["id"],
        ]  # fmt: skip
        assert site.get("readyz").status == 200


# The disk ---------------------------------------------------------------------------------------


def test_a_full_disk_is_503_and_the_probe_notices(tmp_path: Path, draw_digit: DrawDigit) -> None:
    limit = 256 * 1024

    def fill_disk() -> None:
        # No file may grow beyond this, as on a disk that is full.
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    with running_site(tmp_path, {}, prepare=fill_disk) as site:
        posted = list(takewhile(is_stored, (site.post_drawing(draw_digit(7)) for _ in range(200))))
        refused = site.post_drawing(draw_digit(7))
        # The probe writes less than a drawing takes, so it fails a little later.
        wait_until(lambda: site.get("readyz").status == 503, "the probe fails")
        ready = site.get("readyz")

        assert_unavailable(refused)
        assert (ready.status, ready.json()["status"]) == (503, "unavailable")
        assert ready.json()["problem"] == "The database can't be written: its disk may be full."
        assert site.get("healthz").status == 200
        assert site.post_drawing(draw_digit(7), "preview/").json()["digit"] == 7
    with closing(sqlite3.connect(tmp_path / "db.sqlite3")) as database:
        kept = database.execute("SELECT id FROM recognizer_prediction").fetchall()
    assert {row[0] for row in kept} == {each.json()["id"].replace("-", "") for each in posted}


def is_stored(response: Response) -> bool:
    return response.status == 201


# The cache --------------------------------------------------------------------------------------


@pytest.mark.services
@pytest.mark.parametrize("fault", ["stop", "hang"])
def test_without_redis_nothing_is_limited_and_the_log_says_so(
    start: Start, tmp_path: Path, draw_digit: DrawDigit, fault: str
) -> None:
    redis = start("redis")
    variables = {"REDIS_URL": redis.url, "THROTTLE_ANON": "2/hour", "ADDRESS_LIMIT_FACTOR": "1"}
    with running_site(tmp_path, variables) as site:
        assert site.get("readyz").json()["status"] == "ok"
        assert site.post_drawing(draw_digit(4)).status == 201

        getattr(redis, fault)()
        try:
            found = [site.post_drawing(draw_digit(4)).status for _ in range(4)]
            ready = site.get("readyz")
            log = site.log.read_text()
        finally:
            if fault == "hang":
                redis.go_on()

    assert found == [201] * 4
    assert ready.status == 200
    assert ready.json()["status"] == "degraded"
    assert ready.json()["problem"] == "The cache does not answer; nothing is limited."
    assert "The cache fails: for 5 seconds nothing is limited." in log
    assert "Traceback" not in log


def test_limits_come_back_with_the_cache(
    start: Start, tmp_path: Path, draw_digit: DrawDigit
) -> None:
    folder = tmp_path / "cache"
    folder.mkdir()
    variables = {
        "CACHE_FILE": str(folder / "cache.sqlite3"),
        "THROTTLE_ANON": "1/hour",
        "ADDRESS_LIMIT_FACTOR": "1",
    }
    with running_site(tmp_path, variables) as site:
        folder.rename(tmp_path / "elsewhere")
        assert [site.post_drawing(draw_digit(4)).status for _ in range(3)] == [201] * 3

        folder.mkdir()

        wait_until(lambda: site.post_drawing(draw_digit(4)).status == 429, "requests are limited")


# Slow clients -----------------------------------------------------------------------------------


def test_slow_bodies_do_not_hold_all_threads(tmp_path: Path, draw_digit: DrawDigit) -> None:
    head = b"POST /api/v1/predictions/ HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2000\r\n"
    kind = b"Content-Type: application/json\r\n\r\n"
    with ExitStack() as stack:
        site = stack.enter_context(running_site(tmp_path, {"SLOW_BODY_SECONDS": "1"}))
        place = ("127.0.0.1", int(urlsplit(site.address).port or 0))
        slow = [stack.enter_context(socket.create_connection(place, PATIENCE)) for _ in range(9)]
        for connection in slow:
            connection.sendall(head + kind + b'{"image": "')

        # A worker has eight threads, and this request waits for one of them.
        assert site.post_drawing(draw_digit(4)).status == 201
        for connection in slow:
            assert connection.recv(1000).startswith(b"HTTP/1.1 400")
        assert "came too slowly" in site.log.read_text()


# The log ----------------------------------------------------------------------------------------


def test_the_log_can_be_json(tmp_path: Path, draw_digit: DrawDigit) -> None:
    with running_site(tmp_path, {"LOG_FORMAT": "json", "LOG_LEVEL": "INFO"}) as site:
        site.get("about/", Host="evil.example")
        with closing(sqlite3.connect(tmp_path / "db.sqlite3")) as database:
            database.execute("ALTER TABLE recognizer_prediction RENAME TO elsewhere")
        broken = site.post_drawing(draw_digit(4), **{"X-Request-ID": "from-the-proxy"})
        # LiteRT greets in its own words.
        written = site.log.read_text().splitlines()
        lines = [json.loads(line) for line in written if not line.startswith("INFO: Created")]

    assert broken.status == 500
    (failure,) = [line for line in lines if "exception" in line]
    assert failure["level"] == "ERROR"
    assert (failure["request_id"], failure["status"]) == ("from-the-proxy", 500)
    assert "no such table" in failure["exception"]
    assert failure["exception"].startswith("Traceback")
    (refusal,) = [line for line in lines if line["logger"] == "django.security.DisallowedHost"]
    assert "evil.example" in refusal["message"]


def test_a_proxy_that_is_not_trusted_is_named_once(tmp_path: Path) -> None:
    with running_site(tmp_path, {}) as site:
        for _ in range(3):
            site.get("healthz", **{"X-Forwarded-Proto": "https", "X-Forwarded-For": "192.0.2.1"})
        log = site.log.read_text()
    with running_site(tmp_path, {"NUM_PROXIES": "1"}) as trusting:
        trusting.get("healthz", **{"X-Forwarded-For": "192.0.2.1"})
        silent = trusting.log.read_text()

    assert log.count("NUM_PROXIES") == 1
    assert "X-Forwarded-For and X-Forwarded-Proto is ignored" in log
    assert "NUM_PROXIES" not in silent


def test_a_refused_form_is_in_the_log(tmp_path: Path) -> None:
    with running_site(tmp_path, {}) as site:
        done = subprocess.run(
            ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", "-d", "x=1", site.address],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        log = site.log.read_text()

    assert done.stdout == "403"
    assert "CSRF cookie not set" in log
