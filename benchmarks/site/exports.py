"""Measure exports, imports and rechecks: how long they take and how much memory at most.

    python -m benchmarks.site.exports [--rows 1000 10000] [--formats npz png ...] [--inputs]
        [--imports npz ...] [--database sqlite|postgresql] [--json PATH]

For each number of rows a database of its own is filled with labelled drawings, no two alike, and
each command runs in a process of its own, which tells its own time and its highest resident set;
so the two columns of memory show whether it grows with the rows. Each import goes into an empty
database. ``--inputs`` stores model inputs of 28x28 px instead of drawings of 140x140 px: nothing
then passes through `imaging`, which is what most of the time goes into. All of it is gone
afterwards. Memory is told by Linux only.
"""

from __future__ import annotations

import argparse
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.common import databases, environment

ROOT = Path(__file__).resolve().parents[2]
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


@dataclass(frozen=True)
class Cost:
    """What a command took: seconds by the clock and of the processor, and MB of its process at
    most and before it began.
    """

    command: str
    rows: int
    seconds: float
    cpu: float
    peak: float
    before: float

    def __str__(self) -> str:
        each = 1000 * self.cpu / max(1, self.rows)
        return (
            f"{self.command:24}{self.rows:>10,}{self.seconds:>10.1f}{self.cpu:>10.1f}"
            f"{each:>10.2f}{self.peak:>10.0f}"
        )


# In a process of its own --------------------------------------------------------------------------


def resident(name: str) -> float:
    """Return this process's memory in MB: VmRSS what it holds now, VmHWM what it held at most."""
    try:
        text = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return float("nan")
    found = re.search(rf"{name}:\s*(\d+) kB", text)
    return int(found[1]) / 1024 if found else float("nan")


def measured(work: Callable[[], object]) -> None:
    """Print what some work takes, as JSON."""
    before, start, cpu = resident("VmRSS"), time.perf_counter(), time.process_time()
    work()
    took = {"seconds": time.perf_counter() - start, "cpu": time.process_time() - cpu}
    print(json.dumps({**took, "peak": resident("VmHWM"), "before": before}))


def set_up() -> None:
    """Make Django ready for the database that DATABASE_URL names."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "digitsite.settings")
    import django

    django.setup()


def run_command(name: str, arguments: Sequence[str]) -> None:
    """Run a management command and print what it took."""
    set_up()
    from django.core.management import call_command

    measured(lambda: call_command(name, *arguments, stdout=io.StringIO()))


def ask() -> None:
    """Print how long the questions about two versions take, in seconds."""
    set_up()
    from recognizer.models import ModelVersion, Prediction
    from recognizer.versions import comparison

    one, other = (ModelVersion.objects.get(name=name) for name in ("filled", "shipped-3"))
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
    """Fill an empty database with labelled drawings, no two alike, one in fifty no digit."""
    set_up()
    from django.core.management import call_command
    from django.utils import timezone

    from recognizer import imaging
    from recognizer.models import ModelVersion, Prediction

    call_command("migrate", verbosity=0)
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
    """Yield labels and drawings without end: the same digits, each with other shades of its ink."""
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


# The whole ----------------------------------------------------------------------------------------


def in_a_process(url: str, *arguments: str) -> list[dict[str, Any]]:
    """Run this module with some arguments on a database; return what it printed as JSON."""
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.site.exports", *arguments],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url, "LOG_LEVEL": "ERROR"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"benchmarks.site.exports {' '.join(arguments)} failed:\n{done.stderr}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


def measure(
    rows: int, formats: Sequence[str], imports: Sequence[str], database: str, inputs: bool
) -> tuple[list[Cost], list[dict[str, Any]]]:
    """Return what each command costs with so many rows, and how long each question takes."""
    costs: list[Cost] = []

    def run(url: str, command: str, name: str, *arguments: str) -> None:
        (cost,) = in_a_process(url, "--run", command, *arguments)
        costs.append(Cost(f"{command.partition('_')[0]} {name}".strip(), rows, **cost))
        print(costs[-1], flush=True)

    with tempfile.TemporaryDirectory(prefix="digitsite-") as folder:
        with databases.KINDS[database]() as filled:
            in_a_process(filled.url, "--fill", str(rows), *(["--inputs"] if inputs else []))
            for format in formats:
                path = str(Path(folder) / NAMES[format])
                run(filled.url, "export_drawings", format, path, "--format", format)
            run(filled.url, "recheck_drawings", "")
            times = in_a_process(filled.url, "--ask")
            for each in times:
                print(f"{each['asked']:34}{each['seconds']:>10.2f} s", flush=True)
        for format in imports:
            with databases.KINDS[database]() as empty:
                in_a_process(empty.url, "--run", "migrate")
                path = str(Path(folder) / NAMES[format])
                run(empty.url, "import_drawings", format, path)
    return costs, times


def growth(costs: Sequence[Cost]) -> list[str]:
    """Return how much more memory each command takes with the most rows than with the fewest."""
    lines = []
    for command in dict.fromkeys(cost.command for cost in costs):
        some = sorted((c for c in costs if c.command == command), key=lambda cost: cost.rows)
        if len(some) > 1:
            first, last = some[0], some[-1]
            lines.append(
                f"{command:24}{first.peak:>10.0f}{last.peak:>10.0f}{last.peak / first.peak:>10.2f}"
            )
    return lines


def main(arguments: Sequence[str] | None = None) -> None:
    """Print what each command costs, and whether its memory grows."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[1000, 10_000])
    parser.add_argument("--formats", nargs="+", choices=NAMES, default=[*NAMES])
    parser.add_argument("--inputs", action="store_true", help="28x28 px, nothing to prepare")
    parser.add_argument("--database", choices=databases.KINDS, default="sqlite")
    parser.add_argument(
        "--imports", nargs="*", choices=NAMES, help="of these formats only (default: of all)"
    )
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the figures there too")
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
    print(f"{options.database}; {environment.describe()}")
    print(f"{'':24}{'rows':>10}{'s':>10}{'CPU s':>10}{'CPU ms':>10}{'MB peak':>10}")
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
        print(f"{'MB at most':24}{few:>10,}{many:>10,}{'ratio':>10}")
        print("\n".join(growth(costs)))
    if options.json:
        report = {
            "machine": environment.describe(),
            "database": options.database,
            "inputs": options.inputs,
            "costs": [vars(cost) for cost in costs],
            "questions": times,
        }
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
