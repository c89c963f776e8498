"""The grid: sixty drawings that were read alike, the wrong ones corrected, the rest confirmed."""

from __future__ import annotations

import datetime
import re
import uuid
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.http import HttpResponse
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recognizer.labelling import grid as review_grid
from recognizer.labelling.claims import Claimant
from recognizer.models import Label, LabelEvent, Prediction, ReviewClaim, ReviewSkip, Via
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

GRID = LIST + "grid/"
UNDO = GRID + "undo/"
SELECT = re.compile(r'<select name="label-([0-9a-f-]{36})"[^>]*>(.*?)</select>', re.DOTALL)


def choices(page: str) -> dict[uuid.UUID, str]:
    """The drawings on a page, in their order, and the choice that each starts with."""
    found = {}
    for pk, options in SELECT.findall(page):
        (chosen,) = re.findall(r'value="(\w+)" selected', options)
        found[uuid.UUID(pk)] = chosen
    return found


def tab(client: Client) -> str:
    """The page id of the client's tab."""
    return uuid.UUID(int=id(client)).hex


def look(client: Client, digit: int | str = 7, **more: str) -> str:
    """The page of one answer, always in the same tab of the client."""
    response = client.get(GRID, {"digit": digit, "page": tab(client), **more})
    assert response.status_code == 200
    return response.content.decode()


def ids(client: Client, digit: int | str = 7, **more: str) -> list[uuid.UUID]:
    """The drawings on the page of one answer."""
    return list(choices(look(client, digit, **more)))


def send(client: Client, labels: Mapping[uuid.UUID, object], digit: int | str = 7) -> Any:
    """Save a page as its form does, and follow to the next one."""
    fields = {f"label-{pk}": str(label) for pk, label in labels.items()}
    sent = {"digit": digit, "order": "least-sure", "page": tab(client), **fields}
    return client.post(GRID, sent, follow=True)


def said(response: HttpResponse) -> list[str]:
    return [str(message) for message in response.context["messages"]]  # type: ignore[attr-defined]


def last_batch() -> uuid.UUID:
    """The batch of the last change."""
    batch = LabelEvent.objects.order_by("-pk").values_list("batch", flat=True)[0]
    assert batch is not None
    return batch


def undo(client: Client, batch: object) -> Any:
    sent = {"batch": str(batch), "order": "least-sure", "page": tab(client)}
    return client.post(UNDO, sent, follow=True)


def sevens(count: int, **fields: Any) -> list[Prediction]:
    """Drawings that the model reads as 7, each a little surer than the one before."""
    version = make_version()
    return Prediction.objects.bulk_create(
        [
            prediction(7, margin=0.5 + each / 10_000, model_version=version, **fields)
            for each in range(count)
        ]
    )


# What is shown --------------------------------------------------------------------------------


def test_a_page_has_the_unlabelled_drawings_with_one_prediction(reviewing: Client) -> None:
    seven, unsure = make_prediction(7), make_prediction(7, verdict="uncertain")
    make_prediction(1)
    make_prediction(7, verdict="not_a_digit")
    make_prediction(7, label=7)
    make_prediction(7, audit_key=0.3)

    assert set(ids(reviewing)) == {seven.pk, unsure.pk}


def test_rejected_drawings_have_a_page_of_their_own(reviewing: Client) -> None:
    plain = make_prediction(7, verdict="not_a_digit", margin=0.1)
    like_a_digit = make_prediction(3, verdict="not_a_digit", margin=0.9)
    make_prediction(7)

    page = look(reviewing, "not_a_digit")

    # First the one that is most like a digit: there the refusal is in doubt.
    assert choices(page) == {like_a_digit.pk: "10", plain.pk: "10"}
    assert "Drawing 1, predicted as not a digit, closest to 3" in page


def test_sixty_are_shown_least_sure_first_or_newest_first(reviewing: Client) -> None:
    rows = sevens(70)
    now = timezone.now()
    for age, row in enumerate(rows):
        Prediction.objects.filter(pk=row.pk).update(
            created_at=now - datetime.timedelta(hours=age * 3 % 70)
        )
    newest = Prediction.objects.order_by("-created_at").values_list("pk", flat=True)

    assert ids(reviewing) == [row.pk for row in rows[:60]]
    assert ids(reviewing, order="newest") == list(newest[:60])


def test_each_drawing_has_a_name_and_twelve_choices(reviewing: Client) -> None:
    row = make_prediction(7, confidence=0.91)

    page = look(reviewing)

    assert f'<label for="label-{row.pk}">Drawing 1, predicted as 7, 91.0\u00a0%</label>' in page
    ((_pk, options),) = SELECT.findall(page)
    assert re.findall(r'value="(\w+)"', options) == ["7", "leave", *"012345689", "10"]


