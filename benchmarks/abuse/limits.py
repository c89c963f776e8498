"""Measure what one sender can do to a site: fill its disk, add rows, slow predictions down.

    python -m benchmarks.abuse.limits [--requests 1000] [--predictions 300] [--connections 16]

It runs a site of its own on this machine and sends to that one only. The disk's figure is
extrapolated: a short run without limits on the number of requests gives the bytes of a drawing, and
one with STORED_MB_PER_DAY=2 what the database grows by for each MB of that limit.
"""

from __future__ import annotations

import base64
import http.client
import json
import re
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import count
from urllib.parse import urlencode, urlsplit

import numpy as np

from benchmarks.common import command_line, results
from benchmarks.common.results import Times
from benchmarks.common.running_site import Site, running_site
from benchmarks.site.serving import canvas_png
from recognizer import imaging

PREDICTIONS, PREVIEW, LOGIN = "/api/v1/predictions/", "/api/v1/preview/", "/admin/login/"
FORM = "application/x-www-form-urlencoded"
# The defaults of a public site, for one visitor.
PER_MINUTE, MB_PER_DAY = 60, 50
LIMIT_MB = 2
GOAL_RATIO = 1.5
# Requests are not counted, so that a short run sends enough of them.
UNCOUNTED = {"THROTTLE_ANON": "off", "THROTTLE_PREVIEW": "off", "THROTTLE_READ": "off"}
# As a public site counts them, but not those of the user who asks for predictions.
COUNTED = {"THROTTLE_ANON": f"{PER_MINUTE}/min", "THROTTLE_READ": "600/min", "THROTTLE_USER": "off"}
USER = "bench"


class Browser:
    """One connection that keeps its cookies, from an address of this machine."""

    def __init__(self, site: Site, address: str = "127.0.0.1") -> None:
        self._place = urlsplit(site.address)
        self._address = address
        self._cookies: dict[str, str] = {}
        self.token = ""
        self._connection = self._connect()

    def _connect(self) -> http.client.HTTPConnection:
        return http.client.HTTPConnection(
            self._place.hostname or "",
            self._place.port,
            timeout=60,
            source_address=(self._address, 0),
        )

    def send(self, method: str, path: str, body: str = "", kind: str = "application/json") -> int:
        """Return the status; the answer is in ``text``."""
        headers = {"Content-Type": kind, "Cookie": "; ".join(map("=".join, self._cookies.items()))}
        if self.token:
            headers["Authorization"] = f"Token {self.token}"
        try:
            self._connection.request(method, path, body or None, headers)
            response = self._connection.getresponse()
        except (http.client.HTTPException, OSError):
            # The server has closed a connection that was idle.
            self._connection.close()
            self._connection = self._connect()
            self._connection.request(method, path, body or None, headers)
            response = self._connection.getresponse()
        self.text = response.read().decode(errors="replace")
        for cookie in response.headers.get_all("Set-Cookie", []):
            name, _, value = cookie.partition(";")[0].partition("=")
            self._cookies[name] = value
        return response.status

    def close(self) -> None:
        self._connection.close()

    def forget(self) -> None:
        self._cookies.clear()


def drawing(content: bytes) -> str:
    """Return the JSON that sends a file."""
    return json.dumps({"image": "data:image/png;base64," + base64.b64encode(content).decode()})


def noise(rng: np.random.Generator) -> bytes:
    """Return a picture that can't be compressed, of the largest size that is not reduced."""
    return imaging.encode_png(rng.integers(0, 256, (512, 512)).astype(np.uint8))


# --- disk ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Disk:
    """``per_drawing`` and ``in_an_hour`` are bytes of the database."""

    drawings: int
    per_drawing: float
    in_an_hour: float


def fill(site: Site, rng: np.random.Generator) -> Disk:
    """Store noise as one visitor until the site refuses it."""
    before, sent = _size(site), 0
    with closing(Browser(site)) as browser:
        while (status := browser.send("POST", PREDICTIONS, drawing(noise(rng)))) == 201:
            sent += 1
        if status != 429 or "daily_limit" not in browser.text:
            raise SystemExit(f"The daily limit did not refuse the drawing: {status}")
    grown = _size(site) - before
    daily = MB_PER_DAY / LIMIT_MB * grown
    return Disk(sent, grown / sent, min(60 * PER_MINUTE * grown / sent, daily))


def _size(site: Site) -> int:
    with _database(site) as database:
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        pages, free, side = (
            database.execute(f"PRAGMA {name}").fetchone()[0]
            for name in ("page_count", "freelist_count", "page_size")
        )
    return int((pages - free) * side)


@contextmanager
def _database(site: Site) -> Iterator[sqlite3.Connection]:
    database = sqlite3.connect(site.environment["DATABASE_URL"].removeprefix("sqlite:///"))
    try:
        yield database
    finally:
        database.close()


# --- rows ---------------------------------------------------------------------------------------


