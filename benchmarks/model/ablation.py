"""Train a recipe several times, each time with one part left out or changed, and compare.

    python -m benchmarks.model.ablation [--epochs 3] [--recipe shipped] [--only "full,no elastic"]

All figures are measured on validation data, so that they may be used to choose settings: MNIST's
validation images, the validation writers, the first validation images corrupted as in MNIST-C,
non-digits drawn with those writers' strokes, and one alphabet that the shipped recipe trains on and
that is held out here. Each row is one run with one seed. The last line gives the standard errors of
the full recipe's figures.

Rows are added to the report one by one: an interrupted run continues where it stopped.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import command_line, results
from benchmarks.common.results import Report, Table
from benchmarks.model import corruptions
from recognizer.inference.card import ModelCard, Settings, Thresholds
from recognizer.inference.classifier import Calibration
from training.data import datasets, downloads, nondigit_sets, omniglot, unipen
from training.data import training_data as data_training_data
from training.data.datasets import NOT_A_DIGIT, Data
from training.data.labelled import read_labelled_database
from training.data.training_data import Collected
from training.evaluation import metrics
from training.model import backend, bundle, calibration
from training.model import train as model_train
from training.model.augmentation import Augmentation
from training.model.config import RECIPES, Recipe
from training.model.network import build_network, logits_of
from training.synthesis.strokes import PLACEMENTS

ALPHABET = "Balinese"
"""The shipped recipe trains on it; here it is held out."""

SOURCES = frozenset({"mnist", "pen", "unipen", "omniglot", "generated"})
CORRUPTED = 300  # of MNIST's validation images, in each of the fifteen kinds
EACH = 100  # of each kind of non-digit


@dataclass(frozen=True)
class Part:
    """A row: how the recipe is changed, and which sources are left out."""

    change: Callable[[Recipe], Recipe] = field(default=lambda recipe: recipe)
    without: frozenset[str] = frozenset()


def _augmentation(**off: float) -> Part:
    return Part(lambda recipe: replace(recipe, augmentation=replace(recipe.augmentation, **off)))


def _fresh(*names: str) -> Part:
    off = dict.fromkeys(names, 0)
    return Part(lambda recipe: replace(recipe, fresh=replace(recipe.fresh, **off)))


def _as_drawn(recipe: Recipe) -> Recipe:
    off = dict.fromkeys(asdict(Augmentation()), 0.0)
    unchanged = replace(recipe, augmentation=replace(recipe.augmentation, **off))
    return replace(unchanged, fresh=replace(recipe.fresh, cluttered=0))


PARTS: dict[str, Part] = {
    "full": Part(),
    "no affine": _augmentation(rotation=0.0, shear=0.0, scale=0.0, shift=0.0, far=0.0),
    "no far turns": _augmentation(far=0.0),
    "no elastic": _augmentation(elastic=0.0),
    "no erasing": _augmentation(erased=0.0),
    "no fading or noise": _augmentation(faded=0.0),
    "no clutter on MNIST": _fresh("cluttered"),
    "no augmentation": Part(_as_drawn),
    "constant augmentation": Part(lambda recipe: replace(recipe, settle=0.0)),
    "no average of the weights": Part(lambda recipe: replace(recipe, average=0.0)),
    "augmentation up to the end": Part(lambda recipe: replace(recipe, plain=0.0)),
    "normalised logits": Part(lambda recipe: replace(recipe, norm_logits=True)),
    "each drawing in one epoch": Part(lambda recipe: replace(recipe, redraw=1)),
    "stronger shifts": _augmentation(shift=1.5),
    "larger erased squares": _augmentation(erased=0.2, erased_side=8.0),
    "no weight decay": Part(lambda recipe: replace(recipe, weight_decay=0.0)),
    "no generated digits": _fresh("generated"),
    "no generated non-digits": _fresh("nondigits", "textures"),
    "no altered pen digits": _fresh("altered"),
    "no photos": _fresh("photos"),
    "no Omniglot": Part(without=frozenset({"omniglot"})),
    "no letters": _fresh("letters"),
    "no UNIPEN": Part(without=frozenset({"unipen"})),
    "no pen data": Part(without=frozenset({"pen"})),
    "no MNIST": Part(without=frozenset({"mnist"})),
}
"""What is left out, by the name of the row. "no augmentation" trains on the drawings as they are:
``benchmarks.model.corruptions --against`` compares with it."""

COLUMNS = ("MNIST", "pen", "UNIPEN", "corrupted", "non-digits", ALPHABET)


@dataclass(frozen=True)
class Sets:
    mnist: Data
    pen: Data
    unipen: Data
    corrupted: Data
    nondigits: Data
    alphabet: Data

    def digits(self) -> Data:
        """Return the digits of which the threshold accepts 99 %."""
        return _joined("digits", [self.mnist, self.pen, self.unipen])


def _joined(name: str, parts: Sequence[Data]) -> Data:
    images = np.concatenate([part.images for part in parts])
    return Data(name, images, np.concatenate([part.labels for part in parts]))


def validation_sets(corrupted: int = CORRUPTED, each: int = EACH) -> Sets:
    """Return the evaluation sets of every row. Raises ``DataUnavailable`` or ``DataDamaged``."""
    mnist = datasets.mnist()["validation"]
    raw = datasets.read_npz(downloads.mnist_file())["train"]
    raw = raw.take(slice(len(raw) - len(mnist), len(raw) - len(mnist) + corrupted))
    kinds = corruptions.corrupted(raw)
    pen = datasets.by_writers(datasets.read_pen(downloads.pen_file()), datasets.VALIDATION_WRITERS)
    written = unipen.of_role(unipen.load().digits, unipen.Role.VALIDATION)
    others = nondigit_sets.by_kind(pen, each, seed=903)
    characters = omniglot.read(downloads.omniglot_file(), (ALPHABET,)).without_lookalikes()
    seen = datasets.prepare(characters.images)
    return Sets(
        mnist=mnist,
        pen=_joined("pen", list(datasets.pen_test_sets(pen, seed=31).values())),
        unipen=datasets.draw_pen(written, PLACEMENTS["wild"], 31, "UNIPEN"),
        corrupted=_joined("corrupted", [data for name, data in kinds.items() if name != "clean"]),
        nondigits=_joined("non-digits", list(others.values())),
        alphabet=Data(ALPHABET, seen, np.full(len(seen), NOT_A_DIGIT, np.uint8)),
    )


def training_data(part: Part, validation: Data, limit: int | None) -> model_train.TrainingData:
    """Return the training data of a row, without the held-out alphabet."""
    data: Collected = data_training_data.collect(
        wanted=SOURCES - part.without,
        mnist_path=None,
        labelled=read_labelled_database,
        limit=limit,
    )
    if data.characters is not None:
        kept = [name for name in omniglot.TRAIN_ALPHABETS if name != ALPHABET]
        characters = omniglot.read(downloads.omniglot_file(), kept).without_lookalikes()
        data = replace(data, characters=characters.images[:limit])
    return model_train.TrainingData(
        fixed=data.trainable_mnist(),
        material=data.material(),
        labelled=None,
        validation=validation,
    )


def measure(model: Any, sets: Sets) -> dict[str, dict[str, float]]:
    """Return the error or rejection rate of each column, with its standard error."""
    # Only digits and scores are used: the thresholds do not matter.
    plain = Calibration(temperature=1.0, not_a_digit=0.0, uncertain=0.0)

    def outcome(data: Data) -> metrics.Outcome:
        return metrics.Outcome(data, logits_of(model, data.images), plain)

    digits = outcome(sets.digits()).scores
    found = {
        name: (1 - float(outcome(data).right.mean()), len(data))
        for name, data in zip(
            COLUMNS, (sets.mnist, sets.pen, sets.unipen, sets.corrupted), strict=False
        )
    }
    for name, data in zip(COLUMNS[-2:], (sets.nondigits, sets.alphabet), strict=True):
        refused = metrics.refusals(outcome(data), digits)
        assert refused is not None
        assert refused.refused_at_accepted is not None
        found[name] = (refused.refused_at_accepted, refused.n)
    return {
        name: {"share": share, "n": n, "error": float(np.sqrt(share * (1 - share) / n))}
        for name, (share, n) in found.items()
    }


def train(part: Part, recipe: Recipe, sets: Sets, limit: int | None) -> Any:
    import keras

    changed = part.change(recipe)
    keras.utils.set_random_seed(changed.seed)
    backend.use_deterministic_kernels()
    model = build_network(width=changed.width, norm_logits=changed.norm_logits)
    model_train.fit(model, training_data(part, sets.mnist, limit), changed)
    return model


def keep(model: Any, name: str, recipe: Recipe, sets: Sets, folder: Path) -> None:
    """Write a row's network as a bundle, for other benchmarks."""
    digits = sets.digits()
    chosen = calibration.calibrate(logits_of(model, digits.images), digits.labels)
    card = ModelCard(
        temperature=chosen.temperature,
        thresholds=Thresholds(chosen.not_a_digit, chosen.uncertain),
        settings=Settings.from_json(recipe.to_json()),
        seed=recipe.seed,
    )
    made = bundle.make_bundle(model, name=name, card=card, check=digits.take(slice(300)))
    bundle.write_bundle(made, folder / name.replace(" ", "-"))


