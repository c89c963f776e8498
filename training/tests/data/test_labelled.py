"""Labelled drawings that were sent as strokes are drawn anew with other brushes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from recognizer import imaging
from recognizer.inference.classifier import BUNDLED, Classifier, load_bundle
from recognizer.labelling import labels as labelling_labels
from recognizer.models import Owner, Prediction
from recognizer.predictions import recognition
from recognizer.tests.support.drawings import DrawDigit, digit_strokes
from recognizer.transfer import exporting
from recognizer.transfer.formats import FORMATS
from training.data.labelled import (
    LabelledData,
    drawn_anew,
    read_labelled_database,
    read_labelled_file,
)

pytestmark = pytest.mark.django_db


def label(data: bytes | imaging.PenStrokes, digit: int) -> Prediction:
    row = recognition.recognise(data=data, source="canvas", owner=Owner())
    labelling_labels.label_predictions(predictions=[row.pk], label=digit, by=None)
    return row


@pytest.fixture
def stored(draw_digit: DrawDigit) -> LabelledData:
    """Forty digits as strokes, one of them partly erased, and three as pictures."""
    for number in range(40):
        body = digit_strokes(number % 10, seed=number)
        label(imaging.PenStrokes.from_json(body), number % 10)
    erased = digit_strokes(8, seed=99)
    erased["strokes"].append([[1, 1]])
    erased["erasers"] = [len(erased["strokes"]) - 1]
    label(imaging.PenStrokes.from_json(erased), 8)
    for digit in (3, 4, 5):
        label(draw_digit(digit), digit)
    found = read_labelled_database().data
    assert isinstance(found, LabelledData)
    return found


def test_some_are_drawn_with_another_brush_and_are_still_the_digit(stored: LabelledData) -> None:
    anew = drawn_anew(stored, np.random.default_rng(1))

    assert (anew.labels == stored.labels).all()
    changed = (anew.images != stored.images).any((1, 2))
    can_change = np.array(
        [strokes is not None and not strokes.erasers for strokes in stored.strokes]
    )
    assert can_change.sum() == 40
    assert not changed[~can_change].any()
    assert 10 <= changed.sum() <= 30
    classifier = Classifier(load_bundle(BUNDLED))
    digits = [classifier.classify(image).digit for image in anew.images[changed]]
    assert np.mean(digits == anew.labels[changed]) > 0.9


def test_they_are_drawn_differently_each_time_and_equally_for_a_seed(stored: LabelledData) -> None:
    first, again, other = (drawn_anew(stored, np.random.default_rng(seed)) for seed in (1, 1, 2))

    assert (first.images == again.images).all()
    assert (first.images != other.images).any()


def test_strokes_stay_with_their_drawings(stored: LabelledData) -> None:
    part = stored.take(np.flatnonzero(stored.labels == 3))

    assert len(part) == len(part.strokes) == 5
    assert sum(strokes is None for strokes in part.strokes) == 1
    train, held_out = read_labelled_database().split()
    assert isinstance(train, LabelledData)
    assert isinstance(held_out, LabelledData)
    assert len(train.strokes) + len(held_out.strokes) == len(stored)


def test_an_export_as_json_lines_gives_the_same(stored: LabelledData, tmp_path: Path) -> None:
    path = tmp_path / "drawings.jsonl"
    exporting.export_drawings(
        drawings=Prediction.objects.all(), path=path, format=FORMATS["json-lines"]
    )

    found = read_labelled_file(path).data

    assert isinstance(found, LabelledData)
    assert found.sha256 == stored.sha256
    one, two = (drawn_anew(data, np.random.default_rng(5)) for data in (found, stored))
    assert (one.images == two.images).all()
