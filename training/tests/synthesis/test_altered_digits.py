"""Altered digits must not look like digits to a person."""

import numpy as np
import pytest

from training.synthesis.allographs import generate_digit
from training.synthesis.altered_digits import TURNS, crossed_out, side_by_side, turned
from training.synthesis.handwriting import Stroke
from training.synthesis.lookalike_filter import resembles_a_digit


def rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def box(strokes: list[Stroke]) -> tuple[Stroke, Stroke]:
    """Return the least and the greatest x and y, (2,) each."""
    points = np.concatenate(strokes)
    return points.min(0), points.max(0)


def test_digits_side_by_side_keep_their_order_and_strokes() -> None:
    generator = rng(1)
    for _ in range(50):
        pair = [generate_digit(int(d), generator) for d in generator.integers(2, 10, 2)]
        # Pen strokes come in the tablet's units, not in a unit box.
        row = side_by_side([[stroke * 400 - 30 for stroke in digit] for digit in pair], generator)

        assert [len(stroke) for stroke in row] == [
            len(stroke) for digit in pair for stroke in digit
        ]
        left, right = row[: len(pair[0])], row[len(pair[0]) :]
        assert box(left)[0][0] < box(right)[0][0]
        assert box(right)[0][0] > box(left)[1][0] - 0.1


def test_some_touch_and_some_stand_apart() -> None:
    generator = rng(2)
    gaps = []
    for _ in range(80):
        row = [generate_digit(0, generator, allograph="closed") for _ in range(2)]
        placed = side_by_side(row, generator)
        first = len(row[0])
        gaps.append(float(box(placed[first:])[0][0] - box(placed[:first])[1][0]))

    assert min(gaps) < 0
    assert max(gaps) > 0.3


def test_a_narrow_digit_never_touches_its_neighbour() -> None:
    generator = rng(3)
    stick = [np.array([[0.5, 0.0], [0.5, 1.0]])]
    for _ in range(60):
        placed = side_by_side([stick, generate_digit(3, generator)], generator)
        assert box(placed[1:])[0][0] - box(placed[:1])[1][0] > 0.05


def test_a_crossed_out_digit_is_covered_completely() -> None:
    generator = rng(4)
    for count in range(60):
        digit = generate_digit(count % 10, generator)
        strokes = crossed_out([stroke * 90 + 7 for stroke in digit], generator)
        over = strokes[len(digit) :]

        assert over
        (low, high), (left, right) = box(over), box(strokes[: len(digit)])
        assert (high - low >= 0.75 * (right - left)).all()


def test_rotated_and_mirrored_digits_are_not_digits() -> None:
    generator = rng(5)
    kept = 0
    for digit in TURNS:
        for _ in range(20):
            strokes = turned(digit, generate_digit(digit, generator), generator)
            if strokes is not None:
                kept += 1
                assert not resembles_a_digit(strokes)

    assert kept > 20


def test_a_zero_cannot_be_rotated_into_a_non_digit() -> None:
    with pytest.raises(KeyError):
        turned(0, generate_digit(0, rng()), rng())
