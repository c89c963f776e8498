"""Compare variants of fine-tuning: what is learned from few labels, and what is forgotten.

    python -m benchmarks.finetuning.adaptation [--styles turned,narrow] [--labels 80] [--only full]

Each row is the recipe ``fine-tune`` with one part changed, on drawings of the validation writers
(23-24) in the styles of ``benchmarks.finetuning.handwriting_styles``. Some are trained on, the
others measured. MNIST's test set and the held-out writers are not used, so the figures may be used
to choose settings. "Restarted" learns one style, then two, then three, each time from the bundled
network, as a site does that trains after every hour of labelling; "sequential" continues from the
last network; "anchored" does too, but distils from the bundled network.
"""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.common import command_line, results
from benchmarks.common.results import Table
from benchmarks.finetuning.handwriting_styles import STYLES, Style
from recognizer.inference.classifier import BUNDLED, Bundle, Calibration, load_bundle
from training.data import datasets, evaluation_sets, training_data
from training.data.datasets import Data, PenDigit
from training.data.downloads import DataUnavailable
from training.data.labelled import read_labelled_database
from training.data.training_data import Collected
from training.evaluation.metrics import Outcome
from training.model import bundle, finetune
from training.model.augmentation import Augmentation
from training.model.calibration import carry_over
from training.model.config import FINE_TUNE, FineTuning
from training.model.network import CLASSES, logits_of

SOURCES = frozenset({"mnist", "pen", "unipen", "omniglot", "generated"})
STILL = Augmentation(
    rotation=0, shear=0, scale=0, shift=0, elastic=0, far=0, erased=0, faded=0
)  # fmt: skip


@dataclass(frozen=True)
class Variant:
    """A row: how the recipe is changed, and the replayed sources."""

    change: Callable[[FineTuning], FineTuning] = field(default=lambda recipe: recipe)
    sources: frozenset[str] = SOURCES
    by_label: bool = False


def _changed(**values: Any) -> Variant:
    return Variant(lambda recipe: replace(recipe, **values))


