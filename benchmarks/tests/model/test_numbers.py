"""The benchmark of numbers, on data sets of a few kilobytes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.model import numbers
from training.data import downloads
from training.tests.small_data import write_small_data


@pytest.fixture
def small_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DIGIT_DATA_DIR", str(write_small_data(tmp_path / "data")))
    monkeypatch.setattr(downloads, "CACHE", tmp_path / "cache")


@pytest.mark.usefixtures("small_data")
def test_it_measures_numbers_words_and_single_digits(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers.main(["--each", "3", "--singles", "2", "--json", str(tmp_path / "rates.json")])

    rates = json.loads((tmp_path / "rates.json").read_text())["figures"]["rates"]
    measured = {rate["measure"]: rate for rate in rates}
    for spacing in ("apart", "touching", "overlapping"):
        for how in ("strokes", "picture"):
            assert measured[f"{spacing}, {how}"]["n"] == 6
    assert measured["apart, strokes"]["at_least"] == 0.97
    assert measured["words called a number, strokes"]["n"] == 3
    # Pen and UNIPEN both as strokes and as pictures, and MNIST.
    assert measured["single digits called a number, all"]["n"] == 2 * (2 + 2) + 2
    assert "reached" in capsys.readouterr().out


@pytest.mark.usefixtures("small_data")
def test_it_fits_the_confidence(capsys: pytest.CaptureFixture[str]) -> None:
    numbers.main(["--fit", "--each", "3"])

    assert "_BIAS, *_WEIGHTS = " in capsys.readouterr().out
