"""Measure one answer: decoding and imaging of a 280x280 PNG, and the network, on one thread.

python -m benchmarks.serving
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable
from functools import partial

import numpy as np

from recognizer import imaging
from recognizer.classifier import BUNDLED, Classifier, load_bundle
from training.allographs import generate_digit
from training.strokes import PLACEMENTS, draw_at

ROUNDS = 40


def median_ms(work: Callable[[], object]) -> float:
    """Return the median time of a call in milliseconds."""
    work()
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return float(np.median(times)) * 1000


def main() -> None:
    """Print the steps' times, the median over 40 calls on each of 40 drawings."""
    rng = np.random.default_rng(7)
    classifier = Classifier(load_bundle(BUNDLED))
    steps: dict[str, list[float]] = {"read the PNG": [], "imaging": [], "network": []}
    for count in range(40):
        canvas = draw_at(generate_digit(count % 10, rng), PLACEMENTS["wild"], rng)
        png = imaging.encode_png(np.dstack([canvas] * 3))
        drawing = imaging.read_drawing(png)
        seen = imaging.model_input(drawing)
        steps["read the PNG"].append(median_ms(partial(imaging.read_drawing, png)))
        steps["imaging"].append(median_ms(partial(imaging.model_input, drawing)))
        steps["network"].append(median_ms(partial(classifier.classify, seen)))
    print(f"{classifier.name}, Python {platform.python_version()}, {platform.machine()}")
    for name, times in steps.items():
        print(f"{name:14}{np.mean(times):6.2f} ms")


if __name__ == "__main__":
    main()
