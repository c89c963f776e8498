"""Count the taps and scrolls that ten corrected digits take on the drawing page.

    python -m benchmarks.site.corrections [--digits 10] [--json PATH]

A person draws a digit, says what it is by the fewest presses that the page allows, and draws the
next one, in Chromium, on the screens of phones and of a computer. A scroll is counted whenever what
is needed next is not wholly on the screen. Exits with 1 if a digit takes more than one tap, or any
scroll.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.common import command_line, results
from benchmarks.common.browser import browser_page, drag
from benchmarks.common.running_site import running_site

SCREENS = {
    "360x640": (360, 640),
    "390x844": (390, 844),
    "844x390": (844, 390),
    "1280x800": (1280, 800),
}
TABLE = results.Table("taps", "scrolls", name_width=12)


@dataclass(frozen=True)
class Effort:
    """What a number of corrected digits took on a screen."""

    screen: str
    digits: int
    taps: int
    scrolls: int

    @property
    def is_goal_reached(self) -> bool:
        return self.taps <= self.digits and self.scrolls == 0

    def __str__(self) -> str:
        verdict = results.verdict("goal: one tap a digit", reached=self.is_goal_reached)
        return TABLE.line(self.screen, f"{self.taps}", f"{self.scrolls}", note=verdict)


class Person:
    """Uses the page, and counts."""

    def __init__(self, page: Any) -> None:
        self.page = page
        self.taps = 0
        self.scrolls = 0

    def draw(self, digit: int, rng: np.random.Generator) -> None:
        self._see("#canvas")
        drag(self.page, digit, rng)

    def say(self, digit: int, entries: int) -> None:
        """Say what was drawn, and wait until that many drawings are stored with what was said."""
        button = f"#feedback button[name=digit][value='{digit}'] >> nth=0"
        choice = self.page.locator(button)
        if not (choice.is_visible() and choice.is_enabled()):
            self.tap("#save")
        self.tap(button)
        said = self.page.locator("#history .entry [data-slot=said]", has_text="You")
        said.nth(entries - 1).wait_for(state="attached")

    def tap(self, selector: str) -> None:
        self.page.locator(selector).wait_for(state="visible")
        self._see(selector)
        self.page.locator(selector).click()
        self.taps += 1

    def _see(self, selector: str) -> None:
        part = self.page.locator(selector)
        box = part.bounding_box()
        if box["y"] < 0 or box["y"] + box["height"] > self.page.viewport_size["height"]:
            self.scrolls += 1
            part.scroll_into_view_if_needed()


def measure(address: str, screen: str, digits: int) -> Effort:
    width, height = SCREENS[screen]
    is_phone = width < 1000
    rng = np.random.default_rng(1)
    options: dict[str, Any] = {"viewport": {"width": width, "height": height}}
    if is_phone:
        options |= {"has_touch": True, "is_mobile": True}
    with browser_page(address, **options) as page:
        page.wait_for_selector("html[data-ready]")
        person = Person(page)
        for number in range(digits):
            person.draw(number % 10, rng)
            person.say(number % 10, entries=number + 1)
    return Effort(screen, digits, person.taps, person.scrolls)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = command_line.parser(__doc__)
    parser.add_argument("--digits", type=int, default=10)
    options = parser.parse_args(arguments)
    with running_site() as site:
        found = [measure(site.address, screen, options.digits) for screen in SCREENS]
    results.print_title(f"{options.digits} digits, each drawn and corrected")
    print(TABLE.head)
    for effort in found:
        print(effort)
    report = results.Report(digits=options.digits)
    report.figures["efforts"] = found
    report.write(options.json)
    if not all(effort.is_goal_reached for effort in found):
        raise SystemExit(1)


if __name__ == "__main__":
    main()
