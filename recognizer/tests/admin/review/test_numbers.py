"""Numbers that a reviewer types: in the queue, and on a drawing's page."""

from __future__ import annotations

import uuid
from typing import Any

import pytest
from rest_framework.test import APIClient

from recognizer.models import Label, Prediction, Source
from recognizer.tests.admin.review.test_queue import Queue, reviewer_named
from recognizer.tests.support.drawings import number_strokes
from recognizer.tests.support.reviewing import LIST

pytestmark = [pytest.mark.django_db, pytest.mark.store]


@pytest.fixture
def ada() -> Queue:
    return reviewer_named("ada")


@pytest.fixture
def row() -> Prediction:
    """A visitor's 42, which the visitor calls 47."""
    visitor = APIClient()
    address = "/api/v1/predictions/"
    drawn = visitor.post(address, number_strokes("42")).json()["id"]
    visitor.post(f"{address}{drawn}/suggestion/", {"number": "47"})
    return Prediction.objects.get()


def label(queue: Queue, row: Prediction, number: str, status: int = 200) -> tuple[str, Any]:
    step = str(uuid.uuid4())
    body = {"id": str(row.pk), "label": 10, "number": number, "seen": None, "step": step}
    return step, queue.post("label", body, status)


def parts(row: Prediction) -> list[int]:
    found = Prediction.objects.filter(part_of=row, source=Source.NUMBER)
    return sorted(each.label for each in found if each.label is not None)


def test_the_queue_shows_the_number_and_what_the_visitor_says(ada: Queue, row: Prediction) -> None:
    (shown,) = ada.next()

    assert (shown["answered"], shown["suggested"], shown["suggestion"]) == ("42", "47", "47")
    assert shown["disagrees"]


def test_a_number_labels_its_digits_and_undo_takes_them_back(ada: Queue, row: Prediction) -> None:
    step, answer = label(ada, row, "42")

    assert answer == {"old": None, "new": 10}
    row.refresh_from_db()
    assert (row.label, row.number_label, parts(row)) == (Label.NOT_A_DIGIT, "42", [2, 4])

    ada.undo(row, step)

    row.refresh_from_db()
    assert (row.label, row.number_label, parts(row)) == (None, "", [])
    assert Prediction.objects.count() == 1


def test_the_digits_of_a_number_are_not_reviewed_again(ada: Queue, row: Prediction) -> None:
    label(ada, row, "42")

    assert ada.next() == []


@pytest.mark.parametrize("number", ["4", "123456789", "4 2", "four"])
def test_what_is_no_number_is_refused(ada: Queue, row: Prediction, number: str) -> None:
    label(ada, row, number, status=400)

    row.refresh_from_db()
    assert row.label is None


def test_a_number_is_typed_on_the_page_of_its_drawing(ada: Queue, row: Prediction) -> None:
    address = f"{LIST}{row.pk}/change/"
    assert "42" in ada.client.get(address).content.decode()

    saved = ada.client.post(address, {"label": "", "initial-label": "", "number_label": "42"})

    assert saved.status_code == 302
    row.refresh_from_db()
    assert (row.label, row.number_label, parts(row)) == (Label.NOT_A_DIGIT, "42", [2, 4])
