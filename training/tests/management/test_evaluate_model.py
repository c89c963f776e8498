"""`manage.py evaluate_model` from outside, on small test sets."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from recognizer import imaging
from recognizer.imaging.strokes import render
from recognizer.inference.classifier import BUNDLED
from recognizer.tests.support.drawings import DrawDigit
from training.data import downloads
from training.evaluation import metrics
from training.synthesis.nondigits import generate_nondigit
from training.synthesis.strokes import place
from training.tests.small_data import write_small_data

pytestmark = pytest.mark.django_db


def evaluated(*arguments: str) -> str:
    out = StringIO()
    call_command("evaluate_model", *arguments, stdout=out)
    return out.getvalue()


def report(*arguments: str) -> Any:
    return json.loads(evaluated("--json", *arguments))


@pytest.fixture
def folder(tmp_path: Path, draw_digit: DrawDigit) -> Path:
    """Thirty digits and two crossed lines, as a tree of PNG files; one 3 lies among the 5s."""
    root = tmp_path / "tree"
    for digit in range(10):
        (root / str(digit)).mkdir(parents=True)
        for seed in range(3):
            (root / str(digit) / f"{seed}.png").write_bytes(draw_digit(digit, seed=seed))
    (root / "3" / "0.png").rename(root / "5" / "stray.png")
    return root


def test_a_folder_tree_of_images_is_evaluated(folder: Path) -> None:
    name = f"folder:{folder}"
    found = report("--on", name)["sets"][name]
    assert found["n"] == 30
    assert found["mistakes"] == 1
    assert found["accuracy"] == pytest.approx(29 / 30)
    assert found["interval"][0] < 29 / 30 < found["interval"][1]
    digits = {row["digit"]: row for row in found["by_digit"]}
    assert digits[5]["recall"] == pytest.approx(3 / 4)
    assert digits[3]["precision"] == pytest.approx(2 / 3)
    assert "96.67%" in evaluated("--on", name)


def test_an_npz_in_keras_layout_is_evaluated_and_plotted(
    tmp_path: Path, draw_digit: DrawDigit
) -> None:
    seen = [
        imaging.model_input(imaging.read_drawing(draw_digit(digit, seed=4))) for digit in range(10)
    ]
    path = tmp_path / "mine.npz"
    np.savez(path, x_test=np.stack(seen), y_test=np.arange(10))
    found = report("--on", f"npz:{path}", "--plots", str(tmp_path / "plots"))
    assert found["sets"][f"npz:{path}"]["accuracy"] == 1
    assert len(list((tmp_path / "plots").glob("*.png"))) == 4


@pytest.fixture
def with_nondigits(folder: Path) -> Path:
    """The same tree with a scribble, an empty sheet, and a 3 labelled "not a digit"."""
    (folder / "not_a_digit").mkdir()
    scribble = generate_nondigit(np.random.default_rng(1), kind="hatching")
    drawn = {
        "scribble.png": imaging.encode_png(render(place(scribble))),
        "empty.png": imaging.encode_png(np.full((280, 280), 255, np.uint8)),
        "three.png": (folder / "3" / "1.png").read_bytes(),
    }
    for name, content in drawn.items():
        (folder / "not_a_digit" / name).write_bytes(content)
    return folder


def test_non_digits_are_compared_with_the_digits(with_nondigits: Path) -> None:
    name = f"folder:{with_nondigits}"
    found = report("--on", name)
    others = found["sets"][name]["non_digits"]
    assert others["n"] == 3
    assert others["blank"] == 1
    assert others["refused"] == pytest.approx(2 / 3)
    assert others["refused_at_accepted"] == pytest.approx(2 / 3)
    assert others["interval"][0] < 2 / 3 < others["interval"][1]
    # Scribble and empty sheet score below all 30 digits; the 3 scores as digits do.
    assert 2 / 3 < others["auroc"] < 1
    assert found["digits"] == 30
    assert 0 < found["threshold_accepting_99_percent"] < 1
    said = evaluated("--on", name)
    assert "66.67%" in said
    assert "accepts 99 % of this run's 30 digits" in said


def test_plots_are_written(with_nondigits: Path, tmp_path: Path) -> None:
    plots = tmp_path / "plots"
    evaluated("--on", f"folder:{with_nondigits}", "--plots", str(plots))
    kinds = {path.name.split("-folder")[0] for path in plots.glob("*.png")}
    assert kinds == {"confusion", "reliability", "risk-coverage", "mistakes", "accepted"}


def test_without_digits_the_rejection_rate_is_still_reported(
    with_nondigits: Path, tmp_path: Path
) -> None:
    (tmp_path / "alone").mkdir()
    (with_nondigits / "not_a_digit").rename(tmp_path / "alone" / "not_a_digit")
    name = f"folder:{tmp_path / 'alone'}"
    others = report("--on", name)["sets"][name]["non_digits"]
    assert others["auroc"] is None
    assert others["refused_at_accepted"] is None
    assert "66.67%" in evaluated("--on", name)


def test_the_public_sets_are_found_in_the_data_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DIGIT_DATA_DIR", str(write_small_data(tmp_path / "data")))
    monkeypatch.setattr(downloads, "CACHE", tmp_path / "cache")
    found = report("--on", "mnist,pen")["sets"]
    assert {name: row["n"] for name, row in found.items()} == {
        "mnist test": 20,
        **{f"pen {name}": 12 for name in ("centred", "small", "large", "thin", "wild")},
    }
    assert min(row["accuracy"] for row in found.values()) > 0.8


def test_two_models_are_compared(folder: Path) -> None:
    name = f"folder:{folder}"
    found = report(str(BUNDLED), "--against", str(BUNDLED), "--on", name)
    assert found["sets"][name]["comparison"] == {
        "mistakes": 1, "right_only_here": 0, "right_only_there": 0, "p": 1.0,
    }  # fmt: skip
    assert "McNemar" in evaluated(str(BUNDLED), "--against", str(BUNDLED), "--on", name)


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--on", "emnist"], "unknown set 'emnist'"),
        (["--on", "npz:"], "unknown set"),
        (["--on", ","], "no test set"),
        (["--on", "npz:nowhere.npz"], "no such file: nowhere.npz"),
        (["--on", "folder:nowhere"], "no such folder: nowhere"),
        (["nowhere"], "no model version and no folder called nowhere"),
    ],
)
def test_bad_options_are_rejected(arguments: list[str], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        evaluated(*arguments)


def test_files_that_are_not_images_are_named(folder: Path) -> None:
    (folder / "7" / "note.txt").write_text("hello")
    with pytest.raises(CommandError, match=r"note\.txt: This is not an image"):
        evaluated("--on", f"folder:{folder}")


def test_auroc_is_the_probability_of_ranking_correctly() -> None:
    digits, others = np.array([0.9, 0.8, 0.4]), np.array([0.1, 0.4])
    # Of six pairs five are ranked right and one is a tie.
    assert metrics.auroc(digits, others) == pytest.approx(5.5 / 6)
