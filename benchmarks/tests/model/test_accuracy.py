"""The goals' table, on data sets of a few kilobytes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.model import accuracy
from benchmarks.model.accuracy import Row
from recognizer.inference.classifier import BUNDLED, load_bundle
from training.data import downloads
from training.tests.small_data import write_small_data


@pytest.fixture
def small_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DIGIT_DATA_DIR", str(write_small_data(tmp_path / "data")))
    monkeypatch.setattr(downloads, "CACHE", tmp_path / "cache")
    # The photographs' wheels are not looked for.
    monkeypatch.setenv("PIP_NO_INDEX", "1")


@pytest.mark.usefixtures("small_data")
def test_every_goal_has_a_line_that_says_if_it_is_reached(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    accuracy.main(["--each", "3", "--json", str(tmp_path / "rows.json")])
    printed = capsys.readouterr().out
    report = json.loads((tmp_path / "rows.json").read_text())
    rows = {row["measure"]: row for row in report["figures"]["models"][0]["rows"]}
    with_goal = [row for row in rows.values() if row["reached"] is not None]
    # MNIST 2, pen 7, UNIPEN 9, sure and wrong 1, letters 2, kinds 8, size and speed 3.
    assert len(with_goal) == 32
    assert rows["MNIST test, one network"]["n"] == 20
    assert rows["pen small"]["n"] == 12
    assert rows["UNIPEN site wild"]["n"] == 10
    assert rows["UNIPEN writers wild: digits refused"]["n"] == 10
    # The A, the k and the +: o looks like a 0.
    assert rows["UNIPEN letters site: rejected as served"]["n"] == 3
    assert rows["sure (90 % or more) and wrong, all digits pooled"]["n"] == 20 + 5 * 12 + 4 * 10
    assert rows["Omniglot, both: AUROC"]["n"] == 4
    assert rows["Omniglot, both, all: AUROC"]["n"] == 6
    assert rows["parameters"]["value"] == load_bundle(BUNDLED).card.parameters
    assert rows["digits apart: rejected as served"]["n"] == 3
    assert f"{sum(row['reached'] for row in with_goal)} of 32 goals reached" in printed
    assert "Left out in full or in part: scikit-image" in printed
    assert "tensorflow 2" in printed


@pytest.mark.usefixtures("small_data")
def test_confusions_are_listed_by_site_and_allograph(capsys: pytest.CaptureFixture[str]) -> None:
    accuracy.main(["--each", "1", "--confusions"])
    printed = capsys.readouterr().out
    sites, allographs = (
        [line.split() for line in part.splitlines()[1:] if line]
        for part in printed.split("misclassified as")[1:]
    )
    assert [(line[0], line[1]) for line in sites[:2]] == [("aga", "10"), ("gmd", "10")]
    assert sum(int(line[2]) for line in allographs) == 20


@pytest.mark.usefixtures("small_data")
def test_several_seeds_are_stated_as_a_mean(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    accuracy.main(["--models", str(BUNDLED), str(BUNDLED), "--json", str(tmp_path / "rows.json")])
    printed = capsys.readouterr().out
    report = json.loads((tmp_path / "rows.json").read_text())
    mean, one = report["figures"]["mean"][0], report["figures"]["models"][0]["rows"][0]
    assert len(report["figures"]["models"]) == 2
    assert "MNIST test, one network, mean of 2" in printed
    assert mean["value"] == one["value"]
    assert mean["interval"] == [one["value"], one["value"]]


@pytest.mark.parametrize(
    ("row", "shown"),
    [
        (Row("a", 10, 0.9975, at_least=0.9975), "reached"),
        (Row("a", 10, 0.99749, at_least=0.9975), "MISSED"),
        (Row("a", 10, 0.003, at_most=0.003), "reached"),
        (Row("a", 10, 0.0031, at_most=0.003), "MISSED"),
        (Row("a", 10, 0.5), "50.000%"),
        (Row("a", None, 600_000, "count", at_most=599_999), "MISSED"),
        (Row("a", 10, 0.98512, "area", at_least=0.985), ">= 0.9850  reached"),
    ],
)
def test_a_goal_is_reached_or_missed(row: Row, shown: str) -> None:
    assert str(row).endswith(shown)


def test_a_folder_without_a_bundle_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no model bundle in"):
        accuracy.main([str(tmp_path)])
