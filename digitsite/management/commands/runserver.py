"""`manage.py runserver`, for many simultaneous connections."""

from __future__ import annotations

import io
from typing import Any, BinaryIO

from django.conf import settings
from django.core.servers.basehttp import WSGIRequestHandler, WSGIServer
from whitenoise.runserver_nostatic.management.commands.runserver import Command as Runserver


class ChunkedRequestHandler(WSGIRequestHandler):
    """Gives a chunked body a length, as web servers do; Django's own takes it for empty."""

    def parse_request(self) -> bool:
        if not super().parse_request():
            return False
        if self.headers.get("Transfer-Encoding", "").lower() == "chunked":
            body = _read_chunks(self.rfile)
            del self.headers["Transfer-Encoding"], self.headers["Content-Length"]
            self.headers["Content-Length"] = str(len(body))
            self.rfile = io.BytesIO(body)
            self.close_connection = True
        return True


def _read_chunks(file: BinaryIO) -> bytes:
    """Read a chunked body, up to the first chunk that makes it longer than a body may be."""
    body = b""
    while len(body) <= (settings.DATA_UPLOAD_MAX_MEMORY_SIZE or 0):
        head = file.readline(64).partition(b";")[0].strip()
        try:
            length = int(head, 16)
        except ValueError:
            break
        if length <= 0:
            break
        body += file.read(min(length, 2**24))
        file.readline(64)
    return body


class LongQueueServer(WSGIServer):
    """Lets 128 connections wait; Django's server rejects the eleventh."""

    request_queue_size = 128

    def __init__(self, address: Any, handler: Any, **options: Any) -> None:
        super().__init__(address, ChunkedRequestHandler, **options)


class Command(Runserver):
    """Serves static files through WhiteNoise, as in production."""

    server_cls = LongQueueServer