def rows_added(site: Site, requests: int, rng: np.random.Generator) -> int:
    """Return how many rows requests without a cookie add that store no drawing."""
    good, broken = drawing(canvas_png(7, rng)), drawing(b"\x89PNG\r\n\x1a\n")
    kinds = [
        ("POST", PREVIEW, good),
        ("POST", PREDICTIONS, broken),
        ("POST", PREDICTIONS, "{}"),
        ("GET", "/", ""),
        ("GET", PREDICTIONS, ""),
    ]
    before = _rows(site)
    with closing(Browser(site)) as browser:
        for number in range(requests):
            browser.forget()
            browser.send(*kinds[number % len(kinds)])
    return _rows(site) - before


def _rows(site: Site) -> int:
    with _database(site) as database:
        tables = database.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall()
        return sum(
            database.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for (name,) in tables
        )


# --- login --------------------------------------------------------------------------------------


def token_of_user(site: Site) -> str:
    """Make a user; return the token with which a program sends their drawings."""
    made = ("createsuperuser", "--no-input", "--username", USER, "--email", "bench@localhost")
    site.manage(*made)
    return site.manage("create_token", USER).strip()


def predict(site: Site, token: str, predictions: int, rng: np.random.Generator) -> list[float]:
    """Return the milliseconds of each prediction, one after the other."""
    found, bodies = [], [drawing(canvas_png(digit, rng)) for digit in range(10)]
    with closing(Browser(site)) as browser:
        browser.token = token
        for number in range(predictions):
            start = time.perf_counter()
            status = browser.send("POST", PREDICTIONS, bodies[number % 10])
            found.append(1000 * (time.perf_counter() - start))
            if status != 201:
                raise SystemExit(f"A prediction was refused: {status}")
            time.sleep(0.05)
    return found


@contextmanager
def hammering(site: Site, connections: int, pause: float) -> Iterator[dict[int, int]]:
    """Try wrong passwords on several connections of one address; count the answers' statuses."""
    stop, statuses, lock = threading.Event(), dict[int, int](), threading.Lock()

    def hammer(number: int) -> None:
        with closing(Browser(site, "127.0.0.2")) as browser:
            browser.send("GET", LOGIN)
            found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', browser.text)
            form = {
                "csrfmiddlewaretoken": found[1] if found else "",
                "username": f"admin{number % 4}",
            }
            for attempt in count():
                form["password"] = f"wrong {number} {attempt}"
                status = browser.send("POST", LOGIN, urlencode(form), FORM)
                with lock:
                    statuses[status] = statuses.get(status, 0) + 1
                if stop.wait(pause):
                    return

    threads = [threading.Thread(target=hammer, args=(n,), daemon=True) for n in range(connections)]
    for thread in threads:
        thread.start()
    try:
        yield statuses
    finally:
        stop.set()
        for thread in threads:
            thread.join(60)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line.parser(__doc__)
    parser.add_argument("--requests", type=int, default=1000, help="that store nothing")
    parser.add_argument("--predictions", type=int, default=300, help="quiet, and as many hammered")
    parser.add_argument("--connections", type=int, default=16, help="that try wrong passwords")
    parser.add_argument(
        "--pause", type=float, default=0.25, help="seconds between a connection's attempts"
    )
    options = parser.parse_args(arguments)
    rng = np.random.default_rng(13)
    report = results.Report(
        **{name: value for name, value in vars(options).items() if name != "json"}
    )

    with running_site(variables={**UNCOUNTED, "STORED_MB_PER_DAY": str(LIMIT_MB)}) as site:
        disk = fill(site, rng)
        added = rows_added(site, options.requests, rng)
    with running_site(collected=True, variables=COUNTED) as site:
        token = token_of_user(site)
        predict(site, token, 10, rng)
        quiet = Times.of(predict(site, token, options.predictions, rng))
        with hammering(site, options.connections, options.pause) as statuses:
            hammered = Times.of(predict(site, token, options.predictions, rng))
    ratio = hammered.p95 / quiet.p95

    results.print_title("What one sender can do")
    print(f"disk: {disk.per_drawing / 1024:.1f} kB for each of {disk.drawings} drawings of noise")
    print(
        f"disk in an hour, extrapolated to {PER_MINUTE}/min and {MB_PER_DAY} MB a day: "
        f"{disk.in_an_hour / 2**20:.1f} MB"
    )
    print(
        f"rows added by {options.requests} requests that store nothing: {added} "
        f"{results.verdict('(goal: 0)', reached=added == 0)}"
    )
    print(f"prediction, quiet: median {quiet.median:.1f} ms, p95 {quiet.p95:.1f} ms")
    print(
        f"prediction, with {sum(statuses.values())} attempts to log in ({_counts(statuses)}): "
        f"median {hammered.median:.1f} ms, p95 {hammered.p95:.1f} ms"
    )
    print(
        f"p95 hammered / quiet: {ratio:.2f} "
        f"{results.verdict(f'(goal: <= {GOAL_RATIO})', reached=ratio <= GOAL_RATIO)}"
    )
    report.figures.update(
        disk=disk, rows=added, quiet=quiet, hammered=hammered, ratio=ratio, statuses=statuses
    )
    report.write(options.json)


def _counts(statuses: dict[int, int]) -> str:
    return ", ".join(f"{count} answered {status}" for status, count in sorted(statuses.items()))


if __name__ == "__main__":
    main()
