"""The training loop: AdamW, one cycle, new strokes for every epoch drawn in a second process."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from training.data.datasets import Data
from training.data.labelled import drawn_anew
from training.data.synthetic import Material, draw_fresh
from training.model.augmentation import augment
from training.model.config import Recipe
from training.model.network import in_precision, logits_of
from training.model.schedule import one_cycle
from training.processes import workers


class Report(Protocol):
    """Called after every step: ``epoch`` counts from 0, ``step`` from 1 to ``steps``."""

    def __call__(self, epoch: int, step: int, steps: int, loss: float) -> None: ...


@dataclass
class History:
    """What a run measured, one number per epoch."""

    loss: list[float] = field(default_factory=list)
    training_accuracy: list[float] = field(default_factory=list)
    validation_accuracy: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class TrainingData:
    """``fixed`` is seen once per epoch, ``labelled`` repeatedly; ``material`` is drawn anew."""

    fixed: Data | None
    material: Material
    labelled: Data | None
    validation: Data


def fit(
    model: Any,
    data: TrainingData,
    recipe: Recipe,
    report: Report | None = None,
    after_epoch: Callable[[int, History], None] | None = None,
) -> History:
    """Train a network in place and return its history.

    The seed decides data, deformations and initial weights; with TensorFlow's deterministic
    kernels, which ``pipeline.train`` enables, the same machine then trains the same network. A
    second process draws the strokes of the next epoch while one trains. An exception that
    ``report`` or ``after_epoch`` raises ends the run and that process.
    """
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    history = History()
    with workers(1) as pool:

        def draw(epoch: int) -> Future[Data]:
            material = data.material.sample(recipe.fresh, rng)
            return pool.submit(draw_fresh, material, recipe.fresh, recipe.seed * 1000 + epoch)

        drawn = draw(0)
        trained = in_precision(model, recipe.precision)
        steps = _steps(data, recipe)
        optimizer = keras.optimizers.AdamW(
            one_cycle(recipe.learning_rate, recipe.warm_up, steps * recipe.epochs),
            weight_decay=recipe.weight_decay,
        )
        optimizer.exclude_from_weight_decay(var_names=["beta", "gamma", "bias"])
        step_once = _compiled_step(trained, optimizer, recipe)
        for epoch in range(recipe.epochs):
            images, labels = _epoch(data, drawn.result(), recipe, rng)
            if epoch + 1 < recipe.epochs:
                drawn = draw(epoch + 1)
            losses, correct = [], 0
            for step in range(steps):
                part = slice(step * recipe.batch, (step + 1) * recipe.batch)
                batch = tf.constant(images[part, :, :, None], tf.float32) / 255.0
                at = epoch * steps + step
                loss, right = step_once(
                    batch,
                    tf.constant(labels[part], tf.int32),
                    tf.constant([recipe.seed, at], tf.int32),
                    tf.constant(_strength(recipe, at / (steps * recipe.epochs)), tf.float32),
                )
                losses.append(float(loss))
                correct += int(right)
                if report:
                    report(epoch, step + 1, steps, float(np.mean(losses[-50:])))
            model.set_weights(trained.get_weights())
            history.loss.append(float(np.mean(losses)))
            history.training_accuracy.append(correct / (steps * recipe.batch))
            history.validation_accuracy.append(accuracy(model, data.validation))
            if after_epoch:
                after_epoch(epoch, history)
    return history


def accuracy(model: Any, data: Data) -> float:
    """Return the accuracy of a Keras network's eleven classes on ``data``, 0-1."""
    return float((logits_of(model, data.images).argmax(1) == data.labels).mean())


def _repeats(data: TrainingData, recipe: Recipe) -> int:
    """Return how often labelled drawings are repeated to make up their share of an epoch."""
    if data.labelled is None or not len(data.labelled):
        return 0
    wanted = recipe.labelled_share * _unlabelled(data, recipe) / (1 - recipe.labelled_share)
    # Each repetition is augmented anew, but with more than twenty the network would overfit them.
    return int(np.clip(round(wanted / len(data.labelled)), 1, 20))


def _unlabelled(data: TrainingData, recipe: Recipe) -> int:
    fixed = int(recipe.fixed_share * len(data.fixed)) if data.fixed else 0
    return recipe.fresh.count(data.material) + fixed


def _steps(data: TrainingData, recipe: Recipe) -> int:
    labelled = _repeats(data, recipe) * len(data.labelled) if data.labelled else 0
    return max(1, (_unlabelled(data, recipe) + labelled) // recipe.batch)


def _epoch(
    data: TrainingData, fresh: Data, recipe: Recipe, rng: np.random.Generator
) -> tuple[Any, Any]:
    parts = [fresh]
    if data.fixed:
        count = int(recipe.fixed_share * len(data.fixed))
        parts.append(data.fixed.take(rng.permutation(len(data.fixed))[:count]))
    if data.labelled:
        parts += [drawn_anew(data.labelled, rng)] * _repeats(data, recipe)
    images = np.concatenate([part.images for part in parts])
    labels = np.concatenate([part.labels for part in parts])
    order = rng.permutation(len(labels))
    return images[order], labels[order]


def _strength(recipe: Recipe, done: float) -> float:
    """Return the strength of augmentation, 0-1, once the share ``done`` of the run is over."""
    settling = max(0.0, (done - (1 - recipe.settle)) / recipe.settle) if recipe.settle else 0.0
    return 1 - (1 - recipe.settled) * settling


def _compiled_step(model: Any, optimizer: Any, recipe: Recipe) -> Any:
    import tensorflow as tf

    optimizer.build(model.trainable_variables)

    def step(images: Any, labels: Any, seed: Any, strength: Any) -> Any:
        images = augment(images, seed, recipe.augmentation, strength)
        with tf.GradientTape() as tape:
            logits = model(images, training=True)["logits"]
            loss = tf.reduce_mean(
                tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
            )
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        right = tf.reduce_sum(tf.cast(tf.argmax(logits, 1, tf.int32) == labels, tf.int32))
        return loss, right

    return tf.function(step, reduce_retracing=True)