def test_the_menu_shows_how_many_drawings_wait(reviewing: Client) -> None:
    sevens(1001)
    make_prediction(3)
    make_prediction(3, label=3)
    make_prediction(3, verdict="not_a_digit")

    page = reviewing.get(GRID).content.decode()

    menu = re.findall(r"<b>([\w ]+)</b>\s*<span class=\"grid-count\">([\d+]+)<", page)
    assert dict(menu) == {
        **{str(digit): "0" for digit in range(10)},
        "3": "1",
        "7": "1000+",
        "not a digit": "1",
    }
    assert choices(page) == {}


def test_the_next_sixty_are_preloaded(reviewing: Client) -> None:
    rows = sevens(130)

    page = look(reviewing)

    (ahead,) = re.findall(r'<script id="grid-ahead" type="application/json">(.*?)</script>', page)
    assert re.findall(r"prediction/([0-9a-f-]{36})/thumbnail\.png", ahead) == [
        str(row.pk) for row in rows[60:120]
    ]


def test_a_page_without_drawings_says_so(reviewing: Client) -> None:
    assert "No drawings predicted as 7 are waiting." in look(reviewing)
    assert "No drawings predicted as not a digit are waiting." in look(reviewing, "not_a_digit")


def test_the_page_has_nothing_inline(reviewing: Client) -> None:
    make_prediction(7)

    assert not INLINE.findall(look(reviewing))


# Saving ---------------------------------------------------------------------------------------


def test_the_wrong_ones_are_corrected_and_the_rest_confirmed_at_once(
    reviewing: Client, reviewer: User
) -> None:
    rows = sevens(65)
    labels: dict[uuid.UUID, object] = dict(choices(look(reviewing)))
    labels |= {rows[2].pk: 1, rows[5].pk: 1, rows[9].pk: 10, rows[11].pk: "leave"}

    response = send(reviewing, labels)

    assert said(response) == ["56 confirmed, 3 corrected, 1 undecided."]
    assert [label_of(rows[n]) for n in (0, 2, 5, 9, 11, 59, 60)] == [7, 1, 1, 10, None, 7, None]
    assert Prediction.objects.filter(labelled_by=reviewer).count() == 59
    events = LabelEvent.objects.all()
    assert {(event.via, event.by, event.old) for event in events} == {(Via.GRID, reviewer, None)}
    assert len({event.batch for event in events}) == 1
    assert events.count() == 59
    assert list(choices(response.content.decode())) == [row.pk for row in rows[60:]]


def test_a_rejected_drawing_is_confirmed_as_not_a_digit(reviewing: Client) -> None:
    right, wrong = (make_prediction(3, verdict="not_a_digit", margin=m) for m in (0.9, 0.1))

    send(reviewing, {right.pk: NOT_A_DIGIT, wrong.pk: 3}, "not_a_digit")

    assert (label_of(right), label_of(wrong)) == (NOT_A_DIGIT, 3)


def test_another_reviewers_new_label_is_shown_not_overwritten(
    reviewing: Client,
) -> None:
    rows = sevens(3)
    labels = choices(look(reviewing))
    grace = make_staff("grace")
    Prediction.objects.filter(pk=rows[1].pk).update(
        label=1, labelled_by=grace, labelled_at=timezone.now()
    )

    response = send(reviewing, labels)

    assert [label_of(row) for row in rows] == [7, 1, 7]
    assert said(response) == [
        "2 confirmed. 1 was already labelled by another reviewer and was not changed."
    ]
    page = response.content.decode()
    assert "grace says “1”" in page
    assert f'href="{LIST}{rows[1].pk}/change/"' in page
    assert LabelEvent.objects.count() == 2


def test_the_same_label_by_two_reviewers_is_no_conflict(reviewing: Client) -> None:
    (row,) = sevens(1)
    labels = choices(look(reviewing))
    grace = make_staff("grace")
    Prediction.objects.update(label=7, labelled_by=grace, labelled_at=timezone.now())

    response = send(reviewing, labels)

    row.refresh_from_db()
    assert row.labelled_by == grace
    assert said(response) == ["No label was changed."]
    assert not LabelEvent.objects.exists()


def test_the_same_page_sent_twice_is_saved_once(reviewing: Client) -> None:
    sevens(3)
    labels = choices(look(reviewing))
    send(reviewing, labels)

    assert said(send(reviewing, labels)) == ["No label was changed."]
    assert LabelEvent.objects.count() == 3


