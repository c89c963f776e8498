"""Play the learning loop whole: drawings, labels, training, gate, and what it is worth.

    python -m benchmarks.finetuning.learning_loop [--hands turned,slab] [--labels 0,20,50,100,200]
    python -m benchmarks.finetuning.learning_loop --survey

For each hand of ``benchmarks.finetuning.handwriting_styles`` a site is started on an empty
database. A visitor sends drawings of writers that the network has never seen, a reviewer labels
them in the queue, the labels are exported, ``train_model`` runs with its defaults, by turns on the
database and on the exported file, and the gate decides which version answers from then on. After so
many labels, measured is the version that is active: on the same writers' other drawings by this
hand, on other writers' by this hand, and on MNIST's test half.

Needs the pen data and MNIST (DIGIT_DATA_DIR, or downloaded). Nothing is chosen here: the recipe
was chosen on other writers, and those of this benchmark are held out. ``--survey`` shows how the
hands are read on the writers that they were chosen on. Rows are added to a JSON file hand by hand,
and the curve is drawn from it: a run that was stopped goes on where it was.
"""

from __future__ import annotations

import argparse
import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import environment
from benchmarks.common.running_site import ROOT, Site, running_site
from benchmarks.finetuning.handwriting_styles import HANDS, Hand
from benchmarks.finetuning.loop_figure import draw_curve
from benchmarks.finetuning.simulated_users import Reviewer, Visitor
from training.data import datasets, downloads
from training.data.datasets import PenDigit
from training.data.downloads import DataDamaged, DataUnavailable

LABELS = (0, 20, 50, 100, 200)
LABELLED_WRITERS = (25, 26, 27)
"""Some of their drawings are labelled; they are measured on the others."""

OTHER_WRITERS = (28, 29, 30)
"""Their drawings are only ever measured."""

QUICK = ("--epochs", "1", "--limit", "40")


@dataclass(frozen=True)
class Row:
    """The active version after so many labels. Numbers of mistakes, and of what they are of.

    ``misread`` counts digits read as another, ``unanswered`` those and the ones refused: where the
    site's answer is wrong. ``others`` are other writers by the same hand. ``seconds`` is what the
    whole command ``train_model`` took, ``uncertainty`` the expected calibration error on the
    writer's other drawings.
    """

    labels: int
    model: str
    n: int
    misread: int
    unanswered: int
    others_n: int
    others_misread: int
    others_unanswered: int
    mnist_n: int
    mnist_misread: int
    uncertainty: float
    seconds: float
    trained_on: str = ""
    gate: str = ""


@dataclass
class Pool:
    """The digits of one hand: to be drawn and labelled, and the folders that are measured on."""

    hand: Hand
    waiting: list[PenDigit]
    own: Path
    others: Path
    rng: np.random.Generator

    def next(self) -> tuple[bytes, int]:
        """Return the next drawing to be labelled, and its digit."""
        digit = self.waiting.pop()
        return self.hand.draw(digit, self.rng), digit.label


def make_pool(hand: Hand, digits: Sequence[PenDigit], labels: int, folder: Path) -> Pool:
    """Draw what is measured on, and keep apart what is labelled: the same for every run."""
    rng = np.random.default_rng([2026, *hand.name.encode()])
    own = datasets.by_writers(digits, LABELLED_WRITERS)
    order = rng.permutation(len(own))
    if labels >= len(own):
        raise SystemExit(f"These writers have {len(own)} digits: some must be left to measure on.")
    pool = Pool(
        hand, [own[index] for index in order[:labels]], folder / "own", folder / "others", rng
    )
    for path, some in (
        (pool.own, [own[index] for index in order[labels:]]),
        (pool.others, datasets.by_writers(digits, OTHER_WRITERS)),
    ):
        for number, digit in enumerate(some):
            place = path / str(digit.label)
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{number}.png").write_bytes(hand.draw(digit, rng))
    return pool


