"""Drawings that look like a digit are detected, as they must not be labelled "not a digit"."""

import os
from pathlib import Path

import numpy as np
import pytest

from training.data import datasets
from training.synthesis.allographs import ALLOGRAPHS, generate_digit
from training.synthesis.handwriting import Stroke, figure, unit_box, write
from training.synthesis.lookalike_filter import resembles_a_digit

real = pytest.mark.skipif(
    "DIGIT_DATA_DIR" not in os.environ, reason="DIGIT_DATA_DIR does not name the data sets"
)


def drawn(*strokes: str, seed: int = 0) -> list[Stroke]:
    return write(figure(strokes), np.random.default_rng(seed))


@pytest.mark.parametrize("digit", range(10))
def test_every_allograph_of_a_digit_is_detected(digit: int) -> None:
    rng = np.random.default_rng(digit)
    written = [
        generate_digit(digit, rng, allograph=name) for name in ALLOGRAPHS[digit] for _ in range(12)
    ]

    assert np.mean([resembles_a_digit(strokes) for strokes in written]) >= 0.95


@real
def test_real_digits_are_detected() -> None:
    pen = datasets.training_writers(
        datasets.read_pen(Path(os.environ["DIGIT_DATA_DIR"]) / "pendigits-orig.tra")
    )
    chosen = np.random.default_rng(0).permutation(len(pen))[:600]
    found = [resembles_a_digit(unit_box(pen[index].strokes)) for index in chosen]

    assert np.mean(found) >= 0.8


@pytest.mark.parametrize(
    "strokes",
    [
        ("0,1 .2,.5 !.4,0 .6,.5 .8,1", ".15,.6 .4,.6 .65,.6"),  # A
        ("0,0 0,.5 0,1", ".6,0 .6,.5 .6,1", "0,.5 .3,.5 .6,.5"),  # H
        ("0,0 .5,.5 1,1", "1,0 .5,.5 0,1"),  # X
        ("0,0 .18,.24 .35,.48", ".7,0 .35,.48 .34,.74 .34,1"),  # Y
        ("0,0 .1,.5 !.25,1 .4,.5 !.5,.3 .6,.6 !.75,1 .9,.5 1,0",),  # W
        ("0,.5 .5,.5 1,.5",),  # a line across
    ],
)
def test_plain_letters_and_horizontal_lines_are_not_detected(strokes: tuple[str, ...]) -> None:
    found = [resembles_a_digit(drawn(*strokes, seed=seed)) for seed in range(20)]

    assert np.mean(found) <= 0.25


@pytest.mark.parametrize(
    "strokes",
    [
        (".02,0 0,.5 0,1",),  # 1
        ("0,1 .2,.5 .35,0",),  # 1, leaning
        (".1,0 0,.5 .1,1",),  # 1, bowed
        ("@.5,.5,.4,.45,-90,-450,9",),  # 0
        ("!0,0 0,.5 !0,1 .3,1 !.6,1 .6,.5 !.6,0 .3,0 !0,0",),  # 0 with corners
        ("0,0 .35,0 !.7,0 .7,.5 .7,1",),  # 7 with a right angle
    ],
)
def test_sticks_rings_and_angular_digits_are_detected(strokes: tuple[str, ...]) -> None:
    found = [resembles_a_digit(drawn(*strokes, seed=seed)) for seed in range(20)]

    assert np.mean(found) >= 0.9


def test_size_and_position_do_not_matter() -> None:
    rng = np.random.default_rng(4)
    for digit in range(10):
        strokes = generate_digit(digit, rng)
        moved = [stroke * 1.02 + 3.0 for stroke in strokes]
        assert resembles_a_digit(moved) == resembles_a_digit(strokes)