def test_a_deleted_drawing_is_skipped(reviewing: Client) -> None:
    gone, open_one, row = sevens(3)
    labels = {**choices(look(reviewing)), open_one.pk: "leave"}
    Prediction.objects.filter(pk__in=[gone.pk, open_one.pk]).delete()

    assert said(send(reviewing, labels)) == ["1 confirmed."]
    assert label_of(row) == 7


def test_undecided_drawings_come_back_on_request(reviewing: Client) -> None:
    left, other = sevens(2)
    send(reviewing, {left.pk: "leave", other.pk: 7})

    page = look(reviewing)
    assert choices(page) == {}
    assert "1 drawings predicted as 7 are still waiting, but you left them undecided" in page
    assert ids(reviewing, left="open") == [left.pk]
    grace = Client()
    grace.force_login(make_staff("grace", "view_prediction", "label_prediction"))
    look(reviewing, 3)
    assert ids(grace) == [left.pk]

    send(reviewing, {left.pk: 1})
    assert label_of(left) == 1


def test_old_undecided_drawings_come_back_automatically(reviewing: Client) -> None:
    (left,) = sevens(1)
    send(reviewing, {left.pk: "leave"})
    ReviewSkip.objects.update(expires_at=timezone.now())

    assert ids(reviewing) == [left.pk]


# Undoing --------------------------------------------------------------------------------------


def test_a_page_is_undone_and_shown_again_as_it_was_sent(reviewing: Client, reviewer: User) -> None:
    right, wrong = sevens(2)
    sevens(60)
    send(reviewing, {right.pk: 7, wrong.pk: 1})
    batch = last_batch()

    response = undo(reviewing, batch)

    assert (label_of(right), label_of(wrong)) == (None, None)
    assert said(response) == ["2 labels undone."]
    assert choices(response.content.decode()) == {right.pk: "7", wrong.pk: "1"}
    undone = LabelEvent.objects.filter(via=Via.UNDO)
    assert {(event.by, event.new, event.batch) for event in undone} == {(reviewer, None, batch)}


def test_an_undo_keeps_labels_changed_since(reviewing: Client) -> None:
    mine, theirs = sevens(2)
    send(reviewing, {mine.pk: 7, theirs.pk: 7})
    batch = last_batch()
    grace = Client()
    grace.force_login(make_staff("grace", "view_prediction", "label_prediction"))
    # Another label and then the same one again: it is hers now.
    for old, new in (("7", "1"), ("1", "7")):
        change = f"{LIST}{theirs.pk}/change/"
        grace.post(change, {"label": new, "initial-label": old})

    response = undo(reviewing, batch)

    assert said(response) == ["1 label undone. 1 had been changed since and was kept."]
    assert (label_of(mine), label_of(theirs)) == (None, 7)


def test_a_page_undone_twice_is_undone_once(reviewing: Client) -> None:
    (row,) = sevens(1)
    send(reviewing, {row.pk: 7})
    first = last_batch()
    undo(reviewing, first)
    send(reviewing, {row.pk: 7})

    response = undo(reviewing, first)

    assert label_of(row) == 7
    assert said(response) == ["0 labels undone. 1 had been changed since and was kept."]


def test_recent_batches_are_listed_and_can_be_undone(reviewing: Client) -> None:
    rows = sevens(7)
    for number, row in enumerate(rows):
        send(reviewing, {row.pk: number})
    undo(reviewing, last_batch())

    page = reviewing.get(GRID).content.decode()

    lines = re.findall(r"</time> (predicted as 7: [^<]+)</span>", page)
    assert lines == ["predicted as 7: 1 corrected."] * 5
    assert page.count(">undone<") == 1
    assert page.count('name="batch"') == 4


def test_a_reviewer_can_not_undo_another_reviewers_page(reviewing: Client) -> None:
    (row,) = sevens(1)
    send(reviewing, {row.pk: 7})
    grace = Client()
    grace.force_login(make_staff("grace", "view_prediction", "label_prediction"))

    response = undo(grace, last_batch())

    assert response.status_code == 400
    assert "You have no such batch." in response.content.decode()
    assert label_of(row) == 7
    assert "Recent batches" not in look(grace)


# Two reviewers --------------------------------------------------------------------------------


def test_two_reviewers_at_once_get_different_drawings(reviewing: Client) -> None:
    sevens(200)
    grace = Client()
    grace.force_login(make_staff("grace", "view_prediction", "label_prediction"))

    mine, theirs = ids(reviewing), ids(grace)

    assert len(mine) == len(theirs) == 60
    assert not set(mine) & set(theirs)
    assert ids(reviewing) == mine


