"""Fine-tuning: a trained network learns from a few labelled drawings without forgetting.

Three methods prevent forgetting. None needs the data that the network was first trained on,
though whatever is available is used:

- replay: most of every batch are other drawings (Robins, "Catastrophic forgetting, rehearsal
  and pseudorehearsal", Connection Science 1995): MNIST and pen digits if they are available,
  generated digits and non-digits in any case;
- distillation: on these the target is the network's own earlier output rather than a label (Li
  and Hoiem, "Learning without forgetting", ECCV 2016, section 3), and batch normalisation keeps
  its means and variances;
- averaging: the result lies between the old weights and the new ones (Wortsman et al., "Robust
  fine-tuning of zero-shot models", CVPR 2022).

With more than a thousand labelled drawings the second and the third give way step by step to
training as usual, see ``FineTuning.for_labels``.
``docs/training.md`` says what else was tried, and what this costs.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from training.data.datasets import Data
from training.data.labelled import drawn_anew
from training.data.synthetic import Material
from training.data.training_data import Collected
from training.model import backend, batches, drawing
from training.model.augmentation import augment
from training.model.config import FineTuning
from training.model.network import in_precision, logits_of
from training.model.schedule import one_cycle
from training.model.train import History, Report, accuracy
from training.processes import workers

T = TypeVar("T")

SURE = 12.0
"""A logit so far above all others that its probability is almost 1, at any temperature used."""


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
    pen = _some(material.pen, plan.pen, rng)
    unipen = _some(material.unipen, plan.unipen, rng)
    letters = _some(material.letters, plan.letters, rng)
    generated = plan.fresh.generated
    # Generated digits replace handwriting that is not available.
    generated += 0 if data.trainable_mnist() else plan.mnist
    generated += 0 if pen or unipen else plan.pen
    amounts = replace(plan.fresh, generated=generated if data.generated else 0)
    # No MNIST with clutter.
    material = Material(pen, material.characters, unipen=unipen, letters=letters)
    with workers(os.cpu_count() or 1) as pool:
        # Different from the seeds of ``train.fit`` and of the evaluation sets.
        return [drawing.joined(drawing.draw(pool, material, amounts, 1_000_000 + plan.seed))]


def _some(written: Sequence[T], count: int, rng: np.random.Generator) -> list[T]:
    """Return at most ``count`` of the drawings, chosen at random."""
    return [written[index] for index in rng.permutation(len(written))[:count]]


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

    ``targets`` are the logits (n, 11) to distil on ``replay``, by default the network's own. The
    plan is followed as it is: ``plan.for_labels`` suits it to the number of labelled drawings.

    Loss and training accuracy in the history are those of the labelled drawings after
    augmentation; validation accuracy is that of ``validation``. The same seed and data give the
    same network, as in ``train.fit``. An exception that ``report`` or ``after_epoch`` raises ends
    the run.
    """
    import keras

    keras.utils.set_random_seed(plan.seed)
    rng = np.random.default_rng(plan.seed)
    if targets is None:
        targets = logits_of(model, replay.images)
    targets = _corrected(targets, replay.labels, plan.corrected)
    start = model.get_weights()
    learning = in_precision(model, plan.precision)
    own = max(1, round(plan.labelled_share * plan.batch))
    steps = _steps(plan, batches.effective(labelled.labels), own)
    optimizer = keras.optimizers.Adam(
        one_cycle(plan.learning_rate, plan.warm_up, steps * plan.epochs)
    )
    step_once = backend.compiled_step(learning, optimizer, _objective(learning, plan, own))
    labelled_order = batches.endless_balanced(labelled.labels, rng)
    replay_order = batches.endless(len(replay), rng)
    history = History()
    sent = labelled
    for epoch in range(plan.epochs):
        labelled = drawn_anew(sent, rng)
        losses, hits = [], 0
        for step in range(steps):
            chosen = list(itertools.islice(labelled_order, own))
            replayed = list(itertools.islice(replay_order, plan.batch - own))
            images = np.concatenate([labelled.images[chosen], replay.images[replayed]])
            _, (loss, right) = step_once(
                images[..., None],
                labelled.labels[chosen].astype(np.int32),
                targets[replayed],
                np.array([plan.seed, epoch * steps + step], np.int32),
            )
            losses.append(float(loss))
            hits += int(right)
            if report:
                report(epoch, step + 1, steps, float(np.mean(losses[-50:])))
        step_once.store()
        model.set_weights(
            [
                before + plan.moved * (after - before)
                for before, after in zip(start, learning.get_weights(), strict=True)
            ]
        )
        history.loss.append(float(np.mean(losses)))
        history.training_accuracy.append(hits / (steps * own))
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


def _corrected(
    targets: NDArray[np.float32], labels: NDArray[np.uint8], below: float
) -> NDArray[np.float32]:
    """Return logits (n, 11) that are sure of a drawing's label where its probability is ``below``.

    So a network does not keep the mistakes and the doubts that the labels are to correct.
    """
    powers = np.exp(targets - targets.max(1, keepdims=True))
    rows = np.arange(len(labels))
    doubtful = powers[rows, labels] < below * powers.sum(1)
    sure = SURE * np.eye(targets.shape[1], dtype=np.float32)[labels]
    return np.where(doubtful[:, None], sure, targets)


def _objective(model: Any, plan: FineTuning, own: int) -> backend.Objective:
    """Return the loss of a step; further, that of the labelled drawings and how many are correct.

    The first ``own`` images of a batch are the labelled drawings.
    """
    from keras import ops

    temperature = plan.distillation_temperature

    def objective(images: Any, labels: Any, targets: Any, seed: Any) -> tuple[Any, Any]:
        images = ops.cast(images, "float32") / 255.0
        deformed = augment(images[:own], seed, plan.augmentation)
        # Not in training mode for a few labels: batch normalisation keeps the statistics of the
        # original training data, which these few drawings do not represent.
        logits = model(ops.concatenate([deformed, images[own:]]), training=plan.in_training_mode)[
            "logits"
        ]
        label_loss = ops.sparse_categorical_crossentropy(labels, logits[:own], from_logits=True)
        distillation = ops.categorical_crossentropy(
            ops.softmax(targets / temperature), logits[own:] / temperature, from_logits=True
        )
        # The square keeps the scale of the gradients: Hinton, Vinyals, Dean, "Distilling the
        # knowledge in a neural network", 2015, section 2.
        weight = plan.distillation_weight * temperature**2
        loss = (ops.sum(label_loss) + weight * ops.sum(distillation)) / plan.batch
        correct = ops.sum(ops.cast(ops.argmax(logits[:own], -1) == labels, "int32"))
        return loss, (ops.mean(label_loss), correct)

    return objective