def play(
    hand: Hand, digits: Sequence[PenDigit], labels: Sequence[int], *, quick: bool
) -> list[Row]:
    """Return a row for each number of labels, in the order of the numbers."""
    with tempfile.TemporaryDirectory() as name, running_site() as site:
        folder = Path(name)
        pool = make_pool(hand, digits, max(labels), folder)
        visitor, reviewer, truth = Visitor(site), Reviewer(site), dict[str, int]()
        rows: list[Row] = []
        labelled = 0
        for turn, count in enumerate(sorted(labels)):
            trained: dict[str, Any] = {"seconds": 0.0}
            if count > labelled:
                label(visitor, reviewer, pool, truth, count - labelled, rows[-1].model)
                labelled = count
                trained = train(site, folder, count, from_file=turn % 2 == 0, quick=quick)
            row = Row(labels=count, **trained, **measure(site, pool))
            rows.append(row)
            print(f"{hand.name}: {in_words(row)}", flush=True)
        return rows


def label(
    visitor: Visitor,
    reviewer: Reviewer,
    pool: Pool,
    truth: dict[str, int],
    count: int,
    model: str,
) -> None:
    """Have so many drawings sent, answered by ``model``, and labelled in the queue."""
    for _ in range(count):
        png, digit = pool.next()
        answer = visitor.draw(png)
        if answer["model_version"] != model:
            raise SystemExit(f"The site answers with {answer['model_version']}, not with {model}.")
        truth[answer["id"]] = digit
    if (done := reviewer.label(count, truth.__getitem__)) != count:
        raise SystemExit(f"The queue gave {done} of {count} drawings.")


def train(site: Site, folder: Path, labels: int, *, from_file: bool, quick: bool) -> dict[str, Any]:
    """Export the labels and train with the defaults; return what the row says of it."""
    exported = folder / f"{labels}.npz"
    said = site.manage("export_drawings", str(exported))
    if f"{labels} drawings" not in said:
        raise SystemExit(f"{labels} drawings were labelled, and the export says: {said}")
    given = ("--labelled", str(exported)) if from_file else ()
    report = folder / f"report-{labels}"
    start = time.monotonic()
    site.manage(
        "train_model", "--name", f"labels-{labels}", "--report", str(report),
        *given, *(QUICK if quick else ()),
    )  # fmt: skip
    seconds = time.monotonic() - start
    decision = json.loads((report / "report.json").read_text(encoding="utf-8"))["decision"]
    return {
        "seconds": seconds,
        "trained_on": "export" if from_file else "database",
        "gate": ("Activated. " if decision["activate"] else "Not activated. ") + decision["reason"],
    }


def measure(site: Site, pool: Pool) -> dict[str, Any]:
    """Return what the row says of the active version, measured by ``evaluate_model``."""
    own, others = f"folder:{pool.own}", f"folder:{pool.others}"
    said = site.manage("evaluate_model", "--json", "--on", f"mnist,{own},{others}")
    found = json.loads(said)
    sets = found["sets"]
    return {
        "model": found["model"],
        "mnist_n": sets["mnist test"]["n"],
        "mnist_misread": sets["mnist test"]["mistakes"],
        "uncertainty": sets[own]["calibration_error"],
        **_mistakes(sets[own], ""),
        **_mistakes(sets[others], "others_"),
    }


def _mistakes(measures: Mapping[str, Any], prefix: str) -> dict[str, int]:
    n = measures["n"]
    return {
        f"{prefix}n": n,
        f"{prefix}misread": measures["mistakes"],
        f"{prefix}unanswered": round(n * (1 - measures["answered"])),
    }


# --- what is printed ----------------------------------------------------------------------------


def in_words(row: Row) -> str:
    """Return a row as a line."""
    trained = f"{row.seconds:.0f} s on the {row.trained_on}. {row.gate}" if row.seconds else ""
    return (
        f"{row.labels} labels: {row.unanswered} of {row.n} answered wrongly, "
        f"{row.misread} misread; MNIST {row.mnist_misread} of {row.mnist_n:,}. {trained}"
    ).strip()


HEAD = (
    f"{'labels':>17}{'answered wrongly':>18}{'cut':>6}{'misread':>9}{'cut':>6}"
    f"{'other writers':>15}{'cut':>6}{'MNIST test':>12}{'change':>8}{'ECE':>7}{'seconds':>9}"
)


