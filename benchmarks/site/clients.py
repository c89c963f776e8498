"""Clients that send drawings to a server as fast as it answers, in a process of their own.

    python -m benchmarks.site.clients < SETTINGS

SETTINGS is the JSON of a `Load`; the output is that of a `Found`. Each client keeps its connection
open where the server lets it. Nothing but the standard library and plain sockets: on a small
machine the clients take their processor time from the server.
"""

from __future__ import annotations

import json
import re
import socket
import statistics
import subprocess
import sys
import threading
import time
from dataclasses import asdict, dataclass, field
from urllib.parse import urlsplit


@dataclass(frozen=True)
class Load:
    """Clients that send these bodies to an address, for some seconds or some requests in all."""

    url: str
    bodies: list[str]
    clients: int
    with_cookie: bool = False
    seconds: float = 0.0
    requests: int = 0

    def run(self) -> Found:
        """Send it all from another process."""
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.site.clients"],
            input=json.dumps(asdict(self)),
            capture_output=True,
            text=True,
            check=True,
        )
        return Found(**json.loads(done.stdout))


@dataclass(frozen=True)
class Found:
    """Requests a second, milliseconds of a request, and how many were not answered with 2xx."""

    per_second: float
    median: float
    p95: float
    failed: int


@dataclass
class _Client:
    load: Load
    cookie: str = ""
    times: list[float] = field(default_factory=list)
    failed: int = 0
    _socket: socket.socket | None = None

    def become_visitor(self) -> None:
        head = self._post(self.load.bodies[0].encode())
        found = re.search(rb"(?im)^set-cookie: *(visitor=[^;\r]*)", head)
        self.cookie = f"Cookie: {found[1].decode()}\r\n" if found else ""

    def send_until(self, deadline: float, most: int) -> None:
        """Send at least one request."""
        bodies = [body.encode() for body in self.load.bodies]
        while not self.times or (time.perf_counter() < deadline and len(self.times) < most):
            start = time.perf_counter()
            head = self._post(bodies[len(self.times) % len(bodies)])
            self.times.append(1000 * (time.perf_counter() - start))
            if not re.match(rb"HTTP/1.[01] 2", head):
                self.failed += 1

    def _post(self, body: bytes) -> bytes:
        """Return the head of the response."""
        place = urlsplit(self.load.url)
        head = (
            f"POST {place.path} HTTP/1.1\r\nHost: {place.netloc}\r\n{self.cookie}"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        for _attempt in range(2):
            is_new = self._socket is None
            if self._socket is None:
                self._socket = socket.create_connection(("127.0.0.1", place.port or 80), timeout=60)
                self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                self._socket.sendall(head.encode() + body)
                answer = self._receive(self._socket)
            except OSError:
                answer = b""
            if answer or is_new:
                return answer
            # The server has closed a connection that was idle.
            self._socket = None
        return b""

    def _receive(self, connection: socket.socket) -> bytes:
        received = b""
        while b"\r\n\r\n" not in received:
            if not (piece := connection.recv(65536)):
                self._socket = None
                return b""
            received += piece
        head, _, rest = received.partition(b"\r\n\r\n")
        lower = head.lower()
        length = re.search(rb"content-length: *(\d+)", lower)
        left = int(length[1]) - len(rest) if length else 0
        while left > 0 and (piece := connection.recv(65536)):
            left -= len(piece)
        if b"connection: close" in lower or lower.startswith(b"http/1.0"):
            connection.close()
            self._socket = None
        return head + b"\r\n"


def main() -> None:
    load = Load(**json.loads(sys.stdin.read()))
    clients = [_Client(load) for _ in range(load.clients)]
    if load.with_cookie:
        for client in clients:
            client.become_visitor()
    start = time.perf_counter()
    deadline = start + load.seconds if load.seconds else float("inf")
    most = -(-load.requests // load.clients) if load.requests else sys.maxsize
    threads = [
        threading.Thread(target=client.send_until, args=(deadline, most)) for client in clients
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - start
    times = sorted(each for client in clients for each in client.times)
    found = Found(
        per_second=len(times) / seconds,
        median=statistics.median(times),
        p95=times[int(0.95 * len(times))],
        failed=sum(client.failed for client in clients),
    )
    print(json.dumps(asdict(found)))


if __name__ == "__main__":
    main()
