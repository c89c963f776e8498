"""`make run`: the site and its worker start together and end together."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from recognizer.tests.support.servers import free_port
from recognizer.tests.support.waiting import PATIENCE, wait_until

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
        """Return the process id of each worker that has registered, by the worker's name."""
        try:
            with sqlite3.connect(self.database, timeout=PATIENCE) as connection:
                rows = connection.execute("SELECT id, place FROM recognizer_worker").fetchall()
            connection.close()
        except sqlite3.OperationalError:
            # Not migrated yet.
            return {}
        return {name: int(place.rpartition(" ")[2]) for name, place in rows}

    def answers(self) -> bool:
        """Return whether the site answers."""
        try:
            with urllib.request.urlopen(self.address + "/healthz", timeout=PATIENCE):
                return True
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def wait_until(self, condition: Callable[[], object], description: str) -> None:
        """Wait for a condition; show the output of `make` if it stays false."""
        wait_until(condition, description, details=self.log.read_text)


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder for the collected static files, other than that of a site that runs here."""
    return tmp_path_factory.mktemp("collected") / "static"


@pytest.fixture
def running(tmp_path: Path, collected: Path, project_root: Path) -> Iterator[Running]:
    port = free_port()
    database, log = tmp_path / "db.sqlite3", tmp_path / "make.log"
    command = [
        "make", "--assume-old=.venv/installed", "run", f"PORT={port}", f"PY={sys.executable}",
        "VENV=.venv", f"COLLECTED={collected}",
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
        site.wait_until(
            lambda: site.answers() and site.workers(),
            "the site answers and a worker has registered",
        )
        yield site
    finally:
        if make.poll() is None:
            os.killpg(make.pid, signal.SIGTERM)
            make.wait(timeout=PATIENCE)


def has_ended(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return True
    return False


def test_a_killed_worker_is_restarted_and_ctrl_c_stops_both(running: Running) -> None:
    ((first, pid),) = running.workers().items()

    os.kill(pid, signal.SIGKILL)
    running.wait_until(lambda: set(running.workers()) - {first}, "another worker has registered")

    assert running.answers()
    assert "The worker has ended. Another one starts." in running.log.read_text()
    ((_, following),) = [item for item in running.workers().items() if item[0] != first]

    # As a terminal does it: to every process.
    os.killpg(running.make.pid, signal.SIGINT)
    running.make.wait(timeout=PATIENCE)

    assert has_ended(following)
    assert not running.answers()
    assert list(running.workers()) == [first]
    assert "Traceback" not in running.log.read_text()


@pytest.mark.skipif(shutil.which("ps") is None, reason="ps is not installed")
def test_the_worker_ends_with_the_site(running: Running) -> None:
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
    running.make.wait(timeout=PATIENCE)

    running.wait_until(lambda: has_ended(worker), "the worker has ended")
    assert running.workers() == {}
