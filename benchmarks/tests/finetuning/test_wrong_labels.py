"""The benchmark of wrong labels runs, on data sets of a few kilobytes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.finetuning import wrong_labels
from training.tests.small_data import write_small_data


def test_each_case_has_a_line(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DIGIT_DATA_DIR", str(write_small_data(tmp_path / "data")))
    path = tmp_path / "wrong-labels.json"

    wrong_labels.main(["--quick", "--rounds", "2", "--json", str(path)])

    figures = json.loads(path.read_text())["figures"]["as it is"]
    lines = capsys.readouterr().out.splitlines()
    assert all(any(line.startswith(name) for line in lines) for name in figures)
    assert {len(found) for found in figures.values()} == {2}


def test_training_is_measured_with_and_without_the_suspects(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DIGIT_DATA_DIR", str(write_small_data(tmp_path / "data")))
    path = tmp_path / "wrong-labels.json"

    wrong_labels.main(["--train", "--quick", "--labels", "6", "--json", str(path)])

    rows = json.loads(path.read_text())["figures"]["training"]
    assert [row["name"] for row in rows] == [
        "before",
        "right labels",
        "10 % flipped, kept",
        "10 % flipped, dropped",
    ]
    assert "points below the right labels" in capsys.readouterr().out
