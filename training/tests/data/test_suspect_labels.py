"""Labels that look wrong among those of a training."""

from __future__ import annotations

import numpy as np
import pytest

from recognizer.labelling import labels as labelling_labels
from recognizer.labelling import suspects
from recognizer.models import ModelVersion, Owner, Prediction
from recognizer.predictions import recognition
from recognizer.tests.support.drawings import digit_png
from training.data import suspect_labels
from training.data.labelled import Labelled, read_labelled_database

pytestmark = pytest.mark.django_db


@pytest.fixture
def wrong(db: None) -> set[str]:
    """Sixty labelled digits, and ten whose label is another digit; return the ids of those."""
    found = set()
    for number in range(70):
        digit = number % 10
        row = recognition.recognise(
            data=digit_png(digit, seed=number, canvas=140, brush=10),
            source="canvas",
            owner=Owner(),
        )
        label = digit if number < 60 else (digit + 4) % 10
        labelling_labels.label_predictions(predictions=[row.pk], label=label, by=None)
        if label != digit:
            found.add(str(row.pk))
    # None in the random audit sample: the queue does not show the labels of those.
    Prediction.objects.update(audit_key=None)
    return found


def check(*, drop: bool) -> tuple[Labelled, list[str]]:
    said: list[str] = []
    found = suspect_labels.checked(
        read_labelled_database(), is_stored=True, drop=lambda count: drop, say=said.append
    )
    return found, said


def test_they_leave_the_training_but_never_the_held_out_fifth(wrong: set[str]) -> None:
    everything = read_labelled_database()
    held_out = {name for name, out in zip(everything.ids, everything.held_out, strict=True) if out}

    found, said = check(drop=True)

    assert set(everything.ids) - set(found.ids) == wrong - held_out
    assert {found.ids[each.index] for each in found.suspects} == wrong & held_out
    train, test = found.split()
    assert len(train) == 70 - len(held_out) - len(wrong - held_out)
    assert len(test) == len(held_out)
    assert train.sha256 != everything.data.sha256
    assert f"{len(wrong - held_out)} labels look wrong: " in said[0]
    assert said[-1] == f"The training leaves {len(wrong - held_out)} out."


def test_they_are_kept_and_said(wrong: set[str]) -> None:
    found, said = check(drop=False)

    assert len(found.ids) == 70
    assert "look wrong" in said[0]
    assert said[-1] == "The training keeps all of them."


def test_the_queue_shows_those_that_a_training_found(wrong: set[str]) -> None:
    check(drop=False)

    assert {str(pk) for pk in suspects.waiting().values_list("pk", flat=True)} == wrong


def test_a_label_that_a_reviewer_has_kept_is_trained_on(wrong: set[str]) -> None:
    check(drop=False)
    for row in suspects.waiting():
        suspects.keep(row.pk)

    found, said = check(drop=True)

    assert len(found.ids) == 70
    assert said == []


def test_without_an_active_model_nothing_is_left_out(wrong: set[str]) -> None:
    ModelVersion.objects.update(is_active=False)

    found, said = check(drop=True)

    assert len(found.ids) == Prediction.objects.count()
    assert said == []
    assert np.count_nonzero(found.held_out) < 70
