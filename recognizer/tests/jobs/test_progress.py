"""What a training stores in its job: progress and result, there and back."""

from __future__ import annotations

import json

import pytest

from recognizer.inference.gate_result import GateResult
from recognizer.jobs.job_result import JobResult
from recognizer.jobs.progress import Download, JobProgress, Phase

GATE = GateResult(True, "No model was active.", {"code": "no active model"}, 0.05, ())


def test_progress_stores_only_what_is_known() -> None:
    progress = JobProgress(phase=Phase.PREPARING, download=Download("mnist.npz", 5, 10))

    stored = json.loads(json.dumps(progress.to_json()))

    assert stored == {
        "phase": "preparing",
        "download": {"name": "mnist.npz", "done": 5, "total": 10},
    }
    assert JobProgress.from_json(stored) == progress
    assert JobProgress().to_json() == {}


def test_progress_in_the_middle_of_a_training_comes_back() -> None:
    progress = JobProgress(
        phase=Phase.TRAINING, epochs=8, epoch=3, step=50, steps=100, loss=0.04,
        accuracies=(0.95, 0.99), seconds_left=330,
    )  # fmt: skip

    assert JobProgress.from_json(json.loads(json.dumps(progress.to_json()))) == progress
    assert progress.percent == 31


@pytest.mark.parametrize(
    "stored",
    [
        None,
        {},
        {"phase": "dreaming"},
        {"phase": [], "download": [], "epochs": "8", "accuracies": 0.9},
        {"download": {"name": "mnist.npz"}, "loss": "low", "accuracies": ["high", 7]},
    ],
)
def test_progress_that_can_not_be_read_is_empty(stored: object) -> None:
    progress = JobProgress.from_json(stored)

    assert progress == JobProgress()
    assert progress.percent is None


@pytest.mark.parametrize("missing", ["epochs", "epoch", "step", "steps"])
def test_there_is_no_percentage_without_all_counts(missing: str) -> None:
    stored = {"epochs": 8, "epoch": 3, "step": 50, "steps": 100}

    assert JobProgress.from_json({**stored, missing: None}).percent is None


def test_a_result_comes_back() -> None:
    result = JobResult(candidate="new", active=None, activated=True, gate=GATE)

    stored = json.loads(json.dumps(result.to_json()))

    assert stored == {
        "candidate": "new", "active": None, "activated": True, "gate": GATE.to_json(),
    }  # fmt: skip
    assert JobResult.from_json(stored) == result


@pytest.mark.parametrize("stored", [None, {}, {"candidate": "new"}, {"gate": {}}])
def test_a_job_without_a_gate_has_no_result(stored: object) -> None:
    assert JobResult.from_json(stored) is None
