"""The model card: the same JSON after reading and writing, and no crash on an incomplete one."""

from __future__ import annotations

import dataclasses
import json
from datetime import datetime
from typing import Any

import pytest

from recognizer.inference.card import DataSource, ModelCard, SetMetrics, Settings, Thresholds
from recognizer.inference.classifier import BUNDLED, BundleError, Calibration
from recognizer.inference.gate_result import GateResult, GateRow, RowVerdict

STORED = json.loads((BUNDLED / "card.json").read_text(encoding="utf-8"))
ROW = GateRow(
    name="mnist validation", n=100, candidate=0.99, active=0.97, candidate_mistakes=1,
    active_mistakes=3, won=2, lost=0, must_win=False, p=1.0, p_worse=1.0, p_better=0.25,
    is_worse=False, verdict=RowVerdict.NO_WORSE,
)  # fmt: skip
GATE = GateResult(
    activate=True,
    reason="No significant regression.",
    why={"code": "no worse", "mistakes": 1, "before": 3},
    significance=0.05,
    rows=(ROW,),
    reported=(dataclasses.replace(ROW, name="mnist test"),),
)


def through_json(value: Any) -> Any:
    return json.loads(json.dumps(value))


def test_the_bundled_card_is_written_as_it_was_read() -> None:
    card = ModelCard.from_json(STORED)

    assert json.dumps(card.to_json()) == json.dumps(STORED)
    assert card.name == STORED["name"]
    assert card.created_at == datetime.fromisoformat(STORED["created"])
    assert card.settings.epochs == STORED["settings"]["epochs"]
    assert card.data["mnist"].n == 55_000
    stored = STORED["metrics"]["mnist test"]
    assert card.metrics["mnist test"].interval == tuple(stored["interval"])
    assert card.metrics["mnist test"].correct == stored["accuracy"]
    assert card.metrics["non-digits"].correct == STORED["metrics"]["non-digits"]["answered"]
    assert card.gate is not None
    assert card.gate.activate == STORED["gate"]["activate"]


def test_a_new_card_comes_back_from_json_with_all_its_fields() -> None:
    card = ModelCard(
        temperature=1.5,
        thresholds=Thresholds(0.9, 0.7),
        settings=Settings.from_json({"name": "fast", "epochs": 3, "width": 16}),
        seed=1,
        data={"labelled": DataSource(40, 10, "ab"), "generated": DataSource()},
        parent=None,
        evaluation_sets=("mnist validation",),
        metrics={"non-digits": SetMetrics(n=500, mistakes=2, refused=0.996)},
        gate=GATE,
    )

    stored = through_json(card.to_json())

    assert ModelCard.from_json(stored) == card
    assert stored["parent"] is None
    assert stored["settings"] == {"name": "fast", "epochs": 3, "width": 16}
    assert stored["data"] == {
        "labelled": {"n": 40, "held_out": 10, "sha256": "ab"},
        "generated": {},
    }
    assert stored["benches"] == ["mnist validation"]
    assert stored["metrics"]["non-digits"]["accuracy"] is None
    assert stored["gate"]["rows"][0]["bench"] == "mnist validation"


def test_a_change_is_written_over_what_was_read() -> None:
    card = ModelCard.from_json({"seed": 1, "gate": None, "kept": [1, {"a": None}]})

    changed = dataclasses.replace(card, seed=2, gate=GATE)

    assert changed.to_json() == {"seed": 2, "gate": GATE.to_json(), "kept": [1, {"a": None}]}


@pytest.mark.parametrize(
    "stored",
    [
        {},
        {"unknown": {"nested": [None, 1]}},
        {"temperature": "hot", "thresholds": [], "settings": 1, "seed": True, "data": "mnist"},
        {"metrics": None, "history": [], "versions": None, "benches": None, "created": "soon"},
        {"data": {"sets": ["mnist", "pen"], "hash": "ab"}, "metrics": {"mnist test": 0.99}},
        {"metrics": {"mnist test": {"n": "many", "accuracy": 2, "interval": [0.1]}}},
        {"gate": {"activate": True, "rows": [{"bench": "mnist"}]}},
        {"gate": {"activate": True, "rows": 3}},
    ],
)
def test_invalid_values_are_ignored_but_kept(stored: dict[str, Any]) -> None:
    card = ModelCard.from_json(stored)

    assert card == ModelCard(metrics=card.metrics, created=card.created)
    assert set(card.metrics.values()) <= {SetMetrics()}
    assert card.created_at is None
    assert card.to_json() == stored


@pytest.mark.parametrize("value", [None, [], "card", 3])
def test_a_value_that_is_no_object_is_an_empty_card(value: object) -> None:
    assert ModelCard.from_json(value) == ModelCard()


@pytest.mark.parametrize(
    ("stored", "missing"),
    [
        ({}, "no temperature above 0"),
        ({"temperature": -1}, "no temperature above 0"),
        ({"temperature": float("nan")}, "no temperature above 0"),
        ({"temperature": 1.1}, "lacks a threshold"),
        ({"temperature": 1.1, "thresholds": {"uncertain": 0.5}}, "lacks a threshold"),
    ],
)
def test_serving_needs_the_calibration(stored: dict[str, Any], missing: str) -> None:
    with pytest.raises(BundleError, match=missing):
        Calibration.from_card(ModelCard.from_json(stored))


# The gate's result ------------------------------------------------------------------------------


def test_a_gate_result_comes_back_from_json() -> None:
    stored = through_json(GATE.to_json())

    assert GateResult.from_json(stored) == GATE
    assert stored["rows"][0]["verdict"] == "no worse"
    assert [row["bench"] for row in stored["reported"]] == ["mnist test"]


def test_a_gate_result_of_older_code_is_read() -> None:
    stored = {"activate": True, "reason": "No model was active.", "rows": []}

    result = GateResult.from_json(stored)

    assert result is not None
    assert (result.activate, result.reason, result.why) == (True, "No model was active.", {})
    assert result.to_json() == stored


@pytest.mark.parametrize("value", [None, {}, [], {"activate": True}, {"activate": 1, "rows": [{}]}])
def test_an_invalid_gate_result_is_none(value: object) -> None:
    assert GateResult.from_json(value) is None
