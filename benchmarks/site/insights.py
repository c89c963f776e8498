"""Measure the page Insights with a million drawings.

    python -m benchmarks.site.insights [--database sqlite] [--drawings 10000] [--copies 100]

Fills a temporary database, SQLite or PostgreSQL, with two years of invented drawings
(``insights_data``; one in twenty is labelled, with its history), stores each of them several times,
and requests the page. Cold: the database's files were dropped from the system's cache and
PostgreSQL was restarted. Warm: the median of five more requests. The site itself caches nothing.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from benchmarks.common import command_line, databases, django_setup, results
from benchmarks.site import insights_data

PAGE = "/admin/recognizer/prediction/insights/"
LIST = "/admin/recognizer/prediction/"
ASKED = {
    "7 days": PAGE + "?period=7",
    "30 days": PAGE + "?period=30",
    "90 days (default)": PAGE,
    "all time": PAGE + "?period=all",
    "all time, versions and labels": PAGE + "?period=all&version=all&drawings=labelled",
    "drawings of a cell, audited": LIST + "?label=9&answer=4&audited=yes",
    "drawings of a cell, all": LIST + "?label=9&answer=4",
}
DAYS = 730
ROUNDS = 5
GOAL = 1.0
"""Seconds, for the warm page."""

TABLE = results.Table("cold", "warm", "processor", "queries", name="seconds")


@dataclass(frozen=True)
class Timing:
    """How long a page takes in seconds, and the number of queries.

    ``processor`` is the processor time of a warm request in this process, which includes SQLite but
    not PostgreSQL. It depends less on the load of the machine.
    """

    page: str
    cold: float
    warm: float
    processor: float
    queries: int

    def __str__(self) -> str:
        seconds = [f"{value:.2f}" for value in (self.cold, self.warm, self.processor)]
        goal = results.verdict(f"<= {GOAL:.0f} s", reached=self.warm <= GOAL)
        return TABLE.line(self.page, *seconds, self.queries, note=goal)


def time_pages(cool_down: Callable[[], None], rounds: int = ROUNDS) -> list[Timing]:
    from django.contrib.auth.models import User
    from django.db import connection, connections
    from django.test import Client
    from django.test.utils import CaptureQueriesContext

    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.create_superuser("insights-benchmark"))

    def ask(address: str) -> tuple[float, float]:
        start, work = time.perf_counter(), time.process_time()
        response = client.get(address)
        taken = time.perf_counter() - start, time.process_time() - work
        if response.status_code != 200:
            raise SystemExit(f"{address} answered {response.status_code}.")
        return taken

    found = []
    for page, address in ASKED.items():
        with CaptureQueriesContext(connection) as captured:
            ask(address)
        queries = len(captured)
        connections.close_all()
        cool_down()
        cold, _work = ask(address)
        warm, work = map(
            statistics.median, zip(*(ask(address) for _ in range(rounds)), strict=True)
        )
        found.append(Timing(page, cold, warm, work, queries))
    return found


def contents() -> dict[str, int]:
    from recognizer.models import LabelEvent, Prediction

    return {
        "drawings": Prediction.objects.count(),
        "labelled": Prediction.objects.labelled().count(),
        "audited": Prediction.objects.filter(audited_at__isnull=False).count(),
        "label changes": LabelEvent.objects.count(),
    }


def tidy() -> None:
    """Run what PostgreSQL's autovacuum does later: index-only scans depend on it."""
    from django.db import connection

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line.parser(__doc__)
    parser.add_argument("--database", choices=databases.KINDS, default="sqlite")
    parser.add_argument("--drawings", type=int, default=10_000)
    parser.add_argument("--copies", type=int, default=100, help="how often each drawing is stored")
    options = parser.parse_args(arguments)
    with django_setup.on_a_new_database(options.database) as database:
        start = time.perf_counter()
        insights_data.fill(drawings=options.drawings, days=DAYS, copies=options.copies)
        tidy()
        held = contents()
        print(", ".join(f"{n:,} {what}" for what, n in held.items()), end="")
        print(f" ({time.perf_counter() - start:.0f} s to fill)")
        busy = f"; load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
        results.print_title(f"{options.database}{busy}")
        print(TABLE.head)
        found = time_pages(database.cool_down)
        print("\n".join(map(str, found)))
    report = results.Report(database=options.database, copies=options.copies)
    report.figures = {"contents": held, "seconds": found}
    report.write(options.json)


if __name__ == "__main__":
    main()
