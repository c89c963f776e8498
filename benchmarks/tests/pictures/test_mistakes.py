"""The model card's pictures are drawn, and small."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.pictures import mistakes
from recognizer.inference.classifier import Calibration
from training.data import downloads
from training.data.datasets import Data
from training.evaluation.metrics import Outcome
from training.tests.small_data import write_small_data


def test_the_pictures_are_written_and_small(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DIGIT_DATA_DIR", str(write_small_data(tmp_path / "data")))
    monkeypatch.setattr(downloads, "CACHE", tmp_path / "cache")
    mistakes.main(["--to", str(tmp_path / "docs")])
    found = sorted((tmp_path / "docs").iterdir())
    assert [path.name for path in found] == [
        "accepted.png", "mistakes-mnist.png", "mistakes-pen.png", "mistakes-unipen.png",
        "reliability.png",
    ]  # fmt: skip
    for path in found:
        with Image.open(path) as image:
            assert image.format == "PNG"
            assert image.size[0] > 400
        assert path.stat().st_size < 150_000
    assert capsys.readouterr().out.count("bytes") == 5


def test_a_digit_in_several_placements_is_shown_where_the_mistake_is_most_confident() -> None:
    def outcome(first: float, second: float) -> Outcome:
        # Two 3s: one is always predicted as 7, the other is always correct.
        logits = np.zeros((2, 11), np.float32)
        logits[0, 7], logits[1, 3] = first, second
        images = np.full((2, 28, 28), round(first), np.uint8)
        return Outcome(Data("d", images, np.full(2, 3, np.uint8)), logits, Calibration(1, 0, 0))

    found = mistakes.most_confident([outcome(4, 9), outcome(8, 9), outcome(6, 9)])
    assert len(found.data) == 2
    assert found.logits[0, 7] == 8
    assert found.data.images[0, 0, 0] == 8
    assert found.right.tolist() == [False, True]
