"""The whole site in processes of its own, for tests and benchmarks from the outside."""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from email.message import Message
from pathlib import Path
from typing import Any

from recognizer.tests.support.servers import free_port
from recognizer.tests.support.waiting import PATIENCE, wait_until

ROOT = Path(__file__).resolve().parents[3]
API = "api/v1/"


@dataclass(frozen=True)
class Response:
    status: int
    headers: Message[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass(frozen=True)
class Site:
    """A running site: its address, with a slash at the end, its process and its log."""

    address: str
    process: subprocess.Popen[bytes]
    log: Path
    environment: Mapping[str, str]

    def get(self, path: str, **headers: str) -> Response:
        return self._send(urllib.request.Request(self.address + path, headers=headers))

    def post(self, path: str, body: object, **headers: str) -> Response:
        """Post JSON below /api/v1/."""
        request = urllib.request.Request(
            self.address + API + path,
            json.dumps(body).encode(),
            {"Content-Type": "application/json", **headers},
        )
        return self._send(request)

    def post_drawing(self, png: bytes, path: str = "predictions/", **headers: str) -> Response:
        return self.post(path, {"image": base64.b64encode(png).decode()}, **headers)

    def _send(self, request: urllib.request.Request) -> Response:
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as response:
                return Response(response.status, response.headers, response.read())
        except urllib.error.HTTPError as error:
            with error:
                return Response(error.code, error.headers, error.read())


def manage(*arguments: str, environment: Mapping[str, str], **options: Any) -> Any:
    """Run a management command; return what `subprocess.run` returns."""
    command = [sys.executable, "manage.py", *arguments]
    return subprocess.run(
        command,
        cwd=ROOT,
        env=environment,
        **{"capture_output": True, "text": True, "check": True, **options},
    )


@contextmanager
def running_site(
    folder: Path,
    variables: Mapping[str, str],
    *,
    workers: int = 1,
    port: int | None = None,
    migrate: bool = True,
    prepare: Any = None,
) -> Iterator[Site]:
    """Run the site by gunicorn; its log is in ``folder``. ``prepare`` is its ``preexec_fn``."""
    environment = {
        **os.environ,
        "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
        "CACHE_FILE": str(folder / "cache.sqlite3"),
        "PYTHONUNBUFFERED": "1",
        **variables,
    }
    if migrate:
        manage("migrate", "--no-input", "-v0", environment=environment)
    place = f"127.0.0.1:{port or free_port()}"
    log = folder / f"site-{place.partition(':')[2]}.log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            [
                sys.executable, "-m", "gunicorn", "--bind", place, "--log-level", "warning",
                "--workers", str(workers), "--threads", "8", "digitsite.wsgi",
            ],
            cwd=ROOT, env=environment, stdout=output, stderr=output, preexec_fn=prepare,
        )  # fmt: skip
    site = Site(f"http://{place}/", process, log, environment)

    def answers() -> bool:
        assert process.poll() is None, log.read_text()
        try:
            return site.get("healthz").status == 200
        except OSError:
            return False

    try:
        wait_until(answers, "the site answers", details=log.read_text)
        yield site
    finally:
        if process.poll() is None:
            process.terminate()
        process.wait(timeout=PATIENCE)