def opened(client: Client, digit: int = 7) -> Any:
    """The grid opened in a new tab, which is redirected to an address of its own."""
    return client.get(GRID, {"digit": digit}, follow=True)


def test_two_tabs_of_one_reviewer_get_different_drawings(reviewing: Client) -> None:
    sevens(200)

    one, two = opened(reviewing), opened(reviewing)

    shown = [set(choices(each.content.decode())) for each in (one, two)]
    assert list(map(len, shown)) == [60, 60]
    assert not shown[0] & shown[1]
    # Reloaded in the other order: each shows its own drawings again.
    for each, drawings in ((two, shown[1]), (one, shown[0])):
        again = reviewing.get(each.redirect_chain[-1][0])
        assert set(choices(again.content.decode())) == drawings


def test_choosing_another_digit_releases_the_drawings(reviewing: Client) -> None:
    (row,) = sevens(1)
    grace = Client()
    grace.force_login(make_staff("grace", "view_prediction", "label_prediction"))
    page = opened(reviewing)
    assert "reserved for someone else" in look(grace)

    (link,) = [each["address"] for each in page.context["menu"] if each["text"] == "3"]
    reviewing.get(link)

    assert ids(grace) == [row.pk]


def test_a_saved_page_is_no_longer_claimed(reviewing: Client) -> None:
    rows = sevens(2)
    ids(reviewing)

    send(reviewing, {row.pk: 7 for row in rows})

    assert not ReviewClaim.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_reviewers_saving_the_same_drawings_at_once_conflict() -> None:
    rows = sevens(60)
    reviewers = [make_staff(name, "label_prediction") for name in ("ada", "grace", "joan")]

    def save(number: int) -> review_grid.Saved:
        try:
            # From different ends, and each with another label.
            shown = rows if number % 2 else rows[::-1]
            choices = {row.pk: number for row in shown}
            return review_grid.save(
                answer=Label.SEVEN,
                choices=choices,
                claimant=Claimant(reviewers[number], uuid.uuid4()),
            )
        finally:
            connection.close()

    with ThreadPoolExecutor(len(reviewers)) as pool:
        saved = list(pool.map(save, range(len(reviewers))))

    assert sorted(each.corrected for each in saved) == [0, 0, 60]
    assert sorted(len(each.conflicts) for each in saved) == [0, 60, 60]
    first = [each.corrected for each in saved].index(60)
    assert set(Prediction.objects.values_list("label", "labelled_by")) == {
        (first, reviewers[first].pk)
    }
    assert LabelEvent.objects.count() == 60


# Who may, and what is refused -----------------------------------------------------------------


def test_the_grid_requires_permission_to_label(client: Client) -> None:
    assert client.get(GRID).status_code == 302
    client.force_login(make_staff("viewer", "view_prediction"))
    (row,) = sevens(1)

    assert client.get(GRID).status_code == 403
    assert send(client, {row.pk: 7}).status_code == 403
    assert undo(client, uuid.uuid4()).status_code == 403
    assert label_of(row) is None


def test_an_undo_requires_post(reviewing: Client) -> None:
    assert reviewing.get(UNDO).status_code == 405


def test_a_form_without_csrf_token_is_rejected(reviewer: User) -> None:
    (row,) = sevens(1)
    client = Client(enforce_csrf_checks=True)
    client.force_login(reviewer)

    assert send(client, {row.pk: 7}).status_code == 403
    assert label_of(row) is None


@pytest.mark.parametrize("query", ["digit=10", "digit=x", "digit=", "digit=7&order=x"])
def test_a_page_that_does_not_exist_is_not_found(reviewing: Client, query: str) -> None:
    assert reviewing.get(f"{GRID}?{query}").status_code == 404


@pytest.mark.parametrize(
    "query", ["again=x", "again=,,", "meanwhile=x,y", f"again={uuid.UUID(int=0)}"]
)
def test_invalid_parameters_are_ignored(reviewing: Client, query: str) -> None:
    (row,) = sevens(1)

    response = reviewing.get(f"{GRID}?digit=7&{query}", follow=True)

    assert list(choices(response.content.decode())) == [row.pk]


@pytest.mark.parametrize("label", ["11", "-1", "x", "", "7.0"])
def test_an_invalid_label_is_rejected_and_nothing_saved(reviewing: Client, label: str) -> None:
    good, bad = sevens(2)

    response = send(reviewing, {good.pk: 7, bad.pk: label})

    assert response.status_code == 400
    assert "Open the grid again." in response.content.decode()
    assert not LabelEvent.objects.exists()


