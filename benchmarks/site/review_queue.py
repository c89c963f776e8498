"""Measure the review queue, once with a short and once with a long one.

    python -m benchmarks.site.review_queue [--rows 1000 100000] [--rounds 20] [--on SQLite] [--json
    PATH]

On a temporary SQLite file and, where it is installed, on a PostgreSQL of its own. Each request goes
through the whole site in one process, without a network: milliseconds, the median and what 19 of 20
requests stay under. Half of the visitors have said something, one in forty something else than the
network. Run it on an idle machine.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import environment
from recognizer.tests.support import servers

ROOT = Path(__file__).resolve().parents[2]
ORDERS = ("disagreement", "least_sure", "newest", "audit")
# As the page asks: so many at first, and as many as were labelled when fewer lie ahead.
FIRST, MORE = 24, 9
# A drawing as the page's canvas sends it.
CANVAS, BRUSH = 512, 36
DIFFERENT_DRAWINGS = 60
SUGGESTED, CONTRADICTED = 0.5, 0.05
CHUNK = 1000

Times = dict[str, tuple[float, float]]


@contextmanager
def sqlite() -> Iterator[str]:
    """Give the URL of an SQLite file that is gone afterwards."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        yield f"sqlite:///{Path(folder, 'queue.sqlite3').as_posix()}"


DATABASES = {"SQLite": sqlite, "PostgreSQL": servers.postgres}


def measured(url: str, rows: int, rounds: int) -> Times:
    """Fill a database and measure it, in a process of its own; return milliseconds by step."""
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "benchmarks.site.review_queue",
            "--rounds",
            str(rounds),
            "--in",
            str(rows),
        ],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "digitsite.settings"},
        stdout=subprocess.PIPE,
        check=True,
    )
    times: Times = json.loads(done.stdout.splitlines()[-1])
    return times


# In the process that is measured --------------------------------------------------------------


def fill(rows: int) -> None:
    """Keep so many drawings that nobody has labelled."""
    from datetime import timedelta

    from django.utils import timezone

    from recognizer.inference.classifier import margin
    from recognizer.models import ModelVersion, Prediction
    from recognizer.predictions.audit_sample import audit_key
    from recognizer.tests.support.drawings import digit_png

    rng = random.Random(7)
    version = ModelVersion.objects.defer("serving", "training").get()
    pictures = [
        digit_png(number % 10, seed=number, canvas=CANVAS, brush=BRUSH)
        for number in range(DIFFERENT_DRAWINGS)
    ]
    now = timezone.now()

    def drawings() -> Iterator[Prediction]:
        for number in range(rows):
            digit, confidence = number % 10, rng.uniform(0.4, 1)
            shares = [(1 - confidence) / 9] * 10
            shares[digit] = confidence
            suggestion = digit if rng.random() < SUGGESTED else None
            if suggestion is not None and rng.random() < CONTRADICTED:
                suggestion = (digit + 1) % 10
            identifier = uuid.UUID(int=rng.getrandbits(128), version=4)
            yield Prediction(
                id=identifier,
                image=pictures[number % DIFFERENT_DRAWINGS],
                digit=digit,
                confidence=confidence,
                probabilities=shares,
                margin=margin(shares),
                verdict="digit",
                model_version=version,
                source="canvas",
                visitor=uuid.uuid4(),
                audit_key=audit_key(identifier),
                suggestion=suggestion,
                created_at=now - timedelta(seconds=number),
            )

    waiting = drawings()
    while chunk := list(itertools.islice(waiting, CHUNK)):
        Prediction.objects.bulk_create(chunk)


def clock(work: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Return median and 95th percentile of some calls in milliseconds, after two not counted."""
    times = []
    for _ in range(rounds + 2):
        start = time.perf_counter()
        work()
        times.append((time.perf_counter() - start) * 1000)
    return float(np.median(times[2:])), float(np.quantile(times[2:], 0.95))


def measure(rows: int, rounds: int) -> Times:
    """Fill the database of the environment and return the times of what a reviewer does."""
    import django

    django.setup()
    from django.contrib.auth.models import User
    from django.core.management import call_command
    from django.test import Client
    from django.urls import reverse

    call_command("migrate", verbosity=0)
    fill(rows)
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

    times = {"the page": clock(lambda: client.get(reverse("admin:recognizer_review")), rounds)}
    for order in ORDERS:
        work = partial(batch, order, FIRST)
        times[f"its first {FIRST} drawings, {order}"] = clock(work, rounds)
    held = batch("disagreement", FIRST)[MORE:]
    times[f"{MORE} more drawings"] = clock(lambda: batch("disagreement", MORE, held), rounds)
    unlabelled = iter(batch("newest", FIRST))
    times["a label"] = clock(
        lambda: post("label", id=next(unlabelled), label=3, seen=None, step=str(uuid.uuid4())),
        min(rounds, FIRST - 2),
    )
    return times


# The table ------------------------------------------------------------------------------------


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the times."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000, 100_000])
    parser.add_argument("--on", nargs="+", choices=DATABASES, default=list(DATABASES))
    parser.add_argument("--rounds", type=int, default=20, help="requests of each kind")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the times there too")
    parser.add_argument("--in", type=int, dest="inside", metavar="ROWS", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.inside is not None:
        print(json.dumps(measure(options.inside, options.rounds)))
        return
    print(f"{options.rounds} requests each; {environment.describe()}", flush=True)
    report: dict[str, Any] = {"machine": environment.describe(), "ms": {}}
    for name in options.on:
        found: dict[int, Times] = {}
        try:
            for rows in options.rows:
                with DATABASES[name]() as url:
                    found[rows] = measured(url, rows, options.rounds)
        except servers.Missing as missing:
            print(f"{name}: {missing} is not installed")
            continue
        report["ms"][name] = found
        print(f"\n{name:40}" + "".join(f"{rows:>12,} in the queue" for rows in found))
        print(f"{'ms':40}" + f"{'median':>15}{'p95':>10}" * len(found))
        for step in found[options.rows[0]]:
            cells = "".join("{:15.1f}{:10.1f}".format(*times[step]) for times in found.values())
            print(f"{step:40}{cells}", flush=True)
    if options.json:
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
