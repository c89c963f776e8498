"""The gate lets a model through that reads labels better and nothing worse, and says why."""

from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.typing import NDArray

from recognizer.inference.gate_result import RowVerdict
from training.evaluation.gate import ACCEPTED, LABELLED, TOGETHER, compare, decide


def right(n: int, *wrong: int) -> NDArray[np.bool_]:
    answers = np.ones(n, bool)
    answers[list(wrong)] = False
    return answers


def test_the_first_model_passes() -> None:
    assert decide({"mnist": right(10, 1)}, None).activate


def test_without_labels_an_equal_and_a_better_model_pass() -> None:
    assert decide({"mnist": right(10, 1)}, {"mnist": right(10, 2)}).activate
    assert decide({"mnist": right(10)}, {"mnist": right(10, 2)}).activate


def test_without_labels_a_model_that_is_worse_in_all_does_not_pass() -> None:
    decision = decide({"mnist": right(99, 1, 2)}, {"mnist": right(99, 1)})
    assert not decision.activate
    assert "more mistakes in all: 2, the active model 1" in decision.reason


def test_a_model_that_is_worse_beyond_chance_on_one_bench_does_not_pass() -> None:
    candidate = {"mnist": right(99), "non-digits": right(99, *range(5)), LABELLED: right(9)}
    active = {"mnist": right(99, *range(50)), "non-digits": right(99), LABELLED: right(9, 1)}
    decision = decide(candidate, active)
    assert not decision.activate
    assert "worse beyond chance on non-digits (mistakes: 5 against 0)" in decision.reason


def test_harm_that_no_bench_shows_alone_is_seen_in_all_of_them_together() -> None:
    benches = ("mnist", "generated", "non-digits")
    candidate = {**dict.fromkeys(benches, right(99, 1, 2)), LABELLED: right(9)}
    active = {**dict.fromkeys(benches, right(99)), LABELLED: right(9, 1)}
    decision = decide(candidate, active)
    assert not decision.activate
    assert f"{TOGETHER} (mistakes: 6 against 0)" in decision.reason


def test_thresholds_that_refuse_more_digits_do_not_pass() -> None:
    candidate = {"mnist": right(99), ACCEPTED: right(99, *range(9)), LABELLED: right(9)}
    active = {"mnist": right(99), ACCEPTED: right(99, 0), LABELLED: right(9, 1)}
    decision = decide(candidate, active)
    assert not decision.activate
    assert ACCEPTED in decision.reason


@pytest.mark.parametrize("n", [1, 4, 20])
def test_with_labels_a_model_must_be_better_on_those_held_out(n: int) -> None:
    elsewhere = {"mnist": right(99, 1, 2)}
    better = decide({**elsewhere, LABELLED: right(n)}, {**elsewhere, LABELLED: right(n, 0)})
    assert better.activate
    assert f"labelled drawings (n {n}, mistakes: 0 against 1, p 0.500)" in better.reason

    equal = decide(
        {"mnist": right(99), LABELLED: right(n, 0)}, {**elsewhere, LABELLED: right(n, 0)}
    )
    assert not equal.activate
    assert "not better" in equal.reason
    assert "mistakes: 1 against 1" in equal.reason

    perfect = decide({**elsewhere, LABELLED: right(n)}, {**elsewhere, LABELLED: right(n)})
    assert not perfect.activate
    assert "The active model makes no mistake" in perfect.reason


def test_a_few_more_mistakes_elsewhere_are_chance_where_the_labels_are_read_better() -> None:
    candidate = {"mnist": right(99, 1, 2, 3), LABELLED: right(20)}
    active = {"mnist": right(99, 3, 4), LABELLED: right(20, 7)}
    assert decide(candidate, active).activate


def test_what_learnt_from_labels_is_not_let_through_where_none_is_held_out() -> None:
    answers = {"mnist": right(99)}
    decision = decide(answers, answers, learnt_from_labels=True)
    assert not decision.activate
    assert "label a few more" in decision.reason


def test_what_the_active_model_was_measured_on_must_be_measured() -> None:
    answers = {"generated": right(10)}
    decision = decide(answers, answers, must_measure=frozenset({"generated", "mnist"}))
    assert not decision.activate
    assert "mnist, which is not here" in decision.reason


def test_a_row_says_what_the_exact_binomial_test_does() -> None:
    # 5 lost, 1 won: P(X >= 5 | n = 6, p = 1/2) = 7/64.
    row = compare("mnist", right(9, 1, 2, 3, 4, 5), right(9, 6))
    assert (row.won, row.lost) == (1, 5)
    assert row.p_worse == 7 / 64
    assert row.p_better == 63 / 64
    assert row.verdict is RowVerdict.NO_WORSE
    same = compare("mnist", right(9), right(9))
    assert same.p_worse == same.p_better == 1


def test_the_table_is_kept_with_both_models_side_by_side() -> None:
    candidate = {"mnist": right(99, 1), LABELLED: right(20, 3)}
    active = {"mnist": right(99, 1), LABELLED: right(20, 3, 4, 5)}
    reported = [compare("mnist test", right(50, 1), right(50, 2))]
    kept = json.loads(json.dumps(decide(candidate, active, reported=reported).to_json()))
    assert kept["activate"] is True
    assert kept["reason"].startswith("Better on the held-out labelled drawings (n 20")
    labelled = next(row for row in kept["rows"] if row["bench"] == LABELLED)
    assert labelled["n"] == 20
    assert (labelled["candidate_mistakes"], labelled["active_mistakes"]) == (1, 3)
    assert labelled["p"] == labelled["p_better"] == 1 / 4
    assert labelled["verdict"] == "better"
    assert [row["bench"] for row in kept["reported"]] == ["mnist test"]
