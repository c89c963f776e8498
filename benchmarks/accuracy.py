"""Measure a model: MNIST test, pen digits of writers never trained on, strokes that are no digit.

    python -m benchmarks.accuracy [FOLDER]

FOLDER holds a bundle (default: recognizer/bundled). MNIST and the pen data come from
DIGIT_DATA_DIR or the cache, or are downloaded. Measures what is served: LiteRT, after imaging.
"""

from __future__ import annotations

import sys
from pathlib import Path

from recognizer.classifier import BUNDLED, Classifier, load_bundle
from training import collect, datasets, downloads, evaluate
from training.bundle import versions
from training.collect import Collected
from training.datasets import Fresh


def main() -> None:
    """Print one line a set."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else BUNDLED
    classifier = Classifier(load_bundle(folder))
    data = Collected(
        mnist=datasets.mnist(),
        pen=datasets.read_pen(downloads.pen_file()),
    )
    sets = {
        **collect.tests(data),
        "generated": datasets.draw_fresh([], Fresh(0, 2000, 0), 101),
        "non-digits": datasets.draw_fresh([], Fresh(0, 0, 2000), 102),
    }
    print(f"{classifier.name}; {', '.join(f'{k} {v}' for k, v in versions().items())}")
    head = "  95 % interval     ECE     refused  uncertain"
    print(f"{'':16}{'n':>7} {'wrong':>6} {'right':>8}{head}")
    for name, bench in sets.items():
        found = evaluate.run(classifier, bench).measures()
        line = f"{name:16}{found.n:>7,} {found.mistakes:>6}"
        if found.accuracy is not None and found.interval is not None:
            low, high = found.interval
            line += f" {found.accuracy:>8.2%}  {low:.2%}-{high:.2%}  {found.calibration_error:.2%}"
        else:
            line += " " * 34
        print(f"{line}  {found.refused:>8.2%}  {found.uncertain:>8.2%}")


if __name__ == "__main__":
    # "spawn" imports this file again in its helpers.
    main()
