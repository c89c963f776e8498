"""The training loop: AdamW, one cycle, new strokes for every epoch drawn in other processes."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from training.data.datasets import Data
from training.data.downloads import DataDamaged
from training.data.labelled import drawn_anew
from training.data.synthetic import Material
from training.model import backend
from training.model.augmentation import augment
from training.model.average import WeightAverage
from training.model.checkpoint import Checkpoint, State
from training.model.config import Recipe
from training.model.drawing import StoredDrawings, drawing_ahead
from training.model.network import in_precision, logits_of
from training.model.schedule import one_cycle

LOOK = 25
"""Steps between two looks at the loss."""


class Report(Protocol):
    """Called after every step: ``epoch`` counts from 0, ``step`` from 1 to ``steps``."""

    def __call__(self, epoch: int, step: int, steps: int, loss: float) -> None: ...


@dataclass
class History:
    """What a run measured, one number per epoch.

    ``waiting`` is the share of an epoch's time in which the network waited for drawings.
    """

    loss: list[float] = field(default_factory=list)
    training_accuracy: list[float] = field(default_factory=list)
    validation_accuracy: list[float] = field(default_factory=list)
    waiting: list[float] = field(default_factory=list)

    def results(self) -> dict[str, list[float]]:
        """Return what the seed decides, for the model card."""
        return {name: each for name, each in asdict(self).items() if name != "waiting"}


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
    checkpoint: Checkpoint | None = None,
    drawings_in: Path | None = None,
) -> History:
    """Train a network in place and return its history.

    The seed decides data, deformations and initial weights; with deterministic kernels, which
    ``backend.use_deterministic_kernels`` enables, the same machine then trains the same network,
    also if it goes on from a ``checkpoint``, which is written after every epoch. An exception that
    ``report`` or ``after_epoch`` raises ends the run and the processes that draw.
    With ``drawings_in``, another process draws: see ``StoredDrawings``.
    """
    import keras

    keras.utils.set_random_seed(recipe.seed)
    run = _Run(model, data, recipe, checkpoint.load() if checkpoint else None)
    first = len(run.history.loss)
    sets = range(first // recipe.redraw, -(-recipe.epochs // recipe.redraw))
    with (
        nullcontext(StoredDrawings(drawings_in, sets))
        if drawings_in
        else drawing_ahead(data.material, recipe.fresh, recipe.seed, sets)
    ) as drawings:
        for epoch in range(first, recipe.epochs):
            start, waited = time.monotonic(), drawings.waited
            if epoch == first or epoch % recipe.redraw == 0:
                fresh = drawings.next()
            run.train(epoch, fresh, report)
            share = (drawings.waited - waited) / (time.monotonic() - start)
            run.history.waiting.append(share)
            run.history.validation_accuracy.append(accuracy(model, data.validation))
            if checkpoint:
                checkpoint.save(run.state())
            if after_epoch:
                after_epoch(epoch, run.history)
    return run.history


class _Run:
    """The network that is trained, its optimizer, and the average of its weights.

    ``model`` has the weights that the training would end with: the average.
    """

    def __init__(self, model: Any, data: TrainingData, recipe: Recipe, state: State | None) -> None:
        import keras

        self.model, self.data, self.recipe = model, data, recipe
        self.steps = _steps(data, recipe)
        self.history = History(**state.history) if state else History()
        self.trained = in_precision(model, recipe.precision)
        self.optimizer = keras.optimizers.AdamW(
            one_cycle(recipe.learning_rate, recipe.warm_up, self.steps * recipe.epochs),
            weight_decay=recipe.weight_decay,
        )
        self.optimizer.exclude_from_weight_decay(var_names=["beta", "gamma", "bias"])
        self.optimizer.build(self.trained.trainable_variables)
        self.average = WeightAverage(self.trained, recipe.average) if recipe.average else None
        if state:
            self._restore(state)
        self.step = backend.compiled_step(
            self.trained, self.optimizer, _objective(self.trained, recipe), self.average
        )

    def train(self, epoch: int, fresh: Data, report: Report | None) -> None:
        """Train on the images of an epoch."""
        recipe, losses, correct, recent = self.recipe, [], [], 0.0
        images, labels = _epoch(self.data, fresh, recipe, epoch)
        for step in range(self.steps):
            part = slice(step * recipe.batch, (step + 1) * recipe.batch)
            at = epoch * self.steps + step
            loss, right = self.step(
                images[part, :, :, None],
                labels[part],
                np.array([recipe.seed, at], np.int32),
                np.float32(_strength(recipe, at / (self.steps * recipe.epochs))),
            )
            losses.append(loss)
            correct.append(right)
            if report:
                # A GPU computes the next steps meanwhile, unless their results are asked for.
                if step % LOOK == 0:
                    recent = float(np.mean([float(each) for each in losses[-50:]]))
                report(epoch, step + 1, self.steps, recent)
        self.step.store()
        self._update_model()
        self.history.loss.append(float(np.mean([float(each) for each in losses])))
        right = sum(int(each) for each in correct)
        self.history.training_accuracy.append(right / (self.steps * recipe.batch))

    def state(self) -> State:
        arrays = [np.asarray(variable) for variable in self._variables()]
        return State(len(self.history.loss), asdict(self.history), arrays)

    def _restore(self, state: State) -> None:
        variables = self._variables()
        if [tuple(variable.shape) for variable in variables] != [a.shape for a in state.arrays]:
            raise DataDamaged("The checkpoint is of a different network. Start a new training.")
        for variable, array in zip(variables, state.arrays, strict=True):
            variable.assign(array)
        self._update_model()

    def _variables(self) -> list[Any]:
        averages = self.average.variables if self.average else []
        return [*self.trained.variables, *self.optimizer.variables, *averages]

    def _update_model(self) -> None:
        self.model.set_weights(
            self.average.values() if self.average else self.trained.get_weights()
        )


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


def _epoch(data: TrainingData, fresh: Data, recipe: Recipe, epoch: int) -> tuple[Any, Any]:
    """Return the images and labels of an epoch, uint8 (n, 28, 28) and int32 (n,), shuffled."""
    rng = np.random.default_rng((recipe.seed, epoch))
    parts = [fresh]
    if data.fixed:
        count = int(recipe.fixed_share * len(data.fixed))
        parts.append(data.fixed.take(rng.permutation(len(data.fixed))[:count]))
    if data.labelled:
        parts += [drawn_anew(data.labelled, rng)] * _repeats(data, recipe)
    images = np.concatenate([part.images for part in parts])
    labels = np.concatenate([part.labels for part in parts]).astype(np.int32)
    order = rng.permutation(len(labels))
    return images[order], labels[order]


def _strength(recipe: Recipe, done: float) -> float:
    """Return the strength of augmentation, 0-1, once the share ``done`` of the run is over."""
    if done >= 1 - recipe.plain:
        return 0.0
    settling = max(0.0, (done - (1 - recipe.settle)) / recipe.settle) if recipe.settle else 0.0
    return 1 - (1 - recipe.settled) * settling


def _objective(model: Any, recipe: Recipe) -> backend.Objective:
    """Return the loss of a step, and how many of its images were classified correctly."""
    import keras
    from keras import ops

    teachers = [
        in_precision(keras.saving.load_model(path, compile=False), recipe.precision)
        for path in recipe.teachers
    ]
    temperature = recipe.distillation_temperature

    def objective(images: Any, labels: Any, seed: Any, strength: Any) -> tuple[Any, Any]:
        images = ops.cast(images, "float32") / 255.0
        images = augment(images, seed, recipe.augmentation, strength)
        logits = model(images, training=True)["logits"]
        loss = ops.mean(ops.sparse_categorical_crossentropy(labels, logits, from_logits=True))
        if teachers:
            # Hinton, Vinyals, Dean, "Distilling the knowledge in a neural network", 2015. The
            # square keeps the scale of the gradients: section 2.
            answers = [
                ops.softmax(teacher(images, training=False)["logits"] / temperature)
                for teacher in teachers
            ]
            soft = ops.stop_gradient(sum(answers) / len(answers))
            distance = ops.categorical_crossentropy(soft, logits / temperature, from_logits=True)
            weight = recipe.distillation_weight
            loss = (1 - weight) * loss + weight * temperature**2 * ops.mean(distance)
        return loss, ops.sum(ops.cast(ops.argmax(logits, -1) == labels, "int32"))

    return objective
