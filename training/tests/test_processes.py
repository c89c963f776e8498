"""Worker processes end with their block and with their parent."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from concurrent.futures import BrokenExecutor, CancelledError, Future
from pathlib import Path

import pytest

from training.processes import workers

PARENT = """
import sys, time
from training.processes import workers

def work():
    with workers(1) as pool:
        pool.submit(pow, 2, 3).result()
        pool.submit(time.sleep, 600)
        print("busy", flush=True)
        {then}

if __name__ == "__main__":
    work()
"""


def start(tmp_path: Path, project_root: Path, then: str) -> subprocess.Popen[str]:
    script = tmp_path / "parent.py"
    script.write_text(PARENT.format(then=then))
    return subprocess.Popen(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": str(project_root)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_workers_give_results() -> None:
    with workers(2) as pool:
        assert list(pool.map(abs, (-1, -2, -3))) == [1, 2, 3]


@pytest.mark.parametrize("then", ["time.sleep(600)", "sys.exit(7)", "raise RuntimeError('over')"])
def test_a_busy_worker_ends_with_its_parent(then: str, tmp_path: Path, project_root: Path) -> None:
    parent = start(tmp_path, project_root, then)
    assert parent.stdout is not None
    assert parent.stdout.readline() == "busy\n"
    if "sleep" in then:
        parent.kill()
    # Both hold the other end of stdout and stderr: reading ends when both are gone.
    parent.communicate(timeout=300)
    assert parent.returncode != 0


def test_leaving_the_block_does_not_wait_for_the_work() -> None:
    def give_up() -> None:
        with workers(1) as pool:
            waiting.extend(pool.submit(time.sleep, 600) for _ in range(3))
            while not waiting[0].running():
                time.sleep(0.01)
            raise KeyboardInterrupt

    waiting: list[Future[None]] = []
    with pytest.raises(KeyboardInterrupt):
        give_up()
    for future in waiting:
        with pytest.raises((BrokenExecutor, CancelledError)):
            future.result(timeout=300)
