"""Measure one prediction on one thread, from the bytes of a file to the verdict.

    python -m benchmarks.site.serving [FOLDER] [--json PATH] [--drawings 40] [--rounds 20] [--load]

FOLDER contains a bundle (default: recognizer/bundled). Drawings are as a browser sends them (PNG of
280x280 px, and strokes), and a photo as a phone sends it (JPEG of 4000x3000 px). Run it on an idle
machine. ``--load`` then measures the whole site under load, as benchmarks.site.load --write does.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from benchmarks.common import command_line, results
from benchmarks.common.results import Times, clock
from recognizer import imaging
from recognizer.imaging.strokes import render
from recognizer.inference.classifier import BUNDLED, Classifier, load_bundle
from training.synthesis.allographs import generate_digit
from training.synthesis.strokes import PLACEMENTS, draw_at, place

Work = Callable[[], object]

PHOTO = (4000, 3000)
GOALS = {
    "network": 0.6,
    "imaging, decoding included": 2.0,
    "imaging, drawing strokes included": 2.0,
    "imaging, photo": 120.0,
}
"""Milliseconds, for the median."""

TABLE = results.Table("median", "p95", name="ms", name_width=38)


def canvas_png(digit: int, rng: np.random.Generator) -> bytes:
    """Return a drawing as the page sends it: PNG with an opaque alpha channel."""
    canvas = draw_at(generate_digit(digit, rng), PLACEMENTS["wild"], rng)
    return imaging.encode_png(np.dstack([canvas] * 3 + [np.full_like(canvas, 255)]))


def pen_strokes(digit: int, rng: np.random.Generator) -> imaging.PenStrokes:
    """Return a drawing as the page sends it: strokes of points with a time."""
    strokes = place(generate_digit(digit, rng), size=float(rng.uniform(0.25, 0.9)))
    return imaging.PenStrokes.from_json(
        {
            "strokes": [
                [[*map(float, point), 8 * n] for n, point in enumerate(s)] for s in strokes
            ],
            "width": float(rng.uniform(8, 24)),
            "size": [280, 280],
        }
    )


def phone_jpeg(rng: np.random.Generator) -> bytes:
    """Return a photo of a digit on paper, 12 megapixels, in uneven light and with noise."""
    width, height = PHOTO
    strokes = place(generate_digit(7, rng), canvas=1000, size=0.4)
    ink = Image.fromarray(render(strokes, canvas=1000, brush=12)).resize((height, height))
    sheet = Image.new("L", PHOTO, 255)
    sheet.paste(ink, ((width - height) // 2, 0))
    paper = np.asarray(sheet.filter(ImageFilter.GaussianBlur(2)), np.float32) * 0.8
    light = np.linspace(0.7, 1.0, width, dtype=np.float32)[None]
    noisy = paper * light + rng.normal(0, 4, (height, width)).astype(np.float32)
    buffer = io.BytesIO()
    Image.fromarray(np.clip(noisy, 0, 255).astype(np.uint8)).convert("RGB").save(
        buffer, "JPEG", quality=90
    )
    return buffer.getvalue()


def measure(classifier: Classifier, drawings: int, rounds: int) -> dict[str, Times]:
    rng = np.random.default_rng(7)
    times: dict[str, list[float]] = {}

    def answer(content: bytes) -> object:
        return classifier.classify(imaging.model_input(imaging.read_drawing(content)))

    def prepare(content: bytes) -> object:
        return imaging.model_input(imaging.read_drawing(content))

    def prepare_strokes(strokes: imaging.PenStrokes) -> object:
        return imaging.model_input(strokes.drawing())

    for count in range(drawings):
        png, strokes = canvas_png(count % 10, rng), pen_strokes(count % 10, rng)
        drawing = imaging.read_drawing(png)
        model_input = imaging.model_input(drawing)
        steps: dict[str, Work] = {
            "decoding a PNG of 280x280": partial(imaging.read_drawing, png),
            "drawing to 28x28": partial(imaging.model_input, drawing),
            "imaging, decoding included": partial(prepare, png),
            "drawing strokes": strokes.drawing,
            "imaging, drawing strokes included": partial(prepare_strokes, strokes),
            "network": partial(classifier.classify, model_input),
            "total": partial(answer, png),
        }
        for step, work in steps.items():
            times.setdefault(step, []).extend(clock(work, rounds))
    photo = phone_jpeg(rng)
    drawing = imaging.read_drawing(photo)
    steps = {
        f"decoding a JPEG of {PHOTO[0]}x{PHOTO[1]}": partial(imaging.read_drawing, photo),
        "photo to 28x28": partial(imaging.model_input, drawing),
        "imaging, photo": partial(prepare, photo),
        "total, photo": partial(answer, photo),
    }
    for step, work in steps.items():
        times[step] = clock(work, max(3, rounds // 4))
    return {step: Times.of(found) for step, found in times.items()}


def line(step: str, times: Times) -> str:
    goal = GOALS.get(step)
    note = "" if goal is None else results.verdict(f"<= {goal:.1f}", reached=times.median <= goal)
    return TABLE.line(step, f"{times.median:.2f}", f"{times.p95:.2f}", note=note)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line.parser(__doc__)
    parser.add_argument("folder", nargs="?", type=Path, default=BUNDLED)
    parser.add_argument("--drawings", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=20, help="calls of each step for a drawing")
    parser.add_argument("--load", action="store_true", help="then measure the whole site")
    options = parser.parse_args(arguments)
    with command_line.errors_as_messages():
        classifier = Classifier(load_bundle(options.folder))
    found = measure(classifier, options.drawings, options.rounds)
    results.print_title(f"{classifier.name}, one thread")
    print(TABLE.head)
    print("\n".join(line(step, times) for step, times in found.items()))
    report = results.Report(drawings=options.drawings, rounds=options.rounds)
    report.figures["ms"] = found
    report.write(options.json)
    if options.load:
        # It imports the drawings from here.
        from benchmarks.site import load

        load.main(["--write"])


if __name__ == "__main__":
    main()
