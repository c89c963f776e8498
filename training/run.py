"""One training run from data to decision: collect, fit, calibrate, measure, judge, keep."""

from __future__ import annotations

import datetime
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from recognizer.classifier import Bundle, Classifier
from training import bundle as bundles
from training import collect, figures, gate
from training.calibrate import calibrate
from training.collect import Collected, Labelled
from training.datasets import Data
from training.evaluate import Outcome, run
from training.fit import History, TrainingData, fit
from training.network import build_network, logits_of
from training.recipes import Recipe

FALLBACK_GENERATED = 40_000
"""Generated digits an epoch where there is neither MNIST nor pen strokes."""


class Cancelled(Exception):
    """Raised by a listener to stop the run: nothing is kept, no helper process stays behind."""


class Listener(Protocol):
    """Whoever started the run and wants to see how it goes.

    Any of its methods may raise ``Cancelled``, which ``train`` passes on. All are called from the
    thread that called ``train``. Epochs and steps are counted as ``stepped`` says.
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
class Order:
    """What to train: the sources wanted, files given, the recipe, and where to begin.

    ``limit`` is the most drawings that are used of each source, for a quick try.
    """

    sources: frozenset[str]
    recipe: Recipe
    mnist_path: Path | None = None
    start_from: bytes | None = None
    parent: str | None = None
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


def train(
    order: Order,
    *,
    labelled: Callable[[], Labelled],
    active: Bundle | None,
    listener: Listener,
) -> Result:
    """Train a candidate and judge it against the active model. Nothing is stored or activated.

    Raises ``NothingToTrainOn``; ``DataDamaged`` and ``FileNotFoundError`` for files that are no
    good; ``BundleError`` where the network to start from does not load or LiteRT disagrees with
    Keras; ``Cancelled`` where the listener does.
    """
    import keras
    import tensorflow as tf

    data = collect.collect(
        wanted=order.sources,
        mnist_path=order.mnist_path,
        labelled=labelled,
        progress=listener.downloaded,
        limit=order.limit,
    )
    for missing in data.missing:
        listener.say(f"Not available: {missing}")
    recipe = fit_to_data(order.recipe.for_this_machine(), data, listener)
    if order.limit:
        recipe = replace(recipe, fresh=recipe.fresh.at_most(order.limit))
    listener.say(describe(data))
    listener.say("Drawing the first epoch's strokes ...")

    keras.utils.set_random_seed(recipe.seed)
    tf.config.experimental.enable_op_determinism()
    if order.start_from is not None:
        model = bundles.from_keras_bytes(order.start_from)
    else:
        model = build_network(width=recipe.width)
    validation = collect.validation(data)
    listener.planned(recipe.epochs)
    history = fit(
        model,
        TrainingData(
            fixed=data.trainable_mnist(),
            material=data.material(),
            labelled=data.labelled,
            validation=validation,
        ),
        recipe,
        listener.stepped,
        listener.epoch_done,
    )

    listener.say("Measuring the candidate and the active model side by side ...")
    calibration = calibrate(logits_of(model, validation.images), validation.labels)
    card: dict[str, Any] = {
        "temperature": calibration.temperature,
        "thresholds": {
            "not_a_digit": calibration.not_a_digit,
            "uncertain": calibration.uncertain,
        },
        "settings": recipe.to_json(),
        "seed": recipe.seed,
        "data": data.sources(),
        "parent": order.parent,
        "history": vars(history),
    }
    name = order.name or f"{datetime.datetime.now():%Y%m%d-%H%M%S}-{recipe.name}"
    middle = len(validation) // 2
    check = validation.take(slice(max(0, middle - 250), middle + 250))
    candidate = bundles.make_bundle(model, name=name, card=card, check=check)

    judged, reported = collect.benches(data), collect.tests(data)
    outcomes = measure(candidate, {**judged, **reported})
    before = measure(active, {**judged, **reported}) if active else {}
    decision = gate.decide(
        {bench: outcomes[bench].right for bench in judged},
        {bench: before[bench].right for bench in judged} if active else None,
        frozenset(active.card.get("benches", ())) - {"labelled"} if active else frozenset(),
    )
    full_card = {
        **candidate.card,
        "benches": sorted(judged),
        "metrics": {bench: outcome.measures().to_json() for bench, outcome in outcomes.items()},
        "gate": decision.to_json(),
    }
    return Result(replace(candidate, card=full_card), decision, history, outcomes, before)


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


def describe(data: Collected) -> str:
    """Return a line that says what is trained on."""
    parts = []
    if mnist := data.trainable_mnist():
        parts.append(f"MNIST {len(mnist):,}")
    if pen := data.trainable_pen():
        parts.append(f"pen strokes {len(pen):,}")
    if data.labelled is not None and data.labelled_held_out is not None:
        parts.append(
            f"labelled drawings {len(data.labelled):,} ({len(data.labelled_held_out):,} more judge)"
        )
    if data.characters is not None:
        parts.append(f"Omniglot {len(data.characters):,}")
    if data.generated:
        parts.append("generated strokes")
    return f"Training on: {', '.join(parts) or 'nothing'}."


def measure(bundle: Bundle, sets: Mapping[str, Data]) -> dict[str, Outcome]:
    """Return one model's outcome on each set."""
    classifier = Classifier(bundle)
    return {name: run(classifier, data) for name, data in sets.items()}


def table(result: Result, active_name: str | None) -> str:
    """Return candidate and active model side by side, one line a set."""
    worse = {row.bench: row for row in result.decision.rows}
    lines = [f"{'':22}{'n':>7}  {'candidate':>10}  {active_name or 'active':>10}  chance"]
    for name, outcome in result.outcomes.items():
        before = result.active_outcomes.get(name)
        other = f"{before.right.mean():.2%}" if before else "-"
        note = f"p {worse[name].p_worse:.3f}" if name in worse else "reported only"
        lines.append(
            f"{name:22}{len(outcome.data):>7,}  {outcome.right.mean():>10.2%}  {other:>10}  {note}"
        )
    return "\n".join(lines)


def write_report(result: Result, folder: Path) -> None:
    """Write report.json and the pictures into a folder, which is made if it is not there."""
    folder.mkdir(parents=True, exist_ok=True)
    report = {
        "model": result.bundle.card,
        "serving_sha256": result.bundle.sha256,
        "decision": result.decision.to_json(),
        "active": {
            name: outcome.measures().to_json() for name, outcome in result.active_outcomes.items()
        },
    }
    (folder / "report.json").write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    figures.learning_curves(result.history, folder / "learning-curves.png")
    for name, outcome in result.outcomes.items():
        if (outcome.data.labels < 10).any():
            stem = name.replace(" ", "-").replace(",", "")
            figures.confusion_matrix(outcome, folder / f"confusion-{stem}.png")
            figures.worst_mistakes(outcome, folder / f"mistakes-{stem}.png")
