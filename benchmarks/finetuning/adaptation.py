"""What holds a network to what it knew while it learns a hand from few labels, part by part.

    python -m benchmarks.finetuning.adaptation [--hands turned,narrow] [--labels 80] [--only
    "full,..."]

Each row is the recipe ``fine-tune`` with one part changed, on drawings of the writers that choose
(23-24) by hands of ``benchmarks.finetuning.handwriting_styles``: so many are trained on, the others
measured. Neither MNIST's test half nor the writers that are held out are used, so what the table
says may be acted on. "Anew" teaches one hand, then two, then three, each time from the bundled
network, as a site does that trains after every hour of labelling; "chain" does so from the network
before; "tied" too, but each is held to what the bundled network answers.
"""

from __future__ import annotations

import argparse
import io
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.common import environment
from benchmarks.finetuning.handwriting_styles import HANDS, Hand
from recognizer.inference.classifier import BUNDLED, Bundle, Calibration, load_bundle
from training.data import datasets, evaluation_sets, training_data
from training.data.datasets import Data, PenDigit
from training.data.downloads import DataDamaged, DataUnavailable
from training.data.labelled import read_labelled_database
from training.data.training_data import Collected
from training.evaluation.metrics import Outcome
from training.model import bundle, finetune
from training.model.augmentation import Augmentation
from training.model.calibration import carry_over
from training.model.config import FINE_TUNE, FineTuning
from training.model.network import CLASSES, logits_of

SOURCES = frozenset({"mnist", "pen", "omniglot", "generated"})
STILL = Augmentation(
    rotation=0, shear=0, scale=0, shift=0, elastic=0, far=0, erased=0, faded=0
)  # fmt: skip


@dataclass(frozen=True)
class Variant:
    """One row: how the recipe is changed, what it rehearses, how far the weights move."""

    change: Callable[[FineTuning], FineTuning] = field(default=lambda recipe: recipe)
    sources: frozenset[str] = SOURCES
    by_label: bool = False
    moved: float = 1.0


def _changed(**values: Any) -> Variant:
    return Variant(lambda recipe: replace(recipe, **values))


