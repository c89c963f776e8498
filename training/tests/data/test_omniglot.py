"""Omniglot: training alphabets, test alphabets, and look-alikes."""

import os
import zipfile
from pathlib import Path

import numpy as np
import pytest

from training.data import downloads, omniglot
from training.data.datasets import NOT_A_DIGIT
from training.data.downloads import DataDamaged, DataUnavailable
from training.tests.small_data import write_small_data

real = pytest.mark.skipif(
    "DIGIT_DATA_DIR" not in os.environ, reason="DIGIT_DATA_DIR does not name the data sets"
)


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Omniglot's five alphabets in small, each with one look-alike."""
    folder = write_small_data(tmp_path / "data")
    monkeypatch.setenv("DIGIT_DATA_DIR", str(folder))
    return folder / downloads.OMNIGLOT.filename


def test_only_the_training_alphabets_are_trained_on_and_no_lookalike(small: Path) -> None:
    everything = omniglot.read(small, omniglot.TRAIN_ALPHABETS)
    kept = everything.without_lookalikes()

    assert {alphabet for alphabet, _ in everything.characters} == set(omniglot.TRAIN_ALPHABETS)
    assert 0 < len(kept) < len(everything)
    assert not any(name in omniglot.LOOKALIKES[alphabet] for alphabet, name in kept.characters)
    assert np.array_equal(omniglot.training_images(), kept.images)


def test_drawings_are_read_unchanged(small: Path) -> None:
    drawings = omniglot.read(small)

    assert drawings.images.dtype == np.uint8
    assert drawings.images.shape == (len(drawings.characters), omniglot.SIDE, omniglot.SIDE)
    assert (drawings.images[:, 0] == 255).all(), "the paper is white"
    assert (drawings.images.min((1, 2)) < 128).all(), "the ink is dark"


def test_a_held_out_alphabet_comes_with_and_without_lookalikes(small: Path) -> None:
    without = omniglot.held_out("Korean", lookalikes=False)
    everything = omniglot.held_out("Korean", lookalikes=True)

    assert 0 < len(without) < len(everything)
    assert without.name != everything.name
    assert everything.images.shape[1:] == (28, 28)
    assert set(everything.labels) == {NOT_A_DIGIT}


def test_a_training_alphabet_is_no_test_set(small: Path) -> None:
    with pytest.raises(ValueError, match="Latin is not held out"):
        omniglot.held_out("Latin", lookalikes=True)


def test_a_file_that_is_not_omniglot_is_named(tmp_path: Path) -> None:
    text = tmp_path / "text.zip"
    text.write_text("no zip at all")
    other = tmp_path / "other.zip"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("readme.txt", "something else")
        archive.writestr("images/Latin/character01/0001_01.png", b"no picture")

    with pytest.raises(DataDamaged, match=r"text\.zip is not Omniglot"):
        omniglot.read(text)
    with pytest.raises(DataDamaged, match=r"other\.zip is not Omniglot"):
        omniglot.read(other, ("Latin",))
    with pytest.raises(DataDamaged, match="no alphabet Korean"):
        omniglot.read(other, ("Korean",))


def test_a_missing_alphabet_is_named(small: Path) -> None:
    with pytest.raises(DataDamaged, match="no alphabet Klingon"):
        omniglot.read(small, ("Latin", "Klingon"))


def test_without_the_file_and_its_source_it_is_unavailable(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DIGIT_DATA_DIR", raising=False)
    monkeypatch.setattr(downloads, "CACHE", tmp_path)
    nowhere = downloads.Source("http://127.0.0.1:9/omniglot.zip", "", "omniglot.zip")
    monkeypatch.setattr(downloads, "OMNIGLOT", nowhere)

    with pytest.raises(DataUnavailable, match=r"127\.0\.0\.1"):
        omniglot.training_images()


@real
def test_the_public_file_is_the_one_the_lookalikes_were_chosen_from() -> None:
    path = downloads.omniglot_file()
    drawings = omniglot.read(path)
    present = set(drawings.characters)

    assert downloads.sha256_of(path) == downloads.OMNIGLOT.sha256
    assert len(drawings) == 2720
    for alphabet, names in omniglot.LOOKALIKES.items():
        assert {(alphabet, name) for name in names} <= present
    assert len(omniglot.training_images()) == 1000
