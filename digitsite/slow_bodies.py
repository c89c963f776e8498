"""A limit on how slowly the body of a request may come, for a gunicorn that no proxy protects.

A thread waits for each body, so a few slow clients would occupy all threads of a worker.
"""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

LEAST_RATE = 16 * 1024
"""Bytes in each second by which a longer body may take longer."""
LONGEST = 12 * 1024 * 1024
"""Bytes that a body of unknown length counts as."""

logger = logging.getLogger(__name__)


class SlowBodyLimit:
    """WSGI: ends a body that takes longer than ``seconds`` and the time for its bytes.

    The view then sees a body that is cut off. Other servers than gunicorn don't show the socket of
    a request; they have limits of their own.
    """

    def __init__(self, application: WSGIApplication, seconds: float) -> None:
        self._application, self._seconds = application, seconds
        self._watch = _Watch()

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        connection = environ.get("gunicorn.socket")
        if self._seconds and isinstance(connection, socket.socket):
            length = environ.get("CONTENT_LENGTH") or LONGEST
            with contextlib.suppress(ValueError):
                seconds = self._seconds + min(int(length), LONGEST) / LEAST_RATE
                environ["wsgi.input"] = _Body(
                    environ["wsgi.input"], connection, seconds, self._watch
                )
        return self._application(environ, start_response)


class _Body:
    """A request's body; the time for it begins when it is first read."""

    def __init__(self, body: Any, connection: socket.socket, seconds: float, watch: _Watch) -> None:
        self._body, self._connection, self._seconds = body, connection, seconds
        self._watch = watch
        self._deadline: float | None = None

    def read(self, *size: int) -> bytes:
        with self._limited():
            content: bytes = self._body.read(*size)
            return content

    def readline(self, *size: int) -> bytes:
        with self._limited():
            content: bytes = self._body.readline(*size)
            return content

    def _limited(self) -> contextlib.AbstractContextManager[None]:
        if self._deadline is None:
            self._deadline = time.monotonic() + self._seconds
        return self._watch.until(self._deadline, self._connection)


class _Watch:
    """A thread that ends the reading of connections at their deadlines."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._deadlines: dict[socket.socket, float] = {}
        self._thread: threading.Thread | None = None

    @contextlib.contextmanager
    def until(self, deadline: float, connection: socket.socket) -> Iterator[None]:
        with self._lock:
            self._deadlines[connection] = deadline
            # A fork takes no threads along.
            if self._thread is None or not self._thread.is_alive():
                self._thread = threading.Thread(target=self._run, daemon=True)
                self._thread.start()
        try:
            yield
        finally:
            with self._lock:
                self._deadlines.pop(connection, None)

    def _run(self) -> None:
        while True:
            time.sleep(0.5)
            now = time.monotonic()
            with self._lock:
                late = [each for each, deadline in self._deadlines.items() if deadline < now]
                for connection in late:
                    del self._deadlines[connection]
                    with contextlib.suppress(OSError):
                        connection.shutdown(socket.SHUT_RD)
            if late:
                logger.warning("%d bodies came too slowly and were cut off.", len(late))
