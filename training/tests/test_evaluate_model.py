"""`manage.py evaluate_model` from the outside, on sets of one's own."""

from __future__ import annotations

import json
from io import StringIO
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command

from recognizer.classifier import BUNDLED
from recognizer.tests.drawings import DrawDigit
from training import evaluate

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


def test_a_tree_of_images_is_measured(folder: Path) -> None:
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


def test_an_npz_in_keras_layout_is_measured_and_drawn(
    tmp_path: Path, draw_digit: DrawDigit
) -> None:
    from recognizer import imaging

    seen = [
        imaging.model_input(imaging.read_drawing(draw_digit(digit, seed=4))) for digit in range(10)
    ]
    path = tmp_path / "mine.npz"
    np.savez(path, x_test=np.stack(seen), y_test=np.arange(10))
    found = report("--on", f"npz:{path}", "--plots", str(tmp_path / "plots"))
    assert found["sets"][f"npz:{path}"]["accuracy"] == 1
    assert len(list((tmp_path / "plots").glob("*.png"))) == 4


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
        (["--on", ","], "no set to measure on"),
        (["--on", "npz:nowhere.npz"], "no such file: nowhere.npz"),
        (["--on", "folder:nowhere"], "no such folder: nowhere"),
        (["nowhere"], "no model version and no folder called nowhere"),
    ],
)
def test_bad_options_are_refused(arguments: list[str], says: str) -> None:
    with pytest.raises(CommandError, match=says):
        evaluated(*arguments)


def test_files_that_are_no_images_are_named(folder: Path) -> None:
    (folder / "7" / "note.txt").write_text("hello")
    with pytest.raises(CommandError, match=r"note\.txt: This is not an image"):
        evaluated("--on", f"folder:{folder}")


def test_the_area_under_the_curve_is_the_chance_to_rank_right() -> None:
    digits, others = np.array([0.9, 0.8, 0.4]), np.array([0.1, 0.4])
    # Of six pairs five are ranked right and one is a tie.
    assert evaluate.auroc(digits, others) == pytest.approx(5.5 / 6)
