"""The benchmark of the kinds of pictures that people send, on data of a few kilobytes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.imaging import inputs, kinds
from training.data import downloads
from training.tests.small_data import write_small_data


def test_it_prints_a_line_for_each_kind_beside_an_earlier_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DIGIT_DATA_DIR", str(write_small_data(tmp_path / "data")))
    monkeypatch.setattr(downloads, "CACHE", tmp_path / "cache")
    report = tmp_path / "report.json"
    kinds.main(["--n", "1", "--json", str(report)])
    lines = capsys.readouterr().out.splitlines()
    names = [*inputs.KINDS, "case frames", "case light_ink", "case tight_crops"]
    assert [line[:26].strip() for line in lines[2:]] == names
    figures = json.loads(report.read_text())["figures"]
    assert list(figures) == names
    assert figures["case light_ink"] == {"n": 3, "right": 3}
    kinds.main(["--n", "1", "--only", "line under", "--before", str(report)])
    assert capsys.readouterr().out.splitlines()[2].split()[-1].isdigit()
