"""Whether an answer was right: one rule for list, insights, comparison, export and gate."""

from __future__ import annotations

import dataclasses
import itertools

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone

from recognizer.inference.classifier import Calibration
from recognizer.models import Label, Prediction, Verdict, VersionAnswer, correctness
from recognizer.predictions import selectors
from recognizer.statistics import accuracy
from recognizer.tests.support.reviewing import LIST, make_prediction, make_version
from recognizer.versions import comparison
from training.data.datasets import Data
from training.evaluation.metrics import Outcome

pytestmark = pytest.mark.django_db

CASES = list(itertools.product(Label, (3, 4), (Verdict.DIGIT, Verdict.NOT_A_DIGIT)))


def test_the_function_the_condition_and_the_gate_agree() -> None:
    logits = np.zeros((len(CASES), 11), np.float32)
    for number, (label, digit, verdict) in enumerate(CASES):
        make_prediction(digit, label=label.value, verdict=verdict)
        logits[number, digit] = 5
        logits[number, 10] = 20 if verdict is Verdict.NOT_A_DIGIT else -20
    labels = np.array([label.value for label, _digit, _verdict in CASES])
    data = Data("labelled", np.ones((len(CASES), 28, 28), np.uint8), labels)
    gate = Outcome(data, logits, Calibration(temperature=1, not_a_digit=0.5, uncertain=0)).answered

    by_function = [
        correctness.is_correct(label=label, digit=digit, verdict=verdict)
        for label, digit, verdict in CASES
    ]

    assert by_function == gate.tolist()
    assert by_function.count(True) == sum(by_function) > 0
    correct = set(Prediction.objects.correct().values_list("label", "digit", "verdict"))
    misclassified = set(Prediction.objects.misclassified().values_list("label", "digit", "verdict"))
    expected = {case for case, is_correct in zip(CASES, by_function, strict=True) if is_correct}
    assert correct == expected
    assert misclassified == set(CASES) - expected


def test_an_unlabelled_drawing_is_neither_correct_nor_misclassified() -> None:
    assert make_prediction(3).is_correct is None

    assert not Prediction.objects.correct().exists()
    assert not Prediction.objects.misclassified().exists()


def test_a_rejected_digit_is_misclassified_everywhere(
    admin_client: Client,
) -> None:
    row = make_prediction(3, label=3, verdict="not_a_digit")
    old, new = row.model_version, make_version("accepts")
    for version, verdict in ((old, Verdict.NOT_A_DIGIT), (new, Verdict.DIGIT)):
        VersionAnswer.objects.create(
            version=version,
            prediction=row,
            digit=3,
            confidence=0.9,
            verdict=verdict,
            answered_at=timezone.now(),
        )

    def listed(outcome: str) -> list[Prediction]:
        page = admin_client.get(LIST, {"outcome": outcome})
        return list(page.context["cl"].result_list)

    # The list, its filter and the export
    assert listed("right") == []
    assert listed("wrong") == [row]
    page = admin_client.get(LIST).content.decode()
    assert "✗ misclassified" in page
    assert '<td class="field-answer">?</td>' in page
    assert selectors.labelled_drawings(only_mistakes=True).exists()
    assert selectors.labelled_drawings(include_confirmed=False).exists()
    # The insights
    share = accuracy.accuracy(accuracy.cells(since=None), accuracy.Basis.LABELLED)
    assert (share.hits, share.n) == (0, 1)
    # The comparison's totals, its directions and the ticks beside the drawings
    for one, other, fixed in ((old, new, 1), (new, old, 0)):
        totals = comparison.summary(one=one, other=other)
        assert (totals.changed, totals.fixed, totals.broken) == (1, fixed, 1 - fixed)
        (direction,) = comparison.transitions(one=one, other=other)
        assert (direction.n, direction.fixed, direction.broken) == (1, fixed, 1 - fixed)
        compared = admin_client.get(
            "/admin/recognizer/modelversion/compare/", {"one": one.pk, "other": other.pk}
        )
        outcome = "fixed" if fixed else "broken"
        assert [drawing.outcome for drawing in compared.context["changed"]] == [outcome]
        assert dataclasses.asdict(compared.context["comparison"]) == dataclasses.asdict(totals)
