"""Measure a model on corrupted digits: the fifteen kinds of MNIST-C.

    python -m benchmarks.model.corruptions [FOLDER] [--against FOLDER] [--n 1000] [--json PATH]

FOLDER contains a bundle (default: recognizer/bundled). ``--against`` names one to compare with: the
same network trained without augmentation. The goals are a mean error of at most 5 %, and of a third
of the other's. The first images
of MNIST's test set are corrupted (see ``benchmarks.model.mnist_c``) and then go through imaging and
LiteRT like every drawing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np

from benchmarks.common import command_line, results
from benchmarks.common.results import Share, Table
from benchmarks.model import mnist_c
from recognizer.inference.classifier import BUNDLED, Classifier, load_bundle
from training.data import datasets, downloads
from training.data.datasets import Data
from training.evaluation import metrics

GOAL = 1 / 3
"""Of the other network's mean error."""

MEAN_GOAL = 0.05
"""The mean error over the fifteen kinds."""

Errors = dict[str, Share]
"""Misclassified images by kind."""


def corrupted(raw: Data) -> dict[str, Data]:
    """Return raw images, uint8 (n, 28, 28), clean and in each kind, as model inputs."""
    seen = {"clean": datasets.prepare(raw.images)}
    for kind in mnist_c.KINDS:
        seen[kind] = datasets.prepare(mnist_c.corrupt(raw.images, kind))
    return {name: Data(name, images, raw.labels) for name, images in seen.items()}


def errors(classifier: Classifier, sets: Mapping[str, Data]) -> Errors:
    return {
        name: Share(int((~metrics.run(classifier, data).right).sum()), len(data))
        for name, data in sets.items()
    }


def mean_error(found: Errors) -> float:
    """Return the mean error rate over the kinds, without the clean digits."""
    return float(np.mean([error.value for name, error in found.items() if name != "clean"]))


def table(found: Errors, other: Errors | None) -> list[str]:
    """Return the error rates by kind, beside another model's if there is one, and their means."""
    mean = mean_error(found)
    if other is None:
        plain = Table("error", "95 % interval", name_width=14)
        rows = [plain.line(kind, *error.cells()) for kind, error in found.items()]
        return [plain.head, *rows, plain.line("mean of 15", f"{mean:.2%}"), _goal(mean)]
    both = Table("error", "95 % interval", "other", "95 % interval", "ratio", name_width=14)
    rows = [
        both.line(
            kind, *error.cells(), *other[kind].cells(), _ratio(error.value, other[kind].value)
        )
        for kind, error in found.items()
    ]
    others = mean_error(other)
    return [
        both.head,
        *rows,
        both.line("mean of 15", f"{mean:.2%}", "", f"{others:.2%}", "", _ratio(mean, others)),
        _goal(mean),
        results.verdict(
            "Goal: at most a third of the other's mean error:", reached=mean <= GOAL * others
        ),
    ]


def _goal(mean: float) -> str:
    return results.verdict(f"Goal: a mean of at most {MEAN_GOAL:.0%}:", reached=mean <= MEAN_GOAL)


def _ratio(one: float, other: float) -> str:
    return f"{one / other:.2f}" if other else "-"


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line.parser(__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=BUNDLED)
    parser.add_argument("--against", type=Path, metavar="FOLDER")
    parser.add_argument("--n", type=int, default=1000)
    options = parser.parse_args(arguments)
    with command_line.errors_as_messages():
        folders = [options.folder, *([options.against] if options.against else [])]
        classifiers = [Classifier(load_bundle(folder)) for folder in folders]
        raw = datasets.read_npz(downloads.mnist_file())
    if "test" not in raw:
        raise SystemExit("This MNIST file has no x_test, y_test.")
    sets = corrupted(raw["test"].take(slice(options.n)))
    found = [errors(classifier, sets) for classifier in classifiers]
    names = " against ".join(classifier.name for classifier in classifiers)
    results.print_title(f"{names}: error rate, n = {len(sets['clean']):,} of each kind")
    print("\n".join(table(found[0], found[1] if len(found) > 1 else None)))
    report = results.Report(n=len(sets["clean"]))
    report.figures["models"] = [
        {
            "folder": str(folder),
            "errors": {kind: error.value for kind, error in row.items()},
            "mean": mean_error(row),
        }
        for folder, row in zip(folders, found, strict=True)
    ]
    report.write(options.json)


if __name__ == "__main__":
    # Worker processes started by "spawn" import this file again.
    main()
