"""The gate passes a model that is better on labels and nowhere worse, and says why."""

from __future__ import annotations

import json

import numpy as np
import pytest
from numpy.typing import NDArray

from recognizer.inference.gate_result import GateResult, GateSuspect, RowVerdict
from training.evaluation.gate import (
    ACCEPTED,
    LABELLED,
    NON_DIGITS,
    TOGETHER,
    compare,
    decide,
)


def correct(n: int, *wrong: int) -> NDArray[np.bool_]:
    answers = np.ones(n, bool)
    answers[list(wrong)] = False
    return answers


def test_the_first_model_passes() -> None:
    assert decide({"mnist": correct(10, 1)}, None).activate


def test_without_labels_an_equal_and_a_better_model_pass() -> None:
    assert decide({"mnist": correct(10, 1)}, {"mnist": correct(10, 2)}).activate
    assert decide({"mnist": correct(10)}, {"mnist": correct(10, 2)}).activate


def test_without_labels_a_model_that_is_worse_in_all_does_not_pass() -> None:
    decision = decide({"mnist": correct(99, 1, 2)}, {"mnist": correct(99, 1)})
    assert not decision.activate
    assert "More mistakes in total: 2, active model 1" in decision.reason


def test_a_model_that_is_significantly_worse_on_one_set_does_not_pass() -> None:
    candidate = {"mnist": correct(99), "non-digits": correct(99, *range(5)), LABELLED: correct(9)}
    active = {"mnist": correct(99, *range(50)), "non-digits": correct(99), LABELLED: correct(9, 1)}
    decision = decide(candidate, active)
    assert not decision.activate
    assert "Significantly worse on non-digits (5 mistakes, active model 0)" in decision.reason


def test_a_regression_too_small_for_any_single_set_shows_in_all_of_them_together() -> None:
    sets = ("mnist", "generated", "non-digits")
    candidate = {**dict.fromkeys(sets, correct(99, 1, 2)), LABELLED: correct(9)}
    active = {**dict.fromkeys(sets, correct(99)), LABELLED: correct(9, 1)}
    decision = decide(candidate, active)
    assert not decision.activate
    assert f"{TOGETHER} (6 mistakes, active model 0)" in decision.reason


def test_thresholds_that_refuse_more_digits_do_not_pass() -> None:
    candidate = {"mnist": correct(99), ACCEPTED: correct(99, *range(9)), LABELLED: correct(9)}
    active = {"mnist": correct(99), ACCEPTED: correct(99, 0), LABELLED: correct(9, 1)}
    decision = decide(candidate, active)
    assert not decision.activate
    assert ACCEPTED in decision.reason


@pytest.mark.parametrize("n", [1, 4, 20])
def test_with_labels_a_model_must_be_better_on_those_held_out(n: int) -> None:
    elsewhere = {"mnist": correct(99, 1, 2)}
    better = decide({**elsewhere, LABELLED: correct(n)}, {**elsewhere, LABELLED: correct(n, 0)})
    assert better.activate
    assert f"on the {n} held-out labelled drawings (0, active model 1, p 0.500)" in better.reason

    equal = decide(
        {"mnist": correct(99), LABELLED: correct(n, 0)}, {**elsewhere, LABELLED: correct(n, 0)}
    )
    assert not equal.activate
    assert "Not fewer mistakes" in equal.reason
    assert "1, active model 1" in equal.reason

    perfect = decide({**elsewhere, LABELLED: correct(n)}, {**elsewhere, LABELLED: correct(n)})
    assert not perfect.activate
    assert "The active model makes no mistakes" in perfect.reason


def test_a_few_more_mistakes_elsewhere_may_be_chance_if_labels_improve() -> None:
    candidate = {"mnist": correct(99, 1, 2, 3), LABELLED: correct(20)}
    active = {"mnist": correct(99, 3, 4), LABELLED: correct(20, 7)}
    assert decide(candidate, active).activate


def test_a_model_trained_on_labels_does_not_pass_if_none_is_held_out() -> None:
    answers = {"mnist": correct(99)}
    decision = decide(answers, answers, learnt_from_labels=True)
    assert not decision.activate
    assert "Label a few more" in decision.reason