def table(hand: Hand, rows: Sequence[Row]) -> str:
    """Return the rows of one hand as a table: shares of drawings, and of mistakes taken away."""
    first = rows[0]
    lines = [f"{hand.name}: {hand.what} (n {first.n}, other writers {first.others_n})", HEAD]
    for row in rows:
        lines.append(
            f"{row.labels:>17}{row.unanswered / row.n:>18.1%}"
            f"{_cut(row.unanswered, first.unanswered):>6}"
            f"{row.misread / row.n:>9.1%}{_cut(row.misread, first.misread):>6}"
            f"{row.others_unanswered / row.others_n:>15.1%}"
            f"{_cut(row.others_unanswered, first.others_unanswered):>6}"
            f"{1 - row.mnist_misread / row.mnist_n:>12.2%}"
            f"{(first.mnist_misread - row.mnist_misread) / row.mnist_n:>+8.2%}"
            f"{row.uncertainty:>7.1%}{row.seconds:>9.0f}"
        )
    return "\n".join(lines)


def _cut(mistakes: int, before: int) -> str:
    return f"{1 - mistakes / before:.0%}" if before else "-"


def survey(hands: Sequence[Hand], digits: Sequence[PenDigit]) -> str:
    """Return how the active version of a new site reads the hands of the training's writers."""
    lines = [f"{'':10}{'n':>7}{'answered wrongly':>18}{'misread':>9}"]
    some = datasets.training_writers(digits)
    with tempfile.TemporaryDirectory() as name, running_site() as site:
        for hand in hands:
            rng = np.random.default_rng([7, *hand.name.encode()])
            for number, index in enumerate(rng.permutation(len(some))[:1000]):
                place = Path(name, hand.name, str(some[index].label))
                place.mkdir(parents=True, exist_ok=True)
                (place / f"{number}.png").write_bytes(hand.draw(some[index], rng))
            spec = f"folder:{Path(name, hand.name)}"
            found = json.loads(site.manage("evaluate_model", "--json", "--on", spec))
            row = _mistakes(found["sets"][spec], "")
            lines.append(
                f"{hand.name:10}{row['n']:>7,}{row['unanswered'] / row['n']:>18.1%}"
                f"{row['misread'] / row['n']:>9.1%}"
            )
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    """Play the hands that are missing in the file; print the tables and draw the curve."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--hands", default=",".join(HANDS), help="(default: %(default)s)")
    parser.add_argument("--labels", default=",".join(map(str, LABELS)))
    parser.add_argument("--survey", action="store_true", help="only look at the hands")
    parser.add_argument(
        "--quick", action="store_true", help="one short epoch: that it runs, not what it is worth"
    )
    parser.add_argument("--json", type=Path, default=Path("reports", "learning-loop.json"))
    parser.add_argument("--plot", type=Path, default=ROOT / "docs" / "learning-loop.png")
    options = parser.parse_args(arguments)
    names = [name.strip() for name in options.hands.split(",")]
    if unknown := [name for name in names if name not in HANDS]:
        raise SystemExit(f"Unknown: {', '.join(unknown)}. Hands are {', '.join(HANDS)}.")
    labels = sorted({0, *map(int, options.labels.split(","))})
    try:
        digits = datasets.read_pen(downloads.pen_file())
        downloads.mnist_file()
    except (DataUnavailable, DataDamaged) as error:
        raise SystemExit(str(error)) from error
    hands = [HANDS[name] for name in names]
    print(environment.describe())
    if options.survey:
        print(survey(hands, digits))
        return
    report = _report(options.json, {"labels": labels, "quick": options.quick})
    for hand in hands:
        if hand.name not in report["hands"]:
            rows = play(hand, digits, labels, quick=options.quick)
            report["hands"][hand.name] = [asdict(row) for row in rows]
            _write(options.json, report)
    found = {name: [Row(**row) for row in report["hands"][name]] for name in names}
    for name, rows in found.items():
        print(f"\n{table(HANDS[name], rows)}")
    draw_curve(found, options.plot)


def _report(path: Path, settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return the file's report, or a new one; refuse one of other settings."""
    if not path.is_file():
        return {"machine": environment.describe(), "settings": dict(settings), "hands": {}}
    report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    if report["settings"] != dict(settings):
        raise SystemExit(f"{path} was made with other settings. Name another file with --json.")
    return report


def _write(path: Path, report: Mapping[str, Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_suffix(".part")
    partial.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    partial.replace(path)


if __name__ == "__main__":
    main()
