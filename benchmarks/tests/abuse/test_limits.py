"""The benchmark of abuse runs; its figures are not tested, but that nothing is added is."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.abuse import limits


def test_every_figure_is_measured(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "abuse.json"

    limits.main(
        ["--requests", "20", "--predictions", "5", "--connections", "2", "--json", str(path)]
    )

    figures = json.loads(path.read_text())["figures"]
    assert figures["rows"] == 0
    assert figures["disk"]["per_drawing"] < 40 * 1024
    assert figures["quiet"]["p95"] > 0
    assert "rows added by 20 requests that store nothing: 0" in capsys.readouterr().out