def test_what_the_active_model_was_measured_on_must_be_measured() -> None:
    answers = {"generated": correct(10)}
    decision = decide(answers, answers, must_measure=frozenset({"generated", "mnist"}))
    assert not decision.activate
    assert "not available here: mnist" in decision.reason


def test_a_row_has_the_p_values_of_the_exact_binomial_test() -> None:
    # 5 lost, 1 won: P(X >= 5 | n = 6, p = 1/2) = 7/64.
    row = compare("mnist", correct(9, 1, 2, 3, 4, 5), correct(9, 6))
    assert (row.won, row.lost) == (1, 5)
    assert row.p_worse == 7 / 64
    assert row.p_better == 63 / 64
    assert row.verdict is RowVerdict.NO_WORSE
    same = compare("mnist", correct(9), correct(9))
    assert same.p_worse == same.p_better == 1


def test_the_stored_table_has_both_models_side_by_side() -> None:
    candidate = {"mnist": correct(99, 1), LABELLED: correct(20, 3)}
    active = {"mnist": correct(99, 1), LABELLED: correct(20, 3, 4, 5)}
    reported = [compare("mnist test", correct(50, 1), correct(50, 2))]
    kept = json.loads(json.dumps(decide(candidate, active, reported=reported).to_json()))
    assert kept["activate"] is True
    assert kept["reason"].startswith("Fewer mistakes on the 20 held-out labelled drawings")
    labelled = next(row for row in kept["rows"] if row["bench"] == LABELLED)
    assert labelled["n"] == 20
    assert (labelled["candidate_mistakes"], labelled["active_mistakes"]) == (1, 3)
    assert labelled["p"] == labelled["p_better"] == 1 / 4
    assert labelled["verdict"] == "better"
    assert [row["bench"] for row in kept["reported"]] == ["mnist test"]


@pytest.mark.parametrize(("lost", "activate"), [(10, True), (11, False)])
def test_a_loss_of_a_tenth_of_a_percentage_point_stops_nothing(lost: int, activate: bool) -> None:
    candidate = {"mnist": correct(10_000, *range(lost)), LABELLED: correct(9)}
    active = {"mnist": correct(10_000), LABELLED: correct(9, 1)}
    assert decide(candidate, active).activate is activate


def test_held_out_labels_that_look_wrong_are_named_and_count_all_the_same() -> None:
    answers = {LABELLED: correct(20, 3)}
    named = [GateSuspect("a-drawing", label=1, likely=7)]

    decision = decide(answers, {LABELLED: correct(20, 3, 4)}, suspects=named)

    stored = GateResult.from_json(json.loads(json.dumps(decision.to_json())))
    assert stored is not None
    assert [(each.id, each.label, each.likely) for each in stored.suspects] == [("a-drawing", 1, 7)]
    assert (stored.rows[0].n, stored.rows[0].candidate_mistakes) == (20, 1)


@pytest.mark.parametrize(
    ("non_digits_lost", "digits_gained", "passes"),
    [
        (8, 30, True),
        # Fewer than twice as many points
        (8, 12, False),
        # More than one point of the non-digits
        (12, 90, False),
    ],
)
def test_digits_accepted_outweigh_a_few_non_digits(
    non_digits_lost: int, digits_gained: int, passes: bool
) -> None:
    candidate = {
        ACCEPTED: correct(1000),
        NON_DIGITS: correct(1000, *range(non_digits_lost)),
        LABELLED: correct(9),
    }
    active = {
        ACCEPTED: correct(1000, *range(digits_gained)),
        NON_DIGITS: correct(1000),
        LABELLED: correct(9, 1),
    }

    decision = decide(candidate, active)

    assert decision.activate is passes
    verdicts = {row.name: row.verdict for row in decision.rows}
    assert verdicts[NON_DIGITS] is (RowVerdict.OUTWEIGHED if passes else RowVerdict.WORSE)
    assert GateResult.from_json(json.loads(json.dumps(decision.to_json()))) == decision
