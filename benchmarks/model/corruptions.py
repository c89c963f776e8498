"""Measure a model on corrupted digits: the fifteen kinds of MNIST-C.

    python -m benchmarks.model.corruptions [FOLDER] [--against FOLDER] [--n 1000] [--json PATH]

FOLDER holds a bundle (default: recognizer/bundled). ``--against`` names another to set beside it:
the same network trained without our augmentation, whose errors the goal is a third of. The first
images of MNIST's test half are corrupted (see ``benchmarks.model.mnist_c``), then take the way of
every drawing, through imaging and LiteRT.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.common import environment
from benchmarks.model import mnist_c
from recognizer.inference.classifier import BUNDLED, BundleError, Classifier, load_bundle
from training.data import datasets, downloads
from training.data.datasets import Data
from training.data.downloads import DataDamaged, DataUnavailable
from training.evaluation import metrics

GOAL = 1 / 3
"""Of the other network's mean error."""

Errors = dict[str, float]


def corrupted(raw: Data) -> dict[str, Data]:
    """Return raw images, uint8 (n, 28, 28), clean and in each kind, as model inputs."""
    seen = {"clean": datasets.prepare(raw.images)}
    for kind in mnist_c.KINDS:
        seen[kind] = datasets.prepare(mnist_c.corrupt(raw.images, kind))
    return {name: Data(name, images, raw.labels) for name, images in seen.items()}


def errors(classifier: Classifier, sets: Mapping[str, Data]) -> Errors:
    """Return the share misread of each set."""
    return {
        name: 1 - float(metrics.run(classifier, data).right.mean()) for name, data in sets.items()
    }


def mean_error(found: Errors) -> float:
    """Return the mean over the kinds, the clean digits left out."""
    return float(np.mean([error for name, error in found.items() if name != "clean"]))


def table(found: Errors, other: Errors | None) -> list[str]:
    """Return the errors by kind, side by side with another model's, and their means."""
    rows = {**found, "mean of 15": mean_error(found)}
    if other is None:
        return [f"{name:14}{error:>9.2%}" for name, error in rows.items()]
    others = {**other, "mean of 15": mean_error(other)}
    lines = [
        f"{name:14}{error:>9.2%}{others[name]:>9.2%}{_ratio(error, others[name]):>8}"
        for name, error in rows.items()
    ]
    reached = rows["mean of 15"] <= GOAL * others["mean of 15"]
    return [
        *lines,
        f"goal: a third of the other's mean error: {'reached' if reached else 'MISSED'}",
    ]


def _ratio(one: float, other: float) -> str:
    return f"{one / other:.2f}" if other else "-"


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the error on clean and on corrupted digits."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path, default=BUNDLED)
    parser.add_argument("--against", type=Path, metavar="FOLDER")
    parser.add_argument("--n", type=int, default=1000)
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the errors there too")
    options = parser.parse_args(arguments)
    try:
        folders = [options.folder, *([options.against] if options.against else [])]
        classifiers = [Classifier(load_bundle(folder)) for folder in folders]
        raw = datasets.read_npz(downloads.mnist_file())
    except (BundleError, DataDamaged, DataUnavailable) as error:
        raise SystemExit(str(error)) from error
    if "test" not in raw:
        raise SystemExit("This MNIST file has no x_test, y_test.")
    sets = corrupted(raw["test"].take(slice(options.n)))
    found = [errors(classifier, sets) for classifier in classifiers]
    names = " against ".join(classifier.name for classifier in classifiers)
    print(
        f"{names}: share misread, n = {len(sets['clean']):,} of each kind; {environment.describe()}"
    )
    print("\n".join(table(found[0], found[1] if len(found) > 1 else None)))
    if options.json:
        report = {
            "machine": environment.describe(),
            "n": len(sets["clean"]),
            "models": [
                {"folder": str(folder), "errors": row, "mean": mean_error(row)}
                for folder, row in zip(folders, found, strict=True)
            ],
        }
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    # "spawn" imports this file again in its helpers.
    main()
