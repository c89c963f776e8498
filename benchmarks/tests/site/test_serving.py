"""The serving benchmark runs every step; how long each takes is not tested."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.common.results import Times
from benchmarks.site import serving


def test_every_step_is_timed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "PHOTO", (1000, 750))
    path = tmp_path / "times.json"
    serving.main(["--drawings", "2", "--rounds", "2", "--json", str(path)])
    printed = capsys.readouterr().out
    times = json.loads(path.read_text())["figures"]["ms"]
    assert set(serving.GOALS) < set(times)
    assert "decoding a JPEG of 1000x750" in times
    assert all(0 < row["median"] <= row["p95"] for row in times.values())
    assert all(step in printed for step in times)
    assert "one thread" in printed


def test_a_folder_without_a_bundle_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no model bundle in"):
        serving.main([str(tmp_path)])


@pytest.mark.parametrize(("median", "says"), [(0.6, "reached"), (0.61, "MISSED")])
def test_a_goal_is_for_the_median(median: float, says: str) -> None:
    assert serving.line("network", Times(median, 9.0)).endswith(says)
