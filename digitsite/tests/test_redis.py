"""Several web processes share their throttles through Redis."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from recognizer.tests.support import servers
from recognizer.tests.support.required import skip_or_fail
from recognizer.tests.support.waiting import PATIENCE

pytestmark = pytest.mark.services


@pytest.fixture
def redis() -> Iterator[str]:
    """Run a new Redis; give its URL."""
    with ExitStack() as stack:
        try:
            url = stack.enter_context(servers.redis())
        except servers.Missing as error:
            skip_or_fail(f"{error} is not installed", variable="REQUIRE_SERVICES")
        yield url


THROTTLED = """
import os, django
django.setup()
from django.core.cache import cache
from django.test import Client
client = Client(headers={"host": "localhost"})
print([client.post("/api/v1/predictions/", {}, content_type="application/json").status_code
       for _ in range(2)])
"""


def test_throttles_are_shared_through_redis(redis: str, project_root: Path, tmp_path: Path) -> None:
    variables = {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "digitsite.settings",
        "REDIS_URL": redis,
        "THROTTLE_ANON": "3/hour",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'db.sqlite3'}",
    }

    answers = [
        subprocess.run(
            [sys.executable, "-c", THROTTLED],
            cwd=project_root, env=variables, capture_output=True, text=True, check=True,
            timeout=PATIENCE,
        ).stdout.strip()
        for _ in range(2)
    ]  # fmt: skip

    assert answers == ["[400, 400]", "[400, 429]"]
