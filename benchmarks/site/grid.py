"""Measure the grid: opening, saving and undoing a page of sixty drawings, and one thumbnail.

    python -m benchmarks.site.grid [--drawings 1000 100000] [--database sqlite] [--json PATH]

Uses Django's test client on a temporary database, SQLite or PostgreSQL. One drawing in fifty is
rejected and one in five is labelled. Processor times are given too, for machines that are not idle.
"""

from __future__ import annotations

import re
import time
import uuid
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from benchmarks.common import command_line, databases, django_setup, results
from benchmarks.common.results import Table

LABELLED, REJECTED = 0.2, 0.02
GRID = "/admin/recognizer/prediction/grid/"
THUMBNAIL = re.compile(r'<img src="([^"]+/thumbnail\.png)"')
FIELD = re.compile(r'<select name="([^"]+)"')


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
            "rejected, newest first",
            lambda: client.get(f"{GRID}?digit=not_a_digit&order=newest&page={page_id}"),
        )
        query = {"digit": str(each % 10), "page": page_id}
        page = clock("least sure first", lambda: client.get(GRID, query)).content.decode()  # noqa: B023
        clock("one thumbnail", lambda: client.get(THUMBNAIL.findall(page)[0]))  # noqa: B023
        fields = {name: str(each % 10) for name in FIELD.findall(page)}
        answer = clock("save sixty", lambda: client.post(GRID, {**query, **fields}))  # noqa: B023
        assert answer.status_code == 302, answer.content
        batch = re.findall(r'name="batch" value="([^"]+)"', client.get(GRID).content.decode())[0]
        clock("undo sixty", lambda: client.post(f"{GRID}undo/", {"batch": batch}))  # noqa: B023
    return {step: float(np.median(found)) for step, found in times.items()}


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line.parser(__doc__)
    parser.add_argument("--drawings", type=int, nargs="+", default=[1000, 100_000])
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--database", choices=databases.KINDS, default="sqlite")
    options = parser.parse_args(arguments)
    found = {}
    with django_setup.on_a_new_database(options.database):
        from benchmarks.common.filling import fill

        for total in sorted(options.drawings):
            fill(total, labelled=LABELLED, rejected=REJECTED)
            found[total] = measure(options.rounds)
    results.print_title(options.database)
    table = Table(*(f"{total:,}" for total in found), name="ms, median")
    print(table.head)
    for step in next(iter(found.values())):
        print(table.line(step, *(f"{times[step]:.1f}" for times in found.values())))
    report = results.Report(rounds=options.rounds, database=options.database)
    report.figures["ms"] = found
    report.write(options.json)


if __name__ == "__main__":
    main()
