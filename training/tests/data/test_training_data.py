from pathlib import Path

import pytest

from training.data import downloads, training_data
from training.data.labelled import Labelled
from training.tests.small_data import write_small_data


def no_labels() -> Labelled:
    raise AssertionError("labels are not among the sources")


def test_a_limit_holds_for_every_source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DIGIT_DATA_DIR", str(write_small_data(tmp_path / "data")))
    monkeypatch.setattr(downloads, "CACHE", tmp_path / "cache")
    data = training_data.collect(
        wanted={"mnist", "pen", "omniglot"}, mnist_path=None, labelled=no_labels, limit=5
    )
    counts = {name: source.n for name, source in data.sources().items()}
    assert counts["mnist"] == 5
    assert counts["omniglot"] == 5
    assert data.pen is not None
    assert len(data.pen) == 5
    assert len(data.material().mnist) == 5
