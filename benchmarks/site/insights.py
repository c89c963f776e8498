"""Measure how long the page of insights takes where there are a million drawings.

    python -m benchmarks.site.insights [--database sqlite|postgresql] [--drawings 10000] [--copies
    100]

Makes a throwaway database, fills it with invented drawings of two years (`insights_data`; one in
twenty labelled, with its history), each stored so many times, and asks for the page as a browser
does. Cold is after the database's files were dropped from the system's cache, PostgreSQL started
anew, while the code has run before; warm is the median of five more. Nothing is cached by the site.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.common import databases, environment
from benchmarks.site import insights_data
from recognizer.tests.support import servers

PAGE = "/admin/recognizer/prediction/insights/"
LIST = "/admin/recognizer/prediction/"
ASKED = {
    "7 days": PAGE + "?period=7",
    "30 days": PAGE + "?period=30",
    "90 days (what it opens with)": PAGE,
    "all time": PAGE + "?period=all",
    "all time, versions and labels": PAGE + "?period=all&version=all&drawings=labelled",
    "a cell's drawings, audited": LIST + "?label=9&answer=4&audited=yes",
    "a cell's drawings, all": LIST + "?label=9&answer=4",
}
DAYS = 730
ROUNDS = 5
GOAL = 1.0
"""Seconds, of the page, warm."""


@dataclass(frozen=True)
class Timing:
    """How long a page takes in seconds, and with how many queries.

    ``work`` is the processor time of a warm one in this process: SQLite's part is in it,
    PostgreSQL's is not. On a busy machine it says more than the time that went by.
    """

    page: str
    cold: float
    warm: float
    work: float
    queries: int

    def __str__(self) -> str:
        """Return a line of the table."""
        line = f"{self.page:34}{self.cold:8.2f}{self.warm:8.2f}{self.work:8.2f}{self.queries:9}"
        return f"{line}  <= {GOAL:.0f} s {'reached' if self.warm <= GOAL else 'MISSED'}"


def time_pages(cool_down: Callable[[], None], rounds: int = ROUNDS) -> list[Timing]:
    """Return the times of the pages, on the database of the settings."""
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
    """Return how much the database holds."""
    from recognizer.models import LabelEvent, Prediction

    return {
        "drawings": Prediction.objects.count(),
        "labelled": Prediction.objects.labelled().count(),
        "audited": Prediction.objects.filter(audited_at__isnull=False).count(),
        "changes of labels": LabelEvent.objects.count(),
    }


def tidy() -> None:
    """Do what PostgreSQL does by itself after a while: index-only scans depend on it."""
    from django.db import connection

    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("VACUUM ANALYZE")


def main(arguments: Sequence[str] | None = None) -> None:
    """Fill a database and print the pages' times."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--database", choices=databases.KINDS, default="sqlite")
    parser.add_argument("--drawings", type=int, default=10_000)
    parser.add_argument("--copies", type=int, default=100, help="how many times each is stored")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the times there too")
    options = parser.parse_args(arguments)
    try:
        measure(options)
    except servers.Missing as error:
        raise SystemExit(f"{error} is not installed.") from error


def measure(options: argparse.Namespace) -> None:
    """Do what was asked for on the command line."""
    with databases.KINDS[options.database]() as database:
        os.environ |= {
            "DATABASE_URL": database.url,
            "DJANGO_SETTINGS_MODULE": "digitsite.settings",
            "LOG_LEVEL": "WARNING",
        }
        import django

        django.setup()
        from django.core.management import call_command
        from django.db import connections

        call_command("migrate", verbosity=0)
        start = time.perf_counter()
        insights_data.fill(drawings=options.drawings, days=DAYS, copies=options.copies)
        tidy()
        held = contents()
        print(", ".join(f"{n:,} {what}" for what, n in held.items()), end="")
        print(f" ({time.perf_counter() - start:.0f} s to fill)")
        busy = f"load {os.getloadavg()[0]:.1f}; " if hasattr(os, "getloadavg") else ""
        print(f"{options.database}; {busy}{environment.describe()}")
        print(f"{'seconds':34}{'cold':>8}{'warm':>8}{'work':>8}{'queries':>9}")
        found = time_pages(database.cool_down)
        print("\n".join(map(str, found)))
        connections.close_all()
    if options.json:
        report = {
            "machine": environment.describe(),
            "database": options.database,
            "holds": held,
            "seconds": [asdict(timing) for timing in found],
        }
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
