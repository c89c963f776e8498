"""The benchmark of photos, on data of a few kilobytes."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.model import photos
from training.data import downloads
from training.synthesis.photos import KINDS
from training.tests.small_data import write_small_data


def test_it_prints_a_line_for_each_kind_of_photo(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DIGIT_DATA_DIR", str(write_small_data(tmp_path / "data")))
    monkeypatch.setattr(downloads, "CACHE", tmp_path / "cache")
    monkeypatch.setattr(photos, "SIZE", (400, 300))
    monkeypatch.setattr(photos, "LARGE", (800, 600))
    photos.main(["--n", "1", "--large", "2"])
    lines = capsys.readouterr().out.splitlines()
    assert [line[:14].strip() for line in lines[2:-1]] == list(KINDS)
    for line in lines[2:-1]:
        correct, _interval, *empty = line[14:].split()
        assert correct in ("0.0%", "100.0%")
        assert sorted(empty) == ["0.0%", "0.0%", "100.0%"]
    assert "of 2 correct" in lines[-1]


def test_a_folder_without_a_bundle_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=str(tmp_path)):
        photos.main([str(tmp_path)])
