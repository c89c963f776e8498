"""Throwaway servers for tests and benchmarks. Unix only, like the programs they start.

`python -m recognizer.tests.support.servers COMMAND ...` runs a command with `DATABASE_URL` set to a
new PostgreSQL and exits with its status.
"""

from __future__ import annotations

import glob
import os
import shutil
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


@contextmanager
def postgres() -> Iterator[str]:
    """Run a new PostgreSQL on a free port; yield its URL.

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

        with _running(command, answers, cwd=home, **account):
            yield f"postgres://{address}"


@contextmanager
def redis() -> Iterator[str]:
    """Run a new Redis on a free port; yield its URL.

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

        with _running(command, answers):
            yield f"redis://127.0.0.1:{port}/0"


@contextmanager
def _folder(name: str) -> Iterator[Path]:
    home = Path(tempfile.mkdtemp(prefix=f"digitsite-{name}-"))
    try:
        yield home
    finally:
        shutil.rmtree(home, ignore_errors=True)


@contextmanager
def _running(command: list[str], answers: Callable[[], bool], **options: Any) -> Iterator[None]:
    process = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **options
    )

    def answers_or_has_ended() -> bool:
        if process.poll() is not None:
            raise RuntimeError(f"{command[0]} did not start: exit status {process.returncode}")
        return answers()

    try:
        wait_until(answers_or_has_ended, f"{command[0]} answers")
        yield
    finally:
        process.terminate()
        process.wait(timeout=PATIENCE)


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
