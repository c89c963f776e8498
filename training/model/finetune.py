"""A trained network learns from a few labelled drawings and keeps what it knew.

Two things hold the old, and neither needs the data that the network was first trained on, though
all that is at hand is used:

- rehearsal: most of every batch are other drawings (Robins, "Catastrophic forgetting, rehearsal
  and pseudorehearsal", Connection Science 1995), MNIST and pen digits where they are here, drawn
  digits and non-digits everywhere;
- distillation: on these the network is held to what it answered before, not to a label (Li and
  Hoiem, "Learning without forgetting", ECCV 2016, section 3), and its batch normalisation to the
  means and variances that it had.

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
from training.data.synthetic import Fresh, Material, draw_fresh
from training.data.training_data import Collected
from training.model.augmentation import augment
from training.model.config import Adaptation
from training.model.network import in_precision, logits_of
from training.model.schedule import one_cycle
from training.model.train import History, Report, accuracy
from training.processes import workers

PARTS = 2
"""The rehearsal is drawn in so many parts at a time, whatever the machine: the same for a seed."""


def rehearsal(data: Collected, recipe: Adaptation) -> Data:
    """Return what is rehearsed: drawings of all kinds that are at hand."""
    rng = np.random.default_rng(recipe.seed)
    drawn = _draw(data, recipe, rng)
    if mnist := data.trainable_mnist():
        drawn.append(mnist.take(rng.permutation(len(mnist))[: recipe.mnist]))
    images = np.concatenate([part.images for part in drawn])
    return Data("rehearsal", images, np.concatenate([part.labels for part in drawn]))


def _draw(data: Collected, recipe: Adaptation, rng: np.random.Generator) -> list[Data]:
    material = data.material()
    chosen = rng.permutation(len(material.pen))[: recipe.pen]
    pen = [material.pen[index] for index in chosen]
    generated = recipe.fresh.generated
    # Generated digits make up for handwriting that is not at hand.
    generated += 0 if data.trainable_mnist() else recipe.mnist
    generated += 0 if pen else recipe.pen
    amounts = _share(replace(recipe.fresh, generated=generated if data.generated else 0))
    with workers(PARTS) as pool:
        parts = [
            pool.submit(
                draw_fresh,
                Material(pen=pen[part::PARTS], characters=material.characters[part::PARTS]),
                amounts,
                # Apart from the seeds of ``fit`` and of the benches.
                1_000_000 + recipe.seed * PARTS + part,
            )
            for part in range(PARTS)
        ]
        return [part.result() for part in parts]


def _share(amounts: Fresh) -> Fresh:
    """Return one part's numbers of what is drawn without material of its own."""
    names = ("generated", "nondigits", "textures", "photos", "spoiled")
    return replace(amounts, **{name: -(-getattr(amounts, name) // PARTS) for name in names})


def adapt(
    model: Any,
    labelled: Data,
    rehearsed: Data,
    validation: Data,
    recipe: Adaptation,
    report: Report | None = None,
    after_epoch: Callable[[int, History], None] | None = None,
    answers: NDArray[np.float32] | None = None,
) -> History:
    """Teach a network labelled drawings in place, and return its history.

    ``answers`` are the logits (n, 11) that it is held to on what is rehearsed: by default those
    that it gives now.

    Loss and training accuracy in the history are those of the labelled drawings, deformed; the
    validation accuracy is over ``validation``. The same seed and data make the same network, as
    ``fit.fit`` says; an exception of ``report`` or ``after_epoch`` ends the run.
    """
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(recipe.seed)
    rng = np.random.default_rng(recipe.seed)
    if answers is None:
        answers = logits_of(model, rehearsed.images)
    learning = in_precision(model, recipe.precision)
    own = max(1, round(recipe.labelled_share * recipe.batch))
    steps = _steps(recipe, len(labelled), own)
    optimizer = keras.optimizers.Adam(
        one_cycle(recipe.learning_rate, recipe.warm_up, steps * recipe.epochs)
    )
    step_once = _compiled_step(learning, optimizer, recipe, own)
    ours, others = _endless(len(labelled), rng), _endless(len(rehearsed), rng)
    history = History()
    for epoch in range(recipe.epochs):
        losses, correct = [], 0
        for step in range(steps):
            mine = list(itertools.islice(ours, own))
            theirs = list(itertools.islice(others, recipe.batch - own))
            images = np.concatenate([labelled.images[mine], rehearsed.images[theirs]])
            loss, right = step_once(
                tf.constant(images[..., None], tf.float32) / 255.0,
                tf.constant(labelled.labels[mine], tf.int32),
                tf.constant(answers[theirs]),
                tf.constant([recipe.seed, epoch * steps + step], tf.int32),
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


def _steps(recipe: Adaptation, labelled: int, own: int) -> int:
    """Return the steps of an epoch: more of them where there are many labelled drawings."""

    def needed(passes: int) -> int:
        return -(-passes * labelled // (own * recipe.epochs))

    wanted = min(needed(recipe.passes), recipe.most_steps)
    return max(recipe.steps, wanted, needed(recipe.least_passes))


def _endless(n: int, rng: np.random.Generator) -> Iterator[int]:
    """Yield the indexes of n drawings for ever, each time through in a new order."""
    while True:
        yield from map(int, rng.permutation(n))


def _compiled_step(model: Any, optimizer: Any, recipe: Adaptation, own: int) -> Any:
    import tensorflow as tf

    optimizer.build(model.trainable_variables)
    soft = recipe.softness

    def step(images: Any, labels: Any, answers: Any, seed: Any) -> Any:
        deformed = augment(images[:own], seed, recipe.augmentation)
        images = tf.concat([deformed, images[own:]], 0)
        with tf.GradientTape() as tape:
            # Not in training mode: batch normalisation keeps the statistics of all that the
            # network was trained on, which these few drawings are no sample of.
            logits = model(images, training=False)["logits"]
            learnt = tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits[:own])
            kept = tf.nn.softmax_cross_entropy_with_logits(
                tf.nn.softmax(answers / soft), logits[own:] / soft
            )
            # The square keeps the gradients' size: Hinton, Vinyals, Dean, "Distilling the
            # knowledge in a neural network", 2015, section 2.
            held = recipe.hold * soft**2 * tf.reduce_sum(kept)
            loss = (tf.reduce_sum(learnt) + held) / recipe.batch
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        found = tf.argmax(logits[:own], 1, tf.int32)
        return tf.reduce_mean(learnt), tf.reduce_sum(tf.cast(found == labels, tf.int32))

    return tf.function(step, reduce_retracing=True)
