"""A new network, from the data to the trained weights.

On a machine with a GPU, which needs neither Django nor TensorFlow but Keras and JAX:

    KERAS_BACKEND=jax python -m training.model.new_network reports/NAME --set batch=512

``manage.py train_model --resume reports/NAME`` then makes a model version of the network. Several
networks can learn from the same drawings, which are then made only once:

    python -m training.model.new_network reports/NAME --drawings FOLDER --draw 40
    python -m training.model.new_network reports/NAME --drawings FOLDER --set seed=2
"""

from __future__ import annotations

import argparse
import datetime
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol, TypeVar

from training.data import evaluation_sets, training_data
from training.data.datasets import Data
from training.data.downloads import DataDamaged
from training.data.labelled import Labelled
from training.data.training_data import Collected
from training.model import backend, drawing
from training.model.checkpoint import Checkpoint
from training.model.config import RECIPES, Plan, Recipe
from training.model.network import build_network
from training.model.train import History, TrainingData, fit

SomeOptions = TypeVar("SomeOptions", bound="Options")

FALLBACK_GENERATED = 40_000
"""Generated digits per epoch if there is neither MNIST nor pen strokes."""

CHECKPOINT = "checkpoint"
"""Folder of an unfinished training, in the folder of its report."""


class Listener(Protocol):
    """Shows the progress of a run.

    Every method is called from the thread that called ``train``. An exception that one raises
    ends the run: nothing is kept and no worker process stays behind.
    """

    def say(self, text: str) -> None:
        """Show a line."""

    def downloaded(self, name: str, done: int, total: int) -> None:
        """Show the progress of a download, in bytes."""

    def planned(self, epochs: int) -> None:
        """Show the number of epochs. Called once, before the first step."""

    def stepped(self, epoch: int, step: int, steps: int, loss: float) -> None:
        """Show the progress of the training: ``epoch`` counts from 0, ``step`` from 1 to ``steps``.

        ``loss`` is the mean loss of the last 50 steps.
        """

    def epoch_done(self, epoch: int, history: History) -> None:
        """Show the results of an epoch, the last of each list in ``history``."""


class NothingToTrainOn(ValueError):
    """None of the requested data is available."""


@dataclass(frozen=True)
class Options:
    """What a training was started with; kept beside its checkpoint, to go on with it.

    ``limit`` is the most drawings of each source, for a quick try.
    """

    plan: Plan
    sources: frozenset[str] = frozenset(training_data.SOURCES)
    mnist_path: Path | None = None
    limit: int | None = None
    name: str | None = None

    def default_name(self) -> str:
        """Return a name from the time and the plan."""
        return f"{datetime.datetime.now():%Y%m%d-%H%M%S}-{self.plan.name}"

    def to_json(self) -> dict[str, Any]:
        return {
            "plan": self.plan.to_json(),
            "sources": sorted(self.sources),
            "mnist_path": str(self.mnist_path.absolute()) if self.mnist_path else None,
            "limit": self.limit,
            "name": self.name,
        }

    @classmethod
    def from_json(cls: type[SomeOptions], stored: dict[str, Any]) -> SomeOptions:
        """Return stored options. Raises ``DataDamaged`` if they are not complete."""
        try:
            return cls(
                plan=Recipe.from_json(stored["plan"]),
                sources=frozenset(stored["sources"]),
                mnist_path=Path(stored["mnist_path"]) if stored["mnist_path"] else None,
                limit=stored["limit"],
                name=stored["name"],
            )
        except (KeyError, TypeError) as error:
            raise DataDamaged(f"the options of the training are not complete: {error}") from error


def collect(options: Options, labelled: Callable[[], Labelled], listener: Listener) -> Collected:
    """Return the data of a run. Raises as ``training_data.collect``."""
    data = training_data.collect(
        wanted=options.sources,
        mnist_path=options.mnist_path,
        labelled=labelled,
        progress=listener.downloaded,
        limit=options.limit,
    )
    for missing in data.missing:
        listener.say(f"Not available: {missing}")
    return data


def train_new(
    options: Options,
    data: Collected,
    validation: Data,
    listener: Listener,
    checkpoint: Checkpoint | None = None,
    drawings_in: Path | None = None,
) -> tuple[Recipe, Any, History]:
    """Train a network, or go on with the one in the checkpoint.

    Returns the recipe as it suited machine and data, the network, and its history.
    """
    import keras

    recipe = options.plan
    assert isinstance(recipe, Recipe)
    if not (checkpoint and checkpoint.exists()):
        recipe = fit_to_data(recipe.for_this_machine(), data, listener, options.limit)
        if checkpoint:
            checkpoint.write_options(replace(options, plan=recipe).to_json())
    keras.utils.set_random_seed(recipe.seed)
    backend.use_deterministic_kernels()
    listener.say(describe(data))
    listener.say("Preparing the first epoch ...")
    model = build_network(width=recipe.width, norm_logits=recipe.norm_logits)
    training = TrainingData(
        fixed=data.trainable_mnist(),
        material=data.material(),
        labelled=data.labelled,
        validation=validation,
    )
    listener.planned(recipe.epochs)
    history = fit(
        model, training, recipe, listener.stepped, listener.epoch_done, checkpoint, drawings_in
    )
    return recipe, model, history


