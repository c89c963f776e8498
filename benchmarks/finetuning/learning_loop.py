"""Run the whole learning loop: drawings, labels, training, quality checks, and the gain.

    python -m benchmarks.finetuning.learning_loop [--styles turned,slab] [--labels 0,20,50,100,200]
    python -m benchmarks.finetuning.learning_loop --survey

For each style of ``benchmarks.finetuning.handwriting_styles`` a site starts with an empty database.
A visitor sends drawings of held-out writers, a reviewer labels them in the queue, the labels are
exported, and ``train_model`` runs with its defaults, alternately on the database and on the
exported file. The quality checks decide which version is active. At each number of labels the
active version is measured on the same writers' other drawings in that style, on other writers'
drawings in that style, and on MNIST's test set.

Needs the pen data and MNIST (DIGIT_DATA_DIR, or downloaded). Nothing is chosen here: the recipe was
chosen on other writers. ``--survey`` shows how the styles are recognised for the training writers.
Results are added to the report style by style: an interrupted run continues where it stopped.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import command_line, results
from benchmarks.common.results import Report, Table
from benchmarks.common.running_site import ROOT, Site, running_site
from benchmarks.finetuning.handwriting_styles import STYLES, Style
from benchmarks.finetuning.loop_figure import draw_curve
from benchmarks.finetuning.simulated_users import Reviewer, Visitor
from training.data import datasets, downloads
from training.data.datasets import PenDigit

LABELS = (0, 20, 50, 100, 200)
LABELLED_WRITERS = (25, 26, 27)
"""Some of their drawings are labelled; the others are measured."""

OTHER_WRITERS = (28, 29, 30)
"""All of their drawings are measured."""

QUICK = ("--epochs", "1", "--limit", "40")


@dataclass(frozen=True)
class Row:
    """The active version at a number of labels: numbers of drawings and of mistakes.

    ``wrong`` counts misclassified and rejected digits. ``others`` are other writers in the same
    style. ``seconds`` is the run time of the whole command ``train_model``, ``calibration_error``
    the expected calibration error on the writers' other drawings.
    """

    labels: int
    model: str
    n: int
    misclassified: int
    wrong: int
    others_n: int
    others_misclassified: int
    others_wrong: int
    mnist_n: int
    mnist_misclassified: int
    calibration_error: float
    seconds: float
    trained_on: str = ""
    gate: str = ""


@dataclass
class Pool:
    """The digits in one style: those to draw and label, and the folders to measure."""

    style: Style
    waiting: list[PenDigit]
    own: Path
    others: Path
    rng: np.random.Generator

    def next(self) -> tuple[bytes, int]:
        digit = self.waiting.pop()
        return self.style.draw(digit, self.rng), digit.label


def make_pool(style: Style, digits: Sequence[PenDigit], labels: int, folder: Path) -> Pool:
    """Split the digits into those to label and those to measure, the same way in every run."""
    rng = np.random.default_rng([2026, *style.name.encode()])
    own = datasets.by_writers(digits, LABELLED_WRITERS)
    order = rng.permutation(len(own))
    if labels >= len(own):
        raise SystemExit(
            f"These writers have {len(own)} digits, and some are needed for measuring."
        )
    pool = Pool(
        style, [own[index] for index in order[:labels]], folder / "own", folder / "others", rng
    )
    for path, some in (
        (pool.own, [own[index] for index in order[labels:]]),
        (pool.others, datasets.by_writers(digits, OTHER_WRITERS)),
    ):
        write_drawings(style, some, path, rng)
    return pool


def write_drawings(
    style: Style, digits: Sequence[PenDigit], folder: Path, rng: np.random.Generator
) -> None:
    for number, digit in enumerate(digits):
        place = folder / str(digit.label)
        place.mkdir(parents=True, exist_ok=True)
        (place / f"{number}.png").write_bytes(style.draw(digit, rng))


def play(
    style: Style, digits: Sequence[PenDigit], labels: Sequence[int], *, quick: bool
) -> list[Row]:
    with tempfile.TemporaryDirectory() as name, running_site() as site:
        folder = Path(name)
        pool = make_pool(style, digits, max(labels), folder)
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
            print(f"{style.name}: {in_words(row)}", flush=True)
        return rows


def label(
    visitor: Visitor, reviewer: Reviewer, pool: Pool, truth: dict[str, int], count: int, model: str
) -> None:
    """Send ``count`` drawings, which ``model`` must predict, and label them in the queue."""
    for _ in range(count):
        png, digit = pool.next()
        answer = visitor.draw(png)
        if answer["model_version"] != model:
            raise SystemExit(f"The site uses {answer['model_version']}, not {model}.")
        truth[answer["id"]] = digit
    if (done := reviewer.label(count, truth.__getitem__)) != count:
        raise SystemExit(f"The queue had {done} of {count} drawings.")


def train(site: Site, folder: Path, labels: int, *, from_file: bool, quick: bool) -> dict[str, Any]:
    """Export the labels and train with the defaults; return these fields of the row."""
    exported = folder / f"{labels}.npz"
    said = site.manage("export_drawings", str(exported))
    if f"{labels} drawings" not in said:
        raise SystemExit(f"{labels} drawings were labelled, but the export printed: {said}")
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
    """Evaluate the active version with ``evaluate_model``; return these fields of the row."""
    own, others = f"folder:{pool.own}", f"folder:{pool.others}"
    found = json.loads(site.manage("evaluate_model", "--json", "--on", f"mnist,{own},{others}"))
    sets = found["sets"]
    return {
        "model": found["model"],
        "mnist_n": sets["mnist test"]["n"],
        "mnist_misclassified": sets["mnist test"]["mistakes"],
        "calibration_error": sets[own]["calibration_error"],
        **_mistakes(sets[own], ""),
        **_mistakes(sets[others], "others_"),
    }


def _mistakes(measures: Mapping[str, Any], prefix: str) -> dict[str, int]:
    n = measures["n"]
    return {
        f"{prefix}n": n,
        f"{prefix}misclassified": measures["mistakes"],
        f"{prefix}wrong": round(n * (1 - measures["answered"])),
    }


# --- output -------------------------------------------------------------------------------------


def in_words(row: Row) -> str:
    trained = f"{row.seconds:.0f} s on the {row.trained_on}. {row.gate}" if row.seconds else ""
    return (
        f"{row.labels} labels: {row.wrong} of {row.n} wrong, "
        f"{row.misclassified} misclassified; "
        f"MNIST {row.mnist_misclassified} of {row.mnist_n:,}. {trained}"
    ).strip()


TABLE = Table(
    "wrong", "cut", "misclassified", "cut", "other writers", "cut", "MNIST test", "change", "ECE",
    "seconds", name="labels", name_width=8,
)  # fmt: skip


def table(style: Style, rows: Sequence[Row]) -> str:
    """Return the rows of a style as a table: shares of drawings, and of mistakes removed."""
    first = rows[0]
    lines = [
        f"{style.name}: {style.description} (n {first.n}, other writers {first.others_n})",
        TABLE.head,
    ]
    for row in rows:
        lines.append(
            TABLE.line(
                str(row.labels),
                f"{row.wrong / row.n:.1%}",
                _cut(row.wrong, first.wrong),
                f"{row.misclassified / row.n:.1%}",
                _cut(row.misclassified, first.misclassified),
                f"{row.others_wrong / row.others_n:.1%}",
                _cut(row.others_wrong, first.others_wrong),
                f"{1 - row.mnist_misclassified / row.mnist_n:.2%}",
                f"{(first.mnist_misclassified - row.mnist_misclassified) / row.mnist_n:+.2%}",
                f"{row.calibration_error:.1%}",
                f"{row.seconds:.0f}",
            )
        )
    return "\n".join(lines)


def _cut(mistakes: int, before: int) -> str:
    return f"{1 - mistakes / before:.0%}" if before else "-"


def survey(styles: Sequence[Style], digits: Sequence[PenDigit]) -> str:
    """Return how the bundled version recognises the styles of the training writers."""
    shown = Table("n", "wrong", "misclassified", name_width=10)
    lines = [shown.head]
    some = datasets.training_writers(digits)
    with tempfile.TemporaryDirectory() as name, running_site() as site:
        for style in styles:
            rng = np.random.default_rng([7, *style.name.encode()])
            chosen = [some[index] for index in rng.permutation(len(some))[:1000]]
            folder = Path(name, style.name)
            write_drawings(style, chosen, folder, rng)
            spec = f"folder:{folder}"
            found = json.loads(site.manage("evaluate_model", "--json", "--on", spec))
            row = _mistakes(found["sets"][spec], "")
            shares = [f"{row[key] / row['n']:.1%}" for key in ("wrong", "misclassified")]
            lines.append(shown.line(style.name, row["n"], *shares))
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line.parser(__doc__)
    parser.add_argument("--styles", help=f"(default: {','.join(STYLES)})")
    parser.add_argument("--labels", default=",".join(map(str, LABELS)))
    parser.add_argument("--survey", action="store_true", help="only show how styles are recognised")
    parser.add_argument("--quick", action="store_true", help="one short epoch, to see that it runs")
    parser.set_defaults(json=Path("reports", "learning-loop.json"))
    parser.add_argument("--plot", type=Path, default=ROOT / "docs" / "learning-loop.png")
    options = parser.parse_args(arguments)
    names = command_line.chosen(options.styles, STYLES, "Styles")
    labels = sorted({0, *map(int, options.labels.split(","))})
    with command_line.errors_as_messages():
        digits = datasets.read_pen(downloads.pen_file())
        downloads.mnist_file()
    styles = [STYLES[name] for name in names]
    results.print_title("Learning loop")
    if options.survey:
        print(survey(styles, digits))
        return
    report = Report.resumed(options.json, labels=labels, quick=options.quick)
    for style in styles:
        if style.name not in report.figures:
            rows = play(style, digits, labels, quick=options.quick)
            report.figures[style.name] = [asdict(row) for row in rows]
            report.write(options.json)
    found = {name: [Row(**row) for row in report.figures[name]] for name in names}
    for name, rows in found.items():
        print(f"\n{table(STYLES[name], rows)}")
    draw_curve(found, options.plot)


if __name__ == "__main__":
    main()
