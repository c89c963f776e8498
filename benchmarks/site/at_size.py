"""Measure whether the site stays as fast as its database grows.

    python -m benchmarks.site.at_size [--drawings 10000 1000000] [--on sqlite] [--json PATH]

For each size, a temporary database is filled by `benchmarks.site.many_drawings`, and every page
and command is timed in a process of its own, without a network. The goal is that nothing takes more
than twice as long in the larger database as in the smaller one; for what does, the plan of its
slowest query is printed. Exports are timed by drawing, with the memory that they take.
"""

from __future__ import annotations

import argparse
import html
import io
import json
import re
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import command_line, databases, django_setup, memory, results
from benchmarks.common.results import Table
from benchmarks.site import many_drawings

MODULE = "benchmarks.site.at_size"
LIST = "/admin/recognizer/prediction/"
GOAL = 2.0
# Below this, in ms, a ratio is noise.
NOTICEABLE = 5.0
DIFFERENT = 500
EXPORTED = 500
PURGED = 500

Work = Callable[[], object]


# In a process for each database ------------------------------------------------------------------


def measure(drawings: int, rounds: int) -> Iterator[dict[str, Any]]:
    """Fill the database of the environment; yield what takes how long."""
    django_setup.set_up(migrate=True)
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    start = time.perf_counter()
    many_drawings.fill(drawings, DIFFERENT)
    yield {"step": "filling", "seconds": time.perf_counter() - start, "bytes": _bytes()}
    for step, work in requests():
        work()
        # Not while they are measured: captured queries take time.
        times, processor = results.clock(work, rounds, warm_up=0), time.process_time()
        work()
        processor = 1000 * (time.process_time() - processor)
        with CaptureQueriesContext(connection) as captured:
            work()
        slowest = max(
            captured.captured_queries, key=lambda query: float(query["time"]), default=None
        )
        yield {
            "step": step,
            "ms": float(np.median(times)),
            "processor": processor,
            "queries": len(captured),
            "plan": "" if slowest is None else _plan(slowest["sql"]),
        }
    yield from commands(drawings)


def requests() -> Iterator[tuple[str, Work]]:
    """Yield the name of each request, and the function that sends it."""
    from django.contrib.auth.models import User
    from django.test import Client
    from django.urls import reverse

    from benchmarks.common.filling import digit_png
    from recognizer.models import ModelVersion
    from recognizer.tests.support.drawings import data_url

    owner = User.objects.get(username=many_drawings.OWNER)
    client, visitor = Client(headers={"host": "localhost"}), Client(headers={"host": "localhost"})
    client.force_login(owner)
    png = data_url(digit_png(3, seed=1))

    def get(address: str) -> str:
        response = client.get(address)
        if response.status_code != 200:
            raise SystemExit(f"{address} answered {response.status_code}.")
        return response.content.decode()

    def post(address: str, body: object, sender: Client = client) -> Any:
        response = sender.post(address, body, content_type="application/json")
        if response.status_code not in (200, 201, 204):
            raise SystemExit(f"{address} answered {response.status_code}: {response.content!r}")
        return response.json() if response.content else None

    predictions = reverse("api:prediction-list")
    yield "a post", lambda: post(predictions, {"image": png}, visitor)
    yield "a preview", lambda: post(reverse("api:preview"), {"image": png}, visitor)
    yield "own history", lambda: get(predictions)
    yield "drawing page", lambda: get("/")
    yield "admin list", lambda: get(LIST)
    links = re.findall(r'href="\?([\w=&;:%.+-]+)"', get(LIST))
    for query in dict.fromkeys(html.unescape(link) for link in links):
        if not query.startswith(("o=", "p=", "all=", "_")):
            yield f"admin list, {_short(query)}", partial(get, f"{LIST}?{query}")
    yield "admin list, a search", lambda: get(f"{LIST}?q={uuid.uuid4()}")
    yield "admin list, last page", lambda: get(f"{LIST}?p=2")
    page = str(uuid.uuid4())

    def batch(order: str) -> None:
        body: dict[str, Any] = {
            "page": page,
            "order": order,
            "digit": None,
            "wanted": 24,
            "have": [],
        }
        answer = post(reverse("admin:recognizer_review_next"), body)
        ids = [drawing["id"] for drawing in answer["drawings"]]
        release = {"page": page, "have": ids, "until": answer["until"]}
        post(reverse("admin:recognizer_review_release"), release)

    yield "review page", lambda: get(reverse("admin:recognizer_review"))
    for order in ("disagreement", "least_sure", "newest", "audit"):
        yield f"review queue, {order}", partial(batch, order)
    grid = reverse("admin:recognizer_grid")
    yield "grid, menu", lambda: get(grid)
    yield "grid, least sure", lambda: get(f"{grid}?digit=3&page={page}")
    yield "grid, rejected", lambda: get(f"{grid}?digit=not_a_digit&order=newest&page={page}")
    yield "admin, start page", lambda: get(reverse("admin:index"))
    yield "train now", lambda: get(reverse("admin:recognizer_trainingjob_add"))
    version = ModelVersion.objects.only("pk").get(is_active=True).pk
    yield (
        "model version",
        lambda: get(reverse("admin:recognizer_modelversion_change", args=[version])),
    )
    insights = reverse("admin:recognizer_insights")
    for period in ("7", "90", "all"):
        yield f"insights, {period}", partial(get, f"{insights}?period={period}")


def _short(query: str) -> str:
    return re.sub(r"(\d{4}-\d\d-\d\d)[^&]*", r"\1", query)[:48]


