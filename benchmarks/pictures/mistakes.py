"""Draw the model card's pictures: every mistake that remains, and how far confidence holds.

    python -m benchmarks.pictures.mistakes [FOLDER] [--to docs]

FOLDER holds a bundle (default: recognizer/bundled). Writes mistakes-mnist.png (MNIST's test half),
mistakes-pen.png (held-out writers; each digit once, in that of the five placements in
which the model was surest of its mistake), accepted.png (held-out alphabets
taken for digits) and reliability.png, each under 150 kB.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.common.running_site import ROOT
from benchmarks.pictures.screenshots import MAX_BYTES, smaller
from recognizer.inference.classifier import BUNDLED, BundleError, load_bundle
from training.data import datasets, evaluation_sets, omniglot
from training.data.datasets import Data
from training.data.downloads import DataDamaged, DataUnavailable
from training.evaluation import metrics, plots
from training.evaluation.metrics import Outcome

MOST = 80
"""Mistakes in a picture: the surest ones, where there are more."""


def draw(outcomes: dict[str, Outcome], folder: Path) -> list[Path]:
    """Write the pictures of outcomes by the names of ``load``; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    mnist = outcomes.pop("mnist test")
    pen = [outcome for name, outcome in outcomes.items() if name.startswith("pen ")]
    others = [outcome for name, outcome in outcomes.items() if not name.startswith("pen ")]
    alphabets = metrics.pooled("characters of alphabets never seen", others)
    paths = [
        folder / f"{name}.png"
        for name in ("mistakes-mnist", "mistakes-pen", "accepted", "reliability")
    ]
    plots.worst_mistakes(mnist, paths[0], MOST)
    plots.worst_mistakes(surest(pen), paths[1], MOST)
    plots.accepted_nondigits(alphabets, paths[2], MOST)
    plots.reliability_diagram(metrics.pooled("MNIST test and pen digits", [mnist, *pen]), paths[3])
    return paths


def surest(outcomes: Sequence[Outcome]) -> Outcome:
    """Return the same digits, held in several ways, once each: where the surest mistake is."""
    wrong = np.stack([np.where(o.right, 0, o.probabilities.max(1)) for o in outcomes])
    rows = wrong.argmax(0) * wrong.shape[1] + np.arange(wrong.shape[1])
    every = metrics.pooled("pen digits of writers never seen", outcomes)
    return replace(every, data=every.data.take(rows), logits=every.logits[rows])


def load() -> dict[str, Data]:
    """Return the sets that are drawn; raises as ``downloads`` does where data is missing."""
    sets = {"mnist test": evaluation_sets.mnist_test()}
    pen = evaluation_sets.held_out_pen()
    sets |= datasets.pen_test_sets(pen)
    for alphabet in omniglot.HELD_OUT_ALPHABETS:
        sets[alphabet] = omniglot.held_out(alphabet, lookalikes=False)
    return sets


def main(arguments: Sequence[str] | None = None) -> None:
    """Draw the pictures and write them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path, default=BUNDLED)
    parser.add_argument("--to", type=Path, default=ROOT / "docs", metavar="DIR")
    options = parser.parse_args(arguments)
    try:
        outcomes = metrics.measure(load_bundle(options.folder), load())
    except (BundleError, DataDamaged, DataUnavailable) as error:
        raise SystemExit(str(error)) from error
    for path in draw(outcomes, options.to):
        content = smaller(path.read_bytes())
        if len(content) > MAX_BYTES:
            raise SystemExit(f"{path} has {len(content):,} bytes; at most {MAX_BYTES:,} are meant.")
        path.write_bytes(content)
        print(f"{path}: {len(content):,} bytes")


if __name__ == "__main__":
    # "spawn" imports this file again in its helpers.
    main()
