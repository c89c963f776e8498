"""Measure how well photos of handwritten digits are recognised.

    python -m benchmarks.model.photos [FOLDER] [--n 100] [--large 9] [--json PATH]

FOLDER contains a bundle (default: recognizer/bundled). The digits are those of held-out writers, in
synthetic photos (``training.synthesis.photos``): 1000x750 px, JPEG of quality 40 to 90. A
photo is correct if its digit is, whatever the verdict; blank paper is correct if it is rejected.
"""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchmarks.common import command_line, results
from benchmarks.common.results import Share, Table
from recognizer import imaging
from recognizer.inference.classifier import BUNDLED, Classifier, Verdict, load_bundle
from training.data import datasets, downloads
from training.data.datasets import PenDigit
from training.synthesis.photos import KINDS, Conditions, as_jpeg, photograph

SEED = 32
SIZE = (1000, 750)
LARGE = (4000, 3000)


def take(
    digit: PenDigit | None,
    conditions: Conditions,
    rng: np.random.Generator,
    size: tuple[int, int],
    orientation: int = 1,
) -> bytes:
    """Return a photo of a digit, or of blank paper, as JPEG bytes."""
    strokes = digit.strokes if digit else []
    picture = photograph(strokes, rng, conditions, width=size[0], height=size[1])
    return as_jpeg(picture, int(rng.integers(40, 91)), orientation=orientation)


def outcome(classifier: Classifier, data: bytes, label: int | None) -> str:
    """Return the outcome of a photo: "correct", "wrong", "blank", or "rejected" as no digit."""
    try:
        answer = classifier.classify(imaging.model_input(imaging.read_drawing(data)))
    except imaging.BlankDrawing:
        return "blank"
    if label is None:
        return "rejected" if answer.verdict is Verdict.NOT_A_DIGIT else "wrong"
    return "correct" if answer.digit == label else "wrong"


def measure(
    classifier: Classifier, digits: Sequence[PenDigit], n: int, *, blank: bool = False
) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for name, conditions in KINDS.items():
        rng = np.random.default_rng(SEED)
        counts: Counter[str] = Counter()
        for index in rng.integers(len(digits), size=n):
            digit = None if blank else digits[int(index)]
            data = take(digit, conditions, rng, SIZE)
            counts[outcome(classifier, data, digit.label if digit else None)] += 1
        found[name] = counts
    return found


def measure_large(
    classifier: Classifier, digits: Sequence[PenDigit], n: int
) -> tuple[int, list[float]]:
    """Return how many of ``n`` photos of 12 megapixels are correct, and the milliseconds of each.

    Kinds alternate, upright and rotated by 90 degrees. Times include decoding, imaging and network.
    """
    rng = np.random.default_rng(SEED)
    correct, times = 0, []
    conditions = list(KINDS.values())
    for count in range(n):
        digit = digits[int(rng.integers(len(digits)))]
        size, orientation = (LARGE, 1) if count % 2 == 0 else (LARGE[::-1], 6)
        data = take(digit, conditions[count % len(conditions)], rng, size, orientation)
        start = time.perf_counter()
        correct += outcome(classifier, data, digit.label) == "correct"
        times.append(1000 * (time.perf_counter() - start))
    return correct, times


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line.parser(__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=BUNDLED)
    parser.add_argument("--n", type=int, default=100, help="photos of each kind")
    parser.add_argument("--large", type=int, default=len(KINDS), help="photos of 4000x3000 px")
    options = parser.parse_args(arguments)
    with command_line.errors_as_messages():
        classifier = Classifier(load_bundle(options.folder))
        pen = datasets.read_pen(downloads.pen_file())
    digits = datasets.by_writers(pen, datasets.HELD_OUT_WRITERS)
    results.print_title(f"{classifier.name}: photos, n = {options.n} of each kind")
    written = measure(classifier, digits, options.n)
    empty = measure(classifier, digits, options.n, blank=True)
    table = Table(
        "correct", "95 % interval", "blank paper: blank", "rejected", "a digit", name_width=14
    )
    print(table.head)
    for name, counts in written.items():
        shares = [f"{empty[name][key] / options.n:.1%}" for key in ("blank", "rejected", "wrong")]
        print(table.line(name, *Share(counts["correct"], options.n).cells(), *shares))
    report = results.Report(n=options.n, large=options.large)
    report.figures = {"photos": written, "blank paper": empty}
    if options.large:
        correct, times = measure_large(classifier, digits, options.large)
        took = f"median {np.median(times):.0f} ms, longest {max(times):.0f} ms"
        print(f"4000x3000: {correct} of {options.large} correct; {took}")
        report.figures["4000x3000"] = {"correct": correct, "ms": times}
    report.write(options.json)


if __name__ == "__main__":
    main()
