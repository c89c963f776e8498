"""The benchmark of the review queue runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.site import review_queue


def test_it_measures_every_step_of_a_reviewer(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "times.json"

    review_queue.main(["--rows", "800", "--rounds", "1", "--on", "sqlite", "--json", str(path)])

    (times,) = json.loads(path.read_text())["figures"]["ms"]["sqlite"].values()
    steps = ["the page", *(f"first 24 drawings, {order}" for order in review_queue.ORDERS)]
    assert list(times) == [*steps, "9 more drawings", "a label"]
    table = capsys.readouterr().out
    assert all(step in table for step in times)
