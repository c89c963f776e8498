"""Draw the pictures of the model card: the misclassified digits, and calibration.

    python -m benchmarks.pictures.mistakes [FOLDER] [--to docs]

FOLDER contains a bundle (default: recognizer/bundled). Writes mistakes-mnist.png (MNIST's test
set), mistakes-pen.png and mistakes-unipen.png (held-out writers, and UNIPEN's held-out site; each
digit once, in the placement with the most confident mistake), accepted.png (characters of held-out
alphabets accepted as digits) and reliability.png, each under 150 kB.
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
from training.data import evaluation_sets, omniglot
from training.data.datasets import Data
from training.evaluation import metrics, plots
from training.evaluation.metrics import Outcome

NAMES = ("accepted", "mistakes-mnist", "mistakes-pen", "mistakes-unipen", "reliability")
"""The pictures."""

MOST = 80
"""Mistakes in a picture; the most confident ones if there are more."""


def draw(outcomes: dict[str, Outcome], folder: Path) -> list[Path]:
    """Write the pictures of outcomes by the names of ``load``; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)

    def named(start: str) -> list[Outcome]:
        return [outcome for name, outcome in outcomes.items() if name.startswith(start)]

    mnist, pen = outcomes["mnist test"], named("pen ")
    writers, site = named("UNIPEN writers"), named("UNIPEN site")
    unseen = metrics.pooled("UNIPEN", [most_confident(writers), most_confident(site)])
    letters = metrics.pooled("characters", [*named("Omniglot"), *named("UNIPEN letters")])
    everybody = metrics.pooled("MNIST, pen and UNIPEN", [mnist, *pen, *writers, *site])
    plots.worst_mistakes(mnist, folder / "mistakes-mnist.png", MOST)
    plots.worst_mistakes(most_confident(pen), folder / "mistakes-pen.png", MOST)
    plots.worst_mistakes(unseen, folder / "mistakes-unipen.png", MOST)
    plots.accepted_nondigits(letters, folder / "accepted.png", MOST)
    plots.reliability_diagram(everybody, folder / "reliability.png")
    return sorted(folder / f"{name}.png" for name in NAMES)


def most_confident(outcomes: Sequence[Outcome]) -> Outcome:
    """Return each digit once: in the placement with the most confident mistake."""
    wrong = np.stack([np.where(o.right, 0, o.probabilities.max(1)) for o in outcomes])
    rows = wrong.argmax(0) * wrong.shape[1] + np.arange(wrong.shape[1])
    every = metrics.pooled("digits of held-out writers", outcomes)
    return replace(every, data=every.data.take(rows), logits=every.logits[rows])


def load() -> dict[str, Data]:
    """Return the evaluation sets. Raises ``DataUnavailable`` or ``DataDamaged``."""
    sets = {"mnist test": evaluation_sets.mnist_test()}
    sets |= evaluation_sets.load("pen") | evaluation_sets.load("unipen")
    for alphabet in omniglot.HELD_OUT_ALPHABETS:
        data = omniglot.held_out(alphabet, lookalikes=False)
        sets[data.name] = data
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
