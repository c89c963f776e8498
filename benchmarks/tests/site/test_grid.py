"""The benchmark of the grid runs every step. Its times are not tested."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path


def test_every_step_is_timed_at_every_size(project_root: Path, tmp_path: Path) -> None:
    path = tmp_path / "times.json"
    done = subprocess.run(
        [
            sys.executable, "-m", "benchmarks.site.grid",
            "--drawings", "300", "900", "--rounds", "2", "--json", str(path),
        ],
        cwd=project_root, capture_output=True, text=True, check=False, timeout=300,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    times = json.loads(path.read_text())["figures"]["ms"]
    assert set(times) == {"300", "900"}
    assert {"least sure first", "save sixty", "undo sixty", "one thumbnail"} < set(times["300"])
    assert all(step in done.stdout for step in times["900"])
