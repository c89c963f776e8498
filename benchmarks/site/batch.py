"""Measure 100 drawings in one request against 100 requests of one drawing.

    python -m benchmarks.site.batch [--rounds 5] [--drawings 100] [--json PATH]

A program with a token sends digits to the site as `make run` serves it: pictures of 280x280 px in a
form, as base64 in JSON, and strokes. The single requests go over a connection each, as from curl,
and over one that stays open.
"""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import numpy as np

from benchmarks.common import command_line, results
from benchmarks.common.results import Table
from benchmarks.common.running_site import running_site
from recognizer.tests.support.drawings import data_url, digit_png, digit_strokes

GOAL = 0.2
"""The time of a batch as a share of that of its drawings one by one."""

TABLE = Table(
    "single", "kept open", "batch", "ratio", "kept open", name="ms a drawing, median", name_width=24
)
BOUNDARY = "digits"
USER = ["-c", "import django; django.setup(); from django.contrib.auth.models import User; "
        "User.objects.create_user('program')"]  # fmt: skip

Request = tuple[str, str, bytes]
"""Address, content type and body."""


@dataclass(frozen=True)
class Cost:
    """Milliseconds for a drawing."""

    single: float
    kept_open: float
    batch: float

    @property
    def ratio(self) -> float:
        return self.batch / self.single

    @property
    def ratio_kept_open(self) -> float:
        return self.batch / self.kept_open


def _json(path: str, body: Any) -> Request:
    return path, "application/json", json.dumps(body).encode()


def _form(path: str, files: Sequence[bytes]) -> Request:
    parts = [
        f"--{BOUNDARY}\r\nContent-Disposition: form-data; name=image; filename=digit.png\r\n\r\n"
        .encode() + file + b"\r\n"
        for file in files
    ]  # fmt: skip
    body = b"".join([*parts, f"--{BOUNDARY}--\r\n".encode()])
    return path, f"multipart/form-data; boundary={BOUNDARY}", body


SINGLE, BATCH = "/api/v1/predictions/", "/api/v1/predictions/batch/"


def kinds(count: int) -> dict[str, tuple[list[Request], Request]]:
    """Return the requests of one drawing and the request of all, by the kind of drawing."""
    pictures = [digit_png(number % 10, seed=number) for number in range(count)]
    as_json = [{"image": data_url(picture)} for picture in pictures]
    strokes = [digit_strokes(number % 10, seed=number) for number in range(count)]
    return {
        "files in a form": (
            [_form(SINGLE, [picture]) for picture in pictures],
            _form(BATCH, pictures),
        ),
        "base64 in JSON": (
            [_json(SINGLE, each) for each in as_json],
            _json(BATCH, {"drawings": as_json}),
        ),
        "strokes in JSON": (
            [_json(SINGLE, each) for each in strokes],
            _json(BATCH, {"drawings": strokes}),
        ),
    }


def measure(address: str, token: str, *, drawings: int, rounds: int) -> dict[str, Cost]:
    """Return the costs by kind of drawing; raises RuntimeError if a request is refused."""
    connection = http.client.HTTPConnection(urlsplit(address).netloc)

    def send(request: Request, *, keep_open: bool = True) -> None:
        if not keep_open:
            connection.close()
        path, kind, body = request
        headers = {"Authorization": f"Bearer {token}", "Content-Type": kind}
        connection.request("POST", path, body, headers)
        response = connection.getresponse()
        answer = json.loads(response.read())
        if response.status >= 300 or any("digit" not in each for each in answer.get("results", [])):
            raise RuntimeError(f"{path}: {response.status} {answer}")

    found = {}
    for kind, (single, batch) in kinds(drawings).items():
        times: tuple[list[float], ...] = [], [], []
        # In turns, so that what else the machine does slows all.
        for _ in range(rounds + 1):
            for place, keep_open in enumerate((False, True)):
                start = time.perf_counter()
                for each in single:
                    send(each, keep_open=keep_open)
                times[place].append(time.perf_counter() - start)
            start = time.perf_counter()
            send(batch)
            times[2].append(time.perf_counter() - start)
        connection.close()
        found[kind] = Cost(*(1000 * float(np.median(each[1:])) / drawings for each in times))
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line.parser(__doc__)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--drawings", type=int, default=100, help="in one request, up to 100")
    options = parser.parse_args(arguments)
    with running_site(collected=True) as site:
        site.manage("shell", *USER)
        token = site.manage("create_token", "program").strip()
        found = measure(site.address, token, drawings=options.drawings, rounds=options.rounds)
    results.print_title(f"{options.drawings} drawings in one request, or one by one")
    print(TABLE.head)
    for kind, cost in found.items():
        note = results.verdict(f"<= {GOAL:.2f}", reached=cost.ratio <= GOAL)
        cells = (cost.single, cost.kept_open, cost.batch, cost.ratio, cost.ratio_kept_open)
        print(TABLE.line(kind, *(f"{cell:.2f}" for cell in cells), note=note))
    report = results.Report(drawings=options.drawings, rounds=options.rounds)
    report.figures["ms"] = found
    report.write(options.json)


if __name__ == "__main__":
    main()
