"""Measure one answer on one thread, from the bytes of a file to the verdict.

    python -m benchmarks.site.serving [FOLDER] [--json PATH] [--drawings 40] [--rounds 20]

FOLDER holds a bundle (default: recognizer/bundled). Drawings as the page sends them, PNG of
280x280 px, and one photo as a phone sends it, JPEG of 4000x3000 px. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import io
import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
from PIL import Image, ImageFilter

from benchmarks.common import environment
from recognizer import imaging
from recognizer.inference.classifier import BUNDLED, BundleError, Classifier, load_bundle
from training.synthesis.allographs import generate_digit
from training.synthesis.strokes import PLACEMENTS, draw_at, place, render

Work = Callable[[], object]

PHOTO = (4000, 3000)
GOALS = {"network": 0.6, "imaging, decoding included": 2.5}
"""Milliseconds, of the median."""


@dataclass(frozen=True)
class Times:
    """How long a step takes, in milliseconds: the median and what 19 of 20 calls stay under."""

    step: str
    median: float
    p95: float

    def __str__(self) -> str:
        """Return a line of the table."""
        line = f"{self.step:38}{self.median:9.2f}{self.p95:9.2f}"
        if (goal := GOALS.get(self.step)) is None:
            return line
        return f"{line}  <= {goal:.1f} {'reached' if self.median <= goal else 'MISSED'}"


def clock(work: Work, rounds: int) -> list[float]:
    """Return the times of some calls in milliseconds, after one that does not count."""
    work()
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    return times


def canvas_png(digit: int, rng: np.random.Generator) -> bytes:
    """Return a drawing as the page sends it: PNG with an opaque alpha channel."""
    canvas = draw_at(generate_digit(digit, rng), PLACEMENTS["wild"], rng)
    return imaging.encode_png(np.dstack([canvas] * 3 + [np.full_like(canvas, 255)]))


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


def measure(classifier: Classifier, drawings: int, rounds: int) -> list[Times]:
    """Return the times of every step, over ``rounds`` calls on each of some drawings."""
    rng = np.random.default_rng(7)
    times: dict[str, list[float]] = {}

    def answer(content: bytes) -> object:
        return classifier.classify(imaging.model_input(imaging.read_drawing(content)))

    def see(content: bytes) -> object:
        return imaging.model_input(imaging.read_drawing(content))

    for count in range(drawings):
        png = canvas_png(count % 10, rng)
        drawing = imaging.read_drawing(png)
        seen = imaging.model_input(drawing)
        steps: dict[str, Work] = {
            "reading a PNG of 280x280": partial(imaging.read_drawing, png),
            "drawing to 28x28": partial(imaging.model_input, drawing),
            "imaging, decoding included": partial(see, png),
            "network": partial(classifier.classify, seen),
            "all of it": partial(answer, png),
        }
        for step, work in steps.items():
            times.setdefault(step, []).extend(clock(work, rounds))
    photo = phone_jpeg(rng)
    drawing = imaging.read_drawing(photo)
    steps = {
        f"reading a JPEG of {PHOTO[0]}x{PHOTO[1]}": partial(imaging.read_drawing, photo),
        "photo to 28x28": partial(imaging.model_input, drawing),
        "all of it, a photo": partial(answer, photo),
    }
    for step, work in steps.items():
        times[step] = clock(work, max(3, rounds // 4))
    return [
        Times(step, float(np.median(found)), float(np.quantile(found, 0.95)))
        for step, found in times.items()
    ]


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the steps' times."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", nargs="?", type=Path, default=BUNDLED)
    parser.add_argument("--drawings", type=int, default=40)
    parser.add_argument("--rounds", type=int, default=20, help="calls of each step on a drawing")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the times there too")
    options = parser.parse_args(arguments)
    try:
        classifier = Classifier(load_bundle(options.folder))
    except BundleError as error:
        raise SystemExit(str(error)) from error
    found = measure(classifier, options.drawings, options.rounds)
    print(f"{classifier.name}, one thread; {environment.describe()}")
    print(f"{'ms':38}{'median':>9}{'p95':>9}")
    print("\n".join(map(str, found)))
    if options.json:
        report = {"machine": environment.describe(), "ms": [vars(times) for times in found]}
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
