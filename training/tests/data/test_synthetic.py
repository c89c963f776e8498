"""The drawings of an epoch: complete, reproducible, legible."""

from __future__ import annotations

import numpy as np
import pytest

from recognizer.imaging.strokes import render
from recognizer.inference.classifier import BUNDLED, Classifier, load_bundle
from training.data.datasets import NOT_A_DIGIT, Data, PenDigit, model_input_of
from training.data.synthetic import Fresh, Material, draw_fresh, vary_picture
from training.evaluation import metrics
from training.synthesis.allographs import generate_digit
from training.synthesis.clutter import clutter
from training.synthesis.strokes import place


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier(load_bundle(BUNDLED))


@pytest.fixture
def material() -> Material:
    """Ten pen digits, three characters and thirty images, all generated."""
    rng = np.random.default_rng(4)
    pen = [PenDigit(generate_digit(digit, rng), digit, 1) for digit in range(10)]
    characters = np.stack(
        [render(place(pen[digit].strokes, canvas=105), canvas=105) for digit in (2, 4, 7)]
    )
    images = np.stack(
        [model_input_of(render(place(generate_digit(n % 10, rng)))) for n in range(30)]
    )
    return Material(pen, characters, Data("images", images, np.arange(30, dtype=np.uint8) % 10))


EVERYTHING = Fresh(
    pen=2, generated=20, nondigits=15, characters=2, textures=5, cluttered=12, photos=10, altered=8
)


def test_an_epoch_has_the_requested_drawings(material: Material) -> None:
    sampled = material.sample(EVERYTHING, np.random.default_rng(1))
    drawn = draw_fresh(sampled, EVERYTHING, 1)
    assert len(drawn) == EVERYTHING.count(material) == 20 + 20 + 15 + 6 + 5 + 12 + 10 + 8
    assert drawn.images.shape[1:] == (28, 28)
    # Non-digits: those of their own, the characters, and one photo in five.
    assert (drawn.labels == NOT_A_DIGIT).sum() == 15 + 6 + 5 + 8 + 2
    again = draw_fresh(sampled, EVERYTHING, 1)
    assert (drawn.images == again.images).all()
    assert (drawn.images != draw_fresh(sampled, EVERYTHING, 2).images).any()


def test_without_material_all_drawings_are_generated() -> None:
    drawn = draw_fresh(Material(), EVERYTHING, 1)
    assert len(drawn) == EVERYTHING.count(Material()) == 20 + 15 + 5 + 10


def test_a_quick_try_respects_its_limit(material: Material) -> None:
    few = EVERYTHING.at_most(3)
    assert few == Fresh(
        pen=1, generated=3, nondigits=3, characters=1, textures=3, cluttered=3, photos=3, altered=3
    )


def test_clutter_leaves_most_digits_legible(classifier: Classifier) -> None:
    rng = np.random.default_rng(8)
    clean = [
        render(place(generate_digit(n % 10, rng), canvas=140), canvas=140, brush=12)
        for n in range(150)
    ]
    labels = np.arange(150, dtype=np.uint8) % 10
    spoilt = [clutter(pixels, rng) for pixels in clean]
    changed = [
        np.abs((255 - one.astype(int)).mean() - other.mean())
        for one, other in zip(clean, spoilt, strict=True)
    ]
    assert np.mean(np.array(changed) > 1) > 0.5
    seen = Data("cluttered", np.stack([model_input_of(pixels) for pixels in spoilt]), labels)
    assert np.mean(metrics.run(classifier, seen).probabilities.argmax(1) == labels) > 0.7


def test_a_varied_picture_keeps_all_its_ink() -> None:
    rng = np.random.default_rng(5)
    pixels = render(place(generate_digit(4, rng), canvas=105, size=0.95), canvas=105, brush=6)
    for _ in range(20):
        varied = vary_picture(pixels, rng)
        edge = np.concatenate((varied[0], varied[-1], varied[:, 0], varied[:, -1]))
        assert (edge > 200).all()
        assert (varied < 100).sum() > 0.7 * (pixels < 100).sum()
