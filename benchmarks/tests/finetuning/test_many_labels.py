"""The benchmark of many labels runs, on data sets of a few kilobytes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.finetuning import many_labels
from recognizer.inference.classifier import BUNDLED
from training.data import downloads
from training.tests.small_data import write_small_data

QUICK = ("--quick", "--base", str(BUNDLED), "--set", "steps=2", "--set", "epochs=1")


@pytest.fixture(autouse=True)
def small_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DIGIT_DATA_DIR", str(write_small_data(tmp_path / "data")))
    monkeypatch.setattr(downloads, "CACHE", tmp_path / "cache")


def test_base_and_candidate_are_measured_on_other_writers(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "many-labels.json"

    many_labels.main([*QUICK, "--json", str(path)])

    (figures,) = json.loads(path.read_text())["figures"].values()
    sets = ["all of them", "UNIPEN writers", "UNIPEN site", "mnist test"]
    assert list(figures["after"]) == sets
    assert [figures["before"][name]["wrong"]["n"] for name in sets] == [20, 10, 10, 20]
    out = capsys.readouterr().out
    assert "10 labels" in out
    assert "mnist test: " in out


def test_labels_of_one_digit_are_compared_with_few_of_it(tmp_path: Path) -> None:
    path = tmp_path / "many-labels.json"

    many_labels.main([*QUICK, "--imbalanced", "--choose", "--labels", "90", "--json", str(path)])

    figures = json.loads(path.read_text())["figures"]
    assert list(figures) == ["9 others, 1 ones", "9 others, 81 ones"]
    for each in figures.values():
        assert each["after"]["other writers, but 1"]["wrong"]["n"] == 9
