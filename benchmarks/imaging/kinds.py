"""Measure how well what people really send is recognised: frames, lines, light ink, tight crops.

    python -m benchmarks.imaging.kinds [FOLDER] [--n 100] [--writers held-out] [--before PATH]

FOLDER contains a bundle (default: recognizer/bundled). Inputs are made from pen digits, by default
of held-out writers; ``--writers training`` takes the others, to choose rules on. ``--cases`` names
a folder of files with ``-is-DIGIT`` in their names, by default those of the tests. ``--before``
prints the figures of another run (its ``--json``) beside these. The imaging of another checkout is
measured there, with a copy of ``benchmarks/imaging`` and ``--json PATH``.

"Surely wrong" is a wrong digit with the verdict "digit" and a confidence of at least 0.9.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchmarks.common import command_line, results
from benchmarks.common.results import Share, Table
from benchmarks.imaging import inputs
from recognizer import imaging
from recognizer.inference.classifier import BUNDLED, Classifier, Verdict, load_bundle
from training.data import datasets, downloads

SEED = 11
SURE = 0.9
CASES = Path(imaging.__file__).parents[1] / "tests/imaging/cases"

Outcomes = dict[str, int]
"""How many files were right, wrong, refused (no digit) or blank, and how many surely wrong."""


def outcomes(classifier: Classifier, files: Iterable[tuple[bytes, int | None]]) -> Outcomes:
    """Count outcomes. Right is the digit with a verdict other than "not a digit"."""
    counts: Counter[str] = Counter()
    for data, label in files:
        counts["n"] += 1
        try:
            answer = classifier.classify(imaging.model_input(imaging.read_drawing(data)))
        except imaging.BlankDrawing:
            counts["right" if label is None else "blank"] += 1
            continue
        except imaging.ImageError:
            counts["refused"] += 1
            continue
        if answer.verdict is Verdict.NOT_A_DIGIT:
            counts["refused"] += 1
        elif answer.digit == label:
            counts["right"] += 1
        else:
            sure = answer.verdict is Verdict.DIGIT and answer.confidence >= SURE
            counts["surely wrong"] += sure
            counts["wrong"] += 1
    return dict(counts)


def cases(folder: Path) -> dict[str, list[tuple[bytes, int | None]]]:
    """Return the files below a folder whose names say the digit, by their folder's name."""
    found: dict[str, list[tuple[bytes, int | None]]] = {}
    for path in sorted(folder.rglob("*.*")):
        if name := re.search(r"-is-(\d)\.", path.name):
            file = path.read_bytes(), int(name[1])
            found.setdefault(f"case {path.parent.name}", []).append(file)
    return found


def line(table: Table, name: str, counts: Outcomes, before: Outcomes | None) -> str:
    share = Share(counts.get("right", 0), counts["n"])
    cells: list[results.Cell] = [*share.cells()]
    cells += [counts.get(key, 0) for key in ("refused", "blank", "surely wrong")]
    if before:
        then = Share(before.get("right", 0), before["n"])
        cells += [then.cells()[0], before.get("surely wrong", 0)]
    return table.line(name, counts["n"], *cells)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line.parser(__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=BUNDLED)
    parser.add_argument("--n", type=int, default=100, help="files of each kind")
    parser.add_argument("--writers", choices=("held-out", "training"), default="held-out")
    parser.add_argument("--cases", type=Path, metavar="FOLDER", default=CASES)
    parser.add_argument("--only", metavar="KIND,...")
    parser.add_argument("--before", type=Path, metavar="PATH")
    options = parser.parse_args(arguments)
    kinds = command_line.chosen(options.only, inputs.KINDS, "The kinds")
    with command_line.errors_as_messages():
        classifier = Classifier(load_bundle(options.folder))
        pen = datasets.read_pen(downloads.pen_file())
    held_out = options.writers == "held-out"
    writers = [
        writer for writer in range(1, 31) if (writer in datasets.HELD_OUT_WRITERS) == held_out
    ]
    digits = [(digit.strokes, digit.label) for digit in datasets.by_writers(pen, writers)]
    before: dict[str, Outcomes] = {}
    if options.before:
        before = json.loads(options.before.read_text(encoding="utf-8"))["figures"]
    results.print_title(f"{classifier.name}: what people send, {options.writers} writers")
    columns = ["n", "right", "95 % interval", "refused", "blank", "surely wrong"]
    table = Table(*columns, *(["before", "surely wrong"] if before else []), name_width=26)
    print(table.head)
    report = results.Report(n=options.n, writers=options.writers)
    for kind in kinds:
        files = inputs.of_kind(kind, digits, options.n, SEED)
        report.figures[kind] = outcomes(classifier, files)
        print(line(table, kind, report.figures[kind], before.get(kind)), flush=True)
    for name, files in ({} if options.only else cases(options.cases)).items():
        report.figures[name] = outcomes(classifier, files)
        print(line(table, name, report.figures[name], before.get(name)), flush=True)
    report.write(options.json)


if __name__ == "__main__":
    main()
