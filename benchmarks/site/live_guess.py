"""Measure how long the live guess takes: from the last pointer-up until it is on the screen.

    python -m benchmarks.site.live_guess [--digits 60] [--json PATH]

Draws digits with the mouse in the system's Chromium, beside the server on the same machine. The
time is the browser's own, from the event to the first frame after the answer was written.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.common import environment
from benchmarks.common.running_site import running_site
from benchmarks.pictures.screenshots import browser_page, drag

GOAL_MS = 100
WATCH = """
    window.guesses = [];
    let lifted = null;
    document.addEventListener("pointerup", () => { lifted = performance.now(); }, true);
    new MutationObserver(() => {
        const start = lifted;
        const isGuess = document.getElementById("answer").hasAttribute("data-live");
        if (start === null || !isGuess) { return; }
        lifted = null;
        requestAnimationFrame(
            () => setTimeout(() => window.guesses.push(performance.now() - start)));
    }).observe(document.querySelector("#answer [data-slot=seen]"), { attributes: true });
"""


def measure(page: Any, digits: int) -> list[float]:
    """Return the milliseconds of each guess at some digits."""
    rng = np.random.default_rng(11)
    page.wait_for_selector("html[data-ready]")
    # The first one loads the model.
    drag(page, 3, rng)
    page.wait_for_selector("#answer[data-live]")
    page.evaluate(WATCH)
    for number in range(digits):
        page.keyboard.press("Delete")
        page.wait_for_timeout(50)
        drag(page, number % 10, rng)
        page.wait_for_timeout(600)
    found: list[float] = page.evaluate("window.guesses")
    return found


def main(arguments: Sequence[str] | None = None) -> None:
    """Print the median and what 19 of 20 guesses stay under."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--digits", type=int, default=60)
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the times there too")
    options = parser.parse_args(arguments)
    with running_site() as site, browser_page(site.address) as page:
        times = measure(page, options.digits)
    if not times:
        raise SystemExit("There was no guess at all.")
    median, p95 = float(np.median(times)), float(np.quantile(times, 0.95))
    print(f"Live guess, {len(times)} digits; {environment.describe()}")
    verdict = "reached" if p95 < GOAL_MS else "MISSED"
    print(f"median {median:.0f} ms, p95 {p95:.0f} ms (< {GOAL_MS} ms {verdict})")
    if options.json:
        report = {"machine": environment.describe(), "ms": times}
        options.json.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
