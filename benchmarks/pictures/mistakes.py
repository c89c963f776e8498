"""Draw the pictures of the model card: the misclassified digits, and calibration.

    python -m benchmarks.pictures.mistakes [FOLDER] [--to docs]

FOLDER contains a bundle (default: recognizer/bundled). Writes mistakes-mnist.png (MNIST's test
set), mistakes-pen.png (held-out writers; each digit once, in the placement with the most confident
mistake), accepted.png (characters of held-out alphabets accepted as digits) and reliability.png,
each under 150 kB.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.common import command_line
from benchmarks.common.running_site import ROOT
from benchmarks.pictures.files import smaller, write
from recognizer.inference.classifier import BUNDLED, load_bundle
from training.data import datasets, evaluation_sets, omniglot
from training.data.datasets import Data
from training.evaluation import metrics, plots
from training.evaluation.metrics import Outcome

MOST = 80
"""Mistakes in a picture; the most confident ones if there are more."""


def draw(outcomes: dict[str, Outcome], folder: Path) -> list[Path]:
    """Write the pictures of outcomes by the names of ``load``; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    mnist = outcomes.pop("mnist test")
    pen = [outcome for name, outcome in outcomes.items() if name.startswith("pen ")]
    others = [outcome for name, outcome in outcomes.items() if not name.startswith("pen ")]
    alphabets = metrics.pooled("characters of held-out alphabets", others)
    paths = [
        folder / f"{name}.png"
        for name in ("mistakes-mnist", "mistakes-pen", "accepted", "reliability")
    ]
    plots.worst_mistakes(mnist, paths[0], MOST)
    plots.worst_mistakes(most_confident(pen), paths[1], MOST)
    plots.accepted_nondigits(alphabets, paths[2], MOST)
    plots.reliability_diagram(metrics.pooled("MNIST test and pen digits", [mnist, *pen]), paths[3])
    return paths


def most_confident(outcomes: Sequence[Outcome]) -> Outcome:
    """Return each digit once: in the placement with the most confident mistake."""
    wrong = np.stack([np.where(o.right, 0, o.probabilities.max(1)) for o in outcomes])
    rows = wrong.argmax(0) * wrong.shape[1] + np.arange(wrong.shape[1])
    every = metrics.pooled("pen digits of held-out writers", outcomes)
    return replace(every, data=every.data.take(rows), logits=every.logits[rows])


def load() -> dict[str, Data]:
    """Return the evaluation sets. Raises ``DataUnavailable`` or ``DataDamaged``."""
    sets = {"mnist test": evaluation_sets.mnist_test()}
    pen = evaluation_sets.held_out_pen()
    sets |= datasets.pen_test_sets(pen)
    for alphabet in omniglot.HELD_OUT_ALPHABETS:
        sets[alphabet] = omniglot.held_out(alphabet, lookalikes=False)
    return sets


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line.parser(__doc__, with_json=False)
    parser.add_argument("folder", nargs="?", type=Path, default=BUNDLED)
    parser.add_argument("--to", type=Path, default=ROOT / "docs", metavar="DIR")
    options = parser.parse_args(arguments)
    with command_line.errors_as_messages():
        outcomes = metrics.measure(load_bundle(options.folder), load())
    for path in draw(outcomes, options.to):
        write(smaller(path.read_bytes()), path)


if __name__ == "__main__":
    # Worker processes started by "spawn" import this file again.
    main()
