"""Waiting for a condition, with one limit for all tests: a busy machine must not break one."""

from __future__ import annotations

import time
from collections.abc import Callable

# Seconds. Only what never happens takes this long, so it costs nothing to be generous.
PATIENCE = 600


def wait_until(
    condition: Callable[[], object], description: str, *, details: Callable[[], str] = str
) -> None:
    """Call the condition until it is true.

    Raises:
        TimeoutError: it stays false; the message ends with `details`, such as a server's log.
    """
    deadline = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"Waited {PATIENCE} s until {description}. {details()}")
        time.sleep(0.05)