def table(rows: Mapping[str, Any]) -> str:
    """Return the rows as text: error rates on digits, rejection rates on non-digits."""
    shown = Table(*COLUMNS, "minutes", name_width=26)
    lines = [shown.head, shown.line("", *["error"] * 4, *["rejected"] * 2)]
    for name, row in rows.items():
        shares = [f"{row[column]['share']:.2%}" for column in COLUMNS]
        lines.append(shown.line(name, *shares, f"{row['minutes']:.1f}"))
    if rows:
        first = next(iter(rows.values()))
        lines.append(shown.line("n", *[first[column]["n"] for column in COLUMNS]))
        errors = [f"{first[column]['error']:.2%}" for column in COLUMNS]
        lines.append(shown.line("standard error", *errors))
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line.parser(__doc__)
    parser.add_argument("--recipe", choices=sorted(RECIPES), default="shipped")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--limit", type=int, help="maximum number of drawings from each source")
    parser.add_argument("--only", help=f"rows, separated by commas: {', '.join(PARTS)}")
    parser.set_defaults(json=Path("reports", "ablation.json"))
    parser.add_argument("--keep", type=Path, metavar="DIR", help="also write each network there")
    options = parser.parse_args(arguments)
    names = command_line.chosen(options.only, PARTS, "Rows")
    recipe = replace(RECIPES[options.recipe], epochs=options.epochs).for_this_machine()
    if options.limit:
        recipe = replace(recipe, fresh=recipe.fresh.at_most(options.limit))
    report = Report.resumed(options.json, **recipe.to_json(), limit=options.limit)
    rows = report.figures
    with command_line.errors_as_messages():
        few = options.limit or CORRUPTED
        sets = validation_sets(min(few, CORRUPTED), min(few, EACH))
        for name in [name for name in names if name not in rows]:
            start = time.monotonic()
            model = train(PARTS[name], recipe, sets, options.limit)
            row: dict[str, Any] = measure(model, sets)
            row["minutes"] = (time.monotonic() - start) / 60
            rows[name] = row
            report.write(options.json)
            if options.keep:
                keep(model, name, PARTS[name].change(recipe), sets, options.keep)
            print(f"{name}: done in {row['minutes']:.1f} minutes", flush=True)
    results.print_title(f"{options.epochs} epochs of the recipe {recipe.name}")
    print(table({name: rows[name] for name in PARTS if name in rows}))


if __name__ == "__main__":
    # Worker processes started by "spawn" import this file again.
    main()
