"""Kill the worker that trains, start another, and see the training go on from its checkpoint.

    python -m benchmarks.site.trainer_fault [--epochs 6]

On a few drawings, so that an epoch takes a second. It prints how long after the kill another worker
went on, how many epochs were kept, and whether each epoch was trained once.
"""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from benchmarks.common import command_line, results
from recognizer.tests.support.sites import ROOT, manage
from recognizer.tests.support.waiting import wait_until
from training.tests.small_data import write_small_data

REQUEST = """
import sys, django
django.setup()
from django.contrib.auth.models import User
from recognizer.jobs.training_jobs import Kind, Options, request
request(
    options=Options(kind=Kind.FAST, activate=False, epochs=int(sys.argv[1]), limit=40),
    by=User.objects.create_superuser("bench"),
)
"""


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line.parser(__doc__)
    parser.add_argument("--epochs", type=int, default=6)
    options = parser.parse_args(arguments)
    report = results.Report(epochs=options.epochs)
    with tempfile.TemporaryDirectory(prefix="digitsite-", ignore_cleanup_errors=True) as folder:
        place = Path(folder)
        environment = {
            **os.environ,
            "DATABASE_URL": f"sqlite:///{place / 'site.sqlite3'}",
            "DIGIT_DATA_DIR": str(write_small_data(place / "data")),
            "DJANGO_SETTINGS_MODULE": "digitsite.settings",
        }
        manage("migrate", "--no-input", "-v0", environment=environment)
        request = [sys.executable, "-c", REQUEST, str(options.epochs)]
        subprocess.run(request, cwd=ROOT, env=environment, check=True)
        figures = kill_and_resume(place, environment, options.epochs)
    results.print_title("A trainer that is killed")
    print(
        f"trains again after {figures['seconds']:.1f} s, with {figures['kept']} of "
        f"{options.epochs} epochs kept; {figures['status']}, each epoch once: {figures['once']}"
    )
    report.figures.update(figures)
    report.write(options.json)


def kill_and_resume(place: Path, environment: dict[str, str], epochs: int) -> dict[str, Any]:
    def job() -> dict[str, Any]:
        with closing(sqlite3.connect(place / "site.sqlite3")) as database:
            database.row_factory = sqlite3.Row
            found = database.execute("SELECT * FROM recognizer_trainingjob").fetchone()
        return {**dict(found), "progress": json.loads(found["progress"])}

    first = start_worker(environment)
    wait_until(lambda: job()["progress"].get("accuracies"), "an epoch is done")
    first.kill()
    first.wait()
    start = time.monotonic()
    kept = len(job()["progress"]["accuracies"])
    second = start_worker(environment)
    try:
        wait_until(lambda: job()["status"] in ("queued", "succeeded"), "it is queued again")
        wait_until(lambda: job()["status"] in ("running", "succeeded"), "it runs again")
        seconds = time.monotonic() - start
        wait_until(lambda: job()["status"] not in ("queued", "running"), "it ends")
    finally:
        second.send_signal(signal.SIGTERM)
        second.wait(60)
    ended = job()
    once = all(ended["log"].count(f"Epoch {epoch}:") == 1 for epoch in range(1, epochs + 1))
    return {"seconds": seconds, "kept": kept, "status": ended["status"], "once": once}


def start_worker(environment: dict[str, str]) -> subprocess.Popen[bytes]:
    command = [sys.executable, "manage.py", "db_worker", "--interval", "0.5", "--no-startup-delay"]
    return subprocess.Popen(
        command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )


if __name__ == "__main__":
    main()
