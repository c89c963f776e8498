"""The model card's pictures are drawn, and small."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from benchmarks import pictures
from training import downloads
from training.tests.small_data import write_small_data


def test_the_pictures_are_written_and_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DIGIT_DATA_DIR", str(write_small_data(tmp_path / "data")))
    monkeypatch.setattr(downloads, "CACHE", tmp_path / "cache")
    pictures.main(["--to", str(tmp_path / "docs")])
    found = sorted((tmp_path / "docs").iterdir())
    assert [path.name for path in found] == [
        "accepted.png", "mistakes-mnist.png", "mistakes-pen.png", "reliability.png",
    ]  # fmt: skip
    for path in found:
        with Image.open(path) as image:
            assert image.format == "PNG"
            assert image.size[0] > 400
        assert path.stat().st_size < 150_000
    assert capsys.readouterr().out.count("bytes") == 4
