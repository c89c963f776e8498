"""The history of labels: on a drawing's pages, restorable, and all of it for supervisors."""

from __future__ import annotations

import re
import uuid

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from recognizer.labelling import labels as labelling_labels
from recognizer.models import Label, LabelEvent, Prediction, Via
from recognizer.tests.admin.test_access import INLINE
from recognizer.tests.support.reviewing import (
    LIST,
    NOT_A_DIGIT,
    label_of,
    make_prediction,
    make_staff,
    make_version,
    prediction,
)

pytestmark = [pytest.mark.django_db, pytest.mark.store]

EVENTS = "/admin/recognizer/labelevent/"
LINE = re.compile(r"<time[^>]*>[^<]*</time>\s*<span[^>]*>(.*?)</span>\s*<b>(.*?)</b>", re.DOTALL)


def relabel(row: Prediction, by: User, *labels: int | None, via: Via = Via.QUEUE) -> None:
    """Give a drawing one label after another."""
    for label in labels:
        labelling_labels.label_one(
            prediction_id=row.pk, label=label, seen=label_of(row), by=by, via=via
        )


def lines(page: str) -> list[tuple[str, str]]:
    """Who and what, as the page tells it."""
    return [(who.strip(), what.strip()) for who, what in LINE.findall(page)]


def history(client: Client, row: Prediction, page: int = 1) -> str:
    response = client.get(f"{LIST}{row.pk}/history/", {"p": page})
    assert response.status_code == 200
    return response.content.decode()


def restore(client: Client, event: LabelEvent, seen: object, **more: str) -> list[str]:
    """Press the button beside a line; return the messages that follow."""
    response = client.post(
        f"{LIST}{event.prediction_id}/history/{event.pk}/restore/",
        {"seen": str(seen), **more},
        follow=True,
    )
    assert response.status_code == 200
    return [str(message) for message in response.context["messages"]]


@pytest.fixture
def grace() -> User:
    return make_staff("grace")


@pytest.fixture
def supervising(client: Client) -> Client:
    """A client of staff who may look at drawings and at the changes of labels."""
    client.force_login(make_staff("supervisor", "view_labelevent", "view_prediction"))
    return client


# The history of one drawing -------------------------------------------------------------------


def test_the_history_shows_reviewer_change_and_source_newest_first(
    reviewing: Client, reviewer: User, grace: User
) -> None:
    row = make_prediction(7)
    relabel(row, reviewer, 1)
    relabel(row, grace, NOT_A_DIGIT, via=Via.GRID)
    relabel(row, reviewer, None, via=Via.UNDO)

    page = history(reviewing, row)

    assert lines(page) == [
        ("reviewer", "not a digit → none"),
        ("grace", "1 → not a digit"),
        ("reviewer", "none → 1"),
        ("drawn", "none"),
    ]
    ways = re.findall(r'<span class="quiet">(undo|grid|review queue)</span>', page)
    assert ways == ["undo", "grid", "review queue"]
    assert "It has no label." in page
    assert not INLINE.findall(page)


def test_a_drawing_that_was_never_labelled_has_no_history(reviewing: Client) -> None:
    assert "Its label has never been changed." in history(reviewing, make_prediction(7))


def test_a_long_history_has_pages(reviewing: Client, reviewer: User) -> None:
    row = make_prediction(7)
    relabel(row, reviewer, *(n % 10 for n in range(51)))

    assert len(lines(history(reviewing, row))) == 50
    assert lines(history(reviewing, row, 2)) == [("reviewer", "none → 0"), ("drawn", "none")]
    assert "51 changes" in history(reviewing, row)


def test_a_deleted_reviewer_stays_in_the_history(reviewing: Client) -> None:
    row, gone = make_prediction(7), make_staff("gone")
    relabel(row, gone, 1)
    gone.delete()

    assert lines(history(reviewing, row))[0] == ("deleted account", "none → 1")


def test_the_page_of_a_drawing_shows_the_last_five_changes(
    reviewing: Client, reviewer: User
) -> None:
    row = make_prediction(7)
    relabel(row, reviewer, *range(6))

    page = reviewing.get(f"{LIST}{row.pk}/change/").content.decode()

    assert [what for _who, what in lines(page)] == ["4 → 5", "3 → 4", "2 → 3", "1 → 2", "0 → 1"]
    assert f'href="{LIST}{row.pk}/history/"' in page


# Restoring ------------------------------------------------------------------------------------


