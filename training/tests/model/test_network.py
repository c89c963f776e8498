"""The network, its copies and its archive, and augmentation."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from recognizer.imaging.strokes import render
from training.data.datasets import model_input_of
from training.model.augmentation import Augmentation, augment
from training.model.bundle import from_keras_bytes, to_keras_bytes
from training.model.config import RECIPES
from training.model.network import build_network, in_precision, logits_of
from training.synthesis.allographs import generate_digit
from training.synthesis.strokes import place


@pytest.fixture(scope="module")
def images() -> Any:
    rng = np.random.default_rng(2)
    return np.stack([model_input_of(render(place(generate_digit(n % 10, rng)))) for n in range(20)])


@pytest.fixture(scope="module")
def model() -> Any:
    import keras

    keras.utils.set_random_seed(3)
    return build_network(width=8)


def test_the_shipped_network_has_the_documented_size() -> None:
    network = build_network(width=RECIPES["shipped"].width)
    assert network.count_params() < 600_000
    shapes = {name: tuple(output.shape) for name, output in network.output.items()}
    assert shapes == {"logits": (None, 11), "embedding": (None, 96)}


def test_the_embedding_has_length_one(model: Any, images: Any) -> None:
    embedding = np.asarray(model(images[..., None].astype(np.float32) / 255)["embedding"])
    assert np.linalg.norm(embedding, axis=1) == pytest.approx(np.ones(len(images)), abs=1e-5)


def test_a_copy_in_lower_precision_gives_the_same_answers(model: Any, images: Any) -> None:
    copy = in_precision(model, "mixed_bfloat16")
    assert logits_of(copy, images) == pytest.approx(logits_of(model, images), abs=0.05)
    assert all(weight.dtype == np.float32 for weight in copy.get_weights())


def test_the_archive_is_half_as_large_and_gives_the_same_answers(
    model: Any, images: Any, tmp_path: Any
) -> None:
    archive = to_keras_bytes(model)
    model.save(tmp_path / "plain.keras")
    assert len(archive) < 0.7 * (tmp_path / "plain.keras").stat().st_size
    assert logits_of(from_keras_bytes(archive), images) == pytest.approx(
        logits_of(model, images), abs=0.01
    )


def test_augmentation_of_strength_zero_changes_nothing(images: Any) -> None:
    import tensorflow as tf

    batch = tf.constant(images[..., None], tf.float32) / 255.0
    seed = tf.constant([1, 7], tf.int32)

    def change(strength: float) -> float:
        changed = augment(batch, seed, Augmentation(), tf.constant(strength))
        assert changed.shape == batch.shape
        return float(tf.reduce_mean(tf.abs(changed - batch)))

    assert change(0.0) < 1e-4
    assert change(0.0) < change(0.35) < change(1.0)
    again = augment(batch, seed, Augmentation(), tf.constant(1.0))
    assert (np.asarray(again) == np.asarray(augment(batch, seed, Augmentation()))).all()
