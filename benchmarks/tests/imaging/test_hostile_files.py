"""The benchmarks of hostile and damaged files run; what they cost is not tested."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.imaging import bombs, fuzzing


def test_each_file_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    names = ["drawing, PNG 280x280", "EPS of two million lines"]
    path = tmp_path / "costs.json"

    bombs.main(["--only", ";".join(names), "--json", str(path)])

    figures = json.loads(path.read_text())["figures"]
    assert [figures[name]["outcome"] for name in names] == ["decoded", "unsupported_image"]
    printed = capsys.readouterr().out
    assert all(name in printed for name in names)


def test_damaged_files_raise_no_other_exception(tmp_path: Path) -> None:
    path = tmp_path / "outcomes.json"

    fuzzing.main(["--inputs", "150", "--json", str(path)])

    outcomes = json.loads(path.read_text())["figures"]["outcomes"]
    assert sum(outcomes.values()) == 150
    assert "ANOTHER EXCEPTION" not in outcomes
    assert outcomes["decoded"] > 0
