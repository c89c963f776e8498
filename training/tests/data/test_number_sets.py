"""Rows of characters: what they show, whether their ink touches, and that they fit the canvas."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from recognizer.imaging.strokes import CANVAS, Strokes
from training.data import number_sets
from training.data.number_sets import Character, Spacing
from training.synthesis.allographs import ALLOGRAPHS, generate_digit


@pytest.fixture(scope="module")
def characters() -> list[Character]:
    rng = np.random.default_rng(1)
    return [
        (str(digit), writer, generate_digit(digit, rng, allograph=ALLOGRAPHS[digit][0]))
        for writer in range(3)
        for digit in range(10)
    ]


def dense(strokes: Strokes) -> NDArray[np.float64]:
    """Points along the strokes, a px apart."""
    return np.concatenate(
        [
            start + (end - start) * np.linspace(0, 1, 2 + int(np.hypot(*(end - start))))[:, None]
            for stroke in strokes
            for start, end in pairwise(stroke)
        ]
    )


def paper_between(row: number_sets.Row) -> list[float]:
    """Return the px of paper between neighbours where they are nearest; negative if they touch."""
    points = [dense(character) for character in row.characters]
    return [
        float(np.sqrt(((one[:, None] - other[None]) ** 2).sum(2).min())) - row.brush
        for one, other in pairwise(points)
    ]


@pytest.mark.parametrize("spacing", number_sets.SPACINGS)
def test_a_row_shows_its_text_on_the_canvas(characters: list[Character], spacing: Spacing) -> None:
    rows = number_sets.rows(characters, 12, 5, spacing)

    assert len(rows) == 12
    for row in rows:
        assert len(row.text) == len(row.characters)
        assert len(row.text) in number_sets.LENGTHS
        points = np.concatenate(row.strokes)
        assert points.min() >= 0
        assert points.max() <= CANVAS
        # The same drawing as the page would send it.
        assert len(row.pen_strokes().strokes) == len(row.strokes)


def test_characters_apart_leave_paper_between_them(characters: list[Character]) -> None:
    for row in number_sets.rows(characters, 12, 5, "apart"):
        assert not any(row.touches)
        assert min(paper_between(row)) > 0


@pytest.mark.parametrize("spacing", ["touching", "overlapping"])
def test_some_characters_touch_and_a_plain_1_never_does(
    characters: list[Character], spacing: Spacing
) -> None:
    for row in number_sets.rows(characters, 12, 5, spacing):
        assert any(row.touches)
        for touches, paper, pair in zip(
            row.touches, paper_between(row), pairwise(row.text), strict=True
        ):
            assert (paper < 0) == touches
            assert not (touches and "1" in pair)


def test_the_same_seed_makes_the_same_rows(characters: list[Character]) -> None:
    one, other = (number_sets.rows(characters, 3, 5, "apart") for _ in range(2))

    assert [row.text for row in one] == [row.text for row in other]
    assert all(
        np.array_equal(a, b)
        for x, y in zip(one, other, strict=True)
        for a, b in zip(x.strokes, y.strokes, strict=True)
    )
