"""Coordinates, round values, and marks on axes."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from recognizer.statistics.intervals import Share

# Where an axis of shares may start: high shares can be told apart only if it starts high.
STARTS = (0.98, 0.95, 0.9, 0.8, 0.6, 0.5, 0.0)
STEPS = {0.98: 4, 0.95: 5, 0.9: 5, 0.8: 4, 0.6: 4, 0.5: 5, 0.0: 4}


def number(value: float) -> str:
    """Return a coordinate with two decimals at most."""
    text = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if text == "-0" else text


def percent(share: float) -> str:
    """Return a share of the width, 0-1, as a coordinate."""
    return number(100 * share) + "%"


@dataclass(frozen=True)
class Tick:
    at: str
    value: float


def round_values(most: float, *, least_step: float, count: int = 4) -> list[float]:
    """Return about ``count`` round values from 0 to at least ``most``.

    Their distance is 1, 2 or 5 times a power of ten and not under ``least_step``.
    """
    rough = max(most / count, least_step)
    power = 10.0 ** math.floor(math.log10(rough) + 1e-9)
    step = next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough - 1e-9)
    return [step * i for i in range(max(1, math.ceil(most / step - 1e-9)) + 1)]


def some_of(n: int, most: int) -> tuple[Tick, ...]:
    """Return the middles of at most ``most`` of n equal slots, evenly, the last among them."""
    step = max(1, math.ceil(n / most))
    return tuple(Tick(percent((i + 0.5) / n), i) for i in sorted(range(n - 1, -1, -step)))


@dataclass(frozen=True)
class Whisker:
    """A share and the ends of its 95 % interval on an axis."""

    at: str
    low: str
    high: str


@dataclass(frozen=True)
class ShareAxis:
    """A fluid axis of shares, from ``start`` to 1."""

    start: float
    ticks: tuple[Tick, ...]

    def place(self, value: float) -> str:
        """Return where a share is; what lies below the start is put there."""
        return percent(max(0.0, (value - self.start) / (1 - self.start)))

    def whisker(self, share: Share) -> Whisker | None:
        if share.value is None or share.interval is None:
            return None
        low, high = share.interval
        return Whisker(self.place(share.value), self.place(low), self.place(high))


def share_axis(lows: Sequence[float]) -> ShareAxis:
    """Return an axis that ends with 1 and starts at a round value below all these, 0-1."""
    lowest = min(lows, default=0.0)
    start = next(start for start in STARTS if start <= lowest)
    steps = STEPS[start]
    return ShareAxis(
        start,
        tuple(Tick(percent(i / steps), start + (1 - start) * i / steps) for i in range(steps + 1)),
    )


def short_count(n: int) -> str:
    """Return a count in four characters: 999, 1.2k, 12k, 3M."""
    for size, unit in ((1_000_000, "M"), (1_000, "k")):
        if n >= size:
            return f"{n // (size // 10) / 10:g}{unit}" if n < 10 * size else f"{n // size}{unit}"
    return str(n)
