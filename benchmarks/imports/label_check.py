"""How often an import stops whose labels are right, and one whose labels are not.

    python -m benchmarks.imports.label_check [--held-out] [--tries 300]

Imports of 3 to 300 pen digits are made up from those of the training and validation writers (1-24),
or of the held-out writers (25-30), and checked as `recognizer.transfer.plausibility` does. "Hard"
ones have 60 % or 30 % of drawings that the model predicts right, the rest are its mistakes.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import command_line, django_setup, results
from benchmarks.common.results import Table
from recognizer.inference.classifier import BUNDLED, Answer, Classifier, load_bundle
from recognizer.transfer.formats import Item
from recognizer.transfer.plausibility import LabelCheck
from training.data import datasets, downloads
from training.synthesis.strokes import PLACEMENTS

SIZES = (3, 4, 5, 10, 20, 100, 300)
MOST = 2500  # drawings classified


@dataclass(frozen=True)
class Drawn:
    """A drawing with its digit and predictions, as it is and transposed."""

    image: NDArray[np.uint8]
    digit: int
    answer: Answer
    transposed: Answer


Labels = Callable[[Sequence[Drawn], np.random.Generator], Sequence[int]]

WRONG: dict[str, Labels] = {
    "labels right": lambda drawn, rng: [each.digit for each in drawn],
    "another order": lambda drawn, rng: rng.permutation([each.digit for each in drawn]).tolist(),
    "all one label": lambda drawn, rng: [int(rng.integers(10))] * len(drawn),
    "numbers of 3 people": lambda drawn, rng: rng.integers(1, 4, len(drawn)).tolist(),
    "one too many": lambda drawn, rng: [(each.digit + 1) % 10 for each in drawn],
}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line.parser(__doc__)
    parser.add_argument("--held-out", action="store_true", help="the writers 25-30")
    parser.add_argument("--tries", type=int, default=300, help="imports of each kind and size")
    options = parser.parse_args(arguments)
    # The check says what it finds in the language of the site.
    django_setup.set_up()
    with command_line.errors_as_messages():
        classifier = load_bundle(BUNDLED).load()
        pen = datasets.read_pen(downloads.pen_file())
    held_out = set(datasets.HELD_OUT_WRITERS)
    chosen = [digit for digit in pen if (digit.writer in held_out) == options.held_out]
    rng = np.random.default_rng(15)
    order = rng.permutation(len(chosen))[:MOST]
    drawn = draw([chosen[at] for at in order], classifier)
    right = [each for each in drawn if each.answer.digit == each.digit]
    wrong = [each for each in drawn if each.answer.digit != each.digit]
    print(f"{len(drawn)} drawings, {len(right)} predicted right, {len(wrong)} wrong")
    report = results.Report(held_out=options.held_out, tries=options.tries)
    table = Table(*(str(size) for size in SIZES), name="stopped, by drawings")
    print(table.head)
    kinds: dict[str, Callable[[int], bool]] = {
        name: lambda n, labels=labels: stops(pick(drawn, n, rng), labels, rng)  # type: ignore[misc]
        for name, labels in WRONG.items()
    }
    kinds["transposed"] = lambda n: stops(
        [Drawn(e.image.T, e.digit, e.transposed, e.answer) for e in pick(drawn, n, rng)],
        WRONG["labels right"],
        rng,
    )
    for share in (0.6, 0.3):
        kinds[f"hard, {share:.0%} predicted right"] = lambda n, share=share: stops(  # type: ignore[misc]
            [pick(right if rng.random() < share else wrong or drawn, 1, rng)[0] for _ in range(n)],
            WRONG["labels right"],
            rng,
        )
    for name, tries in kinds.items():
        found = {n: float(np.mean([tries(n) for _ in range(options.tries)])) for n in SIZES}
        report.figures[name] = found
        print(table.line(name, *(f"{100 * value:.1f}%" for value in found.values())))
    report.write(options.json)


def draw(digits: Sequence[datasets.PenDigit], classifier: Classifier) -> list[Drawn]:
    data = datasets.draw_pen(digits, PLACEMENTS["wild"], 15)
    return [
        Drawn(image, int(label), classifier.classify(image), classifier.classify(image.T.copy()))
        for image, label in zip(data.images, data.labels, strict=True)
    ]


def pick(drawn: Sequence[Drawn], n: int, rng: np.random.Generator) -> list[Drawn]:
    return [drawn[at] for at in rng.integers(len(drawn), size=n)]


def stops(drawn: Sequence[Drawn], labels: Labels, rng: np.random.Generator) -> bool:
    """Whether an import of these drawings with these labels stops."""
    check = LabelCheck("npz")
    # The prediction of a transposed image is found by its number in the first row.
    for number, (each, label) in enumerate(zip(drawn, labels(drawn, rng), strict=True)):
        key = np.array([[number]])
        check.add(Item("", label, b""), each.answer, key, f"{rng.integers(1 << 62):x}")
    return check.finding(lambda key: drawn[int(key[0, 0])].transposed) is not None


if __name__ == "__main__":
    main()
