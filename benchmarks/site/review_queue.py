"""Measure a short and a long review queue.

    python -m benchmarks.site.review_queue [--rows 1000 100000] [--on sqlite] [--json PATH]

Uses temporary databases: SQLite and, if it is installed, PostgreSQL. Requests go through the whole
site in one process, without a network. Half of the drawings have a visitor's suggestion; one
suggestion in twenty differs from the prediction. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import json
import uuid
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from benchmarks.common import command_line, databases, django_setup, results
from benchmarks.common.results import Table, Times, clock

ORDERS = ("disagreement", "least_sure", "newest", "audit")
# As the page requests them: the first drawings, and more when few are left.
FIRST, MORE = 24, 9
# Size of the page's canvas and brush in px.
CANVAS, BRUSH = 512, 36
SUGGESTED, CONTRADICTED = 0.5, 0.05


def measure(rows: int, rounds: int) -> dict[str, Times]:
    """Fill the database of the environment and return the times of a reviewer's requests."""
    django_setup.set_up(migrate=True)
    from django.contrib.auth.models import User
    from django.test import Client
    from django.urls import reverse

    from benchmarks.common.filling import fill

    fill(rows, canvas=CANVAS, brush=BRUSH, suggested=SUGGESTED, contradicted=CONTRADICTED)
    client = Client(headers={"host": "localhost"})
    client.force_login(User.objects.create_superuser("reviewer"))

    page = str(uuid.uuid4())

    def post(name: str, **body: Any) -> dict[str, Any]:
        address = reverse(f"admin:recognizer_review_{name}")
        response = client.post(address, {"page": page, **body}, content_type="application/json")
        assert response.status_code == 200, response.content
        answer: dict[str, Any] = response.json()
        return answer

    def batch(order: str, wanted: int, have: Sequence[str] = ()) -> list[str]:
        answer = post("next", order=order, digit=None, wanted=wanted, have=list(have))
        ids = [drawing["id"] for drawing in answer["drawings"]]
        assert len(ids) == wanted
        post("release", have=ids, until=answer["until"])
        return ids

    def times(work: Callable[[], object], rounds: int = rounds) -> Times:
        return Times.of(clock(work, rounds, warm_up=2))

    found = {"the page": times(lambda: client.get(reverse("admin:recognizer_review")))}
    for order in ORDERS:
        found[f"first {FIRST} drawings, {order}"] = times(partial(batch, order, FIRST))
    held = batch("disagreement", FIRST)[MORE:]
    found[f"{MORE} more drawings"] = times(lambda: batch("disagreement", MORE, held))
    unlabelled = iter(batch("newest", FIRST))
    found["a label"] = times(
        lambda: post("label", id=next(unlabelled), label=3, seen=None, step=str(uuid.uuid4())),
        min(rounds, FIRST - 2),
    )
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line.parser(__doc__)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 100_000])
    parser.add_argument("--on", nargs="+", choices=databases.KINDS, default=list(databases.KINDS))
    parser.add_argument("--rounds", type=int, default=20, help="requests of each kind")
    parser.add_argument("--in", type=int, dest="inside", metavar="ROWS", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.inside is not None:
        print(json.dumps(measure(options.inside, options.rounds), default=vars))
        return
    results.print_title(f"{options.rounds} requests of each kind")
    report = results.Report(rounds=options.rounds)
    report.figures["ms"] = {}
    for name in options.on:
        try:
            found = [measured(name, rows, options.rounds) for rows in options.rows]
        except databases.Missing as missing:
            print(f"{name}: {missing} is not installed")
            continue
        report.figures["ms"][name] = dict(zip(options.rows, found, strict=True))
        columns = [column for rows in options.rows for column in (f"{rows:,} waiting", "p95")]
        table = Table(*columns, name=f"{name}: ms, median")
        print(f"\n{table.head}")
        for step in found[0]:
            cells = [f"{times[step][key]:.1f}" for times in found for key in ("median", "p95")]
            print(table.line(step, *cells), flush=True)
    report.write(options.json)


def measured(database: str, rows: int, rounds: int) -> dict[str, dict[str, float]]:
    """Return the times by step, measured in a new process on a new database."""
    with databases.KINDS[database]() as made:
        options = ("--rounds", str(rounds), "--in", str(rows))
        (found,) = django_setup.in_a_process(
            "benchmarks.site.review_queue", *options, database_url=made.url
        )
    times: dict[str, dict[str, float]] = found
    return times


if __name__ == "__main__":
    main()
