"""The benchmark of the check of imported labels, on data sets of a few kilobytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.imports import label_check
from training.data import downloads
from training.tests.small_data import write_small_data


def test_it_counts_imports_that_stop(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DIGIT_DATA_DIR", str(write_small_data(tmp_path / "data")))
    monkeypatch.setattr(downloads, "CACHE", tmp_path / "cache")

    label_check.main(["--tries", "3"])

    head, *rows = capsys.readouterr().out.splitlines()[1:]
    assert head.split()[-7:] == [str(size) for size in label_check.SIZES]
    assert [row[:20].strip() for row in rows][:3] == [
        "labels right",
        "another order",
        "all one label",
    ]
    assert all(row.count("%") >= len(label_check.SIZES) for row in rows)
