"""Measure the site under load, beside two rulers, in one run.

    python -m benchmarks.site.load [--seconds 4] [--rounds 3] [--requests 10000] [--write]

1, 8 and 32 clients send drawings of 280x280 px to 2 workers on SQLite. One ruler is a view on the
same stack that parses the same JSON and inserts the same row (`rulers.no_op_urls`), the other the
demo that this site replaces (`rulers.demo`; it is left out where Flask is missing). All take turns,
so that what else the machine does slows all of them; the ratios are what counts. ``--write`` writes
the figures into docs/performance.md, too.
"""

from __future__ import annotations

import base64
import importlib.util
import json
import statistics
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

import numpy as np

from benchmarks.common import command_line, documents, memory, results
from benchmarks.common.running_site import ROOT, running_site
from benchmarks.site.clients import Found, Load
from benchmarks.site.rulers import demo
from benchmarks.site.serving import canvas_png
from recognizer.tests.support import servers

CLIENTS = (1, 8, 32)
WORKERS = 2
PREDICTIONS, PREVIEW = "api/v1/predictions/", "api/v1/preview/"
OURS, WITH_COOKIE, PREVIEWS, NO_OP, DEMO = (
    "predictions, no cookie", "predictions, cookie", "preview", "no-op view", "old demo",
)  # fmt: skip
START_SECONDS = 180
STARTS = 3

DOCUMENT = ROOT / "docs" / "performance.md"
MODULE, PART = "benchmarks.site.load", "figures"

TABLE = results.Table("clients", "a second", "p50 ms", "p95 ms", "of no-op", "of demo")

Measured = dict[str, dict[int, Found]]
"""What was found for a target and a number of clients."""


def drawings(count: int = 20) -> list[str]:
    """Return the JSON of drawings as the page's canvas gives them."""
    rng = np.random.default_rng(7)
    pngs = [base64.b64encode(canvas_png(n % 10, rng)).decode() for n in range(count)]
    return [json.dumps({"image": f"data:image/png;base64,{png}"}) for png in pngs]


