"""Measure how numbers are recognised: rows of digits by writers that no model has seen.

    python -m benchmarks.model.numbers [FOLDER] [--each N] [--singles N] [--json PATH]
    python -m benchmarks.model.numbers --fit

FOLDER contains a bundle (default: recognizer/bundled). Digits of pen writers 25-30 and of UNIPEN's
held-out writers and site are put in rows of two to five: apart, touching and overlapping, N of
each. Each row is recognised as strokes and as a picture. Words are rows of letters of the held-out
writers. Single digits are all that are held out, with MNIST's test half, or N of each set. With
``--fit``, rows and words of other writers give the coefficients of the confidence.
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from benchmarks.common import command_line, environment, results
from recognizer import imaging
from recognizer.imaging import Drawing, PenStrokes
from recognizer.inference.classifier import BUNDLED, Classifier, load_bundle
from recognizer.inference.numbers import find_number
from recognizer.inference.numbers.recognition import evidence, likeliest
from recognizer.statistics.intervals import wilson
from training.data import datasets, downloads, number_sets, unipen
from training.data.datasets import Handwritten
from training.data.number_sets import SPACINGS, Character, Row
from training.data.unipen import Role
from training.synthesis.strokes import PLACEMENTS, place_at

GOALS = {"apart": 0.97, "touching": 0.9}
MOST_SINGLES, MOST_WORDS, MOST_MS = 0.002, 0.05, 8.0
SEED = 16

Item = TypeVar("Item")

TABLE = results.Table("n", "measured", "95 % interval (Wilson)", "goal", name_width=52)


@dataclass(frozen=True)
class Rate:
    """``hits`` of ``n``, and the share to reach or not to exceed."""

    measure: str
    hits: int
    n: int
    at_least: float | None = None
    at_most: float | None = None

    @property
    def share(self) -> float:
        return self.hits / self.n

    def __str__(self) -> str:
        low, high = wilson(self.hits, self.n)
        goal, note = "", ""
        if self.at_least is not None:
            goal, reached = f">= {self.at_least:.1%}", self.share >= self.at_least
            note = "reached" if reached else "MISSED"
        elif self.at_most is not None:
            goal, reached = f"<= {self.at_most:.1%}", self.share <= self.at_most
            note = "reached" if reached else "MISSED"
        shown = f"{self.share:.2%}"
        return TABLE.line(
            self.measure, f"{self.n:,}", shown, f"{low:.2%} - {high:.2%}", goal, note=note
        )


def characters(
    pen: Iterable[datasets.PenDigit], drawings: Iterable[unipen.Drawing]
) -> dict[str, list[Character]]:
    """Return digits by source, and letters, each with its writer."""
    found: dict[str, list[Character]] = {"pen": [], "UNIPEN": [], "letters": []}
    for digit in pen:
        found["pen"].append((str(digit.label), digit.writer, digit.strokes))
    for drawing in drawings:
        if drawing.label < 10:
            found["UNIPEN"].append((drawing.character, drawing.writer, drawing.strokes))
        elif drawing.character.isalpha():
            found["letters"].append((drawing.character, drawing.writer, drawing.strokes))
    return found


def held_out() -> dict[str, list[Character]]:
    packs = unipen.load()
    pen = datasets.by_writers(datasets.read_pen(downloads.pen_file()), datasets.HELD_OUT_WRITERS)
    return characters(pen, unipen.of_role([*packs.digits, *packs.others], Role.TEST))


def for_training() -> dict[str, list[Character]]:
    """Return what thresholds may be chosen on: training and validation writers."""
    packs = unipen.load()
    pen = datasets.read_pen(downloads.pen_file())
    chosen = [digit for digit in pen if digit.writer not in datasets.HELD_OUT_WRITERS]
    others = [one for one in [*packs.digits, *packs.others] if one.role is not Role.TEST]
    return characters(chosen, others)


def called(
    classifier: Classifier, drawing: Drawing, strokes: PenStrokes | None = None
) -> tuple[str, float]:
    """Return the number that a drawing is called, "" for none, and how long numbers take.

    That is in ms of processor time, which what else runs on the machine doesn't change much.
    """
    try:
        answer = classifier.classify(imaging.model_input(drawing))
    except imaging.BlankDrawing:
        return "", 0.0
    start = time.process_time()
    found = find_number(classifier, answer, drawing, strokes)
    took = 1000 * (time.process_time() - start)
    return ("" if found is None else found.text), took


def measure_rows(
    classifier: Classifier, sources: dict[str, list[Character]], each: int
) -> Iterator[Rate | str]:
    """Yield the share of rows that are recognised as a whole, and the time of four digits."""
    times: dict[str, list[float]] = {"strokes": [], "picture": []}
    for spacing in SPACINGS:
        right = {(how, source): 0 for how in times for source in ("pen", "UNIPEN")}
        for source in ("pen", "UNIPEN"):
            for row in number_sets.rows(sources[source], each, SEED, spacing):
                sent = row.pen_strokes()
                drawing = sent.drawing()
                for how, strokes in (("strokes", sent), ("picture", None)):
                    text, took = called(classifier, drawing, strokes)
                    right[how, source] += text == row.text
                    if len(row.text) == 4 and spacing == "apart":
                        times[how].append(took)
        for how in times:
            for source in ("pen", "UNIPEN"):
                yield Rate(f"{spacing}, {how}, {source}", right[how, source], each)
            whole = right[how, "pen"] + right[how, "UNIPEN"]
            yield Rate(f"{spacing}, {how}", whole, 2 * each, at_least=GOALS.get(spacing))
    for how, measured in times.items():
        if measured:
            median = results.Times.of(measured).median
            note = "reached" if median <= MOST_MS else "MISSED"
            goal = f"<= {MOST_MS:.0f} ms"
            name = f"four digits apart, {how}: median processor time"
            yield TABLE.line(name, f"{len(measured):,}", f"{median:.1f} ms", "", goal, note=note)


def measure_words(
    classifier: Classifier, letters: Sequence[Character], each: int
) -> Iterator[Rate]:
    """Yield the share of words that are called a number: all, and those without look-alikes."""
    plain = [one for one in letters if one[0] not in unipen.LOOKALIKES]
    for name, chosen, most in (
        ("words", letters, MOST_WORDS),
        ("words without letters that look like a digit", plain, None),
    ):
        found = {"strokes": 0, "picture": 0}
        rows = [
            row
            for spacing in SPACINGS
            if chosen
            for row in number_sets.rows(chosen, max(1, each // len(SPACINGS)), SEED, spacing)
        ]
        for row in rows:
            sent = row.pen_strokes()
            drawing = sent.drawing()
            found["strokes"] += called(classifier, drawing, sent)[0] != ""
            found["picture"] += called(classifier, drawing)[0] != ""
        for how, hits in found.items() if rows else ():
            yield Rate(f"{name} called a number, {how}", hits, len(rows), at_most=most)


def measure_singles(classifier: Classifier, most: int | None) -> Iterator[Rate]:
    """Yield the share of single digits that are called a number, of each set and of all."""
    rng = np.random.default_rng(SEED)
    packs = unipen.load()
    pen = datasets.by_writers(datasets.read_pen(downloads.pen_file()), datasets.HELD_OUT_WRITERS)
    written: dict[str, Sequence[Handwritten]] = {
        "pen": pen,
        "UNIPEN": unipen.of_role(packs.digits, Role.TEST),
    }
    hits = n = 0
    for source, digits in written.items():
        chosen = _some(digits, most)
        found = {"strokes": 0, "picture": 0}
        for digit in chosen:
            sent = as_sent(digit, rng)
            drawing = sent.drawing()
            found["strokes"] += called(classifier, drawing, sent)[0] != ""
            found["picture"] += called(classifier, drawing)[0] != ""
        for how, wrong in found.items():
            yield Rate(f"single digits called a number, {source}, {how}", wrong, len(chosen))
            hits, n = hits + wrong, n + len(chosen)
    some = _some([*datasets.read_npz(downloads.mnist_file())["test"].images], most)
    wrong = sum(called(classifier, imaging.drawing_from_array(image))[0] != "" for image in some)
    yield Rate("single digits called a number, MNIST", wrong, len(some))
    yield Rate(
        "single digits called a number, all", hits + wrong, n + len(some), at_most=MOST_SINGLES
    )


def _some(items: Sequence[Item], most: int | None) -> Sequence[Item]:
    return items if most is None else items[:: max(1, len(items) // most)][:most]


def as_sent(digit: Handwritten, rng: np.random.Generator) -> PenStrokes:
    """Return a digit anywhere on the canvas, in any size, as the page sends it."""
    strokes, brush = place_at(digit.strokes, PLACEMENTS["wild"], rng)
    return PenStrokes.from_json(
        {"strokes": [stroke.tolist() for stroke in strokes], "width": brush, "size": [280, 280]}
    )


# --- the confidence ------------------------------------------------------------------------------


def fit(classifier: Classifier, sources: dict[str, list[Character]], each: int) -> str:
    """Return the coefficients of the confidence: a logistic regression on rows and words.

    A row is right if the whole number is, and a word never.
    """
    variables, right = [], []
    for source, characters_of in sources.items():
        for spacing in SPACINGS:
            for row in number_sets.rows(characters_of, each, SEED, spacing):
                for value, is_right in _paths(classifier, row, source != "letters"):
                    variables.append(value)
                    right.append(is_right)
    design = np.column_stack([np.ones(len(variables)), np.array(variables)])
    target, weights = np.array(right, float), np.zeros(design.shape[1])
    for _ in range(50):
        chance = 1 / (1 + np.exp(-design @ weights))
        curve = (design * (chance * (1 - chance))[:, None]).T @ design + 1e-3 * np.eye(len(weights))
        weights += np.linalg.solve(curve, design.T @ (target - chance) - 1e-3 * weights)
    chance = 1 / (1 + np.exp(-design @ weights))
    lines = [f"{len(target):,} paths, {target.mean():.1%} right"]
    lines += ["_BIAS, *_WEIGHTS = " + ", ".join(f"{weight:.3f}" for weight in weights)]
    for low in np.arange(0, 1, 0.1):
        inside = (chance >= low) & (chance < low + 0.1)
        if inside.any():
            lines.append(
                f"confidence {low:.1f}-{low + 0.1:.1f}: n {inside.sum():,}, mean "
                f"{chance[inside].mean():.3f}, right {target[inside].mean():.3f}"
            )
    return "\n".join(lines)


def _paths(
    classifier: Classifier, row: Row, is_number: bool
) -> Iterator[tuple[tuple[float, ...], bool]]:
    sent = row.pen_strokes()
    drawing = sent.drawing()
    for strokes in (sent, None):
        found = likeliest(classifier, drawing, strokes)
        if found is not None:
            seen = evidence(found.cost, [part.confidence for part in found.parts])
            yield seen, is_number and found.text == row.text


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line.parser(__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=BUNDLED)
    parser.add_argument("--each", type=int, default=500, help="rows of each source and spacing")
    parser.add_argument("--singles", type=int, help="single digits of each set (default: all)")
    parser.add_argument("--fit", action="store_true", help="fit the confidence")
    options = parser.parse_args(arguments)
    with command_line.errors_as_messages():
        bundle = load_bundle(options.folder)
        classifier = Classifier(bundle)
        sources = for_training() if options.fit else held_out()
    if options.fit:
        print(fit(classifier, sources, options.each))
        return
    report = results.Report(each=options.each, singles=options.singles, model=bundle.name)
    print(f"{bundle.name}; {environment.describe()}")
    print(TABLE.head)
    rates = []
    for line in itertools.chain(
        measure_rows(classifier, sources, options.each),
        measure_words(classifier, sources["letters"], options.each),
        measure_singles(classifier, options.singles),
    ):
        print(line, flush=True)
        if isinstance(line, Rate):
            rates.append(asdict(line))
    report.figures["rates"] = rates
    report.write(options.json)


if __name__ == "__main__":
    main()
