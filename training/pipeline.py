"""One training run, from the data to the gate's decision. Nothing here touches the database."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from recognizer.inference.card import ModelCard, Settings, Thresholds
from recognizer.inference.classifier import DIGITS, Bundle, Calibration
from recognizer.inference.gate_result import GateResult
from training.data import evaluation_sets, training_data
from training.data.datasets import Data
from training.data.labelled import Labelled
from training.data.training_data import Collected
from training.evaluation import gate, metrics
from training.evaluation.metrics import Outcome
from training.model import bundle as bundles
from training.model import finetune
from training.model.calibration import calibrate, carry_over
from training.model.config import FineTuning, Plan, Recipe
from training.model.network import build_network, logits_of
from training.model.train import History, TrainingData, fit

FALLBACK_GENERATED = 40_000
"""Generated digits per epoch if there is neither MNIST nor pen strokes."""


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

        ``loss`` is the mean cross-entropy of the last 50 steps.
        """

    def epoch_done(self, epoch: int, history: History) -> None:
        """Show the results of an epoch, the last of each list in ``history``."""


@dataclass(frozen=True)
class Request:
    """What to train, on what, and from which network.

    ``FineTuning`` needs ``start_from``, a bundle with its Keras archive; a ``Recipe`` builds a
    new network. ``limit`` is the most drawings of each source, for a quick try.
    """

    sources: frozenset[str]
    plan: Plan
    mnist_path: Path | None = None
    start_from: Bundle | None = None
    name: str | None = None
    limit: int | None = None


@dataclass(frozen=True)
class Result:
    bundle: Bundle
    decision: GateResult
    history: History
    outcomes: Mapping[str, Outcome]
    active_outcomes: Mapping[str, Outcome]


NO_LABELS = (
    "There are no labelled drawings to learn from. Label some in the admin, or train a new network."
)


class NothingToTrainOn(ValueError):
    """None of the requested data is available."""


@dataclass(frozen=True)
class _Trained:
    model: Any
    history: History
    calibration: Calibration
    plan: Plan


