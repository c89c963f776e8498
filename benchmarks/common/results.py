"""What a benchmark found: one report in JSON, one way to write files, one table."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, is_dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import environment
from recognizer.statistics.intervals import wilson

# --- the report ---------------------------------------------------------------------------------


class Report:
    """The figures of a run with the machine and the settings they were measured with.

    As JSON: ``{"machine": ..., "settings": {...}, "figures": {...}}``.
    """

    def __init__(self, **settings: Any) -> None:
        self.machine = environment.describe()
        self.settings = _as_json(settings)
        self.figures: dict[str, Any] = {}

    @classmethod
    def resumed(cls, path: Path, **settings: Any) -> Report:
        """Return the report of an unfinished run, or a new one if there is no file.

        Exits with a message if the file was made with other settings.
        """
        report = cls(**settings)
        if path.is_file():
            found = json.loads(path.read_text(encoding="utf-8"))
            if found["settings"] != report.settings:
                raise SystemExit(
                    f"{path} was made with other settings. Name another file with --json."
                )
            report.machine, report.figures = found["machine"], found["figures"]
        return report

    def write(self, path: Path | None) -> None:
        if path is not None:
            write_file(path, json.dumps(_as_json(vars(self)), indent=1).encode() + b"\n")


def _as_json(value: Any) -> Any:
    """Return a value as JSON gives it back: dataclasses as objects, tuples as lists."""
    return json.loads(json.dumps(value, default=_plain))


def _plain(value: Any) -> Any:
    if is_dataclass(value) and not isinstance(value, type):
        return asdict(value)
    return str(value)


def write_file(path: Path, content: bytes) -> None:
    """Write a file in full or not at all; make its folder if needed."""
    path.parent.mkdir(parents=True, exist_ok=True)
    partial = path.with_name(f".{path.name}.part")
    partial.write_bytes(content)
    partial.replace(path)


# --- the table ----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Share:
    """A share of n, with its 95 % Wilson interval."""

    count: int
    n: int

    @property
    def value(self) -> float:
        """The share, 0-1."""
        return self.count / self.n

    def cells(self) -> tuple[str, str]:
        """Return the share and its interval in percent, with one decimal."""
        low, high = wilson(self.count, self.n)
        return f"{self.value:.1%}", f"{100 * low:.1f}-{100 * high:.1f}%"


Cell = str | int


class Table:
    """Lines with a name on the left and cells on the right, each under the name of its column."""

    def __init__(self, *columns: str, name: str = "", name_width: int = 34) -> None:
        self.name_width = name_width
        self.widths = [max(10, len(column) + 2) for column in columns]
        self.head = self.line(name, *columns)

    def line(self, name: str, *cells: Cell, note: str = "") -> str:
        """Return a line. ``note`` follows the last column."""
        shown = "".join(
            f"{f'{cell:,}' if isinstance(cell, int) else str(cell):>{width}}"
            for cell, width in zip(cells, self.widths, strict=False)
        )
        return f"{name:{self.name_width}}{shown}  {note}".rstrip()


def print_title(title: str) -> None:
    """Print what is measured, and on which machine with which versions."""
    print(f"{title}; {environment.describe()}", flush=True)


def verdict(goal: str, *, reached: bool) -> str:
    return f"{goal} {'reached' if reached else 'MISSED'}"


# --- times --------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Times:
    """How long something takes in milliseconds: the median and the 95th percentile."""

    median: float
    p95: float

    @classmethod
    def of(cls, milliseconds: list[float]) -> Times:
        return cls(float(np.median(milliseconds)), float(np.quantile(milliseconds, 0.95)))


def clock(work: Callable[[], object], rounds: int, *, warm_up: int = 1) -> list[float]:
    """Return how long each of some calls took in milliseconds, after calls that don't count."""
    times = []
    for number in range(warm_up + rounds):
        start = time.perf_counter()
        work()
        if number >= warm_up:
            times.append(1000 * (time.perf_counter() - start))
    return times
