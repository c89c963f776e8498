"""Measure what a visitor's own corrections do for that visitor's next drawings, and what it costs.

    python -m benchmarks.personal [--networks DIR] [--bundled] [--placement centred] [--json PATH]
    python -m benchmarks.personal --choose

Pen writers whom the network has never seen write their 250 digits in the order in which they did;
each answer that is wrong, or refuses the digit, is corrected. Counted are the mistakes of the
second half, without and with what was learned until then. The bundled network knows the writers 1
to 22, so on it only those that are held out can be played, and it misreads few of their digits.
Two more networks are trained for this by the fast recipe and kept in DIR (default:
reports/personal): one that has seen 16 of the writers, one that has seen MNIST only. Both are
played on the writers 17 to 30; of those, 25 to 30 have chosen nothing.

``--choose`` prints the settings of ``neighbours.Mix`` around the chosen ones, on the writers 1 to
24 alone, each read by networks that have not seen them. ``--bundled`` trains nothing.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks import machine, remembering, unseen
from recognizer import embeddings, neighbours
from recognizer.classifier import BUNDLED, Answer, Calibration, Classifier, Verdict, load_bundle
from recognizer.neighbours import CHOSEN, Mix
from training import datasets, downloads
from training.datasets import HELD_OUT_WRITERS, NOT_A_DIGIT, PenDigit
from training.downloads import DataDamaged, DataUnavailable
from training.evaluate import calibration_error
from training.strokes import PLACEMENTS, draw_at

MOST_REMEMBERED = 200
"""As ``memory.MOST_REMEMBERED``, which can't be imported before Django is set up."""
NETWORKS = Path("reports", "personal")
SEED = 50
OTHER_WRITERS = range(17, 31)

Say = Callable[[str], None]


@dataclass(frozen=True)
class Sheet:
    """What one writer wrote, in order, and what one network says of it."""

    network: str
    writer: int
    answers: tuple[Answer, ...]
    labels: NDArray[np.int64]
    calibration: Calibration


@dataclass(frozen=True)
class Visitor:
    """How a visitor behaves: what they say of an answer, if anything.

    ``confirms``: they also say "right"; ``slips``: the share of what they say that is wrong.
    """

    confirms: bool = False
    slips: float = 0.0


@dataclass(frozen=True)
class Half:
    """The second half of what was written: what was answered without and with the memory.

    ``misread`` and ``refused`` of the two, ``worsened`` right answers, and the confidences, (n,),
    with which digits were right, (n,).
    """

    n: int
    misread: tuple[int, int]
    refused: tuple[int, int]
    worsened: int
    confidence: tuple[NDArray[np.float64], NDArray[np.float64]]
    right: tuple[NDArray[np.bool_], NDArray[np.bool_]]

    @property
    def calibration_errors(self) -> tuple[float, float]:
        """The expected calibration error without and with the memory, 0-1."""
        first, second = (
            calibration_error(confidence, right)
            for confidence, right in zip(self.confidence, self.right, strict=True)
        )
        return first, second


def together(halves: Iterable[Half]) -> Half:
    """Return several writers' halves as one."""
    parts = list(halves)

    def total(name: str) -> Any:
        return tuple(sum(getattr(part, name)[side] for part in parts) for side in (0, 1))

    def joined(name: str) -> Any:
        return tuple(
            np.concatenate([getattr(part, name)[side] for part in parts]) for side in (0, 1)
        )

    return Half(
        n=sum(part.n for part in parts),
        misread=total("misread"),
        refused=total("refused"),
        worsened=sum(part.worsened for part in parts),
        confidence=joined("confidence"),
        right=joined("right"),
    )


def given_label(answer: Answer) -> int:
    """Return an answer as a label: its digit, or "not a digit"."""
    return NOT_A_DIGIT if answer.verdict is Verdict.NOT_A_DIGIT else answer.digit


class Memory:
    """What a visitor has said so far, as the site keeps it: the newest, embeddings in float16."""

    def __init__(self) -> None:
        self.embeddings: list[NDArray[np.float32]] = []
        self.labels: list[int] = []

    def say(self, answer: Answer, label: int) -> None:
        """Remember what a drawing was."""
        packed = embeddings.pack(answer.embedding)
        if packed is not None:
            self.embeddings.append(embeddings.unpack(packed))
            self.labels.append(label)

    def answer(self, answer: Answer, calibration: Calibration, numbers: Mix) -> Answer:
        """Return what is answered in place of the network's answer, or that."""
        if not self.labels:
            return answer
        found = neighbours.mix(
            answer,
            calibration,
            np.stack(self.embeddings[-MOST_REMEMBERED:]),
            np.array(self.labels[-MOST_REMEMBERED:]),
            numbers,
        )
        return answer if found is None else found.answer


def play(sheet: Sheet, visitor: Visitor = Visitor(), numbers: Mix = CHOSEN) -> list[Answer]:
    """Return what a writer is answered, drawing by drawing, while they correct."""
    memory, given = Memory(), []
    rng = np.random.default_rng(sheet.writer)
    for answer, label in zip(sheet.answers, map(int, sheet.labels), strict=True):
        shown = memory.answer(answer, sheet.calibration, numbers)
        given.append(shown)
        if given_label(shown) != label or visitor.confirms:
            slipped = rng.random() < visitor.slips
            memory.say(answer, int(rng.integers(10)) if slipped else label)
    return given


