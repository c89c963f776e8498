"""The benchmark of exports and imports runs at any size. Its figures are not tested."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.site.exports import Cost, growth


def test_every_command_is_measured_in_a_new_process(project_root: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.site.exports", "--rows", "12", "--formats", "npz",
         "--json", str(tmp_path / "costs.json")],
        cwd=project_root, capture_output=True, text=True, timeout=600, check=False,
    )  # fmt: skip

    assert done.returncode == 0, done.stderr[-3000:]
    report = json.loads((tmp_path / "costs.json").read_text())["figures"]
    assert [cost["command"] for cost in report["costs"]] == ["export npz", "recheck", "import npz"]
    assert {cost["rows"] for cost in report["costs"]} == {12}
    if sys.platform == "linux":
        assert all(cost["peak"] >= cost["before"] > 0 for cost in report["costs"])
    assert [each["asked"] for each in report["queries"]["12"]][:2] == ["summary", "transitions"]


def test_growth_compares_the_most_rows_with_the_fewest() -> None:
    costs = [
        Cost("export npz", rows, seconds=1, cpu=1, peak=peak, before=50)
        for rows, peak in ((1000, 100), (100_000, 110), (10_000, 104))
    ]

    (line,) = growth(costs)

    assert line.split() == ["export", "npz", "100", "110", "1.10"]
