"""The benchmark of batches runs and prints the ratio."""

from __future__ import annotations

import pytest

from benchmarks.site import batch


def test_it_prints_the_ratio(capsys: pytest.CaptureFixture[str]) -> None:
    batch.main(["--rounds", "1", "--drawings", "2"])

    lines = capsys.readouterr().out.splitlines()
    assert "ratio" in lines[1]
    for line in lines[2:]:
        assert line.endswith(("reached", "MISSED"))
    assert len(lines) == 5