def test_every_state_of_a_label_can_be_restored(
    reviewing: Client, reviewer: User, grace: User
) -> None:
    row = make_prediction(7)
    relabel(row, grace, 1, NOT_A_DIGIT, 3)
    one, none, _three = LabelEvent.objects.filter(prediction=row).order_by("pk")
    buttons = re.findall(r">(Restore[^<]+)</button>", history(reviewing, row))
    assert buttons == ["Restore “not a digit”", "Restore “1”", "Restore: no label"]

    assert restore(reviewing, one, 3) == ["Label restored: 3 → 1."]
    assert label_of(row) == 1
    assert restore(reviewing, none, 1) == ["Label restored: 1 → not a digit."]
    assert restore(reviewing, one, NOT_A_DIGIT, before="yes") == [
        "Label restored: not a digit → none."
    ]

    row.refresh_from_db()
    assert (row.label, row.labelled_by, row.labelled_at) == (None, None, None)
    newest = LabelEvent.objects.filter(prediction=row)[0]
    assert (newest.via, newest.by) == (Via.RESTORE, reviewer)
    assert LabelEvent.objects.count() == 6


def test_a_restored_label_has_the_reviewer_who_restored_it(
    reviewing: Client, reviewer: User, grace: User
) -> None:
    row = make_prediction(7)
    relabel(row, grace, 1, 2)

    restore(reviewing, LabelEvent.objects.order_by("pk")[0], 2)

    row.refresh_from_db()
    assert (row.label, row.labelled_by) == (1, reviewer)


def test_restoring_does_not_overwrite_another_reviewers_new_label(
    reviewing: Client, grace: User
) -> None:
    row = make_prediction(7)
    relabel(row, grace, 1, 2, 5)
    first = LabelEvent.objects.order_by("pk")[0]

    assert restore(reviewing, first, 2) == [
        "grace has labelled this “5” in the meantime. Nothing was restored."
    ]
    assert label_of(row) == 5
    relabel(row, grace, None)
    assert restore(reviewing, first, 2) == [
        "Another reviewer has cleared this label in the meantime. Nothing was restored."
    ]
    assert label_of(row) is None


def test_restoring_the_current_label_changes_nothing(reviewing: Client, grace: User) -> None:
    row = make_prediction(7)
    relabel(row, grace, 1)

    assert restore(reviewing, LabelEvent.objects.get(), 1) == ["No change: already set."]
    assert LabelEvent.objects.count() == 1
    assert "current" in history(reviewing, row)


@pytest.mark.parametrize("seen", ["", "x", "11", "-1"])
def test_a_restore_without_the_label_seen_changes_nothing(
    reviewing: Client, grace: User, seen: str
) -> None:
    row = make_prediction(7)
    relabel(row, grace, 1, 2)

    (message,) = restore(reviewing, LabelEvent.objects.order_by("pk")[0], seen)

    assert "Try again from this page" in message
    assert label_of(row) == 2


def test_a_restore_needs_a_post_its_token_and_the_permission(
    client: Client, reviewer: User, grace: User
) -> None:
    row = make_prediction(7)
    relabel(row, grace, 1, 2)
    address = f"{LIST}{row.pk}/history/{LabelEvent.objects.order_by('pk')[0].pk}/restore/"
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(reviewer)

    assert client.post(address, {"seen": "2"}).status_code == 302
    assert strict.post(address, {"seen": "2"}).status_code == 403
    assert strict.get(address).status_code == 405
    client.force_login(make_staff("viewer", "view_prediction"))
    assert client.post(address, {"seen": "2"}).status_code == 403
    assert label_of(row) == 2
    page = history(client, row)
    assert len(lines(page)) == 3
    assert '<button type="submit">Restore' not in page


def test_an_event_of_another_drawing_is_not_found(reviewing: Client, grace: User) -> None:
    row, other = make_prediction(7), make_prediction(7)
    relabel(other, grace, 1)
    line = LabelEvent.objects.get().pk

    for pk, event in ((row.pk, line), (uuid.uuid4(), line), (other.pk, line + 1)):
        address = f"{LIST}{pk}/history/{event}/restore/"
        assert reviewing.post(address, {"seen": "none"}).status_code == 404
    assert label_of(row) is None


# All changes ----------------------------------------------------------------------------------


def rows_of(client: Client, **query: str) -> list[str]:
    """The changes in the list, as it is filtered."""
    response = client.get(EVENTS, query)
    assert response.status_code == 200
    page = response.content.decode()
    return re.findall(r'<span class="label-change">([^<]*)</span>', page)


