"""Measure the time from the end of a stroke until the prediction is on the screen.

    python -m benchmarks.site.live_guess [--digits 60] [--json PATH]

Draws digits with the mouse in the system's Chromium, with the server on the same machine. The
browser measures the time, from the pointer-up event to the first frame that shows the prediction.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from benchmarks.common import command_line, results
from benchmarks.common.browser import browser_page, drag
from benchmarks.common.results import Times
from benchmarks.common.running_site import running_site

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
    """Return the milliseconds of each prediction while drawing."""
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
    parser = command_line.parser(__doc__)
    parser.add_argument("--digits", type=int, default=60)
    options = parser.parse_args(arguments)
    with running_site() as site, browser_page(site.address) as page:
        milliseconds = measure(page, options.digits)
    if not milliseconds:
        raise SystemExit("The page showed no prediction while drawing.")
    times = Times.of(milliseconds)
    results.print_title(f"Prediction while drawing, {len(milliseconds)} digits")
    goal = results.verdict(f"(goal: p95 < {GOAL_MS} ms)", reached=times.p95 < GOAL_MS)
    print(f"median {times.median:.0f} ms, p95 {times.p95:.0f} ms {goal}")
    report = results.Report(digits=options.digits)
    report.figures["ms"] = milliseconds
    report.write(options.json)


if __name__ == "__main__":
    main()