@contextmanager
def running_demo() -> Iterator[str]:
    """Run the demo; yield the URL of its predictions."""
    port = servers.free_port()
    with subprocess.Popen(
        [sys.executable, "-m", demo.__name__, str(port)],
        cwd=ROOT,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        try:
            yield f"http://127.0.0.1:{port}{demo.PATH}"
        finally:
            process.terminate()


def seconds_to_answer(url: str, body: str) -> float:
    """Send a drawing until it is answered; return how long that took."""
    start = time.perf_counter()
    while time.perf_counter() - start < START_SECONDS:
        request = urllib.request.Request(url, body.encode(), {"Content-Type": "application/json"})
        try:
            urllib.request.urlopen(request, timeout=START_SECONDS).close()
        except (urllib.error.URLError, OSError):
            time.sleep(0.02)
        else:
            return time.perf_counter() - start
    raise SystemExit(f"{url} did not answer within {START_SECONDS} s.")


def under_load(seconds: float, rounds: int, bodies: list[str]) -> Measured:
    """Measure the site and its rulers in turns; the median round counts."""
    found: dict[tuple[str, int], list[Found]] = {}
    with ExitStack() as running:
        site = running.enter_context(running_site(workers=WORKERS))
        no_op = running.enter_context(
            running_site(
                workers=WORKERS,
                variables={"DJANGO_SETTINGS_MODULE": "benchmarks.site.rulers.no_op_settings"},
            )
        )
        targets = {
            OURS: (site.address + PREDICTIONS, False),
            WITH_COOKIE: (site.address + PREDICTIONS, True),
            NO_OP: (no_op.address + PREDICTIONS, False),
            PREVIEWS: (site.address + PREVIEW, False),
        }
        if importlib.util.find_spec("flask") is not None:
            targets[DEMO] = (running.enter_context(running_demo()), False)
        for url, _cookie in targets.values():
            seconds_to_answer(url, bodies[0])
        for _round in range(rounds):
            for clients in CLIENTS:
                for name, (url, with_cookie) in targets.items():
                    load = Load(url, bodies, clients, with_cookie=with_cookie, seconds=seconds)
                    found.setdefault((name, clients), []).append(load.run())
    measured: Measured = {}
    for (name, clients), each in found.items():
        measured.setdefault(name, {})[clients] = _middle(each)
    return measured


def _middle(found: Sequence[Found]) -> Found:
    return Found(
        per_second=statistics.median(each.per_second for each in found),
        median=statistics.median(each.median for each in found),
        p95=statistics.median(each.p95 for each in found),
        failed=sum(each.failed for each in found),
    )


def start_and_memory(requests: int, bodies: list[str]) -> dict[str, float]:
    """Return the seconds to the first prediction and MB of the largest worker after many."""
    starts, size = [], 0.0
    for start in range(STARTS):
        with running_site(collected=True, workers=WORKERS, wait=False) as site:
            url = site.address + PREDICTIONS
            starts.append(seconds_to_answer(url, bodies[0]))
            if start == STARTS - 1:
                Load(url, bodies, 8, requests=requests).run()
                size = max(map(memory.resident, memory.children(site.process)))
    return {"start, s": statistics.median(starts), "worker, MB": size}


def table(measured: Measured) -> list[str]:
    lines = [TABLE.head]
    for name, by_clients in measured.items():
        for clients, found in by_clients.items():
            lines.append(
                TABLE.line(
                    name,
                    clients,
                    f"{found.per_second:.0f}",
                    f"{found.median:.1f}",
                    f"{found.p95:.1f}",
                    _share(measured, NO_OP, clients, found),
                    _share(measured, DEMO, clients, found),
                    note=f"{found.failed} failed" if found.failed else "",
                )
            )
    return lines


def _share(measured: Measured, ruler: str, clients: int, found: Found) -> str:
    if ruler not in measured:
        return "-"
    return f"{found.per_second / measured[ruler][clients].per_second:.2f}"


@dataclass(frozen=True)
class Goal:
    """A measure, what was found, and whether that is what it should be."""

    measure: str
    found: str
    wanted: str
    reached: bool

    @property
    def verdict(self) -> str:
        return results.verdict(self.wanted, reached=self.reached)


def goals(measured: Measured, rest: dict[str, float]) -> list[Goal]:
    shares = [
        measured[name][clients].per_second / measured[NO_OP][clients].per_second
        for name in (OURS, WITH_COOKIE)
        for clients in CLIENTS
    ]
    found = [
        Goal(
            "predictions, share of the no-op view, 1 / 8 / 32 clients, without and with a cookie",
            " / ".join(f"{share:.2f}" for share in shares),
            ">= 0.6 each",
            min(shares) >= 0.6,
        )
    ]
    if DEMO in measured:
        times = measured[OURS][8].per_second / measured[DEMO][8].per_second
        wait = measured[DEMO][1].median / measured[OURS][1].median
        found += [
            Goal("throughput, in old demos, 8 clients", f"{times:.1f}", ">= 20", times >= 20),
            Goal("p50, 1 client, share of the demo's", f"1/{wait:.1f}", "<= 1/15", wait >= 15),
        ]
    few, many = measured[PREVIEWS][8].per_second, measured[PREVIEWS][32].per_second
    size, start = rest["worker, MB"], rest["start, s"]
    return [
        *found,
        Goal(
            "preview, 32 clients against 8",
            f"{many:.0f}/s, {few:.0f}/s",
            "no fall",
            many >= 0.95 * few,
        ),
        Goal("memory of a worker after many posts", f"{size:.0f} MB", "<= 110 MB", size <= 110),
        Goal("start to first answer", f"{start:.1f} s", "<= 1.2 s", start <= 1.2),
    ]


def section(measured: Measured, found: list[Goal], machine: str) -> str:
    """Return the figures as a part of a document in Markdown."""
    lines = [
        f"{machine}. {WORKERS} workers, SQLite.",
        "",
        "| Measure | Found | Goal |",
        "| --- | --- | --- |",
        *(f"| {goal.measure} | {goal.found} | {goal.verdict} |" for goal in found),
        "",
        "```",
        *table(measured),
        "```",
    ]
    return "\n".join(lines)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line.parser(__doc__)
    parser.add_argument("--seconds", type=float, default=4, help="of each load")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--requests", type=int, default=10_000, help="before memory is measured")
    parser.add_argument("--write", action="store_true", help=f"also write {DOCUMENT.name}")
    options = parser.parse_args(arguments)
    bodies = drawings()
    measured = under_load(options.seconds, options.rounds, bodies)
    rest = start_and_memory(options.requests, bodies)
    results.print_title(f"{WORKERS} workers on SQLite")
    print("\n".join(table(measured)))
    reached = goals(measured, rest)
    for goal in reached:
        print(f"{goal.measure}: {goal.found}  {goal.verdict}")
    report = results.Report(
        seconds=options.seconds, rounds=options.rounds, requests=options.requests
    )
    report.figures.update({"load": measured, "rest": rest})
    report.write(options.json)
    if options.write:
        text = DOCUMENT.read_text(encoding="utf-8")
        content = section(measured, reached, report.machine)
        results.write_file(DOCUMENT, documents.replaced(text, MODULE, PART, content).encode())


if __name__ == "__main__":
    main()
