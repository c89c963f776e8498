"""Measure the public pages with Lighthouse, on mobile settings, in the system's Chromium.

    python -m benchmarks.site.lighthouse [PATH ...] [--runs 3] [--performance 98] [--json PATH]

Needs Lighthouse: npm ci. The site runs with collected static files on a temporary database. Prints
the four scores (median of the runs), the transferred kilobytes, the layout shift and requests to
other hosts. Exits with 1 if a goal is missed.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.common import command_line, results
from benchmarks.common.browser import find_browser
from benchmarks.common.running_site import ROOT, running_site

PATHS = ("/", "/about/")
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
LEAST_SCORE = 98
MOST_KILOBYTES = 60
# On a busy machine Chromium now and then loses the trace of a page (NO_NAVSTART): Lighthouse asks
# to be run again. A low score is never measured again.
ATTEMPTS = 3
LIGHTHOUSE = ROOT / "node_modules" / ".bin" / "lighthouse"
# Chromium's own requests to other hosts would be counted as the page's.
CHROME_FLAGS = (
    "--headless=new --no-first-run --disable-background-networking --disable-component-update "
    "--disable-sync"
)

TABLE = results.Table(*CATEGORIES, "kB", "shift", name_width=12)


@dataclass(frozen=True)
class Page:
    """A page: scores 0-100, transferred kilobytes, layout shift, other hosts, and goals."""

    path: str
    scores: dict[str, float]
    kilobytes: float
    layout_shift: float
    other_hosts: list[str]

    least: dict[str, float]

    @property
    def missed(self) -> list[str]:
        found = [
            f"{name} {score:.0f} < {self.least[name]:.0f}"
            for name, score in self.scores.items()
            if score < self.least[name]
        ]
        if self.kilobytes >= MOST_KILOBYTES:
            found.append(f"{self.kilobytes:.1f} kB >= {MOST_KILOBYTES}")
        if self.layout_shift > 0:
            found.append(f"layout shift {self.layout_shift:.4f} > 0")
        return found + [f"requests from {host}" for host in self.other_hosts]

    def __str__(self) -> str:
        scores = [f"{self.scores[name]:.0f}" for name in CATEGORIES]
        verdict = "reached" if not self.missed else "MISSED: " + ", ".join(self.missed)
        return TABLE.line(
            self.path, *scores, f"{self.kilobytes:.1f}", f"{self.layout_shift:.4f}", note=verdict
        )


def run_once(url: str, folder: Path) -> dict[str, Any]:
    out = folder / "report.json"
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    flags = CHROME_FLAGS + (" --no-sandbox" if is_root else "")
    for attempt in range(1, ATTEMPTS + 1):
        done = subprocess.run(
            [
                str(LIGHTHOUSE),
                url,
                "--quiet",
                "--output=json",
                f"--output-path={out}",
                f"--only-categories={','.join(CATEGORIES)}",
                f"--chrome-flags={flags}",
            ],
            env={**os.environ, "CHROME_PATH": find_browser()},
            check=False,
            timeout=240,
            capture_output=True,
            text=True,
        )
        if done.returncode == 0:
            report: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
            return report
        print(f"Run {attempt} of {ATTEMPTS} recorded nothing: {done.stderr.strip()}", flush=True)
    raise SystemExit(f"Lighthouse could not record {url}.")


def measure(address: str, path: str, runs: int, least: dict[str, float]) -> Page:
    with tempfile.TemporaryDirectory() as folder:
        found = [run_once(address.rstrip("/") + path, Path(folder)) for _ in range(runs)]
    requests = [
        request
        for report in found
        for request in report["audits"]["network-requests"]["details"]["items"]
        if not request["url"].startswith(("data:", "blob:"))
    ]
    hosts = {urlsplit(request["url"]).netloc for request in requests}
    return Page(
        path=path,
        scores={
            name: statistics.median(100 * report["categories"][name]["score"] for report in found)
            for name in CATEGORIES
        },
        kilobytes=sum(request["transferSize"] for request in requests) / len(found) / 1000,
        layout_shift=max(
            report["audits"]["cumulative-layout-shift"]["numericValue"] for report in found
        ),
        other_hosts=sorted(hosts - {urlsplit(address).netloc}),
        least=least,
    )


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line.parser(__doc__)
    parser.add_argument("paths", nargs="*", default=PATHS, metavar="PATH")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument(
        "--performance",
        type=float,
        default=LEAST_SCORE,
        help="lowest accepted score for performance, which depends on the load of the machine",
    )
    options = parser.parse_args(arguments)
    least = {**dict.fromkeys(CATEGORIES, float(LEAST_SCORE)), "performance": options.performance}
    if not LIGHTHOUSE.exists():
        raise SystemExit("Lighthouse is not installed: run npm ci (Node.js 20 or later).")
    with running_site(collected=True) as site:
        pages = [measure(site.address, path, options.runs, least) for path in options.paths]
    results.print_title(f"Lighthouse, mobile, median of {options.runs}")
    print(TABLE.head)
    for page in pages:
        print(page)
    report = results.Report(runs=options.runs)
    report.figures["pages"] = pages
    report.write(options.json)
    if any(page.missed for page in pages):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
