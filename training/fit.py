"""The training loop: AdamW, one cycle, every epoch's strokes drawn anew beside it."""

from __future__ import annotations

import multiprocessing
import signal
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from training.augment import augment
from training.datasets import Data, PenDigit, draw_fresh
from training.network import logits_of
from training.recipes import Recipe


class Report(Protocol):
    """Told of every step: the epoch (from 0), the step in it, the steps in it, and the loss."""

    def __call__(self, epoch: int, step: int, steps: int, loss: float) -> None: ...


@dataclass
class History:
    """What a run measured on the way, one number an epoch."""

    loss: list[float] = field(default_factory=list)
    training_accuracy: list[float] = field(default_factory=list)
    validation_accuracy: list[float] = field(default_factory=list)


@dataclass(frozen=True)
class TrainingData:
    """``fixed`` is seen once an epoch; ``labelled`` is repeated; strokes are drawn anew."""

    fixed: Data | None
    pen: Sequence[PenDigit]
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

    The same seed draws the same data, deformations and first weights; TensorFlow's threads may
    leave the last digits open. While one epoch trains, a second process draws the strokes of the
    next.
    """
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    history = History()
    # "spawn": a fork of a process that runs TensorFlow's threads hangs.
    context = multiprocessing.get_context("spawn")
    pool = ProcessPoolExecutor(1, mp_context=context, initializer=_leave_interrupts_to_parent)
    try:
        drawn = pool.submit(draw_fresh, data.pen, recipe.fresh, recipe.seed * 1000)
        steps = _steps(data, recipe)
        optimizer = keras.optimizers.AdamW(
            _one_cycle(recipe, steps * recipe.epochs), weight_decay=recipe.weight_decay
        )
        optimizer.exclude_from_weight_decay(var_names=["beta", "gamma", "bias"])
        step_once = _compiled_step(model, optimizer, recipe)
        for epoch in range(recipe.epochs):
            images, labels = _epoch(data, drawn.result(), recipe, rng)
            if epoch + 1 < recipe.epochs:
                seed = recipe.seed * 1000 + epoch + 1
                drawn = pool.submit(draw_fresh, data.pen, recipe.fresh, seed)
            losses, correct = [], 0
            for step in range(steps):
                part = slice(step * recipe.batch, (step + 1) * recipe.batch)
                batch = tf.constant(images[part, :, :, None], tf.float32) / 255.0
                number = tf.constant([recipe.seed, epoch * steps + step], tf.int32)
                loss, right = step_once(batch, tf.constant(labels[part], tf.int32), number)
                losses.append(float(loss))
                correct += int(right)
                if report:
                    report(epoch, step + 1, steps, float(np.mean(losses[-50:])))
            history.loss.append(float(np.mean(losses)))
            history.training_accuracy.append(correct / (steps * recipe.batch))
            history.validation_accuracy.append(accuracy(model, data.validation))
            if after_epoch:
                after_epoch(epoch, history)
    finally:
        pool.shutdown(wait=False, cancel_futures=True)
    return history


def _leave_interrupts_to_parent() -> None:
    # Ctrl-C reaches every process of the terminal; the helper's traceback would only confuse.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def accuracy(model: Any, data: Data) -> float:
    """Return the share of ``data`` that a Keras network's eleven classes get right."""
    return float((logits_of(model, data.images).argmax(1) == data.labels).mean())


def _repeats(data: TrainingData, recipe: Recipe) -> int:
    """How often the labelled drawings are repeated to make up their share of an epoch."""
    if data.labelled is None or not len(data.labelled):
        return 0
    wanted = recipe.labelled_share * _unlabelled(data, recipe) / (1 - recipe.labelled_share)
    # Each repetition is augmented anew, but past twenty they would be learned by heart.
    return int(np.clip(round(wanted / len(data.labelled)), 1, 20))


def _unlabelled(data: TrainingData, recipe: Recipe) -> int:
    fresh = len(data.pen) * recipe.fresh.pen + recipe.fresh.generated + recipe.fresh.nondigits
    return fresh + (len(data.fixed) if data.fixed else 0)


def _steps(data: TrainingData, recipe: Recipe) -> int:
    labelled = _repeats(data, recipe) * len(data.labelled) if data.labelled else 0
    return max(1, (_unlabelled(data, recipe) + labelled) // recipe.batch)


def _epoch(
    data: TrainingData, fresh: Data, recipe: Recipe, rng: np.random.Generator
) -> tuple[Any, Any]:
    parts = [fresh, *([data.fixed] if data.fixed else [])]
    if data.labelled:
        parts += [data.labelled] * _repeats(data, recipe)
    images = np.concatenate([part.images for part in parts])
    labels = np.concatenate([part.labels for part in parts])
    order = rng.permutation(len(labels))
    return images[order], labels[order]


def _one_cycle(recipe: Recipe, steps: int) -> Any:
    """One cycle after Smith and Topin, "Super-convergence", 2019: up, then a cosine to zero."""
    import keras

    warm_up = max(1, int(recipe.warm_up * steps))
    return keras.optimizers.schedules.CosineDecay(
        initial_learning_rate=recipe.learning_rate / 20,
        decay_steps=max(1, steps - warm_up),
        alpha=0.0,
        warmup_target=recipe.learning_rate,
        warmup_steps=warm_up,
    )


def _compiled_step(model: Any, optimizer: Any, recipe: Recipe) -> Any:
    import tensorflow as tf

    optimizer.build(model.trainable_variables)

    def step(images: Any, labels: Any, seed: Any) -> Any:
        images = augment(images, seed, recipe.augmentation)
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
