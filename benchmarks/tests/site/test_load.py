"""The load benchmark measures the site and the no-op view; how fast they are is not tested."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from benchmarks.site import load


@pytest.mark.skipif(os.name != "posix", reason="gunicorn runs on Unix")
def test_it_measures_and_writes_its_part_of_the_document(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    document, path = tmp_path / "performance.md", tmp_path / "load.json"
    marks = f"<!-- {load.MODULE}: {load.PART} -->", f"<!-- end of {load.PART} -->"
    document.write_text(f"before\n{marks[0]}\nold\n{marks[1]}\nafter\n")
    monkeypatch.setattr(load, "DOCUMENT", document)
    monkeypatch.setattr(load, "STARTS", 1)
    # The demo takes half a minute to start.
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)

    load.main(
        ["--seconds", "0.1", "--rounds", "1", "--requests", "4", "--json", str(path), "--write"]
    )

    figures = json.loads(path.read_text())["figures"]
    for target in (load.OURS, load.WITH_COOKIE, load.NO_OP, load.PREVIEWS):
        for clients in load.CLIENTS:
            found = figures["load"][target][str(clients)]
            assert found["per_second"] > 0
            assert found["failed"] == 0
    assert figures["rest"]["worker, MB"] > 0
    written = document.read_text()
    assert written.startswith(f"before\n{marks[0]}\n")
    assert written.endswith(f"{marks[1]}\nafter\n")
    assert "start to first answer" in written
    assert load.NO_OP in capsys.readouterr().out
