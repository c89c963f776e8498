"""Programs that a test needs: without one it is skipped, or fails where it must not be skipped."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest


def skip_or_fail(reason: str, *, variable: str) -> NoReturn:
    """Skip the test, or fail it if the environment variable is 1 (`REQUIRE_SERVICES`, ...)."""
    if os.environ.get(variable) == "1":
        pytest.fail(f"{reason}, and {variable}=1")
    pytest.skip(reason)
