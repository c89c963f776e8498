"""One training run, from the data to the gate's decision. Nothing here touches the database."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from recognizer.inference.card import ModelCard, Settings, Thresholds
from recognizer.inference.classifier import DIGITS, Bundle, Calibration
from recognizer.inference.gate_result import GateResult
from training.data import evaluation_sets
from training.data.datasets import Data
from training.data.labelled import Labelled
from training.data.training_data import Collected
from training.evaluation import gate, metrics
from training.evaluation.metrics import Outcome
from training.model import backend, batches, finetune, new_network
from training.model import bundle as bundles
from training.model.calibration import calibrate, carry_over
from training.model.checkpoint import Checkpoint
from training.model.config import FineTuning, Plan
from training.model.network import logits_of
from training.model.new_network import Listener, NothingToTrainOn, Options
from training.model.train import History


@dataclass(frozen=True)
class Request(Options):
    """What to train, on what, and from which network.

    ``FineTuning`` needs ``start_from``, a bundle with its Keras archive; a ``Recipe`` builds a
    new network. It is kept in ``checkpoint`` after every epoch, and one that is there goes on.
    """

    start_from: Bundle | None = None
    checkpoint: Checkpoint | None = None


@dataclass(frozen=True)
class Result:
    """``labels`` are those that were trained on, with the held-out fifth; None without any."""

    bundle: Bundle
    decision: GateResult
    history: History
    outcomes: Mapping[str, Outcome]
    active_outcomes: Mapping[str, Outcome]
    labels: Labelled | None = None


NO_LABELS = (
    "There are no labelled drawings to learn from. Label some in the admin, or train a new network."
)


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
    if request.checkpoint:
        labelled = request.checkpoint.remembering(labelled)
    data = new_network.collect(request, labelled, listener)
    validation = evaluation_sets.validation(data)
    fine_tuned = isinstance(request.plan, FineTuning)
    trained = _train(request, data, validation, listener)

    listener.say("Comparing the candidate with the active model ...")
    candidate = _bundle(request, trained, data, validation)
    compared, reported = evaluation_sets.gate_sets(data), evaluation_sets.test_sets(data)
    outcomes = metrics.measure(candidate, {**compared, **reported})
    before = metrics.measure(active, {**compared, **reported}) if active else {}
    # Fine-tuning changes a network little, so it need not be evaluated again on every set that its
    # parent was evaluated on. A new network must be.
    inherited = _evaluated_on(request.start_from) if fine_tuned else frozenset()
    decision = gate.decide(
        correct_answers(outcomes, compared),
        correct_answers(before, compared) if active else None,
        must_measure=_evaluated_on(active) - inherited,
        learnt_from_labels=fine_tuned,
        reported=[
            gate.compare(name, outcomes[name].right, before[name].right)
            for name in reported
            if active
        ],
        suspects=data.suspects_held_out,
    )
    card = replace(
        candidate.card,
        evaluation_sets=tuple(sorted({*compared, *inherited})),
        metrics={name: outcome.measures() for name, outcome in outcomes.items()},
        gate=decision,
    )
    return Result(
        replace(candidate, card=card), decision, trained.history, outcomes, before, data.labels
    )


def _evaluated_on(bundle: Bundle | None) -> frozenset[str]:
    """Return the sets a model was evaluated on, except labelled drawings, which always change."""
    return frozenset(bundle.card.evaluation_sets) - {gate.LABELLED} if bundle else frozenset()


def _train(request: Request, data: Collected, validation: Data, listener: Listener) -> _Trained:
    if isinstance(request.plan, FineTuning):
        return _fine_tune(request, data, validation, listener)
    recipe, model, history = new_network.train_new(
        request, data, validation, listener, request.checkpoint
    )
    own = evaluation_sets.labelled_digits(data)
    calibration = _calibrate(model, [validation, own] if own else [validation])
    return _Trained(model, history, calibration, recipe)


def _fine_tune(request: Request, data: Collected, validation: Data, listener: Listener) -> _Trained:
    start, plan = request.start_from, request.plan.for_this_machine()
    assert isinstance(plan, FineTuning)
    if start is None:
        raise NothingToTrainOn("There is no network to start from. Train a new one.")
    if not data.labelled:
        raise NothingToTrainOn(NO_LABELS)
    plan = plan.for_labels(batches.effective(data.labelled.labels))
    if request.limit:
        plan = plan.at_most(request.limit)
    backend.use_deterministic_kernels()
    model = bundles.from_keras_bytes(start.training)
    listener.say(new_network.describe(data, replay=True))
    listener.say("Preparing replay data ...")
    replay = finetune.replay_data(data, plan)
    old = logits_of(model, validation.images)
    listener.planned(plan.epochs)
    history = finetune.fine_tune(
        model, data.labelled, replay, validation, plan, listener.stepped, listener.epoch_done
    )
    if own := evaluation_sets.labelled_digits(data):
        calibration = _calibrate(model, [validation, own])
    else:
        new = logits_of(model, validation.images)
        calibration = carry_over(Calibration.from_card(start.card), old, new, validation.labels)
    return _Trained(model, history, calibration, plan)


def _calibrate(model: Any, sources: Sequence[Data]) -> Calibration:
    logits = [logits_of(model, source.images) for source in sources]
    return calibrate(np.concatenate(logits), np.concatenate([each.labels for each in sources]))


def _bundle(request: Request, trained: _Trained, data: Collected, validation: Data) -> Bundle:
    calibration, plan = trained.calibration, trained.plan
    card = ModelCard(
        temperature=calibration.temperature,
        thresholds=Thresholds(calibration.not_a_digit, calibration.uncertain),
        settings=Settings.from_json(plan.to_json()),
        seed=plan.seed,
        data=data.sources(),
        parent=request.start_from.name if request.start_from else None,
        history=trained.history.results(),
    )
    middle = len(validation) // 2
    check = validation.take(slice(max(0, middle - 250), middle + 250))
    return bundles.make_bundle(
        trained.model, name=request.name or request.default_name(), card=card, check=check
    )


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
