"""Clients that store drawings on instances of a site, and note what they are promised."""

from __future__ import annotations

import base64
import http.client
import json
import threading
import time
import uuid
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from itertools import count, pairwise

PATH = "/api/v1/predictions/"
TIMEOUT = 15.0
PAUSE = 0.1
"""Seconds before a drawing that was not stored is sent again, with its key."""
GIVE_UP = 120.0
"""Seconds after which a drawing is not sent again, so that a site that stays away ends the run."""


def body_of(png: bytes) -> bytes:
    """Return the JSON that sends a PNG."""
    return json.dumps({"image": base64.b64encode(png).decode()}).encode()


@dataclass
class Record:
    """What clients were answered. ``times`` are those of each 201, in seconds of `time.monotonic`.

    ``failures`` counts the other answers by status; 0 where none came.
    """

    promised: list[str] = field(default_factory=list)
    times: list[float] = field(default_factory=list)
    failures: Counter[int] = field(default_factory=Counter)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def note(self, status: int, identifier: str | None) -> None:
        with self.lock:
            if identifier is None:
                self.failures[status] += 1
            else:
                self.promised.append(identifier)
                self.times.append(time.monotonic())

    def silence(self, start: float, end: float) -> float:
        """Return the longest time without any 201 between two moments, in seconds."""
        with self.lock:
            inside = [start, *(at for at in self.times if start < at < end), end]
        return max(after - before for before, after in pairwise(inside))

    def first_after(self, moment: float) -> float | None:
        """Return how long after a moment the first 201 came, in seconds; None if none did."""
        with self.lock:
            return next((at - moment for at in self.times if at >= moment), None)


class Client:
    """One visitor: a connection that is kept, and a cookie. It goes on to the next instance."""

    def __init__(self, ports: Sequence[int], first: int = 0) -> None:
        self._ports, self._turn = ports, first
        self._cookie = ""
        self._connection: http.client.HTTPConnection | None = None

    def store(self, body: bytes, key: str) -> tuple[int, str | None]:
        """Send a drawing once; return the status (0 for no answer) and the id, if it is stored."""
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        if self._cookie:
            headers["Cookie"] = self._cookie
        try:
            if self._connection is None:
                port = self._ports[self._turn % len(self._ports)]
                self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=TIMEOUT)
            self._connection.request("POST", PATH, body, headers)
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException):
            self.close()
            self._turn += 1
            return 0, None
        if response.will_close or len(self._ports) > 1:
            self.close()
            self._turn += 1
        if response.status not in (200, 201):
            return response.status, None
        self._cookie = response.headers.get("Set-Cookie", self._cookie).partition(";")[0]
        return response.status, json.loads(content)["id"]

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None


@contextmanager
def storing(
    ports: Sequence[int], bodies: Sequence[bytes], clients: int, rate: float | None = None
) -> Iterator[Record]:
    """Let clients store drawings while the block runs: as fast as they can, or ``rate`` a second.

    A drawing that is not stored is sent again until it is, also after the end of the block.
    """
    record, stop = Record(), threading.Event()
    numbers = count()
    start = time.monotonic()

    def work(which: int) -> None:
        with closing(Client(ports, which)) as client:
            while not stop.is_set():
                number = next(numbers)
                if rate is not None and stop.wait(start + number / rate - time.monotonic()):
                    return
                key = str(uuid.uuid4())
                status, identifier = client.store(bodies[number % len(bodies)], key)
                record.note(status, identifier)
                give_up = time.monotonic() + GIVE_UP
                while identifier is None and time.monotonic() < give_up:
                    time.sleep(PAUSE)
                    status, identifier = client.store(bodies[number % len(bodies)], key)
                    record.note(status, identifier)

    threads = [threading.Thread(target=work, args=(which,)) for which in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield record
    finally:
        stop.set()
        for thread in threads:
            thread.join()
