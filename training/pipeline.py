"""One training run from data to decision: collect, fit, calibrate, measure, judge, keep."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from recognizer.inference.classifier import DIGITS, Bundle, Calibration
from training.data import evaluation_sets, training_data
from training.data.datasets import Data
from training.data.labelled import Labelled
from training.data.training_data import Collected
from training.evaluation import gate, metrics
from training.evaluation.metrics import Outcome
from training.model import bundle as bundles
from training.model import finetune
from training.model.calibration import calibrate, carry_over
from training.model.config import Adaptation, Plan, Recipe
from training.model.network import build_network, logits_of
from training.model.train import History, TrainingData, fit

FALLBACK_GENERATED = 40_000
"""Generated digits an epoch where there is neither MNIST nor pen strokes."""


class Listener(Protocol):
    """Shows the progress of a run.

    Every method is called from the thread that called ``train``. An exception that one raises
    ends the run: nothing is kept and no worker process stays behind.
    """

    def say(self, text: str) -> None:
        """Show a line."""

    def downloaded(self, name: str, done: int, total: int) -> None:
        """Show how far a download is, in bytes."""

    def planned(self, epochs: int) -> None:
        """Show how many epochs there will be: called once, before the first step."""

    def stepped(self, epoch: int, step: int, steps: int, loss: float) -> None:
        """Show how far the training is: ``epoch`` counts from 0, ``step`` from 1 to ``steps``.

        ``loss`` is the mean cross-entropy of the last 50 steps.
        """

    def epoch_done(self, epoch: int, history: History) -> None:
        """Show what the epoch brought, the last of each list in ``history``."""


@dataclass(frozen=True)
class Request:
    """What to train: the sources wanted, files given, the plan, and where to begin.

    ``start_from`` is a bundle with its Keras archive, which an ``Adaptation`` needs; a ``Recipe``
    makes a new network. ``limit`` is the most drawings that are used of each source, for a quick
    try.
    """

    sources: frozenset[str]
    plan: Plan
    mnist_path: Path | None = None
    start_from: Bundle | None = None
    name: str | None = None
    limit: int | None = None


@dataclass(frozen=True)
class Result:
    """A trained candidate, measured beside the active model."""

    bundle: Bundle
    decision: gate.Decision
    history: History
    outcomes: Mapping[str, Outcome]
    active_outcomes: Mapping[str, Outcome]


class NothingToTrainOn(ValueError):
    """No data is left of what was asked for."""


@dataclass(frozen=True)
class _Trained:
    model: Any
    history: History
    calibration: Calibration
    recipe: Plan


def train(
    request: Request,
    *,
    labelled: Callable[[], Labelled],
    active: Bundle | None,
    listener: Listener,
) -> Result:
    """Train a candidate and judge it against the active model. Nothing is stored or activated.

    Raises ``NothingToTrainOn``; ``DataDamaged`` and ``FileNotFoundError`` for files that are no
    good; ``BundleError`` where the network to start from does not load or LiteRT disagrees with
    Keras; and whatever the listener raises.
    """
    import keras
    import tensorflow as tf

    data = training_data.collect(
        wanted=request.sources,
        mnist_path=request.mnist_path,
        labelled=labelled,
        progress=listener.downloaded,
        limit=request.limit,
    )
    for missing in data.missing:
        listener.say(f"Not available: {missing}")
    recipe = request.plan.for_this_machine()
    if isinstance(recipe, Recipe):
        recipe = fit_to_data(recipe, data, listener)
    if request.limit:
        recipe = recipe.at_most(request.limit)
    keras.utils.set_random_seed(recipe.seed)
    tf.config.experimental.enable_op_determinism()
    validation = evaluation_sets.validation(data)
    trained = _teach(request, recipe, data, validation, listener)

    listener.say("Measuring the candidate and the active model side by side ...")
    candidate = _bundle(request, trained, data, validation)
    judged, reported = evaluation_sets.gate_sets(data), evaluation_sets.test_sets(data)
    outcomes = metrics.measure(candidate, {**judged, **reported})
    before = metrics.measure(active, {**judged, **reported}) if active else {}
    # A network that was adapted has learnt from few drawings and is held to its old answers: what
    # it was measured on before holds. A new one can be anything where it is not measured.
    inherited = _benches(request.start_from) if isinstance(recipe, Adaptation) else frozenset()
    decision = gate.decide(
        answers(outcomes, judged),
        answers(before, judged) if active else None,
        must_measure=_benches(active) - inherited,
        learnt_from_labels=isinstance(recipe, Adaptation),
        reported=[
            gate.Row.of(name, outcomes[name].right, before[name].right)
            for name in reported
            if active
        ],
    )
    card = {
        **candidate.card,
        "benches": sorted({*judged, *inherited}),
        "metrics": {bench: outcome.measures().to_json() for bench, outcome in outcomes.items()},
        "gate": decision.to_json(),
    }
    return Result(replace(candidate, card=card), decision, trained.history, outcomes, before)


def _benches(bundle: Bundle | None) -> frozenset[str]:
    """Return what a model was measured on, but for labelled drawings: those are never the same."""
    return frozenset(bundle.card.get("benches", ())) - {gate.LABELLED} if bundle else frozenset()


def _teach(
    request: Request,
    recipe: Plan,
    data: Collected,
    validation: Data,
    listener: Listener,
) -> _Trained:
    """Train what is requested, and calibrate it."""
    if isinstance(recipe, Adaptation):
        return _adapt(request.start_from, recipe, data, validation, listener)
    assert isinstance(recipe, Recipe)
    listener.say(describe(data))
    listener.say("Drawing the first epoch's strokes ...")
    model = build_network(width=recipe.width)
    training = TrainingData(
        fixed=data.trainable_mnist(),
        material=data.material(),
        labelled=data.labelled,
        validation=validation,
    )
    listener.planned(recipe.epochs)
    history = fit(model, training, recipe, listener.stepped, listener.epoch_done)
    calibration = calibrate(logits_of(model, validation.images), validation.labels)
    return _Trained(model, history, calibration, recipe)


def _adapt(
    start: Bundle | None,
    recipe: Adaptation,
    data: Collected,
    validation: Data,
    listener: Listener,
) -> _Trained:
    if start is None:
        raise NothingToTrainOn("There is no network to start from. Train a new one.")
    if not data.labelled:
        raise NothingToTrainOn(
            "There are no labelled drawings to learn from. Label some in the admin, or train a "
            "new network."
        )
    model = bundles.from_keras_bytes(start.training)
    listener.say(describe(data, rehearsal=True))
    listener.say("Drawing what is rehearsed ...")
    rehearsed = finetune.rehearsal(data, recipe)
    old = logits_of(model, validation.images)
    listener.planned(recipe.epochs)
    history = finetune.adapt(
        model, data.labelled, rehearsed, validation, recipe, listener.stepped, listener.epoch_done
    )
    new = logits_of(model, validation.images)
    calibration = carry_over(Calibration.from_card(start.card), old, new, validation.labels)
    return _Trained(model, history, calibration, recipe)


def _bundle(request: Request, trained: _Trained, data: Collected, validation: Data) -> Bundle:
    calibration, recipe = trained.calibration, trained.recipe
    card: dict[str, Any] = {
        "temperature": calibration.temperature,
        "thresholds": {
            "not_a_digit": calibration.not_a_digit,
            "uncertain": calibration.uncertain,
        },
        "settings": recipe.to_json(),
        "seed": recipe.seed,
        "data": data.sources(),
        "parent": request.start_from.name if request.start_from else None,
        "history": vars(trained.history),
    }
    name = request.name or f"{datetime.datetime.now():%Y%m%d-%H%M%S}-{recipe.name}"
    middle = len(validation) // 2
    check = validation.take(slice(max(0, middle - 250), middle + 250))
    return bundles.make_bundle(trained.model, name=name, card=card, check=check)


def fit_to_data(recipe: Recipe, data: Collected, listener: Listener) -> Recipe:
    """Return the recipe with the strokes that this run's data calls for."""
    fresh = recipe.fresh
    if not data.generated:
        fresh = replace(fresh, generated=0)
    if data.nothing_real:
        if not data.generated:
            raise NothingToTrainOn(
                "There is nothing to train on: none of the data asked for is here. "
                "Connect to the internet, set DIGIT_DATA_DIR, or add 'generated' to --data."
            )
        listener.say("No handwriting is at hand: training on generated strokes alone.")
        fresh = replace(fresh, generated=max(fresh.generated, FALLBACK_GENERATED))
    return replace(recipe, fresh=fresh)


