"""Second opinions through HTTP: who is asked, what they see, and what becomes of the label."""

from __future__ import annotations

import datetime
import uuid

import pytest
from django.utils import timezone
from pytest_django import Settings

from recognizer.labelling import labels, opinions
from recognizer.models import LabelEvent, Opinion, OpinionKind, Prediction
from recognizer.tests.admin.review.test_queue import PERMISSIONS, Queue
from recognizer.tests.support import insights
from recognizer.tests.support.reviewing import LIST, label_of, make_prediction, make_staff

pytestmark = [pytest.mark.django_db, pytest.mark.store]


@pytest.fixture(autouse=True)
def _every_label_is_drawn(settings: Settings) -> None:
    settings.SECOND_OPINION_SHARE = 1


@pytest.fixture
def ada(db: None) -> Queue:
    return Queue(make_staff("ada", *PERMISSIONS))


@pytest.fixture
def grace(db: None) -> Queue:
    return Queue(make_staff("grace", *PERMISSIONS))


@pytest.fixture
def edsger(db: None) -> Queue:
    return Queue(make_staff("edsger", *PERMISSIONS))


@pytest.fixture
def row(ada: Queue) -> Prediction:
    """A drawing that ada has labelled 3."""
    made = make_prediction(3)
    labels.label_predictions(predictions=[made.pk], label=3, by=ada.reviewer)
    return made


def page_of(reviewer: Queue, row: Prediction) -> str:
    return insights.words(reviewer.client.get(f"{LIST}{row.pk}/change/").content.decode())


def test_another_reviewer_is_asked_and_does_not_see_the_label(
    row: Prediction, ada: Queue, grace: Queue
) -> None:
    (shown,) = grace.next()

    assert shown["id"] == str(row.pk)
    assert shown["known"] is None
    assert "ada" not in str(shown)
    renewed = grace.post("renew", {"have": [str(row.pk)]})
    assert renewed["labelled"] == {}
    grace.release(row.pk)
    assert ada.next() == []


def test_an_equal_opinion_confirms_the_label(row: Prediction, ada: Queue, grace: Queue) -> None:
    events = LabelEvent.objects.count()
    assert "confirmed" not in page_of(ada, row)

    _step, answer = grace.label(row, 3)

    assert answer == {"old": None, "new": 3}
    assert label_of(row) == 3
    assert Prediction.objects.get(pk=row.pk).labelled_by == ada.reviewer
    assert LabelEvent.objects.count() == events
    assert "confirmed by a second reviewer" in page_of(ada, row)
    assert grace.next() == []


def test_a_differing_opinion_keeps_the_label_and_asks_a_third(
    row: Prediction, ada: Queue, grace: Queue, edsger: Queue
) -> None:
    grace.label(row, 8)

    assert label_of(row) == 3
    assert ada.next(order="opinions") == grace.next(order="opinions") == []
    assert grace.next() == []
    (shown,) = edsger.next(order="opinions")
    assert shown["id"] == str(row.pk)
    assert shown["known"] is None


def test_the_label_that_two_have_given_stands(
    row: Prediction, ada: Queue, grace: Queue, edsger: Queue
) -> None:
    grace.label(row, 8)
    edsger.label(row, 8)

    assert label_of(row) == 8
    last = LabelEvent.objects.order_by("pk").last()
    assert last is not None
    assert (last.old, last.new, last.by) == (3, 8, edsger.reviewer)
    assert "confirmed by a second reviewer" in page_of(ada, row)
    assert Opinion.objects.filter(kind=OpinionKind.THIRD, label=None).count() == 0


def test_a_third_may_confirm_the_first(
    row: Prediction, ada: Queue, grace: Queue, edsger: Queue
) -> None:
    grace.label(row, 8)
    edsger.label(row, 3)

    assert label_of(row) == 3
    assert "confirmed by a second reviewer" in page_of(ada, row)


def test_three_different_opinions_ask_a_fourth(
    row: Prediction, grace: Queue, edsger: Queue
) -> None:
    grace.label(row, 8)
    edsger.label(row, 5)

    assert label_of(row) == 3
    barbara = Queue(make_staff("barbara", *PERMISSIONS))
    assert barbara.ids(order="opinions") == [row.pk]
    assert edsger.ids(order="opinions") == []
    barbara.label(row, 5)
    assert label_of(row) == 5


def test_an_opinion_can_be_undone(row: Prediction, grace: Queue, edsger: Queue) -> None:
    step, _answer = grace.label(row, 8)

    answer = grace.undo(row, step)

    assert answer["label"] is None
    assert edsger.ids(order="opinions") == []
    assert grace.ids() == [row.pk]
    grace.label(row, 3)
    assert edsger.ids() == []


