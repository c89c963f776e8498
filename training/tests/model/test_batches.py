"""Frequent labels are shown less often, and nothing changes without one."""

from __future__ import annotations

import itertools
from collections import Counter

import numpy as np
import pytest
from numpy.typing import NDArray

from training.model import batches


def labels(*counts: int) -> NDArray[np.uint8]:
    return np.repeat(np.arange(len(counts)), counts).astype(np.uint8)


def shown(some: NDArray[np.uint8], rounds: int) -> list[int]:
    order = batches.endless_balanced(some, np.random.default_rng(1))
    return list(itertools.islice(order, rounds * batches.effective(some)))


@pytest.mark.parametrize("counts", [(10,) * 10, (25, *(8,) * 9), (60, 40), (20,), (1,), (99, 1)])
def test_without_a_far_more_frequent_label_all_drawings_are_shown_equally_often(
    counts: tuple[int, ...],
) -> None:
    some = labels(*counts)
    assert batches.effective(some) == len(some)
    order = batches.endless(len(some), np.random.default_rng(1))
    assert shown(some, 3) == list(itertools.islice(order, 3 * len(some)))


def test_nine_tenths_with_one_label_are_a_third_of_what_is_shown() -> None:
    some = labels(111, 9_000, *(111,) * 8)
    found = shown(some, 20)
    frequency = Counter(some[found].tolist())
    assert frequency[1] / len(found) == pytest.approx(450 / (450 + 999))
    assert {frequency[digit] for digit in (0, *range(2, 10))} == {20 * 111}
    # All 9,000 have their turn, none twice before the others.
    ones = Counter(index for index in found if some[index] == 1)
    assert len(ones) == 9_000
    assert set(ones.values()) == {1}


def test_a_single_drawing_of_a_digit_is_not_shown_all_the_time() -> None:
    some = labels(*(1,) * 9, 90)
    frequency = Counter(shown(some, 30))
    assert frequency[0] <= batches.RARELY * max(frequency[index] for index in range(9, 99))
    assert batches.limit(some) == 5


def test_no_labels_are_no_drawings() -> None:
    assert batches.effective(labels()) == 0
