"""The comparison of variants of fine-tuning, on data sets of a few kilobytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.finetuning import adaptation
from recognizer.tests.support import bundled_model
from training.data import downloads
from training.model.config import FINE_TUNE
from training.tests.small_data import write_small_data


def test_a_row_is_fine_tuned_and_measured_for_each_style(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DIGIT_DATA_DIR", str(write_small_data(tmp_path / "data")))
    monkeypatch.setattr(downloads, "CACHE", tmp_path / "cache")
    name = "labels instead of distillation"
    adaptation.main(
        ["--styles", "turned,slab", "--labels", "2", "--limit", "2", "--only", f"{name},sequential"]
    )
    lines = capsys.readouterr().out.splitlines()
    assert [line[:36].strip() for line in lines[2:]] == [
        bundled_model.NAME, bundled_model.NAME, name, name,
        "sequential, 1", "sequential, 2", "sequential, at the end",
    ]  # fmt: skip
    assert [line.split("%")[0].split()[-2] for line in lines[2:4]] == ["turned", "slab"]


def test_every_row_but_the_first_changes_something() -> None:
    full = adaptation.Variant()
    for name, variant in adaptation.VARIANTS.items():
        same = variant.change(FINE_TUNE) == FINE_TUNE and (
            (variant.sources, variant.by_label) == (full.sources, full.by_label)
        )
        assert same == (name == "full"), name


@pytest.mark.parametrize("option", ["--styles", "--only"])
def test_an_unknown_name_is_rejected(option: str) -> None:
    with pytest.raises(SystemExit, match="Unknown: left"):
        adaptation.main([option, "left"])
