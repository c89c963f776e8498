"""How much memory a process takes (Linux only)."""

from __future__ import annotations

import os
from pathlib import Path

_PROCESSES = Path("/proc")


def forget_peak() -> None:
    """Let the kernel start anew with the largest resident set."""
    (_PROCESSES / "self" / "clear_refs").write_text("5")


def resident(process: int | None = None) -> float:
    """Return the resident set of a process, or of this one, in MB."""
    return _status("VmRSS", process)


def peak() -> float:
    """Return the largest resident set since the last ``forget_peak`` in MB."""
    return _status("VmHWM")


def children(process: int) -> list[int]:
    """Return the ids of the processes that a process has started."""
    tasks = (_PROCESSES / str(process) / "task").iterdir()
    return [int(each) for task in tasks for each in (task / "children").read_text().split()]


def _status(name: str, process: int | None = None) -> float:
    path = _PROCESSES / str(process or os.getpid()) / "status"
    lines = path.read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))
