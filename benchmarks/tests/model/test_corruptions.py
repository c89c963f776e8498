"""Corrupted digits: fifteen kinds, and how a model recognises them."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.model import corruptions, mnist_c
from recognizer.inference.classifier import BUNDLED
from training.data import downloads
from training.tests.small_data import write_small_data


@pytest.fixture
def digits(tmp_path: Path) -> NDArray[np.uint8]:
    """Twenty digits, uint8 (20, 28, 28), white on black."""
    with np.load(write_small_data(tmp_path / "data") / downloads.MNIST.filename) as arrays:
        return np.asarray(arrays["x_test"])


@pytest.mark.parametrize("kind", mnist_c.KINDS)
def test_a_corruption_changes_every_digit_and_only_by_its_seed(
    kind: str, digits: NDArray[np.uint8]
) -> None:
    before = digits.copy()
    changed = mnist_c.corrupt(digits, kind)
    assert (digits == before).all()
    assert changed.dtype == np.uint8
    assert changed.shape == digits.shape
    assert (changed != digits).any((1, 2)).all()
    assert (changed == mnist_c.corrupt(digits, kind)).all()
    # The image is not uniform.
    assert np.ptp(changed.astype(int), (1, 2)).min() > 20


def middles(images: NDArray[np.uint8]) -> NDArray[np.float64]:
    """The middle of mass of each image, (n, 2) as x, y."""
    y, x = np.mgrid[:28, :28]
    mass = images.sum((1, 2))
    return np.stack([(images * x).sum((1, 2)) / mass, (images * y).sum((1, 2)) / mass], 1)


def test_strengths_are_those_of_the_paper(digits: NDArray[np.uint8]) -> None:
    moved = np.abs(middles(mnist_c.corrupt(digits, "translate")) - middles(digits))
    assert moved == pytest.approx(3, abs=0.1)
    share = (mnist_c.corrupt(digits, "impulse_noise") != digits).mean()
    assert share == pytest.approx(0.17 / 2, abs=0.02)
    mass = mnist_c.corrupt(digits, "scale").sum() / digits.sum()
    assert mass == pytest.approx(0.7**2, abs=0.03)
    assert mnist_c.corrupt(digits, "brightness").min() == 128
    stripes = mnist_c.corrupt(digits, "stripe")
    assert (stripes[:, :, :7] == 255 - digits[:, :, :7]).all()
    assert (stripes[:, :, 7:21] == digits[:, :, 7:21]).all()


def test_edges_are_thin_lines_around_the_ink(digits: NDArray[np.uint8]) -> None:
    edges = mnist_c.corrupt(digits, "canny_edges") > 0
    solid = edges[:, :-1, :-1] & edges[:, 1:, :-1] & edges[:, :-1, 1:] & edges[:, 1:, 1:]
    assert edges.sum() > 20 * 28
    assert solid.sum() < 0.05 * edges.sum()


def test_two_models_are_compared(
    digits: NDArray[np.uint8],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setenv("DIGIT_DATA_DIR", str(tmp_path / "data"))
    path = tmp_path / "errors.json"
    corruptions.main([str(BUNDLED), "--against", str(BUNDLED), "--n", "8", "--json", str(path)])
    printed = capsys.readouterr().out
    models = json.loads(path.read_text())["figures"]["models"]
    assert len(models) == 2
    assert set(models[0]["errors"]) == {"clean", *mnist_c.KINDS}
    errors = [error for kind, error in models[0]["errors"].items() if kind != "clean"]
    assert models[0]["mean"] == pytest.approx(np.mean(errors))
    assert "n = 8 of each kind" in printed
    # Equal models: one is never a third of the other.
    assert "MISSED" in printed


def test_a_folder_without_a_bundle_is_rejected(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="no model bundle in"):
        corruptions.main([str(tmp_path)])
