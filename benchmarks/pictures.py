"""Draw the model card's pictures: every mistake that remains, and how far confidence holds.

    python -m benchmarks.pictures [FOLDER] [--to docs]

FOLDER holds a bundle (default: recognizer/bundled). Writes mistakes-mnist.png (MNIST's test half),
mistakes-pen.png (held-out writers, the five placements pooled), accepted.png (held-out alphabets
taken for digits) and reliability.png, each under 150 kB.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from benchmarks.screenshots import MAX_BYTES, ROOT, smaller
from recognizer.classifier import BUNDLED, BundleError, load_bundle
from training import datasets, evaluate, figures, omniglot, run, testsets
from training.datasets import Data
from training.downloads import DataDamaged, DataUnavailable
from training.evaluate import Outcome

MOST = 80
"""Mistakes in a picture: the surest ones, where there are more."""


def draw(outcomes: dict[str, Outcome], folder: Path) -> list[Path]:
    """Write the pictures of outcomes by the names of ``load``; return their paths."""
    folder.mkdir(parents=True, exist_ok=True)
    mnist = outcomes.pop("mnist test")
    pen = [outcome for name, outcome in outcomes.items() if name.startswith("pen ")]
    others = [outcome for name, outcome in outcomes.items() if not name.startswith("pen ")]
    written = evaluate.pooled("pen digits, writers never seen", pen)
    alphabets = evaluate.pooled("characters of alphabets never seen", others)
    paths = [
        folder / f"{name}.png"
        for name in ("mistakes-mnist", "mistakes-pen", "accepted", "reliability")
    ]
    figures.worst_mistakes(mnist, paths[0], MOST)
    figures.worst_mistakes(written, paths[1], MOST)
    figures.accepted_nondigits(alphabets, paths[2], MOST)
    figures.reliability_diagram(
        evaluate.pooled("MNIST test and pen digits", [mnist, written]), paths[3]
    )
    return paths


def load() -> dict[str, Data]:
    """Return the sets that are drawn; raises as ``downloads`` does where data is missing."""
    sets = {"mnist test": testsets.mnist_test()}
    pen = testsets.held_out_pen()
    sets |= {f"pen {name}": data for name, data in datasets.pen_benches(pen).items()}
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
        outcomes = run.measure(load_bundle(options.folder), load())
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
