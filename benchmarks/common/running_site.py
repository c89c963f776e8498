"""The whole site on a temporary database, for measurements from outside."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from recognizer.tests.support import servers

ROOT = Path(__file__).resolve().parents[2]
START_SECONDS = 60
_MANAGE = (sys.executable, str(ROOT / "manage.py"))


@dataclass(frozen=True)
class Site:
    """A running site: its address, with a slash at the end, its environment and its process."""

    address: str
    environment: Mapping[str, str]
    process: int = 0

    def manage(self, *arguments: str) -> str:
        """Run a management command on the site's database and return its output.

        Exits with the command's error output if it fails.
        """
        done = subprocess.run(
            [*_MANAGE, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            raise SystemExit(f"manage.py {' '.join(arguments)} failed:\n{done.stderr[-4000:]}")
        return done.stdout


@contextmanager
def running_site(
    *prepare: list[str],
    collected: bool = False,
    workers: int | None = None,
    wait: bool = True,
    variables: Mapping[str, str] | None = None,
) -> Iterator[Site]:
    """Run the site on a temporary database, after running these commands on it.

    ``variables`` are settings of the site. Without ``wait`` it has just been started.

    With ``collected`` it is served as by `make run`: with hashed and compressed static files, and
    by gunicorn on Unix. Gunicorn serves it with a number of ``workers``, too.
    """
    port = servers.free_port()
    # A server that is killed while writing can leave files behind.
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        environment = {
            **os.environ,
            "DATABASE_URL": f"sqlite:///{Path(folder, 'site.sqlite3').as_posix()}",
            "ALLOWED_HOSTS": "127.0.0.1",
            **(variables or {}),
        }
        site = Site(f"http://127.0.0.1:{port}/", environment)
        site.manage("migrate", "--verbosity", "0")
        if collected:
            environment["STATIC_ROOT"] = str(Path(folder, "static"))
            site.manage("collectstatic", "--no-input", "--verbosity", "0")
        for command in prepare:
            subprocess.run(command, cwd=ROOT, env=environment, check=True)
        server = subprocess.Popen(
            _server(f"127.0.0.1:{port}", workers or int(collected)),
            cwd=ROOT,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        try:
            if wait:
                _wait_for(site.address, server)
            yield replace(site, process=server.pid)
        finally:
            server.terminate()
            server.wait(timeout=60)


def _server(place: str, workers: int) -> list[str]:
    if not workers or os.name != "posix":
        return [*_MANAGE, "runserver", "--noreload", place]
    gunicorn = [sys.executable, "-m", "gunicorn", "--log-level", "warning"]
    return [*gunicorn, "--workers", str(workers), "--bind", place, "digitsite.wsgi"]


def _wait_for(address: str, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if server.poll() is not None:
            raise SystemExit("The site did not start: run python manage.py check.")
        try:
            urllib.request.urlopen(address, timeout=5).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.2)
        else:
            return
    raise SystemExit(f"The site did not answer within {START_SECONDS} s.")