def train(
    request: Request,
    *,
    labelled: Callable[[], Labelled],
    active: Bundle | None,
    listener: Listener,
) -> Result:
    """Train a candidate and compare it with the active model.

    Raises ``NothingToTrainOn``; ``DataDamaged`` or ``FileNotFoundError`` for unusable files;
    ``BundleError`` if the network to start from does not load or LiteRT disagrees with Keras; and
    whatever the listener raises.
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
    plan = request.plan.for_this_machine()
    if isinstance(plan, Recipe):
        plan = fit_to_data(plan, data, listener)
    if request.limit:
        plan = plan.at_most(request.limit)
    keras.utils.set_random_seed(plan.seed)
    tf.config.experimental.enable_op_determinism()
    validation = evaluation_sets.validation(data)
    trained = _train(request, plan, data, validation, listener)

    listener.say("Comparing the candidate with the active model ...")
    candidate = _bundle(request, trained, data, validation)
    compared, reported = evaluation_sets.gate_sets(data), evaluation_sets.test_sets(data)
    outcomes = metrics.measure(candidate, {**compared, **reported})
    before = metrics.measure(active, {**compared, **reported}) if active else {}
    # Fine-tuning changes a network little, so it need not be evaluated again on every set that its
    # parent was evaluated on. A new network must be.
    inherited = _evaluated_on(request.start_from) if isinstance(plan, FineTuning) else frozenset()
    decision = gate.decide(
        correct_answers(outcomes, compared),
        correct_answers(before, compared) if active else None,
        must_measure=_evaluated_on(active) - inherited,
        learnt_from_labels=isinstance(plan, FineTuning),
        reported=[
            gate.compare(name, outcomes[name].right, before[name].right)
            for name in reported
            if active
        ],
    )
    card = replace(
        candidate.card,
        evaluation_sets=tuple(sorted({*compared, *inherited})),
        metrics={name: outcome.measures() for name, outcome in outcomes.items()},
        gate=decision,
    )
    return Result(replace(candidate, card=card), decision, trained.history, outcomes, before)


def _evaluated_on(bundle: Bundle | None) -> frozenset[str]:
    """Return the sets a model was evaluated on, except labelled drawings, which always change."""
    return frozenset(bundle.card.evaluation_sets) - {gate.LABELLED} if bundle else frozenset()


def _train(
    request: Request,
    plan: Plan,
    data: Collected,
    validation: Data,
    listener: Listener,
) -> _Trained:
    if isinstance(plan, FineTuning):
        return _fine_tune(request.start_from, plan, data, validation, listener)
    assert isinstance(plan, Recipe)
    listener.say(describe(data))
    listener.say("Preparing the first epoch ...")
    model = build_network(width=plan.width)
    training = TrainingData(
        fixed=data.trainable_mnist(),
        material=data.material(),
        labelled=data.labelled,
        validation=validation,
    )
    listener.planned(plan.epochs)
    history = fit(model, training, plan, listener.stepped, listener.epoch_done)
    calibration = calibrate(logits_of(model, validation.images), validation.labels)
    return _Trained(model, history, calibration, plan)


def _fine_tune(
    start: Bundle | None,
    plan: FineTuning,
    data: Collected,
    validation: Data,
    listener: Listener,
) -> _Trained:
    if start is None:
        raise NothingToTrainOn("There is no network to start from. Train a new one.")
    if not data.labelled:
        raise NothingToTrainOn(NO_LABELS)
    model = bundles.from_keras_bytes(start.training)
    listener.say(describe(data, replay=True))
    listener.say("Preparing replay data ...")
    replay = finetune.replay_data(data, plan)
    old = logits_of(model, validation.images)
    listener.planned(plan.epochs)
    history = finetune.fine_tune(
        model, data.labelled, replay, validation, plan, listener.stepped, listener.epoch_done
    )
    new = logits_of(model, validation.images)
    calibration = carry_over(Calibration.from_card(start.card), old, new, validation.labels)
    return _Trained(model, history, calibration, plan)


def _bundle(request: Request, trained: _Trained, data: Collected, validation: Data) -> Bundle:
    calibration, plan = trained.calibration, trained.plan
    card = ModelCard(
        temperature=calibration.temperature,
        thresholds=Thresholds(calibration.not_a_digit, calibration.uncertain),
        settings=Settings.from_json(plan.to_json()),
        seed=plan.seed,
        data=data.sources(),
        parent=request.start_from.name if request.start_from else None,
        history=vars(trained.history),
    )
    name = request.name or f"{datetime.datetime.now():%Y%m%d-%H%M%S}-{plan.name}"
    middle = len(validation) // 2
    check = validation.take(slice(max(0, middle - 250), middle + 250))
    return bundles.make_bundle(trained.model, name=name, card=card, check=check)


def fit_to_data(recipe: Recipe, data: Collected, listener: Listener) -> Recipe:
    """Return the recipe with the number of generated strokes that suits the data."""
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
    return replace(recipe, fresh=fresh)


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


def correct_answers(
    outcomes: Mapping[str, Outcome], compared: Mapping[str, Data]
) -> dict[str, gate.Correct]:
    """Return what the gate compares: the name of a set -> which answers are correct.

    A set of digits counts misclassifications, and one row for all of them counts rejected
    digits, so that changed thresholds are distinguished from misclassified digits. An answer to a
    labelled drawing is correct if both the digit and the verdict are.
    """
    found = {name: outcomes[name].right for name in compared if name != gate.LABELLED}
    accepted = [~outcomes[name].refused[compared[name].labels < DIGITS] for name in found]
    found[gate.ACCEPTED] = np.concatenate([*accepted, np.zeros(0, np.bool_)])
    if gate.LABELLED in compared:
        found[gate.LABELLED] = outcomes[gate.LABELLED].answered
    return found
