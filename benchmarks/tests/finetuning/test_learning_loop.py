"""The learning loop runs over HTTP, the queue, exports and commands, on little data."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from benchmarks.finetuning import learning_loop
from benchmarks.finetuning.handwriting_styles import STYLES
from recognizer.tests.support import bundled_model
from training.data.datasets import PenDigit
from training.synthesis.allographs import generate_digit
from training.tests.small_data import write_small_data


def test_the_loop_runs_and_finished_styles_are_not_run_again(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("DIGIT_DATA_DIR", str(write_small_data(tmp_path / "data")))
    path, plot = tmp_path / "reports" / "loop.json", tmp_path / "docs" / "loop.png"
    options = ["--quick", "--styles", "slab", "--json", str(path), "--plot", str(plot)]

    learning_loop.main([*options, "--labels", "0,4"])

    before, after = json.loads(path.read_text())["figures"]["slab"]
    assert (before["labels"], after["labels"]) == (0, 4)
    assert before["model"] == bundled_model.NAME
    assert before["n"] == after["n"] == 2
    assert after["others_n"] == 6
    assert after["mnist_n"] == 20
    assert after["trained_on"] == "database"
    # At most one of the four was held out. The quality checks always give a reason.
    activated = after["gate"].startswith("Activated.")
    assert after["model"] == ("labels-4" if activated else bundled_model.NAME)
    with Image.open(plot) as picture:
        assert picture.width > 800
    assert plot.stat().st_size < 100_000
    said = capsys.readouterr().out
    assert "misclassified" in said

    learning_loop.main([*options, "--labels", "0,4"])
    assert "slab: 0 labels" not in capsys.readouterr().out
    with pytest.raises(SystemExit, match="other settings"):
        learning_loop.main([*options, "--labels", "0,2"])


def test_an_unknown_style_is_rejected() -> None:
    with pytest.raises(SystemExit, match=r"Unknown: left\. Styles are turned, narrow"):
        learning_loop.main(["--styles", "left"])


@pytest.mark.parametrize("name", sorted(STYLES))
def test_a_style_draws_every_digit_differently(name: str) -> None:
    rng = np.random.default_rng(3)
    digits = [PenDigit(generate_digit(digit, rng), digit, 25) for digit in range(10)]
    drawn = [STYLES[name].draw(digit, np.random.default_rng(1)) for digit in digits]
    assert len(set(drawn)) == 10
    assert drawn == [STYLES[name].draw(digit, np.random.default_rng(1)) for digit in digits]


def test_the_writers_that_are_labelled_and_measured_were_never_trained_on() -> None:
    from training.data.datasets import HELD_OUT_WRITERS

    writers = {*learning_loop.LABELLED_WRITERS, *learning_loop.OTHER_WRITERS}
    assert writers == set(HELD_OUT_WRITERS)
    assert len(writers) == 6