def test_all_changes_are_listed_the_newest_first_and_filtered(
    supervising: Client, reviewer: User, grace: User
) -> None:
    row, other = make_prediction(7), make_prediction(3)
    relabel(row, grace, 1, via=Via.GRID)
    relabel(other, reviewer, 3, 5)
    batch = uuid.uuid4()
    labelling_labels.label_predictions(predictions=[row.pk], label=8, by=reviewer, batch=batch)

    assert rows_of(supervising) == ["1 → 8", "3 → 5", "none → 3", "none → 1"]
    assert rows_of(supervising, by=str(grace.pk)) == ["none → 1"]
    assert rows_of(supervising, via="queue") == ["3 → 5", "none → 3"]
    assert rows_of(supervising, batch=str(batch)) == ["1 → 8"]
    assert rows_of(supervising, at__gte="2100-01-01 00:00+00:00") == []
    grace.delete()
    assert rows_of(supervising, by="gone") == ["none → 1"]
    page = supervising.get(EVENTS).content.decode()
    assert f'href="{LIST}{row.pk}/history/"' in page
    assert not INLINE.findall(page)


@pytest.mark.parametrize("query", ["by=x", "via=x", "batch=x", "at__gte=x"])
def test_an_unknown_filter_value_redirects_to_the_list(supervising: Client, query: str) -> None:
    response = supervising.get(f"{EVENTS}?{query}")

    assert response.status_code == 302
    assert response["Location"].endswith("?e=1")


def test_the_label_history_is_read_only_even_for_a_superuser(
    admin_client: Client, grace: User
) -> None:
    relabel(make_prediction(7), grace, 1)
    event = LabelEvent.objects.get()
    address = f"{EVENTS}{event.pk}/"

    assert admin_client.get(EVENTS + "add/").status_code == 403
    assert admin_client.get(address + "delete/").status_code == 403
    assert admin_client.post(address + "delete/", {"post": "yes"}).status_code == 403
    assert admin_client.post(address + "change/", {"new": "2"}).status_code == 403
    admin_client.post(
        EVENTS, {"action": "delete_selected", "_selected_action": [event.pk], "post": "yes"}
    )
    assert admin_client.get(address + "change/").status_code == 200
    event.refresh_from_db()
    assert event.new == 1


def test_the_list_of_all_changes_is_for_supervisors(reviewing: Client) -> None:
    assert reviewing.get(EVENTS).status_code == 403
    assert EVENTS not in reviewing.get("/admin/").content.decode()


def test_deleting_a_drawing_deletes_its_history(admin_client: Client, grace: User) -> None:
    row, kept = make_prediction(7), make_prediction(3)
    relabel(row, grace, 1, 2)
    relabel(kept, grace, 3)

    asked = admin_client.get(f"{LIST}{row.pk}/delete/").content.decode()
    admin_client.post(f"{LIST}{row.pk}/delete/", {"post": "yes"})

    assert "Are you sure" in asked
    assert "Label history: 2" in asked
    assert not Prediction.objects.filter(pk=row.pk).exists()
    assert LabelEvent.objects.get().prediction == kept


def many(count: int, by: User) -> None:
    """Drawings with a label each, set by two reviewers."""
    version, other = make_version(), make_staff(f"other-{count}")
    rows = Prediction.objects.bulk_create(
        [prediction(7, model_version=version) for _ in range(count)]
    )
    for person, label in ((by, Label.ONE), (other, Label.SEVEN)):
        labelling_labels.label_predictions(
            predictions=[row.pk for row in rows], label=label, by=person
        )


def test_the_histories_take_as_many_queries_for_many_changes_as_for_few(
    supervising: Client, grace: User
) -> None:
    row = make_prediction(7)

    def queries() -> list[int]:
        numbers = []
        for address in (EVENTS, f"{LIST}{row.pk}/history/", f"{LIST}{row.pk}/change/"):
            with CaptureQueriesContext(connection) as captured:
                assert supervising.get(address).status_code == 200
            numbers.append(len(captured))
        return numbers

    relabel(row, grace, 1, 2)
    many(2, grace)
    # Once for what a process keeps, such as content types.
    queries()
    few = queries()
    relabel(row, grace, *(n % 10 for n in range(40)))
    many(100, grace)

    assert queries() == few
    assert max(few) < 15
