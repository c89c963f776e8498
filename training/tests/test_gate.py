"""The gate lets a model through that is no worse, and says why."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from training.gate import decide, p_worse


def right(n: int, *wrong: int) -> NDArray[np.bool_]:
    answers = np.ones(n, bool)
    answers[list(wrong)] = False
    return answers


def test_the_first_model_passes() -> None:
    assert decide({"mnist": right(10, 1)}, None).activate


def test_an_equal_and_a_better_model_pass() -> None:
    assert decide({"mnist": right(10, 1)}, {"mnist": right(10, 2)}).activate
    assert decide({"mnist": right(10)}, {"mnist": right(10, 2)}).activate


def test_a_model_that_is_worse_in_all_does_not_pass() -> None:
    decision = decide({"mnist": right(99, 1, 2)}, {"mnist": right(99, 1)})
    assert not decision.activate
    assert "2 mistakes in all, the active model 1" in decision.reason


def test_a_model_that_is_worse_beyond_chance_on_one_bench_does_not_pass() -> None:
    candidate = {"mnist": right(99), "labelled": right(99, *range(5))}
    active = {"mnist": right(99, *range(50)), "labelled": right(99)}
    decision = decide(candidate, active)
    assert not decision.activate
    assert "worse beyond chance on labelled" in decision.reason


def test_what_the_active_model_was_measured_on_must_be_measured() -> None:
    answers = {"generated": right(10)}
    decision = decide(answers, answers, frozenset({"generated", "mnist"}))
    assert not decision.activate
    assert "mnist, which is not here" in decision.reason


def test_the_p_value_is_that_of_the_exact_binomial_test() -> None:
    # 5 lost, 1 won: P(X >= 5 | n = 6, p = 1/2) = 7/64.
    assert p_worse(right(9, 1, 2, 3, 4, 5), right(9, 6)) == 7 / 64
    assert p_worse(right(9), right(9)) == 1
