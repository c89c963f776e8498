"""Compare drawings that the server draws from strokes with those that the browser draws.

    python -m benchmarks.site.drawn_by_server [--digits 2000] [--model FOLDER] [--json PATH]

Pen digits of writers that the model was not trained on, placed in five ways, every second one with
the pressure of a pen. The page's own code draws each as a PNG in the system's Chromium, and makes
the strokes that it sends; the server draws those. Prints how often digit and verdict are the same.
"""

from __future__ import annotations

import base64
import itertools
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import command_line, results
from benchmarks.common.browser import browser_page
from benchmarks.common.results import Share
from benchmarks.common.running_site import running_site
from recognizer import imaging
from recognizer.imaging.strokes import CANVAS
from recognizer.inference.classifier import BUNDLED, Classifier, load_bundle
from training.data import datasets, downloads
from training.synthesis.strokes import PLACEMENTS, place_at

GOAL = 0.998
AT_ONCE = 50

Drawing = list[dict[str, Any]]
"""The strokes of a drawing as the page has them, in widths of the canvas."""

BOTH = """
    async (drawings) => {
        const { toDataUrl } = await import("/static/recognizer/draw/canvas/as_picture.js");
        const { toSend } = await import("/static/recognizer/draw/canvas/sending.js");
        return drawings.map((strokes) => ({ image: toDataUrl(strokes), sent: toSend(strokes) }));
    }
"""


def pen_drawings(digits: int) -> Iterator[Drawing]:
    """Yield drawings of the writers of the test and validation sets, the same in every run.

    The two writers of the validation set make it 1,998 digits; then they begin anew.
    """
    rng = np.random.default_rng(17)
    writers = (*datasets.HELD_OUT_WRITERS, *datasets.VALIDATION_WRITERS)
    pen = datasets.by_writers(datasets.read_pen(downloads.pen_file()), writers)
    placements = list(PLACEMENTS.values())
    order = itertools.islice(itertools.cycle(rng.permutation(len(pen))), digits)
    for number, index in enumerate(order):
        placed, brush = place_at(pen[index].strokes, placements[number % len(placements)], rng)
        drawing = []
        for stroke in placed:
            n = len(stroke)
            # A pen is pressed hardest in the middle of a stroke.
            pressed = 0.5 + 0.3 * np.sin(np.linspace(0, np.pi, n)) + rng.normal(0, 0.02, n)
            pressure = pressed.clip(0, 1) if number % 2 else np.full(n, 0.5)
            points = [
                {"x": float(x), "y": float(y), "pressure": float(each)}
                for (x, y), each in zip(stroke / CANVAS, pressure, strict=True)
            ]
            drawing.append({"tool": "pen", "width": brush / CANVAS, "points": points})
        yield drawing


def answer(classifier: Classifier, drawing: imaging.Drawing) -> tuple[int, str]:
    found = classifier.classify(imaging.model_input(drawing))
    return found.digit, found.verdict.value


def compare(page: Any, drawings: Sequence[Drawing], classifier: Classifier) -> Counter[str]:
    """Return how many of the drawings are the same in what; prints those that differ."""
    same: Counter[str] = Counter()
    for start in range(0, len(drawings), AT_ONCE):
        for number, drawn in enumerate(page.evaluate(BOTH, drawings[start : start + AT_ONCE])):
            png = base64.b64decode(drawn["image"].partition(",")[2])
            browser = answer(classifier, imaging.read_drawing(png))
            sent = imaging.PenStrokes.from_json(drawn["sent"])
            server = answer(classifier, sent.drawing())
            same["digit"] += browser[0] == server[0]
            same["verdict"] += browser[1] == server[1]
            same["digit and verdict"] += browser == server
            if browser != server:
                print(f"drawing {start + number}: browser {browser}, server {server}", flush=True)
    return same


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line.parser(__doc__)
    parser.add_argument("--digits", type=int, default=2000)
    parser.add_argument("--model", type=Path, default=BUNDLED, metavar="FOLDER")
    options = parser.parse_args(arguments)
    with command_line.errors_as_messages():
        classifier = Classifier(load_bundle(options.model))
        drawings = list(pen_drawings(options.digits))
    results.print_title(f"Drawn by browser and server, {len(drawings)} pen digits")
    with running_site() as site, browser_page(site.address) as page:
        same = compare(page, drawings, classifier)
    table = results.Table("same", "share", "95 % interval")
    print(table.head)
    for what, count in same.items():
        share = Share(count, len(drawings))
        print(table.line(what, count, *share.cells()))
    reached = same["digit and verdict"] >= GOAL * len(drawings)
    print(results.verdict(f"(goal: digit and verdict >= {GOAL:.1%})", reached=reached))
    report = results.Report(digits=len(drawings), model=options.model)
    report.figures["same"] = dict(same)
    report.write(options.json)


if __name__ == "__main__":
    main()
