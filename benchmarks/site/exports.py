"""Measure the time and memory of exports, imports and rechecks.

    python -m benchmarks.site.exports [--rows 1000 10000] [--formats npz png] [--json PATH]
    python -m benchmarks.site.exports [--imports npz] [--inputs] [--database sqlite]

For each number of rows, a temporary database is filled with different labelled drawings. Each
command runs in a new process, which reports its time and its peak memory (on Linux), so the figures
show whether memory grows with the number of rows. Imports go into an empty database. ``--inputs``
stores model inputs of 28x28 px instead of drawings of 140x140 px: they don't go through imaging,
which takes most of the time.
"""

from __future__ import annotations

import argparse
import io
import json
import re
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import command_line, databases, django_setup, results
from benchmarks.common.django_setup import in_a_process
from benchmarks.common.results import Table

MODULE = "benchmarks.site.exports"
NAMES = {
    "npz": "labels.npz",
    "png": "drawings",
    "csv": "labels.csv",
    "idx": "mnist",
    "parquet": "labels.parquet",
    "label-studio": "tasks.json",
}
BASES = 200
BATCH = 500
NOT_A_DIGIT = 10
TABLE = Table("rows", "s", "CPU s", "CPU ms/row", "MB peak", name_width=24)


@dataclass(frozen=True)
class Cost:
    """What a command takes: seconds of wall-clock and processor time, MB at its peak and before."""

    command: str
    rows: int
    seconds: float
    cpu: float
    peak: float
    before: float

    def __str__(self) -> str:
        each = 1000 * self.cpu / max(1, self.rows)
        return TABLE.line(
            self.command, self.rows, f"{self.seconds:.1f}", f"{self.cpu:.1f}", f"{each:.2f}",
            f"{self.peak:.0f}",
        )  # fmt: skip


# In a new process --------------------------------------------------------------------------


def resident(name: str) -> float:
    """Return this process's memory in MB: now (VmRSS) or at its peak (VmHWM)."""
    try:
        text = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return float("nan")
    found = re.search(rf"{name}:\s*(\d+) kB", text)
    return int(found[1]) / 1024 if found else float("nan")


def measured(work: Callable[[], object]) -> None:
    before, start, cpu = resident("VmRSS"), time.perf_counter(), time.process_time()
    work()
    took = {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu}
    print(json.dumps({**took, "peak": resident("VmHWM"), "before": before}))


def run_command(name: str, arguments: Sequence[str]) -> None:
    django_setup.set_up()
    from django.core.management import call_command

    measured(lambda: call_command(name, *arguments, stdout=io.StringIO()))


def ask() -> None:
    """Print how long the queries that compare two versions take, in seconds."""
    django_setup.set_up()
    from recognizer.models import ModelVersion, Prediction
    from recognizer.versions import comparison

    one, other = ModelVersion.objects.get(name="filled"), ModelVersion.objects.get(is_active=True)
    drawings = Prediction.objects.without_bytes().order_by("-created_at", "-id")
    asked: dict[str, Callable[[], object]] = {
        "summary": lambda: comparison.summary(one=one, other=other),
        "transitions": lambda: comparison.transitions(one=one, other=other),
        "first 50 changes": lambda: list(comparison.changes_between(one=one, other=other)[:50]),
        "count of changes": lambda: comparison.changes_between(one=one, other=other).count(),
        "first 50 that would change": lambda: list(
            comparison.would_change(version=other, drawings=drawings)[:50]
        ),
        "count of what would change": lambda: comparison.would_change(
            version=other, drawings=drawings
        ).count(),
    }
    for name, work in asked.items():
        start = time.perf_counter()
        work()
        print(json.dumps({"asked": name, "seconds": time.perf_counter() - start}))


def fill(rows: int, inputs: bool) -> None:
    """Fill an empty database with different labelled drawings; one in fifty is not a digit."""
    django_setup.set_up(migrate=True)
    from django.utils import timezone

    from recognizer import imaging
    from recognizer.models import ModelVersion, Prediction

    version = ModelVersion.objects.create(name="filled", serving=b"none", sha256="0" * 64)
    now = timezone.now()
    waiting = []
    for number, (label, pixels) in zip(range(rows), drawings(inputs), strict=False):
        drawing = imaging.Drawing(pixels)
        digit = label if label < NOT_A_DIGIT and number % 40 else number % 10
        waiting.append(
            Prediction(
                image=drawing.to_png(),
                pixels_sha256=drawing.sha256(),
                is_model_input=inputs,
                digit=digit,
                confidence=0.9,
                probabilities=[0.9 if each == digit else 0.1 / 9 for each in range(10)],
                margin=0.8,
                verdict="digit",
                embedding=b"\x3c\x00" * 64,
                model_version=version,
                source="canvas",
                label=label,
                labelled_at=now,
            )
        )
        if len(waiting) == BATCH or number == rows - 1:
            Prediction.objects.bulk_create(waiting)
            waiting = []


