"""The benchmark of a growing database runs at any size. Its times are not tested."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.site import at_size
from training.data import downloads

pytestmark = pytest.mark.skipif(
    downloads.find(downloads.PEN_FILE) is None, reason="the pen digits are not here"
)


def test_every_page_and_command_is_timed_at_both_sizes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "times.json"
    # The settings that the test database is described by must not reach the processes.
    monkeypatch.delenv("DATABASE_URL", raising=False)

    at_size.main(
        ["--drawings", "700", "900", "--rounds", "1", "--on", "sqlite", "--json", str(path)]
    )

    small, large = json.loads(path.read_text())["figures"]["sqlite"].values()
    assert list(small) == list(large)
    for step in ("a post", "own history", "admin list", "grid, menu", "insights, all"):
        assert small[step]["ms"] > 0
    assert any(step.startswith("admin list, audited=") for step in large)
    assert any(step.startswith("import of ") for step in large)
    assert "bytes a drawing" in capsys.readouterr().out