def commands(drawings: int) -> Iterator[dict[str, Any]]:
    """Yield how long an export, an import and a purge take, by drawing."""
    from django.core.management import call_command

    from recognizer.models import Prediction
    from recognizer.predictions import deletion

    def clock(name: str, *arguments: str) -> tuple[float, float]:
        before = memory.resident()
        memory.forget_peak()
        start = time.perf_counter()
        call_command(name, *arguments, stdout=io.StringIO())
        return 1000 * (time.perf_counter() - start), memory.peak() - before

    with tempfile.TemporaryDirectory(prefix="digitsite-") as folder:
        labelled = Prediction.objects.labelled().order_by("-labelled_at", "-pk")
        path = str(Path(folder, "all.npz"))
        ms, grown = clock("export_drawings", path)
        exported = min(EXPORTED, total := labelled.count())
        yield {"step": "export of all labelled, per drawing", "ms": ms / total, "MB": grown}
        since = labelled.values_list("labelled_at", flat=True)[exported - 1]
        part = str(Path(folder, "part.npz"))
        ms, grown = clock("export_drawings", part, "--since", str(since))
        yield {"step": f"export of {EXPORTED}, per drawing", "ms": ms / exported, "MB": grown}
        ms, grown = clock("import_drawings", part, "--ignore-manifest")
        yield {"step": f"import of {EXPORTED}, per drawing", "ms": ms / exported, "MB": grown}
    # The oldest unlabelled ones, as a daily purge finds them.
    oldest = Prediction.objects.unlabelled().order_by("created_at")
    limit = oldest.values_list("created_at", flat=True)[min(PURGED, oldest.count() - 1)]
    count = Prediction.objects.count()
    start = time.perf_counter()
    deletion.purge(before=limit)
    ms = 1000 * (time.perf_counter() - start)
    gone = max(1, count - Prediction.objects.count())
    yield {"step": "purge, per drawing", "ms": ms / gone}


def _bytes() -> int:
    """Return the size of the database with its indexes."""
    from django.db import connection

    if connection.vendor == "sqlite":
        return Path(connection.settings_dict["NAME"]).stat().st_size
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_database_size(current_database())")
        return int(cursor.fetchone()[0])


def _plan(sql: str) -> str:
    from django.db import DatabaseError, connection

    if not sql.startswith(("SELECT", "(SELECT", "WITH")):
        return sql[:120]
    try:
        with connection.cursor() as cursor:
            is_sqlite = connection.vendor == "sqlite"
            cursor.execute(("EXPLAIN QUERY PLAN " if is_sqlite else "EXPLAIN ") + sql)
            lines = [str(row[3 if is_sqlite else 0]) for row in cursor.fetchall()]
    except DatabaseError as error:
        lines = [f"no plan: {error}"]
    # Not the values: a drawing's bytes may be among them.
    where = re.sub(r"\s+", " ", sql.partition(" FROM ")[2])[:300]
    return "\n".join([f"FROM {where}", *lines])


# All databases ----------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line.parser(__doc__)
    parser.add_argument("--drawings", type=int, nargs=2, default=[10_000, 1_000_000])
    parser.add_argument("--on", nargs="+", choices=databases.KINDS, default=list(databases.KINDS))
    parser.add_argument("--rounds", type=int, default=7, help="requests of each kind")
    parser.add_argument("--in", type=int, dest="inside", metavar="N", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.inside is not None:
        for found in measure(options.inside, options.rounds):
            print(json.dumps(found), flush=True)
        return
    results.print_title(f"{options.rounds} requests of each kind")
    report = results.Report(drawings=options.drawings, rounds=options.rounds)
    for kind in options.on:
        try:
            both = [measured(kind, each, options.rounds) for each in options.drawings]
        except databases.Missing as missing:
            print(f"{kind}: {missing} is not installed")
            continue
        report.figures[kind] = dict(zip(map(str, options.drawings), both, strict=True))
        show(kind, options.drawings, *both)
    report.write(options.json)


def measured(kind: str, drawings: int, rounds: int) -> dict[str, dict[str, Any]]:
    """Return the figures by step, measured in a new process on a new database."""
    with databases.KINDS[kind]() as made:
        lines = django_setup.in_a_process(
            MODULE, "--in", str(drawings), "--rounds", str(rounds), database_url=made.url
        )
    return {line["step"]: line for line in lines}


def show(kind: str, sizes: Sequence[int], small: dict[str, Any], large: dict[str, Any]) -> None:
    for size, found in zip(sizes, (small, large), strict=True):
        filling = found["filling"]
        print(
            f"\n{kind}: {size:,} drawings filled in {filling['seconds']:.0f} s, "
            f"{filling['bytes'] / size:,.0f} bytes a drawing"
        )
    table = Table(*(f"{size:,}" for size in sizes), "ratio", name=f"{kind}: ms", name_width=52)
    print(table.head)
    slow = []
    for step, line in large.items():
        if "ms" not in line or step not in small:
            continue
        ratio = line["ms"] / small[step]["ms"]
        is_slow = ratio > GOAL and line["ms"] - small[step]["ms"] > NOTICEABLE
        slow += [step] if is_slow else []
        note = "MISSED" if is_slow else ""
        if "MB" in line:
            note = f"{small[step]['MB']:.0f} and {line['MB']:.0f} MB {note}"
        print(
            table.line(
                step, f"{small[step]['ms']:.2f}", f"{line['ms']:.2f}", f"{ratio:.1f}", note=note
            )
        )
    for step in slow:
        print(f"\n{step}:\n{large[step].get('plan', '')}")


if __name__ == "__main__":
    main()
