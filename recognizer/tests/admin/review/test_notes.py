"""Notes and flags: who sets them, who sees them, and what a label does with a flag."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from recognizer.models import Prediction, ReviewNote
from recognizer.tests.admin.review.test_queue import Queue, make_audits, reviewer_named
from recognizer.tests.support.reviewing import LIST, label_of, make_prediction

pytestmark = [pytest.mark.django_db, pytest.mark.store]


@pytest.fixture
def ada() -> Queue:
    return reviewer_named("ada")


@pytest.fixture
def grace() -> Queue:
    return reviewer_named("grace")


def say(queue: Queue, row: Prediction, text: str = "", *, flagged: bool = True) -> Any:
    return queue.post("note", {"id": str(row.pk), "text": text, "is_flagged": flagged})["said"]


def test_a_note_and_a_flag_are_stored_with_who_and_when(ada: Queue, grace: Queue) -> None:
    row = make_prediction(3)

    assert say(ada, row, "a 3 or an 8?").startswith("ada, ")

    stored = ReviewNote.objects.get()
    assert (stored.prediction, stored.text, stored.is_flagged) == (row, "a 3 or an 8?", True)
    assert stored.by == ada.reviewer
    (shown,) = grace.next()
    assert (shown["note"], shown["is_flagged"]) == ("a 3 or an 8?", True)
    assert shown["said"].startswith("ada, ")
    page = grace.client.get(f"{LIST}{row.pk}/change/").content.decode()
    assert "a 3 or an 8? (by ada, " in page


def test_neither_note_nor_flag_leaves_nothing(ada: Queue) -> None:
    row = make_prediction(3)
    say(ada, row, "look")

    say(ada, row, "", flagged=False)

    assert not ReviewNote.objects.exists()


def test_the_order_flagged_shows_flagged_drawings_and_a_label_clears_the_flag(
    ada: Queue, grace: Queue
) -> None:
    rows = [make_prediction(digit) for digit in (1, 2, 3, 4)]
    say(ada, rows[2])
    say(ada, rows[0], "is it a 7?")
    say(ada, rows[3], "not flagged", flagged=False)
    ada.label(rows[0], 1)

    found = grace.next(order="flagged")

    assert [each["id"] for each in found] == [str(rows[2].pk), str(rows[0].pk)]
    assert found[0]["known"] is None
    assert found[1]["known"] == {"value": 1, "text": "It is labelled “1”."}
    step = {"id": str(rows[0].pk), "label": 7, "seen": 1, "step": str(uuid.uuid4())}
    grace.post("label", {**step, "clears_flag": True})
    assert label_of(rows[0]) == 7
    assert grace.ids(order="flagged") == [rows[2].pk]
    assert ReviewNote.objects.get(prediction=rows[0]).text == "is it a 7?"


def test_another_label_keeps_the_flag(ada: Queue) -> None:
    row = make_prediction(3)
    say(ada, row)

    ada.label(row, 3)

    assert ReviewNote.objects.get().is_flagged


def test_a_drawing_that_waits_for_its_audit_is_not_among_the_flagged(ada: Queue) -> None:
    (row,) = make_audits(1)
    say(ada, row)

    assert ada.ids(order="flagged") == []

    ada.label(row, 4)
    assert ada.ids(order="flagged") == [row.pk]


def test_the_list_filters_flagged_drawings(ada: Queue) -> None:
    flagged, other = make_prediction(3), make_prediction(4)
    say(ada, flagged)

    page = ada.client.get(f"{LIST}?flagged=yes").content.decode()

    assert str(flagged.pk) in page
    assert str(other.pk) not in page


def test_a_note_about_a_deleted_drawing_is_refused(ada: Queue) -> None:
    row = make_prediction(3)
    Prediction.objects.all().delete()

    ada.post("note", {"id": str(row.pk), "text": "", "is_flagged": True}, status=404)


def test_a_long_note_is_refused(ada: Queue) -> None:
    body = {"id": str(make_prediction(3).pk), "text": "x" * 201, "is_flagged": True}

    ada.post("note", body, status=400)