def second_half(sheet: Sheet, given: Sequence[Answer]) -> Half:
    """Compare what was answered with what the network alone says, in the second half."""
    half = slice(len(given) // 2, None)
    labels = sheet.labels[half]
    alone, with_memory = sheet.answers[half], given[half]

    def right(answers: Sequence[Answer]) -> NDArray[np.bool_]:
        return np.array([answer.digit for answer in answers]) == labels

    def refused(answers: Sequence[Answer]) -> int:
        return sum(answer.verdict is Verdict.NOT_A_DIGIT for answer in answers)

    def sure(answers: Sequence[Answer]) -> NDArray[np.float64]:
        return np.array([answer.confidence for answer in answers])

    before, after = right(alone), right(with_memory)
    return Half(
        n=len(labels),
        misread=(int((~before).sum()), int((~after).sum())),
        refused=(refused(alone), refused(with_memory)),
        worsened=int((before & ~after).sum()),
        confidence=(sure(alone), sure(with_memory)),
        right=(before, after),
    )


def spilled(sheet: Sheet, numbers: Mix = CHOSEN) -> tuple[int, int, int]:
    """Teach one misread drawing at a time, and count what it does to all the others.

    Returns how many were taught, how many right answers became wrong, and how many wrong right.
    """
    wrong = [i for i, a in enumerate(sheet.answers) if given_label(a) != sheet.labels[i]]
    worse = better = 0
    for taught in wrong:
        memory = Memory()
        memory.say(sheet.answers[taught], int(sheet.labels[taught]))
        for i, answer in enumerate(sheet.answers):
            if i != taught:
                shown = memory.answer(answer, sheet.calibration, numbers)
                was, now = (given_label(a) == sheet.labels[i] for a in (answer, shown))
                worse += was and not now
                better += now and not was
    return len(wrong), worse, better


# --- what is played -----------------------------------------------------------------------------


def sheets(
    classifier: Classifier,
    pen: Sequence[PenDigit],
    writers: Iterable[int],
    placement: str,
    name: str,
) -> list[Sheet]:
    """Return what each writer wrote, drawn on a canvas as the placement says and read."""
    found = []
    for writer in writers:
        written = sorted(datasets.by_writers(pen, [writer]), key=lambda digit: digit.index)
        rng = np.random.default_rng(SEED + writer)
        drawn = [
            datasets.see(draw_at(digit.strokes, PLACEMENTS[placement], rng)) for digit in written
        ]
        found.append(
            Sheet(
                network=name,
                writer=writer,
                answers=tuple(classifier.classify(image) for image in drawn),
                labels=np.array([digit.label for digit in written]),
                calibration=classifier.calibration,
            )
        )
    return found


def probes(
    pen: Sequence[PenDigit], folder: Path, placement: str, say: Say, *, bundled_only: bool
) -> Iterator[tuple[str, list[Sheet]]]:
    """Yield each network's name with the writers that it has not seen, as measured."""
    bundled = load_bundle(BUNDLED)
    yield (
        f"{bundled.name}, which is served",
        sheets(Classifier(bundled), pen, HELD_OUT_WRITERS, placement, "bundled"),
    )
    for name in () if bundled_only else ("pen 1-16", "MNIST only"):
        network = Classifier(unseen.network(name, folder, say))
        yield f"fast recipe, {name}", sheets(network, pen, OTHER_WRITERS, placement, name)


def choosing(pen: Sequence[PenDigit], folder: Path, placement: str, say: Say) -> list[Sheet]:
    """Return what the settings are chosen on: no writer that is held out, none known but by the
    bundled network, on which nothing may get worse.
    """
    wanted = {
        "pen 1-16": range(17, 25),
        "pen 13-22": range(1, 13),
        "MNIST only": range(1, 25, 2),
    }
    found = sheets(Classifier(load_bundle(BUNDLED)), pen, range(1, 25, 2), placement, "bundled")
    for name, writers in wanted.items():
        network = Classifier(unseen.network(name, folder, say))
        found += sheets(network, pen, writers, placement, name)
    return found


NEAR = {
    "weight": (8.0, 10.0, 14.0),
    "width": (0.08, 0.1, 0.16, 0.2),
    "noise": (0.03, 0.3),
    "doubt": (1e-5, 1e-4),
    "neighbours": (8, 16, 64),
}
"""What ``--choose`` tries beside the chosen settings, one at a time."""


def surprise(sheet: Sheet, given: Sequence[Answer]) -> float:
    """Return the mean negative log-likelihood, in nats, of the digits that were drawn.

    A probability under 1e-4 counts as that: no single slip of the data decides.
    """
    chances = [
        answer.probabilities[label] for answer, label in zip(given, sheet.labels, strict=True)
    ]
    return float(-np.log(np.maximum(chances, 1e-4)).mean())


def choose(found: Sequence[Sheet], say: Say) -> None:
    """Print how settings around the chosen ones do: all sheets, with and without confirming."""
    rows = [CHOSEN, *(replace(CHOSEN, **{n: v}) for n, values in NEAR.items() for v in values)]
    say(
        f"{'settings':44}{'misread':>14}{'refused':>12}{'worsened':>10}{'worse off':>10}{'nats':>9}"
    )
    for numbers in rows:
        halves, nats, worse_off = [], 0.0, 0
        for visitor in (Visitor(), Visitor(confirms=True)):
            for sheet in found:
                given = play(sheet, visitor, numbers)
                halves.append(second_half(sheet, given))
                worse_off += halves[-1].misread[1] > halves[-1].misread[0]
                nats += surprise(sheet, given) / len(found) / 2
        half = together(halves)
        changed = {n: v for n, v in asdict(numbers).items() if v != asdict(CHOSEN)[n]}
        name = ", ".join(f"{n} {v}" for n, v in changed.items()) or f"chosen: {numbers}"
        say(
            f"{name[:44]:44}{half.misread[0]:>6} → {half.misread[1]:<5}"
            f"{half.refused[0]:>5} → {half.refused[1]:<4}"
            f"{half.worsened:>10}{worse_off:>10}{nats:>9.4f}"
        )


# --- the tables ---------------------------------------------------------------------------------

VISITORS = {
    "corrects mistakes": Visitor(),
    "also confirms": Visitor(confirms=True),
    "corrects, 1 in 10 wrongly": Visitor(slips=0.1),
}


def table(title: str, played: Mapping[int, Half], spill: tuple[int, int, int]) -> str:
    """Return one network's writers, as text."""
    lines = [
        title,
        f"{'writer':12}{'n':>6}{'misread':>14}{'refused':>14}{'worsened':>10}{'ECE':>20}",
    ]
    rows = [(str(writer), half) for writer, half in played.items()]
    held_out = [half for writer, half in played.items() if writer in HELD_OUT_WRITERS]
    if len(held_out) < len(played):
        rows.append(("25 to 30", together(held_out)))
    rows.append(("all", together(played.values())))
    lines += [f"{name:12}{_row(half)}" for name, half in rows]
    taught, worse, better = spill
    lines.append(
        f"One of {taught} misread drawings taught at a time: of the writer's other answers "
        f"{better} became right and {worse} wrong."
    )
    return "\n".join(lines)


def _row(half: Half) -> str:
    before, after = half.calibration_errors
    cut = f"{after_share(half.misread):>8}"
    return (
        f"{half.n:>6}{half.misread[0]:>6} → {half.misread[1]:<4}{cut}"
        f"{half.refused[0]:>4} → {half.refused[1]:<4}{half.worsened:>10}"
        f"{before:>12.2%} → {after:.2%}"
    )


def after_share(counts: tuple[int, int]) -> str:
    """Return by how much a count has changed, "-65 %"; "" where there was none."""
    before, after = counts
    return f"{(after - before) / before:+.0%}" if before else ""


def measure(found: Sequence[Sheet], visitor: Visitor) -> dict[int, Half]:
    """Return each writer's second half."""
    return {sheet.writer: second_half(sheet, play(sheet, visitor)) for sheet in found}


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--networks", type=Path, default=NETWORKS, metavar="DIR")
    parser.add_argument("--bundled", action="store_true", help="the bundled network alone")
    parser.add_argument("--placement", choices=sorted(PLACEMENTS), default="centred")
    parser.add_argument("--choose", action="store_true", help="try other settings of the mix")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the figures there too")
    options = parser.parse_args(arguments)
    try:
        pen = datasets.read_pen(downloads.pen_file())
        if options.choose:
            choose(choosing(pen, options.networks, options.placement, print), print)
            return
        report = _measure_all(pen, options)
    except (DataUnavailable, DataDamaged) as error:
        raise SystemExit(str(error)) from error
    costs = remembering.measure(MOST_REMEMBERED)
    print(costs)
    report["costs"] = asdict(costs)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


def _measure_all(pen: Sequence[PenDigit], options: argparse.Namespace) -> dict[str, Any]:
    print(f"Second half of 250 digits by each writer, {options.placement}; {machine.describe()}")
    report: dict[str, Any] = {"machine": machine.describe(), "networks": {}}
    for title, found in probes(
        pen, options.networks, options.placement, print, bundled_only=options.bundled
    ):
        spills = [spilled(sheet) for sheet in found]
        spill = (sum(s[0] for s in spills), sum(s[1] for s in spills), sum(s[2] for s in spills))
        for name, visitor in VISITORS.items():
            played = measure(found, visitor)
            print("\n" + table(f"{title}; the visitor {name}", played, spill))
            report["networks"].setdefault(title, {})[name] = {
                writer: {
                    "n": half.n,
                    "misread": half.misread,
                    "refused": half.refused,
                    "worsened": half.worsened,
                    "calibration_errors": half.calibration_errors,
                }
                for writer, half in played.items()
            }
    return report


if __name__ == "__main__":
    # "spawn" imports this file again in its helpers.
    main()