VARIANTS: dict[str, Variant] = {
    "full": Variant(),
    "nothing rehearsed": _changed(distillation_weight=0.0),
    "held a quarter as hard": _changed(distillation_weight=1.0),
    "held twice as hard": _changed(distillation_weight=8.0),
    "three times as much of MNIST": _changed(mnist=24_000),
    "held to labels for old answers": Variant(by_label=True),
    "generated drawings rehearsed only": Variant(sources=frozenset({"generated"})),
    "labelled drawings not deformed": _changed(augmentation=STILL),
    "a third of the steps": Variant(lambda recipe: replace(recipe, steps=recipe.steps // 3)),
    "weights moved 70 % of the way": Variant(moved=0.7),
    "held a quarter and moved 70 %": Variant(
        lambda recipe: replace(recipe, distillation_weight=1.0), moved=0.7
    ),
}
"""What is changed, by the name of its row. Moving part of the way is WiSE-FT (Wortsman 2022)."""

CHAIN, ANEW, TIED = "chain", "anew", "tied"
ROWS = (*VARIANTS, CHAIN, ANEW, TIED)


@dataclass
class Bench:
    """The network that learns, and what every row is measured on."""

    bundled: Bundle
    calibration: Calibration
    data: Collected
    validation: Data
    judged: Mapping[str, Data]
    hands: Mapping[str, tuple[Data, Data]]
    recipe: FineTuning


def draw(hand: Hand, digits: Sequence[PenDigit], seed: int = 5) -> Data:
    """Return digits by a hand as model inputs."""
    rng = np.random.default_rng([seed, *hand.name.encode()])
    images = []
    for digit in digits:
        with Image.open(io.BytesIO(hand.draw(digit, rng))) as picture:
            images.append(datasets.model_input_of(np.asarray(picture.convert("L"))))
    return Data(hand.name, np.stack(images), np.array([d.label for d in digits], np.uint8))


def make_bench(hands: Sequence[Hand], labels: int, limit: int | None) -> Bench:
    """Bring together the bundled network and the data. Raises as ``downloads`` does."""
    bundled = load_bundle(BUNDLED)
    data = training_data.collect(wanted=SOURCES, mnist_path=None, labelled=read_labelled_database)
    if data.missing:
        raise DataUnavailable("; ".join(data.missing))
    digits = datasets.by_writers(data.pen or [], datasets.VALIDATION_WRITERS)
    parted = {}
    for hand in hands:
        drawn = draw(hand, digits)
        order = np.random.default_rng(1).permutation(len(drawn))
        parted[hand.name] = drawn.take(order[:labels]), drawn.take(order[labels:])
    return Bench(
        bundled=bundled,
        calibration=Calibration.from_card(bundled.card),
        data=data,
        validation=evaluation_sets.validation(data),
        judged=evaluation_sets.gate_sets(data),
        hands=parted,
        recipe=FINE_TUNE.at_most(limit) if limit else FINE_TUNE,
    )


def teach(
    model: Any,
    calibration: Calibration,
    labelled: Data,
    variant: Variant,
    bench: Bench,
    tied_to: Any = None,
) -> Calibration:
    """Teach a network in place and return its calibration.

    It is held to the answers of the network ``tied_to``, by default to its own.
    """
    recipe = variant.change(bench.recipe).for_this_machine()
    data = replace(bench.data, wanted=variant.sources)
    if "omniglot" not in variant.sources:
        data = replace(data, characters=None)
    rehearsed = finetune.replay_data(data, recipe)
    answers = None if tied_to is None else logits_of(tied_to, rehearsed.images)
    if variant.by_label:
        # At temperature 1 a certain answer makes a label's cross-entropy of the distillation.
        answers = 40 * np.eye(CLASSES, dtype=np.float32)[rehearsed.labels]
    before, old = model.get_weights(), logits_of(model, bench.validation.images)
    finetune.fine_tune(
        model,
        labelled,
        rehearsed,
        bench.validation,
        replace(recipe, distillation_temperature=1.0) if variant.by_label else recipe,
        targets=answers,
    )
    model.set_weights(
        [
            (1 - variant.moved) * one + variant.moved * other
            for one, other in zip(before, model.get_weights(), strict=True)
        ]
    )
    new = logits_of(model, bench.validation.images)
    return carry_over(calibration, old, new, bench.validation.labels)


def line(name: str, hand: str, model: Any, calibration: Calibration, bench: Bench) -> str:
    """Return a row: mistakes on each bench, and the share of the hand answered wrongly."""

    def outcome(data: Data) -> Outcome:
        return Outcome(data, logits_of(model, data.images), calibration)

    mistakes = [int((~outcome(data).right).sum()) for data in bench.judged.values()]
    answered = outcome(bench.hands[hand][1]).answered
    counts = "".join(
        f"{count:>{len(key) + 2}}" for key, count in zip(bench.judged, mistakes, strict=True)
    )
    return f"{name:36}{hand:>8}{1 - answered.mean():>9.1%}{counts}"


def head(bench: Bench) -> str:
    """Return the table's first line."""
    return f"{'':36}{'hand':>8}{'wrong':>9}" + "".join(f"  {key}" for key in bench.judged)


def play(name: str, variant: Variant, bench: Bench) -> Iterator[str]:
    """Yield a row for each hand, each taught to the bundled network."""
    for hand, (labelled, _) in bench.hands.items():
        model, calibration = bundle.from_keras_bytes(bench.bundled.training), bench.calibration
        start = time.monotonic()
        calibration = teach(model, calibration, labelled, variant, bench)
        seconds = time.monotonic() - start
        yield f"{line(name, hand, model, calibration, bench)}{seconds:>8.0f} s"


def follow(name: str, bench: Bench) -> Iterator[str]:
    """Yield a row for each hand, taught beside all hands before: anew, or upon what was taught."""
    model, calibration = bundle.from_keras_bytes(bench.bundled.training), bench.calibration
    tied_to = bundle.from_keras_bytes(bench.bundled.training) if name == TIED else None
    known: list[Data] = []
    for turn, (hand, (labelled, _)) in enumerate(bench.hands.items()):
        known.append(labelled)
        images = np.concatenate([data.images for data in known])
        labels = np.concatenate([data.labels for data in known])
        if name == ANEW:
            model, calibration = bundle.from_keras_bytes(bench.bundled.training), bench.calibration
        taught = Data("known", images, labels)
        calibration = teach(model, calibration, taught, Variant(), bench, tied_to)
        yield line(f"{name}, {turn + 1}", hand, model, calibration, bench)
    for hand in list(bench.hands)[:-1]:
        yield line(f"{name}, at its end", hand, model, calibration, bench)


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the table, a row as soon as it is known."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hands", default=",".join(HANDS), help="(default: %(default)s)")
    parser.add_argument("--labels", type=int, default=80, help="of each hand that are trained on")
    parser.add_argument("--limit", type=int, help="a quick try, as train_model --limit")
    parser.add_argument("--only", help=f"rows, separated by commas: {', '.join(ROWS)}")
    options = parser.parse_args(arguments)
    names = [name.strip() for name in options.hands.split(",")]
    rows = [name.strip() for name in options.only.split(",")] if options.only else ROWS
    if unknown := [name for name in names if name not in HANDS]:
        raise SystemExit(f"Unknown: {', '.join(unknown)}. Hands are {', '.join(HANDS)}.")
    if unknown := [name for name in rows if name not in ROWS]:
        raise SystemExit(f"Unknown: {', '.join(unknown)}. Rows are {', '.join(ROWS)}.")
    try:
        bench = make_bench([HANDS[name] for name in names], options.labels, options.limit)
    except (DataUnavailable, DataDamaged) as error:
        raise SystemExit(str(error)) from error
    print(f"{options.labels} labelled drawings to train on; {environment.describe()}")
    print(head(bench))
    model = bundle.from_keras_bytes(bench.bundled.training)
    for hand in bench.hands:
        print(line(bench.bundled.name, hand, model, bench.calibration, bench), flush=True)
    for name in rows:
        for text in play(name, VARIANTS[name], bench) if name in VARIANTS else follow(name, bench):
            print(text, flush=True)


if __name__ == "__main__":
    # "spawn" imports this file again in its helpers.
    main()
