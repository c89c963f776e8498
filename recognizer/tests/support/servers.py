"""Throwaway servers for tests and benchmarks. Unix only, like what is started here."""

from __future__ import annotations

import glob
import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class Missing(Exception):
    """What is to be started is not installed here."""


def program(name: str) -> str:
    """Return the path of a program of PostgreSQL, which Debian keeps out of PATH."""
    found = shutil.which(name) or next(
        iter(sorted(glob.glob(f"/usr/lib/postgresql/*/bin/{name}"), reverse=True)), None
    )
    if found is None:
        raise Missing(f"PostgreSQL ({name})")
    return str(found)


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def unprivileged() -> dict[str, Any]:
    """Return `subprocess` options for an account that is not root: PostgreSQL refuses root."""
    import pwd

    if os.geteuid() != 0:
        return {}
    nobody = next((u for u in pwd.getpwall() if u.pw_name in {"postgres", "nobody"}), None)
    if nobody is None:
        raise Missing("an account without rights, to run PostgreSQL as")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


@contextmanager
def postgres() -> Iterator[str]:
    """Start a PostgreSQL of our own on a free port; give its URL.

    Raises:
        Missing: it, its driver or an account to run it as is not there.
        RuntimeError: it does not start.
    """
    try:
        import psycopg  # noqa: F401
    except ImportError as error:
        raise Missing("psycopg") from error
    initdb, server = program("initdb"), program("postgres")
    account = unprivileged()
    home = Path(tempfile.mkdtemp(prefix="digitsite-postgres-"))
    if account:
        os.chown(home, account["user"], account["group"])
    port = free_port()
    data = str(home / "data")
    process = None
    try:
        subprocess.run(
            [initdb, "-D", data, "-U", "digits", "-A", "trust", "-E", "UTF8", "--no-sync"],
            check=True, capture_output=True, cwd=home, **account,
        )  # fmt: skip
        process = subprocess.Popen(
            [server, "-D", data, "-p", str(port), "-h", "127.0.0.1", "-k", str(home), "-F"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=home, **account,
        )  # fmt: skip
        url = f"postgres://digits@127.0.0.1:{port}/postgres"
        _wait_for_postgres(url, process)
        yield url
    finally:
        if process is not None:
            process.terminate()
            process.wait(timeout=30)
        shutil.rmtree(home, ignore_errors=True)


def _wait_for_postgres(url: str, process: subprocess.Popen[bytes]) -> None:
    import psycopg

    for _ in range(300):
        if process.poll() is not None:
            raise RuntimeError("PostgreSQL did not start")
        try:
            psycopg.connect(url.replace("postgres://", "postgresql://")).close()
            return
        except psycopg.OperationalError:
            time.sleep(0.1)
    raise RuntimeError("PostgreSQL did not answer")
