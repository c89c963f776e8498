"""The public data sets, if available: reading, splits, and the bundled model's accuracy."""

from __future__ import annotations

import datetime
import os
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from pytest_django import Settings

from recognizer.inference.classifier import BUNDLED, Classifier, load_bundle
from training.data import datasets
from training.data.datasets import Data, PenDigit
from training.data.downloads import DataDamaged
from training.data.labelled import KEYED_SINCE, is_held_out
from training.data.synthetic import Fresh, Material, draw_fresh
from training.evaluation import metrics
from training.synthesis.strokes import PLACEMENTS

real = pytest.mark.skipif(
    "DIGIT_DATA_DIR" not in os.environ, reason="DIGIT_DATA_DIR does not name the data sets"
)


@pytest.fixture(scope="module")
def pen() -> list[PenDigit]:
    return datasets.read_pen(Path(os.environ["DIGIT_DATA_DIR"]) / "pendigits-orig.tra")


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier(load_bundle(BUNDLED))


@real
def test_the_pen_digits_of_thirty_writers_are_read(pen: list[PenDigit]) -> None:
    assert len(pen) == 7494
    assert {digit.writer for digit in pen} == set(range(1, 31))
    assert Counter(digit.label for digit in pen)[0] == 780
    assert all(np.isfinite(np.concatenate(digit.strokes)).all() for digit in pen)


@real
def test_no_writer_is_in_two_splits(pen: list[PenDigit]) -> None:
    trained = {digit.writer for digit in datasets.training_writers(pen)}
    assert len(trained) == 22
    assert not trained & {*datasets.HELD_OUT_WRITERS, *datasets.VALIDATION_WRITERS}
    assert not set(datasets.HELD_OUT_WRITERS) & set(datasets.VALIDATION_WRITERS)


@real
@pytest.mark.parametrize("placement", PLACEMENTS)
def test_the_bundled_model_recognises_unseen_writers(
    placement: str, pen: list[PenDigit], classifier: Classifier
) -> None:
    digits = datasets.by_writers(pen, datasets.HELD_OUT_WRITERS)[::5]
    data = datasets.draw_pen(digits, PLACEMENTS[placement], 40)
    measured = metrics.run(classifier, data).measures()
    assert measured.accuracy is not None
    assert measured.accuracy > 0.97
    assert measured.refused is not None
    assert measured.refused < 0.05


@real
def test_the_bundled_model_recognises_mnist(classifier: Classifier) -> None:
    path = Path(os.environ["DIGIT_DATA_DIR"]) / "mnist.npz"
    raw = datasets.read_npz(path)
    assert (len(raw["train"]), len(raw["test"])) == (60_000, 10_000)
    some = raw["test"].take(slice(0, 10_000, 10))
    seen = np.stack([datasets.model_input_of(image) for image in some.images])
    measured = metrics.run(classifier, Data("mnist", seen, some.labels)).measures()
    assert measured.accuracy is not None
    assert measured.accuracy > 0.98


@pytest.mark.parametrize(
    "content", ["", "hello", '.SEGMENT DIGIT 0 ? "3"\n.COMMENT 3 7 1\n.PEN_DOWN\n 1 x\n']
)
def test_a_file_without_pen_data_is_rejected(content: str, tmp_path: Path) -> None:
    path = tmp_path / "pendigits-orig.tra"
    path.write_text(content)
    with pytest.raises(DataDamaged):
        datasets.read_pen(path)


def test_drawn_data_is_the_same_for_the_same_seed() -> None:
    amounts = Fresh(generated=20, nondigits=10)
    one, two, other = (draw_fresh(Material(), amounts, seed) for seed in (1, 1, 2))
    assert (one.images == two.images).all()
    assert not (one.images == other.images).all()
    assert Counter(one.labels.tolist()) == {**dict.fromkeys(range(10), 2), 10: 10}


def test_the_same_fifth_of_the_labels_is_always_held_out() -> None:
    held_out = [is_held_out(f"drawing-{number}") for number in range(2000)]
    assert 0.17 < np.mean(held_out) < 0.23
    assert held_out == [is_held_out(f"drawing-{number}") for number in range(2000)]


def test_nobody_without_the_sites_key_knows_which_new_drawings_are_held_out(
    settings: Settings,
) -> None:
    def held_out(since: datetime.timedelta) -> list[bool]:
        return [is_held_out(f"drawing-{number}", KEYED_SINCE + since) for number in range(2000)]

    new, before = datetime.timedelta(days=1), datetime.timedelta(days=-1)
    here, old = held_out(new), held_out(before)
    again = held_out(new)
    settings.SECRET_KEY = "another" * 10
    elsewhere = held_out(new)

    assert 0.17 < np.mean(here) < 0.23
    assert here == again
    # Agreeing by chance: 0.2 * 0.2 + 0.8 * 0.8.
    assert 0.6 < np.mean(np.array(here) == np.array(elsewhere)) < 0.76
    assert old == held_out(before) == [is_held_out(f"drawing-{number}") for number in range(2000)]
