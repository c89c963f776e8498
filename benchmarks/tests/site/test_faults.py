"""The benchmark of faults runs, and what was promised is there; its seconds are not tested."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.site import faults


@pytest.mark.services
def test_nothing_that_was_promised_is_lost(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "faults.json"

    faults.main(
        ["--only", "worker,sigterm,disk", "--clients", "2", "--outage", "1", "--soak", "2",
         "--json", str(path)]
    )  # fmt: skip

    figures = json.loads(path.read_text())["figures"]
    assert {"worker", "sigterm", "disk"} <= set(figures)
    for name in ("worker", "sigterm", "disk"):
        assert figures[name]["stored"] > 0
        assert (figures[name]["lost"], figures[name]["twice"]) == (0, 0)
    assert figures["disk"]["failures"].keys() == {"503"}
    assert "kill -9 of a worker" in capsys.readouterr().out
