"""The machine and versions that figures were measured with."""

from __future__ import annotations

import os
import platform
from pathlib import Path

from training.model.bundle import versions


def describe() -> str:
    """Return processor, cores, system and package versions in one line."""
    found = ", ".join(f"{name} {version}" for name, version in versions().items())
    return f"{_processor()}, {os.cpu_count()} cores, {platform.system()}; {found}"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()