@pytest.mark.parametrize(
    "fields", [{}, {"digit": "7", "label-x": "7"}, {"digit": "7", "label-": "7"}, {"label-x": ""}]
)
def test_a_malformed_form_is_rejected_with_a_message(
    reviewing: Client, fields: dict[str, str]
) -> None:
    response = reviewing.post(GRID, fields)

    assert response.status_code == 400
    assert response.content.decode().endswith("Open the grid again.")


@pytest.mark.parametrize("batch", ["", "x", str(uuid.UUID(int=0))])
def test_an_unknown_batch_is_rejected(reviewing: Client, batch: str) -> None:
    assert undo(reviewing, batch).status_code == 400


def test_drawings_of_other_pages_are_rejected(reviewing: Client) -> None:
    seven = make_prediction(7)
    for stranger in (
        make_prediction(3),
        make_prediction(7, verdict="not_a_digit"),
        make_prediction(7, audit_key=0.5),
    ):
        response = send(reviewing, {seven.pk: 7, stranger.pk: 7})
        assert response.status_code == 400
    assert not LabelEvent.objects.exists()


def test_more_than_a_page_is_rejected(reviewing: Client) -> None:
    response = send(reviewing, {row.pk: 7 for row in sevens(61)})

    assert response.status_code == 400
    assert response.content.decode() == "A page has at most 60 drawings."


# As fast for many as for few ------------------------------------------------------------------


@pytest.mark.parametrize("digit", ["7", "not_a_digit"])
@pytest.mark.parametrize("order", ["least-sure", "newest"])
def test_pages_read_only_their_own_drawings(reviewing: Client, digit: str, order: str) -> None:
    with CaptureQueriesContext(connection) as captured:
        look(reviewing, digit, order=order)

    asked = [
        query["sql"]
        for query in captured
        if 'FROM "recognizer_prediction" WHERE' in query["sql"] and "LIMIT" in query["sql"]
    ]
    assert len(asked) == 12
    if connection.vendor != "sqlite":
        # Other databases plan by what the tables hold: here that is nothing.
        return
    for sql in asked:
        with connection.cursor() as cursor:
            cursor.execute("EXPLAIN QUERY PLAN " + sql)
            plan = [row[3] for row in cursor.fetchall()]
        (step,) = [line for line in plan if "recognizer_prediction" in line]
        assert re.match(r"SEARCH \w+ USING INDEX prediction_\w+ \((digit|verdict)=\?\)", step)
        assert not [line for line in plan if "TEMP B-TREE FOR ORDER BY" in line]


def counted(client: Client, rows: Iterable[Prediction]) -> tuple[int, int, int]:
    """How many queries it takes to look at a page, to save it and to undo it."""
    numbers = []
    labels: dict[uuid.UUID, object] = {row.pk: n % 11 for n, row in enumerate(rows)}
    fields = {f"label-{pk}": str(label) for pk, label in labels.items()}
    for step in ("look", "save", "undo"):
        with CaptureQueriesContext(connection) as captured:
            if step == "look":
                look(client)
            elif step == "save":
                client.post(GRID, {"digit": 7, **fields})
            else:
                client.post(UNDO, {"batch": str(last_batch())})
        numbers.append(len(captured))
    look_, save, undo_ = numbers
    return look_, save, undo_


def test_a_page_of_sixty_takes_as_many_queries_as_one_of_eleven(reviewing: Client) -> None:
    look(reviewing)
    few = counted(reviewing, sevens(11))
    Prediction.objects.all().delete()

    many = counted(reviewing, sevens(150)[:60])

    assert few == many
    assert max(many) < 50


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("head", {}),
        ("get", {"Sec-Fetch-Site": "cross-site"}),
        ("get", {"Sec-Fetch-Site": "same-site"}),
        ("get", {"Sec-Purpose": "prefetch"}),
    ],
    ids=str,
)
def test_only_a_reviewer_who_opens_the_page_claims_its_drawings(
    reviewing: Client, method: str, headers: dict[str, str]
) -> None:
    make_prediction(3)
    address = f"/admin/recognizer/prediction/grid/?digit=3&page={uuid.uuid4().hex}"

    response = getattr(reviewing, method)(address, headers=headers)

    assert response.status_code == 200
    assert not ReviewClaim.objects.exists()
    reviewing.get(address, headers={"Sec-Fetch-Site": "same-origin"})
    assert ReviewClaim.objects.count() == 1
