"""Train a recipe again and again, each time with one part left out, and set the results in a table.

    python -m benchmarks.model.ablation [--epochs 3] [--recipe shipped] [--only "full,no elastic"]

Everything is measured on validation data: MNIST's validation part, the writers that choose, the
first validation images corrupted as MNIST-C does, non-digits drawn with those writers' strokes,
and one of the alphabets that are otherwise trained on, which is kept out here. So what the table
says may be acted on. Each row is one run with one seed: the standard errors of the full recipe's
figures, in the last line, say how much of a difference is noise.

Rows are added to a JSON file one by one: a run that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import environment
from benchmarks.model import corruptions
from recognizer.inference.card import ModelCard, Settings, Thresholds
from recognizer.inference.classifier import Calibration
from training.data import datasets, downloads, nondigit_sets, omniglot
from training.data import training_data as data_training_data
from training.data.datasets import NOT_A_DIGIT, Data
from training.data.downloads import DataDamaged, DataUnavailable
from training.data.labelled import read_labelled_database
from training.data.training_data import Collected
from training.evaluation import metrics
from training.model import bundle, calibration
from training.model import train as model_train
from training.model.augmentation import Augmentation
from training.model.config import RECIPES, Recipe
from training.model.network import build_network, logits_of

ALPHABET = "Balinese"
"""Trained on by the shipped recipe, kept out here to measure on."""

SOURCES = frozenset({"mnist", "pen", "omniglot", "generated"})
CORRUPTED = 300  # of MNIST's validation images, in each of the fifteen kinds
EACH = 100  # of each kind of non-digit


@dataclass(frozen=True)
class Part:
    """One row: how the recipe is changed, and which sources are left out."""

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
    "no settling": Part(lambda recipe: replace(recipe, settle=0.0)),
    "no weight decay": Part(lambda recipe: replace(recipe, weight_decay=0.0)),
    "no generated digits": _fresh("generated"),
    "no generated non-digits": _fresh("nondigits", "textures"),
    "no spoiled pen digits": _fresh("altered"),
    "no photos": _fresh("photos"),
    "no Omniglot": Part(without=frozenset({"omniglot"})),
    "no pen data": Part(without=frozenset({"pen"})),
    "no MNIST": Part(without=frozenset({"mnist"})),
}
"""What is left out, by the name of its row. "no augmentation" is what the corruptions' goal is
measured against: the drawings as they are drawn, neither bent nor spoiled."""

COLUMNS = ("MNIST", "pen", "corrupted", "non-digits", ALPHABET)


@dataclass(frozen=True)
class Sets:
    """What a row is measured on."""

    mnist: Data
    pen: Data
    corrupted: Data
    nondigits: Data
    alphabet: Data

    def digits(self) -> Data:
        """Return the digits that the threshold accepts 99 % of."""
        return _joined("digits", [self.mnist, self.pen])


def _joined(name: str, parts: Sequence[Data]) -> Data:
    images = np.concatenate([part.images for part in parts])
    return Data(name, images, np.concatenate([part.labels for part in parts]))


def validation_sets(corrupted: int = CORRUPTED, each: int = EACH) -> Sets:
    """Return what every row is measured on. Raises as ``downloads`` does where data is missing."""
    mnist = datasets.mnist()["validation"]
    raw = datasets.read_npz(downloads.mnist_file())["train"]
    raw = raw.take(slice(len(raw) - len(mnist), len(raw) - len(mnist) + corrupted))
    kinds = corruptions.corrupted(raw)
    pen = datasets.by_writers(datasets.read_pen(downloads.pen_file()), datasets.VALIDATION_WRITERS)
    others = nondigit_sets.by_kind(pen, each, seed=903)
    characters = omniglot.read(downloads.omniglot_file(), (ALPHABET,)).without_lookalikes()
    seen = datasets.prepare(characters.images)
    return Sets(
        mnist=mnist,
        pen=_joined("pen", list(datasets.pen_test_sets(pen, seed=31).values())),
        corrupted=_joined("corrupted", [data for name, data in kinds.items() if name != "clean"]),
        nondigits=_joined("non-digits", list(others.values())),
        alphabet=Data(ALPHABET, seen, np.full(len(seen), NOT_A_DIGIT, np.uint8)),
    )


def training_data(part: Part, validation: Data, limit: int | None) -> model_train.TrainingData:
    """Return what a row is trained on: neither the alphabet kept out nor what it leaves out."""
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
    """Return each column's share, misread or refused, with its standard error."""
    # No verdict is asked for: the thresholds of a calibration do not matter here.
    plain = Calibration(temperature=1.0, not_a_digit=0.0, uncertain=0.0)

    def outcome(data: Data) -> metrics.Outcome:
        return metrics.Outcome(data, logits_of(model, data.images), plain)

    digits = outcome(sets.digits()).scores
    found = {
        name: (1 - float(outcome(data).right.mean()), len(data))
        for name, data in zip(COLUMNS, (sets.mnist, sets.pen, sets.corrupted), strict=False)
    }
    for name, data in ((COLUMNS[3], sets.nondigits), (COLUMNS[4], sets.alphabet)):
        refused = metrics.refusals(outcome(data), digits)
        assert refused is not None
        assert refused.refused_at_accepted is not None
        found[name] = (refused.refused_at_accepted, refused.n)
    return {
        name: {"share": share, "n": n, "error": float(np.sqrt(share * (1 - share) / n))}
        for name, (share, n) in found.items()
    }


