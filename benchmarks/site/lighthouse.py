"""Measure the public pages with Lighthouse, on mobile settings, in the system's Chromium.

    npm ci && python -m benchmarks.site.lighthouse [PATH ...] [--runs 3] [--performance 98]

Starts the site with collected static files on a database of its own. Prints the four scores (the
median of the runs), what goes over the wire, the layout shift, and which hosts were asked. Leaves
with 1 where a goal is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from benchmarks.common import environment
from benchmarks.common.running_site import ROOT, running_site
from benchmarks.pictures.screenshots import find_browser

PATHS = ("/", "/about/")
CATEGORIES = ("performance", "accessibility", "best-practices", "seo")
LEAST_SCORE = 98
MOST_KILOBYTES = 60
LIGHTHOUSE = ROOT / "node_modules" / ".bin" / "lighthouse"
# Chromium's own look-ups of other hosts would stand in the report as the page's.
CHROME_FLAGS = (
    "--headless=new --no-first-run --disable-background-networking --disable-component-update "
    "--disable-sync"
)


@dataclass(frozen=True)
class Report:
    """One page: scores 0-100, kilobytes over the wire, layout shift, other hosts, and goals."""

    path: str
    scores: dict[str, float]
    kilobytes: float
    layout_shift: float
    other_hosts: list[str]

    least: dict[str, float]

    @property
    def missed(self) -> list[str]:
        """The goals that the page misses, in words."""
        found = [
            f"{name} {score:.0f} < {self.least[name]:.0f}"
            for name, score in self.scores.items()
            if score < self.least[name]
        ]
        if self.kilobytes >= MOST_KILOBYTES:
            found.append(f"{self.kilobytes:.1f} kB >= {MOST_KILOBYTES}")
        if self.layout_shift > 0:
            found.append(f"layout shift {self.layout_shift:.4f} > 0")
        return found + [f"asks {host}" for host in self.other_hosts]

    def __str__(self) -> str:
        """Return a line of the table."""
        scores = "".join(f"{self.scores[name]:>15.0f}" for name in CATEGORIES)
        verdict = "reached" if not self.missed else "MISSED: " + ", ".join(self.missed)
        return f"{self.path:12}{scores}{self.kilobytes:>9.1f}{self.layout_shift:>8.4f}  {verdict}"


def run_once(url: str, folder: Path) -> dict[str, Any]:
    """Return Lighthouse's report of a page."""
    out = folder / "report.json"
    is_root = hasattr(os, "geteuid") and os.geteuid() == 0
    flags = CHROME_FLAGS + (" --no-sandbox" if is_root else "")
    subprocess.run(
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
        check=True,
        timeout=240,
    )
    report: dict[str, Any] = json.loads(out.read_text(encoding="utf-8"))
    return report


def measure(address: str, path: str, runs: int, least: dict[str, float]) -> Report:
    """Return the medians of some runs on one page."""
    with tempfile.TemporaryDirectory() as folder:
        found = [run_once(address.rstrip("/") + path, Path(folder)) for _ in range(runs)]
    requests = [
        request
        for report in found
        for request in report["audits"]["network-requests"]["details"]["items"]
        if not request["url"].startswith(("data:", "blob:"))
    ]
    hosts = {urlsplit(request["url"]).netloc for request in requests}
    return Report(
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
    """Print the table."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("paths", nargs="*", default=PATHS, metavar="PATH")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the figures there too")
    parser.add_argument(
        "--performance",
        type=float,
        default=LEAST_SCORE,
        help="the least score of the one category that a busy machine lowers",
    )
    options = parser.parse_args(arguments)
    least = {**dict.fromkeys(CATEGORIES, float(LEAST_SCORE)), "performance": options.performance}
    if not LIGHTHOUSE.exists():
        raise SystemExit("Lighthouse is not installed here: run npm ci (Node.js 20 or later).")
    with running_site(collected=True) as site:
        reports = [measure(site.address, path, options.runs, least) for path in options.paths]
    print(f"Lighthouse, mobile, median of {options.runs}; {environment.describe()}")
    print(f"{'':12}{''.join(f'{name:>15}' for name in CATEGORIES)}{'kB':>9}{'shift':>8}")
    for report in reports:
        print(report)
    if options.json:
        options.json.write_text(
            json.dumps([asdict(report) for report in reports], indent=1) + "\n", encoding="utf-8"
        )
    if any(report.missed for report in reports):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
