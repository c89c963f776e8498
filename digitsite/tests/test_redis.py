"""Several web processes share their throttles through Redis."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from recognizer.tests.support import servers
from recognizer.tests.support.required import skip_or_fail
from recognizer.tests.support.shared_limits import statuses_of_two_processes

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


def test_throttles_are_shared_through_redis(redis: str, project_root: Path, tmp_path: Path) -> None:
    answers = statuses_of_two_processes(project_root, tmp_path / "db.sqlite3", REDIS_URL=redis)

    assert answers == ["[400, 400]", "[400, 429]"]