VARIANTS: dict[str, Variant] = {
    "full": Variant(),
    "no replay": _changed(distillation_weight=0.0),
    "distillation weight quartered": _changed(
        distillation_weight=FINE_TUNE.distillation_weight / 4
    ),
    "distillation weight doubled": _changed(distillation_weight=2 * FINE_TUNE.distillation_weight),
    "three times as much MNIST replay": _changed(mnist=24_000),
    "labels instead of distillation": Variant(by_label=True),
    "only generated replay": Variant(sources=frozenset({"generated"})),
    "no augmentation of labelled": _changed(augmentation=STILL),
    "a third of the steps": Variant(lambda recipe: replace(recipe, steps=recipe.steps // 3)),
    "learning rate halved": _changed(learning_rate=FINE_TUNE.learning_rate / 2),
    "all of the new weights": _changed(moved=1.0),
    "half of the new weights": _changed(moved=0.5),
}
"""What is changed, by the name of the row."""

SEQUENTIAL, RESTARTED, ANCHORED = "sequential", "restarted", "anchored"
ROWS = (*VARIANTS, SEQUENTIAL, RESTARTED, ANCHORED)


@dataclass
class Study:
    bundled: Bundle
    calibration: Calibration
    data: Collected
    validation: Data
    sets: Mapping[str, Data]
    styles: Mapping[str, tuple[Data, Data]]
    recipe: FineTuning


def draw(style: Style, digits: Sequence[PenDigit], seed: int = 5) -> Data:
    rng = np.random.default_rng([seed, *style.name.encode()])
    images = []
    for digit in digits:
        with Image.open(io.BytesIO(style.draw(digit, rng))) as picture:
            images.append(datasets.model_input_of(np.asarray(picture.convert("L"))))
    return Data(style.name, np.stack(images), np.array([d.label for d in digits], np.uint8))


def make_study(styles: Sequence[Style], labels: int, limit: int | None) -> Study:
    """Load the bundled network and the data. Raises ``DataUnavailable`` or ``DataDamaged``."""
    bundled = load_bundle(BUNDLED)
    data = training_data.collect(wanted=SOURCES, mnist_path=None, labelled=read_labelled_database)
    if data.missing:
        raise DataUnavailable("; ".join(data.missing))
    digits = datasets.by_writers(data.pen or [], datasets.VALIDATION_WRITERS)
    parted = {}
    for style in styles:
        drawn = draw(style, digits)
        order = np.random.default_rng(1).permutation(len(drawn))
        parted[style.name] = drawn.take(order[:labels]), drawn.take(order[labels:])
    return Study(
        bundled=bundled,
        calibration=Calibration.from_card(bundled.card),
        data=data,
        validation=evaluation_sets.validation(data),
        sets=evaluation_sets.gate_sets(data),
        styles=parted,
        recipe=FINE_TUNE.at_most(limit) if limit else FINE_TUNE,
    )


def fine_tune(
    model: Any,
    calibration: Calibration,
    labelled: Data,
    variant: Variant,
    study: Study,
    teacher: Any = None,
) -> Calibration:
    """Fine-tune a network in place and return its calibration.

    The predictions of ``teacher`` are distilled, by default those of the network itself.
    """
    recipe = variant.change(study.recipe).for_this_machine()
    data = replace(study.data, wanted=variant.sources)
    if "omniglot" not in variant.sources:
        data = replace(data, characters=None)
    replayed = finetune.replay_data(data, recipe)
    answers = None if teacher is None else logits_of(teacher, replayed.images)
    if variant.by_label:
        # At temperature 1, distilling a certain prediction is cross-entropy with its label.
        answers = 40 * np.eye(CLASSES, dtype=np.float32)[replayed.labels]
    old = logits_of(model, study.validation.images)
    finetune.fine_tune(
        model,
        labelled,
        replayed,
        study.validation,
        replace(recipe, distillation_temperature=1.0) if variant.by_label else recipe,
        targets=answers,
    )
    new = logits_of(model, study.validation.images)
    return carry_over(calibration, old, new, study.validation.labels)


def table(study: Study) -> Table:
    return Table("style", "wrong", *study.sets, name_width=36)


def line(
    name: str, style: str, model: Any, calibration: Calibration, study: Study, note: str = ""
) -> str:
    def outcome(data: Data) -> Outcome:
        return Outcome(data, logits_of(model, data.images), calibration)

    mistakes = [int((~outcome(data).right).sum()) for data in study.sets.values()]
    answered = outcome(study.styles[style][1]).answered
    return table(study).line(name, style, f"{1 - answered.mean():.1%}", *mistakes, note=note)


def play(name: str, variant: Variant, study: Study) -> Iterator[str]:
    """Yield a row for each style, fine-tuned from the bundled network."""
    for style, (labelled, _) in study.styles.items():
        model, calibration = bundle.from_keras_bytes(study.bundled.training), study.calibration
        start = time.monotonic()
        calibration = fine_tune(model, calibration, labelled, variant, study)
        seconds = time.monotonic() - start
        yield line(name, style, model, calibration, study, f"{seconds:.0f} s")


def follow(name: str, study: Study) -> Iterator[str]:
    """Yield a row for each style, learned together with all earlier ones."""
    model, calibration = bundle.from_keras_bytes(study.bundled.training), study.calibration
    teacher = bundle.from_keras_bytes(study.bundled.training) if name == ANCHORED else None
    known: list[Data] = []
    for turn, (style, (labelled, _)) in enumerate(study.styles.items()):
        known.append(labelled)
        images = np.concatenate([data.images for data in known])
        labels = np.concatenate([data.labels for data in known])
        if name == RESTARTED:
            model, calibration = bundle.from_keras_bytes(study.bundled.training), study.calibration
        everything = Data("known", images, labels)
        calibration = fine_tune(model, calibration, everything, Variant(), study, teacher)
        yield line(f"{name}, {turn + 1}", style, model, calibration, study)
    for style in list(study.styles)[:-1]:
        yield line(f"{name}, at the end", style, model, calibration, study)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line.parser(__doc__, with_json=False)
    parser.add_argument("--styles", help=f"(default: {','.join(STYLES)})")
    parser.add_argument("--labels", type=int, default=80, help="training drawings of each style")
    parser.add_argument(
        "--limit", type=int, help="maximum number of replayed drawings, for a quick try"
    )
    parser.add_argument("--only", help=f"rows, separated by commas: {', '.join(ROWS)}")
    options = parser.parse_args(arguments)
    names = command_line.chosen(options.styles, STYLES, "Styles")
    rows = command_line.chosen(options.only, ROWS, "Rows")
    with command_line.errors_as_messages():
        study = make_study([STYLES[name] for name in names], options.labels, options.limit)
    results.print_title(f"{options.labels} labelled drawings of each style")
    print(table(study).head)
    model = bundle.from_keras_bytes(study.bundled.training)
    for style in study.styles:
        print(line(study.bundled.name, style, model, study.calibration, study), flush=True)
    for name in rows:
        for text in play(name, VARIANTS[name], study) if name in VARIANTS else follow(name, study):
            print(text, flush=True)


if __name__ == "__main__":
    # Worker processes started by "spawn" import this file again.
    main()