def describe(data: Collected, *, rehearsal: bool = False) -> str:
    """Return a line that says what is trained on; with ``rehearsal``, what is learnt and kept."""
    parts = []
    if mnist := data.trainable_mnist():
        parts.append(f"MNIST {len(mnist):,}")
    if pen := data.trainable_pen():
        parts.append(f"pen strokes {len(pen):,}")
    labelled = ""
    if data.labelled is not None and data.labelled_held_out is not None:
        labelled = (
            f"labelled drawings {len(data.labelled):,} ({len(data.labelled_held_out):,} more judge)"
        )
        if not rehearsal:
            parts.append(labelled)
    if data.characters is not None:
        parts.append(f"Omniglot {len(data.characters):,}")
    if data.generated:
        parts.append("generated strokes")
    if rehearsal:
        return f"Learning from: {labelled}. Rehearsing: {', '.join(parts)}."
    return f"Training on: {', '.join(parts) or 'nothing'}."


def answers(outcomes: Mapping[str, Outcome], judged: Mapping[str, Data]) -> dict[str, gate.Right]:
    """Return what the gate compares: bench name -> which answers are right.

    A bench of digits counts what is read, and all of them together what is let pass, so that
    thresholds that have moved are seen apart from digits misread. A labelled drawing is right
    where all of the site's answer is.
    """
    found = {name: outcomes[name].right for name in judged if name != gate.LABELLED}
    accepted = [~outcomes[name].refused[judged[name].labels < DIGITS] for name in found]
    found[gate.ACCEPTED] = np.concatenate([*accepted, np.zeros(0, np.bool_)])
    if gate.LABELLED in judged:
        found[gate.LABELLED] = outcomes[gate.LABELLED].answered
    return found