def train(part: Part, recipe: Recipe, sets: Sets, limit: int | None) -> Any:
    """Return a network trained by the recipe without the part."""
    import keras
    import tensorflow as tf

    keras.utils.set_random_seed(recipe.seed)
    tf.config.experimental.enable_op_determinism()
    model = build_network(width=recipe.width)
    model_train.fit(model, training_data(part, sets.mnist, limit), part.change(recipe))
    return model


def keep(model: Any, name: str, recipe: Recipe, sets: Sets, folder: Path) -> None:
    """Write a row's network as a bundle, to be measured further."""
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
    """Return the rows as text: shares in per cent, digits misread, non-digits refused."""
    head = f"{'':26}" + "".join(f"{name:>12}" for name in COLUMNS) + f"{'minutes':>9}"
    kind = f"{'':26}" + "".join(f"{text:>12}" for text in ["misread"] * 3 + ["refused"] * 2)
    lines = [head, kind]
    for name, row in rows.items():
        shares = "".join(f"{row[column]['share']:>12.2%}" for column in COLUMNS)
        lines.append(f"{name:26}{shares}{row['minutes']:>9.1f}")
    if rows:
        first = next(iter(rows.values()))
        errors = "".join(f"{first[column]['error']:>12.2%}" for column in COLUMNS)
        lines.append(f"{'standard error':26}{errors}")
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Train the rows that are missing in the file, and print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--recipe", choices=sorted(RECIPES), default="shipped")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--limit", type=int, help="at most so many drawings of each source")
    parser.add_argument("--only", help=f"rows, separated by commas: {', '.join(PARTS)}")
    parser.add_argument("--json", type=Path, default=Path("reports", "ablation.json"))
    parser.add_argument("--keep", type=Path, metavar="DIR", help="write each network there too")
    options = parser.parse_args(arguments)
    names = [name.strip() for name in (options.only or ",".join(PARTS)).split(",")]
    if unknown := [name for name in names if name not in PARTS]:
        raise SystemExit(f"Unknown: {', '.join(unknown)}. Rows are {', '.join(PARTS)}.")
    recipe = replace(RECIPES[options.recipe], epochs=options.epochs).for_this_machine()
    if options.limit:
        recipe = replace(recipe, fresh=recipe.fresh.at_most(options.limit))
    report = _report(options.json, {**recipe.to_json(), "limit": options.limit})
    try:
        few = options.limit or CORRUPTED
        sets = validation_sets(min(few, CORRUPTED), min(few, EACH))
        for name in [name for name in names if name not in report["rows"]]:
            start = time.monotonic()
            model = train(PARTS[name], recipe, sets, options.limit)
            row: dict[str, Any] = measure(model, sets)
            row["minutes"] = (time.monotonic() - start) / 60
            report["rows"][name] = row
            _write(options.json, report)
            if options.keep:
                keep(model, name, PARTS[name].change(recipe), sets, options.keep)
            print(f"{name}: done in {row['minutes']:.1f} minutes", flush=True)
    except (DataUnavailable, DataDamaged) as error:
        raise SystemExit(str(error)) from error
    print(f"{options.epochs} epochs of the recipe {recipe.name}; {environment.describe()}")
    print(table({name: report["rows"][name] for name in PARTS if name in report["rows"]}))


def _report(path: Path, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the file's report, or a new one; refuse rows of another recipe."""
    # Through JSON and back, so that tuples compare as the lists they become.
    wanted = json.loads(json.dumps(settings))
    if not path.is_file():
        return {"machine": environment.describe(), "settings": wanted, "rows": {}}
    report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if report["settings"] != wanted:
        raise SystemExit(f"{path} has rows of another recipe. Name another file with --json.")
    return report


def _write(path: Path, report: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)


if __name__ == "__main__":
    # "spawn" imports this file again in its helpers.
    main()
