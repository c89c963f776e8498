"""Shares, their intervals, and how honest confidences are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from recognizer.statistics.intervals import ConfidenceBin, Share, calibration_error, wilson
from training.evaluation import metrics


@pytest.mark.parametrize(
    ("hits", "n", "low", "high"),
    [
        # Wilson's formula worked out by hand, and as R's prop.test(correct = FALSE) has it.
        (0, 10, 0.0, 0.2775),
        (10, 10, 0.7225, 1.0),
        (97, 100, 0.9155, 0.9897),
        (1, 2, 0.0945, 0.9055),
    ],
)
def test_the_interval_of_a_share(hits: int, n: int, low: float, high: float) -> None:
    assert wilson(hits, n) == pytest.approx((low, high), abs=1e-4)


@given(st.integers(1, 10_000).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n))))
def test_an_interval_holds_its_share_and_stays_a_share(share: tuple[int, int]) -> None:
    low, high = wilson(*share)
    assert 0 <= low <= share[0] / share[1] + 1e-12
    assert share[0] / share[1] - 1e-12 <= high <= 1


def test_nothing_has_no_share() -> None:
    assert Share(0, 0).value is None
    assert Share(0, 0).interval is None
    assert calibration_error([ConfidenceBin(0, 1, Share(0, 0), None)]) is None


def test_the_calibration_error_of_bins_is_that_of_the_answers() -> None:
    rng = np.random.default_rng(3)
    confidence = rng.uniform(0.1, 1, 500)
    right = rng.random(500) < confidence**2
    index = np.minimum((confidence * 15).astype(int), 14)
    bins = [
        ConfidenceBin(
            number / 15,
            (number + 1) / 15,
            Share(int(right[index == number].sum()), int((index == number).sum())),
            float(confidence[index == number].mean()) if (index == number).any() else None,
        )
        for number in range(15)
    ]
    assert calibration_error(bins) == pytest.approx(metrics.calibration_error(confidence, right))
