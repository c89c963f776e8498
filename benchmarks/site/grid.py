"""Time the grid: how long a page of sixty takes to open, to save and to undo, and one picture.

    python -m benchmarks.site.grid [--drawings 1000 100000] [--rounds 20] [--json PATH]

Through Django's test client on a database of its own (SQLite, or DATABASE_URL where GRID_DATABASE
names an empty one), filled with drawings of which one in fifty was refused and one in five has a
label. The time of the processor is given beside that of the clock, for machines that are not idle.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import tempfile
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import django
import numpy as np

from benchmarks.common import environment

CHUNK = 2000
GRID = "/admin/recognizer/prediction/grid/"
THUMBNAIL = re.compile(r'<img src="([^"]+/thumbnail\.png)"')
FIELD = re.compile(r'<select name="([^"]+)"')


def set_up(folder: Path) -> None:
    """Let Django use an empty database."""
    os.environ["DATABASE_URL"] = os.environ.get(
        "GRID_DATABASE", f"sqlite:///{(folder / 'grid.sqlite3').as_posix()}"
    )
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "digitsite.settings")
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)


def fill(total: int) -> None:
    """Add drawings until there are so many."""
    from django.utils import timezone

    from recognizer import imaging
    from recognizer.inference.classifier import margin
    from recognizer.models import ModelVersion, Prediction
    from recognizer.predictions.audit_sample import audit_key
    from training.synthesis.allographs import generate_digit
    from training.synthesis.strokes import place, render

    there = Prediction.objects.count()
    rng = random.Random(there)
    pens = np.random.default_rng(7)
    pictures = [
        [
            imaging.encode_png(
                render(
                    place(generate_digit(digit, pens), canvas=280, size=0.6), canvas=280, brush=20
                )
            )
            for _ in range(8)
        ]
        for digit in range(10)
    ]
    version = ModelVersion.objects.get(is_active=True)
    now = timezone.now()
    for start in range(there, total, CHUNK):
        rows = []
        for _ in range(min(CHUNK, total - start)):
            digit, identifier = rng.randrange(10), uuid.UUID(int=rng.getrandbits(128), version=4)
            confidence = 1 - 0.6 * rng.random() ** 6
            probabilities = [(1 - confidence) / 9] * 10
            probabilities[digit] = confidence
            label = digit if rng.random() < 0.2 else None
            rows.append(
                Prediction(
                    id=identifier,
                    image=rng.choice(pictures[digit]),
                    digit=digit,
                    confidence=confidence,
                    probabilities=probabilities,
                    margin=margin(probabilities),
                    verdict="not_a_digit" if rng.random() < 0.02 else "digit",
                    audit_key=audit_key(identifier),
                    label=label,
                    labelled_at=None if label is None else now,
                    model_version=version,
                    visitor=uuid.uuid4(),
                    source="canvas",
                )
            )
        Prediction.objects.bulk_create(rows)


def measure(rounds: int) -> dict[str, float]:
    """Return the median of each step in milliseconds."""
    from django.contrib.auth.models import Group, User
    from django.test import Client

    reviewer, _is_new = User.objects.get_or_create(username="reviewer", is_staff=True)
    reviewer.groups.add(Group.objects.get(name="Reviewer"))
    client = Client(headers={"host": "localhost"})
    client.force_login(reviewer)
    times: dict[str, list[float]] = {}

    def clock(step: str, work: Callable[[], Any]) -> Any:
        start, cpu = time.perf_counter(), time.process_time()
        found = work()
        wall, cpu = time.perf_counter() - start, time.process_time() - cpu
        times.setdefault(step, []).append(1000 * wall)
        times.setdefault(f"{step}, processor", []).append(1000 * cpu)
        return found

    page_id = uuid.uuid4().hex
    client.get(GRID)
    for each in range(rounds):
        clock("menu", lambda: client.get(GRID))
        clock(
            "refused, newest first",
            lambda: client.get(f"{GRID}?digit=not_a_digit&order=newest&page={page_id}"),
        )
        query = {"digit": str(each % 10), "page": page_id}
        page = clock("least sure first", lambda: client.get(GRID, query)).content.decode()  # noqa: B023
        clock("one picture", lambda: client.get(THUMBNAIL.findall(page)[0]))  # noqa: B023
        fields = {name: str(each % 10) for name in FIELD.findall(page)}
        answer = clock("save sixty", lambda: client.post(GRID, {**query, **fields}))  # noqa: B023
        assert answer.status_code == 302, answer.content
        batch = re.findall(r'name="batch" value="([^"]+)"', client.get(GRID).content.decode())[0]
        clock("undo sixty", lambda: client.post(f"{GRID}undo/", {"batch": batch}))  # noqa: B023
    return {step: float(np.median(found)) for step, found in times.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    """Fill the database step by step and print the times at each."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--drawings", type=int, nargs="+", default=[1000, 100_000])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the times there too")
    options = parser.parse_args(arguments)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        set_up(Path(folder))
        from django.db import connection

        found = {}
        for total in sorted(options.drawings):
            fill(total)
            found[total] = measure(options.rounds)
        vendor = connection.vendor
        connection.close()
    print(f"{vendor}; {environment.describe()}")
    print(f"{'ms, median':34}" + "".join(f"{total:>12,}" for total in found))
    for step in next(iter(found.values())):
        print(f"{step:34}" + "".join(f"{times[step]:12.1f}" for times in found.values()))
    if options.json:
        report = {"machine": environment.describe(), "database": vendor, "ms": found}
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
