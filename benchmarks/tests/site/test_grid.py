"""The grid's benchmark runs every step; how long each takes is not tested."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path


def test_every_step_is_timed_at_every_size(project_root: Path, tmp_path: Path) -> None:
    path = tmp_path / "times.json"
    environment = {key: value for key, value in os.environ.items() if key != "GRID_DATABASE"}

    done = subprocess.run(
        [
            sys.executable, "-m", "benchmarks.site.grid",
            "--drawings", "300", "900", "--rounds", "2", "--json", str(path),
        ],
        cwd=project_root, env=environment, capture_output=True, text=True, check=False, timeout=600,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr
    times = json.loads(path.read_text())["ms"]
    assert set(times) == {"300", "900"}
    assert {"least sure first", "save sixty", "undo sixty", "one picture"} < set(times["300"])
    assert all(step in done.stdout for step in times["900"])