def test_undoing_a_third_opinion_restores_the_label(
    row: Prediction, grace: Queue, edsger: Queue
) -> None:
    grace.label(row, 8)
    step, _answer = edsger.label(row, 8)

    edsger.undo(row, step)

    assert label_of(row) == 3
    assert edsger.ids(order="opinions") == [row.pk]


def test_another_reviewer_cannot_undo_an_opinion(
    row: Prediction, grace: Queue, edsger: Queue
) -> None:
    step, _answer = grace.label(row, 8)

    edsger.undo(row, step, status=400)

    assert Opinion.objects.get(kind=OpinionKind.SECOND).label == 8


def test_the_same_step_gives_one_opinion(row: Prediction, grace: Queue) -> None:
    step = str(uuid.uuid4())
    body = {"id": str(row.pk), "label": 8, "seen": None, "step": step}

    assert grace.post("label", body) == grace.post("label", body)

    given = Opinion.objects.filter(label__isnull=False)
    assert [each.label for each in given] == [8]
    grace.post("label", {**body, "label": 7}, status=400)


def test_a_reviewer_who_saw_the_label_overrules_it(row: Prediction, grace: Queue) -> None:
    grace.label(row, 8, seen=3)

    assert label_of(row) == 8
    assert not Opinion.objects.filter(label__isnull=False).exists()


def test_a_changed_label_gets_an_opinion_of_its_own(
    row: Prediction, ada: Queue, grace: Queue, edsger: Queue
) -> None:
    labels.label_predictions(predictions=[row.pk], label=8, by=grace.reviewer)

    assert grace.ids() == []
    assert ada.ids() == [row.pk]
    (wanted,) = Opinion.objects.filter(kind=OpinionKind.SECOND)
    assert (wanted.first, wanted.first_by) == (8, grace.reviewer)


def test_changing_a_disputed_label_ends_the_dispute(
    row: Prediction, grace: Queue, edsger: Queue
) -> None:
    grace.label(row, 8)
    labels.label_predictions(predictions=[row.pk], label=8, by=edsger.reviewer)

    assert Queue(make_staff("barbara", *PERMISSIONS)).ids(order="opinions") == []
    assert "confirmed by a second reviewer" in page_of(grace, row)


def test_one_in_twenty_of_a_queue_of_new_drawings_is_a_second_opinion(
    row: Prediction, grace: Queue
) -> None:
    for index in range(30):
        make_prediction(index % 10)

    shown = grace.ids(20)

    assert len(shown) == 20
    assert shown.index(row.pk) == 9


def test_own_labels_come_back_after_a_week(ada: Queue) -> None:
    rows = [make_prediction(3) for _row in range(30)]
    labels.label_predictions(predictions=[each.pk for each in rows], label=3, by=ada.reviewer)
    assert ada.ids() == []
    # One in five as many as second opinions: none of 30 is one in 800.
    own = Opinion.objects.filter(kind=OpinionKind.OWN)
    own.update(first_at=timezone.now() - datetime.timedelta(days=8))
    (shown, *_more) = ada.next()
    row = next(each for each in rows if str(each.pk) == shown["id"])

    ada.label(row, 8)

    assert label_of(row) == 3
    found = insights.table(ada.client, "agreement")
    assert found["ada"] == ["0", "–", "–", "1", "0.0\xa0%", "0.0 to 79.3\xa0%"]
    assert "confirmed" not in page_of(ada, row)


def test_the_draw_has_a_key_and_the_share_of_the_setting(settings: Settings) -> None:
    settings.SECOND_OPINION_SHARE = 0.05
    ids = [uuid.UUID(int=number) for number in range(4000)]
    drawn = [pk for pk in ids if opinions.is_drawn(pk, OpinionKind.SECOND)]
    # Four standard deviations.
    assert 145 <= len(drawn) <= 255
    settings.SECRET_KEY = "another key of this test"
    assert drawn != [pk for pk in ids if opinions.is_drawn(pk, OpinionKind.SECOND)]


def test_no_opinion_is_asked_for_without_a_share(
    settings: Settings, ada: Queue, grace: Queue
) -> None:
    settings.SECOND_OPINION_SHARE = 0
    made = make_prediction(3)
    labels.label_predictions(predictions=[made.pk], label=3, by=ada.reviewer)

    assert grace.next() == []
    assert not Opinion.objects.exists()


def test_a_drawing_that_waits_for_its_audit_is_audited_first(ada: Queue, grace: Queue) -> None:
    made = make_prediction(3, audit_key=0.5)
    labels.label_predictions(predictions=[made.pk], label=3, by=ada.reviewer)

    (shown,) = grace.next()
    grace.label(made, 3)

    assert shown["is_audit"]
    assert Prediction.objects.get(pk=made.pk).audited_at is not None
    assert not Opinion.objects.filter(label__isnull=False).exists()