def fit_to_data(
    recipe: Recipe, data: Collected, listener: Listener, limit: int | None = None
) -> Recipe:
    """Return the recipe with the number of drawings that suits the data and the limit."""
    fresh = recipe.fresh
    if not data.generated:
        fresh = replace(fresh, generated=0)
    if data.nothing_real:
        if not data.generated:
            raise NothingToTrainOn(
                "There is nothing to train on: none of the requested data is available. "
                "Connect to the internet, set DIGIT_DATA_DIR, or add 'generated' to --data."
            )
        listener.say("No handwriting is available: training on generated strokes only.")
        fresh = replace(fresh, generated=max(fresh.generated, FALLBACK_GENERATED))
    recipe = replace(recipe, fresh=fresh)
    return recipe.at_most(limit) if limit else recipe


def describe(data: Collected, *, replay: bool = False) -> str:
    """Return a line that names the training data; with ``replay``, those of fine-tuning."""
    parts = []
    if mnist := data.trainable_mnist():
        parts.append(f"MNIST {len(mnist):,}")
    if pen := data.trainable_pen():
        parts.append(f"pen strokes {len(pen):,}")
    if digits := data.trainable_unipen():
        parts.append(f"UNIPEN {len(digits):,} and {len(data.trainable_letters()):,} letters")
    labelled = ""
    if data.labelled is not None and data.labelled_held_out is not None:
        labelled = (
            f"labelled drawings {len(data.labelled):,} ({len(data.labelled_held_out):,} held out)"
        )
        if not replay:
            parts.append(labelled)
    if data.characters is not None:
        parts.append(f"Omniglot {len(data.characters):,}")
    if data.generated:
        parts.append("generated strokes")
    if replay:
        return f"Learning from: {labelled}. Replaying: {', '.join(parts) or 'nothing'}."
    return f"Training on: {', '.join(parts) or 'nothing'}."


class Lines:
    """Prints the progress of a run."""

    def __init__(self) -> None:
        self.start = time.monotonic()

    def say(self, text: str) -> None:
        print(f"{time.monotonic() - self.start:6.0f} s  {text}", flush=True)

    def downloaded(self, name: str, done: int, total: int) -> None:
        """Nothing to show."""

    def planned(self, epochs: int) -> None:
        self.say(f"{epochs} epochs")

    def stepped(self, epoch: int, step: int, steps: int, loss: float) -> None:
        """Nothing to show: each epoch has its line."""

    def epoch_done(self, epoch: int, history: History) -> None:
        self.say(line_of(epoch, history))


def line_of(epoch: int, history: History) -> str:
    """Return the results of an epoch as text."""
    text = (
        f"epoch {epoch + 1}: loss {history.loss[-1]:.4f}, "
        f"validation {history.validation_accuracy[-1]:.2%}"
    )
    if history.waiting:
        text += f", {history.waiting[-1]:.0%} of the time waiting for drawings"
    return text


def no_labels() -> Labelled:
    raise AssertionError("labelled drawings were not asked for")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path, help="of the report; an unfinished training goes on")
    parser.add_argument("--recipe", choices=sorted(RECIPES), default="shipped")
    parser.add_argument("--limit", type=int, help="maximum number of drawings from each source")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="change a setting of the recipe: epochs=60, augmentation.shift=1",
    )
    parser.add_argument("--drawings", type=Path, help="folder with drawings of another process")
    parser.add_argument("--draw", type=int, metavar="SETS", help="only draw sets into --drawings")
    given = parser.parse_args(arguments)
    checkpoint, listener = Checkpoint(given.folder / CHECKPOINT), Lines()
    if checkpoint.exists():
        options = Options.from_json(checkpoint.options())
    else:
        sources = frozenset(training_data.SOURCES) - {"labelled"}
        options = Options(RECIPES[given.recipe].changed(given.set), sources, limit=given.limit)
    data = collect(options, no_labels, listener)
    if given.draw:
        assert isinstance(options.plan, Recipe)
        recipe = fit_to_data(options.plan, data, listener, options.limit)
        sets = range(given.draw)
        drawing.store(given.drawings, data.material(), recipe.fresh, recipe.seed, sets)
        return
    validation = evaluation_sets.validation(data)
    _, model, _ = train_new(options, data, validation, listener, checkpoint, given.drawings)
    # Also to be a teacher of another network.
    model.save(given.folder / "network.keras")


if __name__ == "__main__":
    main()
