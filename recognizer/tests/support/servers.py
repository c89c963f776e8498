"""Throwaway servers for tests and benchmarks. Unix only, like the programs they start.

`python -m recognizer.tests.support.servers COMMAND ...` runs a command with `DATABASE_URL` set to a
new PostgreSQL and exits with its status.
"""

from __future__ import annotations

import glob
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from recognizer.tests.support.waiting import PATIENCE, wait_until


class Missing(Exception):
    """A program, package or account that a server needs is missing; the message names it."""


def program(name: str) -> str:
    """Return the path of a program of PostgreSQL, which Debian keeps out of PATH."""
    found = shutil.which(name) or next(
        iter(sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), reverse=True)), None
    )
    if found is None:
        raise Missing(f"PostgreSQL ({name})")
    return str(found)


def free_port() -> int:
    """Return a port that no process listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def unprivileged() -> dict[str, Any]:
    """Return `subprocess` options for an account other than root: PostgreSQL refuses root."""
    import pwd

    if os.geteuid() != 0:
        return {}
    nobody = next((u for u in pwd.getpwall() if u.pw_name in {"postgres", "nobody"}), None)
    if nobody is None:
        raise Missing("an account other than root, to run PostgreSQL as")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


class Server:
    """A server that can be stopped, hung and started again at the same address."""

    def __init__(
        self, url: str, command: list[str], answers: Callable[[], bool], **options: Any
    ) -> None:
        self.url = url
        self._command, self._answers, self._options = command, answers, options
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers. Raises RuntimeError if it ends instead."""
        process = self._process = subprocess.Popen(
            self._command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **self._options
        )

        def answers_or_has_ended() -> bool:
            if process.poll() is not None:
                raise RuntimeError(
                    f"{self._command[0]} did not start: exit status {process.returncode}"
                )
            return self._answers()

        wait_until(answers_or_has_ended, f"{self._command[0]} answers")

    def stop(self) -> None:
        """Stop it; PostgreSQL then ends its connections and doesn't wait for their clients."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait(timeout=PATIENCE)
            self._process = None

    def hang(self) -> None:
        """Let it accept connections and answer nothing, until `go_on`."""
        assert self._process is not None
        self._process.send_signal(signal.SIGSTOP)

    def go_on(self) -> None:
        assert self._process is not None
        self._process.send_signal(signal.SIGCONT)


@contextmanager
def postgres() -> Iterator[str]:
    """Run a new PostgreSQL on a free port; yield its URL. Raises what `postgres_server` raises."""
    with postgres_server() as server:
        yield server.url


@contextmanager
def postgres_server() -> Iterator[Server]:
    """Run a new PostgreSQL on a free port.

    Raises:
        Missing: PostgreSQL, its driver or an account to run it as is missing.
        RuntimeError: it does not start.
    """
    try:
        import psycopg
    except ImportError as error:
        raise Missing("psycopg") from error
    initdb, server = program("initdb"), program("postgres")
    account = unprivileged()
    with _folder("postgres") as home:
        if account:
            os.chown(home, account["user"], account["group"])
        data, port = str(home / "data"), free_port()
        subprocess.run(
            [initdb, "-D", data, "-U", "digits", "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=True, capture_output=True, cwd=home, **account,
        )  # fmt: skip
        command = [server, "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", str(home), "-F"]
        address = f"digits@127.0.0.1:{port}/postgres"

        def answers() -> bool:
            try:
                psycopg.connect(f"postgresql://{address}").close()
            except psycopg.OperationalError:
                return False
            return True

        with _running(Server(f"postgres://{address}", command, answers, cwd=home, **account)) as it:
            yield it


@contextmanager
def redis() -> Iterator[str]:
    """Run a new Redis on a free port; yield its URL. Raises what `redis_server` raises."""
    with redis_server() as server:
        yield server.url


@contextmanager
def redis_server() -> Iterator[Server]:
    """Run a new Redis on a free port.

    Raises:
        Missing: Redis or its Python client is missing.
        RuntimeError: it does not start.
    """
    try:
        import redis as client
    except ImportError as error:
        raise Missing("redis (the Python package)") from error
    server = shutil.which("redis-server")
    if server is None:
        raise Missing("redis-server")
    with _folder("redis") as home:
        port = free_port()
        command = [
            server, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(home),
        ]  # fmt: skip

        def answers() -> bool:
            try:
                with client.Redis(port=port) as connection:
                    connection.ping()
            except client.ConnectionError:
                return False
            return True

        with _running(Server(f"redis://127.0.0.1:{port}/0", command, answers)) as it:
            yield it


@contextmanager
def _folder(name: str) -> Iterator[Path]:
    home = Path(tempfile.mkdtemp(prefix=f"digitsite-{name}-"))
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _running(server: Server) -> Iterator[Server]:
    try:
        server.start()
        yield server
    finally:
        server.stop()


def main(command: list[str]) -> int:
    """Run a command on a new PostgreSQL; return its exit status."""
    try:
        with postgres() as url:
            environment = {**os.environ, "DATABASE_URL": url}
            return subprocess.run(command, env=environment, check=False).returncode
    except Missing as error:
        print(f"Missing: {error}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