def drawings(inputs: bool) -> Iterator[tuple[int, NDArray[np.uint8]]]:
    """Yield labels and drawings without end: the same digits with different shades of ink."""
    from recognizer import imaging
    from training.synthesis.allographs import generate_digit
    from training.synthesis.strokes import PLACEMENTS, draw_at

    rng = np.random.default_rng(11)
    bases = []
    for number in range(BASES):
        drawing = imaging.Drawing(
            draw_at(generate_digit(number % 10, rng), PLACEMENTS["wild"], rng)[::2, ::2]
        )
        bases.append(imaging.model_input(drawing) if inputs else drawing.pixels)
    number = 0
    while True:
        for index, base in enumerate(bases):
            pixels = base.copy()
            ink = np.argwhere(pixels > 200 if inputs else pixels < 50)[:24]
            shades = number >> np.arange(len(ink)) & 1
            pixels[ink[:, 0], ink[:, 1]] ^= (3 * shades).astype(np.uint8)
            yield (NOT_A_DIGIT if index % 50 == 49 else index % 10), pixels
        number += 1


# All commands ------------------------------------------------------------------------------------


def measure(
    rows: int, formats: Sequence[str], imports: Sequence[str], database: str, inputs: bool
) -> tuple[list[Cost], list[dict[str, Any]]]:
    costs: list[Cost] = []

    def run(url: str, command: str, name: str, *arguments: str) -> None:
        (cost,) = in_a_process(MODULE, "--run", command, *arguments, database_url=url)
        costs.append(Cost(f"{command.partition('_')[0]} {name}".strip(), rows, **cost))
        print(costs[-1], flush=True)

    with tempfile.TemporaryDirectory(prefix="digitsite-") as folder:
        with databases.KINDS[database]() as filled:
            filling = ("--fill", str(rows), *(["--inputs"] if inputs else []))
            in_a_process(MODULE, *filling, database_url=filled.url)
            for format in formats:
                path = str(Path(folder) / NAMES[format])
                run(filled.url, "export_drawings", format, path, "--format", format)
            run(filled.url, "recheck_drawings", "")
            times = in_a_process(MODULE, "--ask", database_url=filled.url)
            for each in times:
                print(f"{each['asked']:34}{each['seconds']:>10.2f} s", flush=True)
        for format in imports:
            with databases.KINDS[database]() as empty:
                in_a_process(MODULE, "--run", "migrate", database_url=empty.url)
                path = str(Path(folder) / NAMES[format])
                run(empty.url, "import_drawings", format, path)
    return costs, times


def growth(costs: Sequence[Cost]) -> list[str]:
    lines = []
    for command in dict.fromkeys(cost.command for cost in costs):
        some = sorted((c for c in costs if c.command == command), key=lambda cost: cost.rows)
        if len(some) > 1:
            first, last = some[0], some[-1]
            peaks = (f"{first.peak:.0f}", f"{last.peak:.0f}", f"{last.peak / first.peak:.2f}")
            lines.append(Table("", "", "", name_width=24).line(command, *peaks))
    return lines


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line.parser(__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--formats", nargs="+", choices=NAMES, default=[*NAMES])
    parser.add_argument("--inputs", action="store_true", help="store model inputs of 28x28 px")
    parser.add_argument("--database", choices=databases.KINDS, default="sqlite")
    parser.add_argument(
        "--imports",
        nargs="*",
        choices=NAMES,
        help="formats to import (default: those of --formats)",
    )
    parser.add_argument("--fill", type=int, help=argparse.SUPPRESS)
    parser.add_argument("--ask", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--run", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.run:
        run_command(options.run[0], options.run[1:])
        return
    if options.fill:
        fill(options.fill, options.inputs)
        return
    if options.ask:
        ask()
        return
    results.print_title(options.database)
    print(TABLE.head)
    costs: list[Cost] = []
    times = {}
    for rows in options.rows:
        found, times[rows] = measure(
            rows,
            options.formats,
            options.formats if options.imports is None else options.imports,
            options.database,
            options.inputs,
        )
        costs += found
    if len(options.rows) > 1:
        few, many = min(options.rows), max(options.rows)
        print(Table(f"{few:,}", f"{many:,}", "ratio", name="MB peak", name_width=24).head)
        print("\n".join(growth(costs)))
    report = results.Report(database=options.database, inputs=options.inputs)
    report.figures = {"costs": costs, "queries": times}
    report.write(options.json)


if __name__ == "__main__":
    main()
