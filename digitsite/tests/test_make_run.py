"""`make run`: the site and its worker start together and end together."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import sqlite3
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

pytestmark = [
    pytest.mark.skipif(os.name != "posix", reason="make run is for Unix"),
    pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed"),
]


@dataclass
class Running:
    """A `make run` in a process group of its own, with an empty database."""

    make: subprocess.Popen[bytes]
    address: str
    database: Path
    log: Path

    def workers(self) -> dict[str, int]:
        """Return the names of the workers that have signed in, each with its process."""
        try:
            with sqlite3.connect(self.database, timeout=30) as connection:
                rows = connection.execute("SELECT id, place FROM recognizer_worker").fetchall()
            connection.close()
        except sqlite3.OperationalError:
            # Not migrated yet.
            return {}
        return {name: int(place.rpartition(" ")[2]) for name, place in rows}

    def answers(self) -> bool:
        """Tell whether the site answers."""
        try:
            with urllib.request.urlopen(self.address + "/healthz", timeout=5):
                return True
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def wait_until(self, happens: Callable[[], object], what: str) -> None:
        """Wait for something, or fail with what was said."""
        for _ in range(900):
            if happens():
                return
            time.sleep(0.1)
        pytest.fail(f"waited in vain until {what}: {self.log.read_text()}")


@pytest.fixture
def running(tmp_path: Path, project_root: Path) -> Iterator[Running]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    database, log = tmp_path / "db.sqlite3", tmp_path / "make.log"
    command = [
        "make", "--assume-old=.venv/installed", "run", f"PORT={port}", f"PY={sys.executable}",
        "VENV=.venv",
    ]  # fmt: skip
    with log.open("wb") as output:
        make = subprocess.Popen(
            command,
            cwd=project_root,
            env={**os.environ, "DATABASE_URL": f"sqlite:///{database}"},
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    site = Running(make, f"http://127.0.0.1:{port}", database, log)
    try:
        site.wait_until(lambda: site.answers() and site.workers(), "site and worker are there")
        yield site
    finally:
        if make.poll() is None:
            os.killpg(make.pid, signal.SIGTERM)
            make.wait(timeout=60)


def is_gone(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_killed_worker_is_started_again_and_ctrl_c_ends_both(running: Running) -> None:
    ((first, pid),) = running.workers().items()

    os.kill(pid, signal.SIGKILL)
    running.wait_until(lambda: set(running.workers()) - {first}, "another worker is there")

    assert running.answers()
    assert "The worker has ended. Another one starts." in running.log.read_text()
    ((_, following),) = [item for item in running.workers().items() if item[0] != first]

    # As a terminal does it: to every process.
    os.killpg(running.make.pid, signal.SIGINT)
    running.make.wait(timeout=60)

    assert is_gone(following)
    assert not running.answers()
    assert list(running.workers()) == [first]
    assert "Traceback" not in running.log.read_text()


@pytest.mark.skipif(shutil.which("ps") is None, reason="ps is not installed")
def test_a_site_that_ends_takes_its_worker_along(running: Running) -> None:
    ((_, worker),) = running.workers().items()
    processes = {
        int(line.split()[0]): line
        for line in subprocess.run(
            ["ps", "-A", "-o", "pid=,args="], capture_output=True, text=True, check=True
        ).stdout.splitlines()
    }
    site = min(
        pid
        for pid, line in processes.items()
        if "gunicorn" in line
        and running.address.removeprefix("http://") in line
        and "sh -c" not in line
    )

    os.kill(site, signal.SIGKILL)
    running.make.wait(timeout=60)

    running.wait_until(lambda: is_gone(worker), "the worker has ended")
    assert running.workers() == {}
