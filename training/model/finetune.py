"""Fine-tuning: a trained network learns from a few labelled drawings without forgetting.

Two methods prevent forgetting. Neither needs the data that the network was first trained on,
though whatever is available is used:

- replay: most of every batch are other drawings (Robins, "Catastrophic forgetting, rehearsal
  and pseudorehearsal", Connection Science 1995): MNIST and pen digits if they are available,
  generated digits and non-digits in any case;
- distillation: on these the target is the network's own earlier output rather than a label (Li
  and Hoiem, "Learning without forgetting", ECCV 2016, section 3), and batch normalisation keeps
  its means and variances.

``docs/training.md`` says what else was tried, and what this costs.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from training.data.datasets import Data
from training.data.labelled import drawn_anew
from training.data.synthetic import Fresh, Material, draw_fresh
from training.data.training_data import Collected
from training.model.augmentation import augment
from training.model.config import FineTuning
from training.model.network import in_precision, logits_of
from training.model.schedule import one_cycle
from training.model.train import History, Report, accuracy
from training.processes import workers

PARTS = 2
"""Processes that draw the replay data. Fixed, so that a seed gives the same on every machine."""


def replay_data(data: Collected, plan: FineTuning) -> Data:
    """Return drawings of every kind available, for the network to keep what it knows."""
    rng = np.random.default_rng(plan.seed)
    drawn = _draw(data, plan, rng)
    if mnist := data.trainable_mnist():
        drawn.append(mnist.take(rng.permutation(len(mnist))[: plan.mnist]))
    images = np.concatenate([part.images for part in drawn])
    return Data("replay", images, np.concatenate([part.labels for part in drawn]))


def _draw(data: Collected, plan: FineTuning, rng: np.random.Generator) -> list[Data]:
    material = data.material()
    chosen = rng.permutation(len(material.pen))[: plan.pen]
    pen = [material.pen[index] for index in chosen]
    generated = plan.fresh.generated
    # Generated digits replace handwriting that is not available.
    generated += 0 if data.trainable_mnist() else plan.mnist
    generated += 0 if pen else plan.pen
    amounts = _share(replace(plan.fresh, generated=generated if data.generated else 0))
    with workers(PARTS) as pool:
        parts = [
            pool.submit(
                draw_fresh,
                Material(pen=pen[part::PARTS], characters=material.characters[part::PARTS]),
                amounts,
                # Different from the seeds of ``train.fit`` and of the evaluation sets.
                1_000_000 + plan.seed * PARTS + part,
            )
            for part in range(PARTS)
        ]
        return [part.result() for part in parts]


def _share(amounts: Fresh) -> Fresh:
    """Return one process's share of the drawings that need no material."""
    names = ("generated", "nondigits", "textures", "photos", "altered")
    return replace(amounts, **{name: -(-getattr(amounts, name) // PARTS) for name in names})


def fine_tune(
    model: Any,
    labelled: Data,
    replay: Data,
    validation: Data,
    plan: FineTuning,
    report: Report | None = None,
    after_epoch: Callable[[int, History], None] | None = None,
    targets: NDArray[np.float32] | None = None,
) -> History:
    """Fine-tune a network in place on labelled drawings, and return its history.

    ``targets`` are the logits (n, 11) to distil on ``replay``, by default the network's own.

    Loss and training accuracy in the history are those of the labelled drawings after
    augmentation; validation accuracy is that of ``validation``. The same seed and data give the
    same network, as in ``train.fit``. An exception that ``report`` or ``after_epoch`` raises ends
    the run.
    """
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(plan.seed)
    rng = np.random.default_rng(plan.seed)
    if targets is None:
        targets = logits_of(model, replay.images)
    learning = in_precision(model, plan.precision)
    own = max(1, round(plan.labelled_share * plan.batch))
    steps = _steps(plan, len(labelled), own)
    optimizer = keras.optimizers.Adam(
        one_cycle(plan.learning_rate, plan.warm_up, steps * plan.epochs)
    )
    step_once = _compiled_step(learning, optimizer, plan, own)
    labelled_order, replay_order = _endless(len(labelled), rng), _endless(len(replay), rng)
    history = History()
    sent = labelled
    for epoch in range(plan.epochs):
        labelled = drawn_anew(sent, rng)
        losses, correct = [], 0
        for step in range(steps):
            chosen = list(itertools.islice(labelled_order, own))
            replayed = list(itertools.islice(replay_order, plan.batch - own))
            images = np.concatenate([labelled.images[chosen], replay.images[replayed]])
            loss, right = step_once(
                tf.constant(images[..., None], tf.float32) / 255.0,
                tf.constant(labelled.labels[chosen], tf.int32),
                tf.constant(targets[replayed]),
                tf.constant([plan.seed, epoch * steps + step], tf.int32),
            )
            losses.append(float(loss))
            correct += int(right)
            if report:
                report(epoch, step + 1, steps, float(np.mean(losses[-50:])))
        model.set_weights(learning.get_weights())
        history.loss.append(float(np.mean(losses)))
        history.training_accuracy.append(correct / (steps * own))
        history.validation_accuracy.append(accuracy(model, validation))
        if after_epoch:
            after_epoch(epoch, history)
    return history


def _steps(plan: FineTuning, labelled: int, own: int) -> int:
    """Return the steps of an epoch, which grow with the number of labelled drawings."""

    def needed(repeats: int) -> int:
        return -(-repeats * labelled // (own * plan.epochs))

    wanted = min(needed(plan.repeats), plan.most_steps)
    return max(plan.steps, wanted, needed(plan.least_repeats))


def _endless(n: int, rng: np.random.Generator) -> Iterator[int]:
    """Yield the indexes of n drawings endlessly, in a new order each time."""
    while True:
        yield from map(int, rng.permutation(n))


def _compiled_step(model: Any, optimizer: Any, plan: FineTuning, own: int) -> Any:
    import tensorflow as tf

    optimizer.build(model.trainable_variables)
    temperature = plan.distillation_temperature

    def step(images: Any, labels: Any, targets: Any, seed: Any) -> Any:
        deformed = augment(images[:own], seed, plan.augmentation)
        images = tf.concat([deformed, images[own:]], 0)
        with tf.GradientTape() as tape:
            # Not in training mode: batch normalisation keeps the statistics of the original
            # training data, which these few drawings do not represent.
            logits = model(images, training=False)["logits"]
            label_loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits[:own])
            distillation = tf.nn.softmax_cross_entropy_with_logits(
                tf.nn.softmax(targets / temperature), logits[own:] / temperature
            )
            # The square keeps the scale of the gradients: Hinton, Vinyals, Dean, "Distilling the
            # knowledge in a neural network", 2015, section 2.
            weight = plan.distillation_weight * temperature**2
            loss = (tf.reduce_sum(label_loss) + weight * tf.reduce_sum(distillation)) / plan.batch
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        found = tf.argmax(logits[:own], 1, tf.int32)
        return tf.reduce_mean(label_loss), tf.reduce_sum(tf.cast(found == labels, tf.int32))

    return tf.function(step, reduce_retracing=True)
