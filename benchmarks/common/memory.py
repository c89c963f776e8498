"""How much memory this process takes (Linux only)."""

from __future__ import annotations

from pathlib import Path

_PROCESS = Path("/proc/self")


def forget_peak() -> None:
    """Let the kernel start anew with the largest resident set."""
    (_PROCESS / "clear_refs").write_text("5")


def resident() -> float:
    """Return the resident set in MB."""
    return _status("VmRSS")


def peak() -> float:
    """Return the largest resident set since the last ``forget_peak`` in MB."""
    return _status("VmHWM")


def _status(name: str) -> float:
    lines = (_PROCESS / "status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) / 1024 for line in lines if line.startswith(f"{name}:"))
