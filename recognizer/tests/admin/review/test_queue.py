"""The review queue through HTTP: who is given what, and what becomes of what they do."""

from __future__ import annotations

import datetime
import re
import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from copy import copy
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection, connections
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from recognizer.admin.review import queue_text
from recognizer.labelling import labels
from recognizer.models import LabelEvent, Prediction, ReviewClaim, ReviewSkip, Via
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
from recognizer.text.times import moment

pytestmark = [pytest.mark.django_db, pytest.mark.store]

PAGE = LIST + "review/"
ENDPOINTS = ["next", "label", "skip", "note", "undo", "renew", "release"]
PERMISSIONS = ("view_prediction", "label_prediction")


class Queue:
    """A tab of a reviewer's browser, as the page's JavaScript talks to the site."""

    def __init__(self, reviewer: User) -> None:
        self.reviewer = reviewer
        self.client = Client()
        self.client.force_login(reviewer)
        self.page = str(uuid.uuid4())
        self.until = ""

    def open_another(self) -> Queue:
        """Open the page in another tab of the same browser."""
        tab = copy(self)
        tab.page = str(uuid.uuid4())
        return tab

    def post(self, name: str, body: object, status: int = 200) -> dict[str, Any]:
        """Send JSON to one of the page's addresses; return what it answers."""
        if isinstance(body, dict):
            body = {"page": self.page, **body}
        response = self.client.post(f"{PAGE}{name}/", body, content_type="application/json")
        assert response.status_code == status, response.content
        answer: dict[str, Any] = response.json()
        return answer

    def next(self, wanted: int = 5, order: str = "newest", **body: Any) -> list[dict[str, Any]]:
        """Ask for drawings."""
        asked = {"order": order, "digit": None, "wanted": wanted, "have": [], **body}
        answer = self.post("next", asked)
        self.until = answer["until"]
        drawings: list[dict[str, Any]] = answer["drawings"]
        return drawings

    def ids(self, wanted: int = 5, order: str = "newest", **body: Any) -> list[uuid.UUID]:
        """Ask for drawings; return their ids."""
        return [uuid.UUID(each["id"]) for each in self.next(wanted, order, **body)]

    def label(
        self, row: Prediction | uuid.UUID, label: int, *, seen: int | None = None, status: int = 200
    ) -> tuple[str, dict[str, Any]]:
        """Label a drawing; return the step's name and the answer."""
        step = str(uuid.uuid4())
        body = {"id": str(getattr(row, "pk", row)), "label": label, "seen": seen, "step": step}
        return step, self.post("label", body, status)

    def release(self, *ids: uuid.UUID) -> dict[str, Any]:
        """Give drawings back."""
        return self.post("release", {"have": list(map(str, ids)), "until": self.until})

    def undo(self, row: Prediction, step: str | None, status: int = 200) -> dict[str, Any]:
        """Take a step back."""
        return self.post("undo", {"id": str(row.pk), "step": step}, status)


def reviewer_named(name: str) -> Queue:
    return Queue(make_staff(name, *PERMISSIONS))


@pytest.fixture
def ada() -> Queue:
    return reviewer_named("ada")


@pytest.fixture
def grace() -> Queue:
    return reviewer_named("grace")


def minutes_ago(minutes: float) -> datetime.datetime:
    return timezone.now() - datetime.timedelta(minutes=minutes)


def make_rows(count: int, **fields: Any) -> list[Prediction]:
    """So many drawings, the newest first."""
    version = make_version()
    rows = [
        prediction(index % 10, model_version=version, created_at=minutes_ago(index), **fields)
        for index in range(count)
    ]
    return Prediction.objects.bulk_create(rows, batch_size=500)


FLOODER, TRUSTED = uuid.uuid4(), uuid.uuid4()


def make_audits(count: int, **fields: Any) -> list[Prediction]:
    """So many drawings of the audit sample, the first to be audited first."""
    return [make_prediction(4, audit_key=index / count, **fields) for index in range(count)]


def keys(rows: list[Prediction]) -> list[uuid.UUID]:
    return [row.pk for row in rows]


def vias(row: Prediction) -> list[str]:
    return list(row.label_events.order_by("pk").values_list("via", flat=True))


def test_the_browser_gets_every_sentence_it_needs(project_root: Path) -> None:
    declared = (project_root / "static/recognizer/admin/review/types.js").read_text()
    block = declared[declared.index("@typedef {object} Texts") :]
    block = block[: block.index("*/")]

    names = set(re.findall(r"@property \{.*\} (\w+)$", block, re.M))

    assert names == set(queue_text.page_texts())


# Who may --------------------------------------------------------------------------------------


def test_the_page_needs_no_inline_style_or_script(ada: Queue) -> None:
    response = ada.client.get(PAGE)

    assert response.status_code == 200
    assert not INLINE.search(response.content.decode())
    assert "'unsafe-inline'" not in response["Content-Security-Policy"]


def test_opening_the_page_claims_nothing(ada: Queue) -> None:
    make_prediction()

    ada.client.get(PAGE)

    assert not ReviewClaim.objects.exists()


def test_without_javascript_the_page_links_to_the_list(ada: Queue) -> None:
    page = ada.client.get(PAGE).content.decode()

    noscript = page[page.index("<noscript>") : page.index("</noscript>")]
    assert f'href="{LIST}?labelled=no"' in noscript


def test_an_anonymous_user_is_sent_to_the_login(client: Client) -> None:
    response = client.get(PAGE)

    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/")


def test_users_who_may_only_view_are_rejected(client: Client) -> None:
    client.force_login(make_staff("viewer", "view_prediction"))
    row = make_prediction()
    body = {"id": str(row.pk), "label": 1, "seen": None, "step": str(uuid.uuid4())}

    assert client.get(PAGE).status_code == 403
    for name in ENDPOINTS:
        response = client.post(f"{PAGE}{name}/", body, content_type="application/json")
        assert response.status_code == 403
        assert response.json()["errors"][0]["code"] == "permission_denied"
    assert label_of(row) is None


@pytest.mark.parametrize("name", ENDPOINTS)
def test_logged_out_users_get_an_error_in_json(client: Client, name: str) -> None:
    response = client.post(f"{PAGE}{name}/", {}, content_type="application/json")

    assert response.status_code == 403
    assert response.json()["errors"][0]["code"] == "not_authenticated"


@pytest.mark.parametrize("name", ENDPOINTS)
def test_it_requires_a_csrf_token(ada: Queue, name: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(ada.reviewer)

    response = client.post(f"{PAGE}{name}/", {}, content_type="application/json")

    assert response.status_code == 403
    (error,) = response.json()["errors"]
    assert (error["code"], error["detail"]) == ("csrf_failed", "This page has expired. Reload it.")


@pytest.mark.parametrize("name", ENDPOINTS)
def test_it_requires_post(ada: Queue, name: str) -> None:
    assert ada.client.get(f"{PAGE}{name}/").status_code == 405


NEXT: dict[str, Any] = {"order": "newest", "digit": None, "wanted": 3, "have": []}
STEP = "00000000-0000-4000-8000-000000000000"


@pytest.mark.parametrize(
    ("name", "body"),
    [
        ("next", "no JSON"),
        ("next", "[" * 100_000),
        ("next", "[]"),
        ("next", "7"),
        ("next", {}),
        ("next", {**NEXT, "order": "best"}),
        ("next", {**NEXT, "order": None}),
        ("next", {**NEXT, "wanted": 0}),
        ("next", {**NEXT, "wanted": 1000}),
        ("next", {**NEXT, "wanted": "\x00"}),
        ("next", {**NEXT, "digit": 10}),
        ("next", {**NEXT, "have": ["x"]}),
        ("next", {**NEXT, "have": [STEP] * 1000}),
        ("label", {"id": STEP, "label": 11, "seen": None, "step": STEP}),
        ("label", {"id": STEP, "label": None, "seen": None, "step": STEP}),
        ("label", {"id": STEP, "label": True, "seen": None, "step": STEP}),
        ("label", {"id": STEP, "label": 1, "seen": {}, "step": STEP}),
        ("label", {"id": "x", "label": 1, "seen": None, "step": STEP}),
        ("label", {"id": STEP, "label": 1, "seen": None, "step": None}),
        ("skip", {"id": "7"}),
        ("skip", {"id": 2**200}),
        ("undo", {"id": STEP}),
        ("renew", {"have": None}),
        ("renew", {"have": [], "page": "x"}),
        ("release", {"have": [], "until": "soon"}),
    ],
)
def test_an_invalid_request_is_a_client_error(ada: Queue, name: str, body: object) -> None:
    answer = ada.post(name, body, status=400)

    assert answer["type"] in {"client_error", "validation_error"}
    for error in answer["errors"]:
        assert set(error) == {"code", "detail", "attr"}
        assert error["detail"]


@pytest.mark.parametrize("query", ["digit=10", "digit=x", "digit=-1", "digit=%00", "order=best"])
def test_an_invalid_query_is_a_client_error(ada: Queue, query: str) -> None:
    assert ada.client.get(f"{PAGE}?{query}").status_code == 400


@pytest.mark.parametrize("name", ["label", "skip", "undo"])
def test_a_drawing_that_has_been_deleted_is_not_found(ada: Queue, name: str) -> None:
    body = {"id": STEP, "label": 1, "seen": None, "step": STEP}

    assert ada.post(name, body, status=404)["errors"][0]["code"] == "not_found"


# What is given --------------------------------------------------------------------------------


def test_a_drawing_comes_with_everything_the_page_shows(ada: Queue) -> None:
    row = make_prediction(
        7,
        confidence=0.876,
        verdict="uncertain",
        suggestion=1,
        personal_digit=1,
        personal_confidence=0.93,
        personal_probabilities=[0.93 if digit == 1 else 0.07 / 9 for digit in range(10)],
        personal_verdict="digit",
        created_at=minutes_ago(180),
    )

    (drawing,) = ada.next()

    assert drawing["id"] == str(row.pk)
    assert drawing["drawing"].startswith("data:image/png;base64,")
    assert drawing["seen"].startswith("data:image/png;base64,")
    assert (drawing["digit"], drawing["percent"]) == (7, "87.6\u00a0%")
    assert (drawing["verdict"], drawing["verdict_text"]) == ("uncertain", "uncertain")
    assert drawing["answered"] == 7
    assert [each["digit"] for each in drawing["best"]] == [7, 0, 1]
    assert drawing["best"][0]["percent"] == "87.6\u00a0%"
    assert (drawing["suggestion"], drawing["disagrees"]) == ("1", True)
    assert drawing["personal"] == "1 (93.0\u00a0%)"
    assert drawing["model"] == "tested-1"
    assert drawing["drawn"] == moment(row.created_at)
    assert drawing["url"] == f"{LIST}{row.pk}/change/"


def test_a_rejected_drawing_is_confirmed_as_not_a_digit(ada: Queue) -> None:
    make_prediction(7, verdict="not_a_digit", suggestion=NOT_A_DIGIT)

    (drawing,) = ada.next()

    assert drawing["answered"] == NOT_A_DIGIT
    assert (drawing["suggestion"], drawing["disagrees"]) == ("not a digit", False)


def test_a_damaged_drawing_has_no_image(ada: Queue) -> None:
    make_prediction(image=b"no picture")

    (drawing,) = ada.next()

    assert drawing["seen"] is None


def test_labelled_drawings_are_not_in_the_queue(ada: Queue) -> None:
    make_prediction(3, label=3)

    assert ada.next() == []


def test_newest_first(ada: Queue) -> None:
    rows = make_rows(4)

    assert ada.ids(3) == keys(rows[:3])
    assert ada.ids(3, have=[str(row.pk) for row in rows[:3]]) == keys(rows[3:])


def test_least_sure_first(ada: Queue) -> None:
    sure, doubtful, middling = (make_prediction(margin=margin) for margin in (0.9, 0.1, 0.5))

    assert ada.ids(order="least_sure") == keys([doubtful, middling, sure])


def test_disagreement_first_and_then_the_least_sure(ada: Queue) -> None:
    doubtful = make_prediction(3, margin=0.1)
    agreed = make_prediction(3, suggestion=3, margin=0.5)
    refused_with_reason = make_prediction(
        3, suggestion=NOT_A_DIGIT, verdict="not_a_digit", margin=0.7
    )
    corrected = make_prediction(3, suggestion=8, created_at=minutes_ago(1))
    refused_in_vain = make_prediction(
        3, suggestion=3, verdict="not_a_digit", created_at=minutes_ago(2)
    )
    no_digit = make_prediction(3, suggestion=NOT_A_DIGIT, created_at=minutes_ago(3))
    make_prediction(3, suggestion=8, label=8)

    assert ada.ids(10, "disagreement") == keys(
        [corrected, refused_in_vain, no_digit, doubtful, agreed, refused_with_reason]
    )


def test_the_disagreements_of_one_visitor_do_not_fill_the_queue(ada: Queue) -> None:
    flood = [
        make_prediction(3, suggestion=8, visitor=FLOODER, created_at=minutes_ago(n))
        for n in range(21)
    ]
    others = [
        make_prediction(3, suggestion=8, visitor=uuid.uuid4(), created_at=minutes_ago(100 + n))
        for n in range(4)
    ]

    first = ada.ids(6, "disagreement")

    assert first == keys([flood[0], *others, flood[1]])


def test_the_disagreements_of_a_contradicted_visitor_come_last(ada: Queue) -> None:
    make_prediction(3, suggestion=8, visitor=FLOODER, label=3)
    contradicted = make_prediction(3, suggestion=8, visitor=FLOODER)
    trusted = [
        make_prediction(3, suggestion=8, visitor=TRUSTED, created_at=minutes_ago(n))
        for n in range(50, 53)
    ]
    make_prediction(3, suggestion=8, visitor=TRUSTED, label=8)

    assert ada.ids(4, "disagreement") == keys([*trusted, contradicted])


def test_the_disagreements_have_an_index_of_their_own() -> None:
    found = Prediction.objects.unlabelled().filter(audit_key__isnull=True).disagreements()
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            # The table is so small that it would be read whole.
            cursor.execute("SET LOCAL enable_seqscan = off")

    assert "prediction_disagreement" in found.order_by("-created_at", "-id")[:24].explain()


def test_the_random_sample_in_its_own_order(ada: Queue) -> None:
    late, early = make_prediction(audit_key=0.7), make_prediction(audit_key=0.2)
    make_prediction()

    assert ada.ids(order="audit") == keys([early, late])


def test_one_digit_only(ada: Queue) -> None:
    seven = make_prediction(7)
    make_prediction(1)

    for order in ("disagreement", "least_sure", "newest"):
        assert ada.ids(order=order, digit=7) == [seven.pk]


def test_the_order_is_remembered(ada: Queue, grace: Queue) -> None:
    ada.next(order="least_sure")

    assert ada.client.get(PAGE).context["order"] == "least_sure"
    assert ada.client.get(f"{PAGE}?order=audit").context["order"] == "audit"
    assert grace.client.get(PAGE).context["order"] == "disagreement"


def test_each_order_is_explained(ada: Queue) -> None:
    page = ada.client.get(PAGE).content.decode()

    for name in ("Disagreement first", "Least sure first", "Newest first", "Random audit sample"):
        assert f"<dt>{name}</dt>" in page
    assert "(margin sampling, Settles 2009)" in page


# The random sample ----------------------------------------------------------------------------


@pytest.mark.parametrize("order", ["disagreement", "least_sure", "newest"])
def test_every_twentieth_is_an_audit(ada: Queue, order: str) -> None:
    make_rows(70)
    audits = make_audits(5)

    given: list[dict[str, Any]] = []
    for _ in range(3):
        given += ada.next(24, order, have=[each["id"] for each in given][-60:])

    assert [number for number, each in enumerate(given, 1) if each["is_audit"]] == [20, 40, 60]
    assert [each["id"] for each in given if each["is_audit"]] == [str(a.pk) for a in audits[:3]]
    assert len({each["id"] for each in given}) == 72


def test_released_drawings_do_not_delay_the_next_audit(ada: Queue) -> None:
    make_rows(40)
    make_audits(2)
    given = ada.ids(24)
    ada.release(*given[10:])

    again = ada.next(24)

    assert [number for number, each in enumerate(again, 11) if each["is_audit"]] == [20]


def test_the_queue_continues_without_audits(ada: Queue) -> None:
    rows = make_rows(24)

    assert ada.ids(24) == keys(rows)


def test_audits_continue_without_other_drawings(ada: Queue) -> None:
    rows, audits = make_rows(2), make_audits(3)

    assert ada.ids(24) == keys([*rows, *audits])


def test_a_queue_filtered_by_digit_ends_with_its_last_drawing(ada: Queue) -> None:
    rows = [make_prediction(7, created_at=minutes_ago(index)) for index in range(21)]
    audits = make_audits(3)

    assert ada.ids(30, digit=7) == keys([*rows[:19], audits[0], *rows[19:]])
    assert ada.ids(digit=1) == []


def test_an_audit_does_not_disclose_the_label(ada: Queue) -> None:
    row = make_prediction(4, audit_key=0.1, label=9, labelled_by=make_staff("hopper"))
    plain = make_prediction(4, audit_key=0.1)

    labelled, unlabelled = sorted(ada.next(), key=lambda each: each["id"] != str(row.pk))

    differing = {name for name in labelled if labelled[name] != unlabelled[name]}
    assert differing <= {"id", "url", "created_at", "age"}
    have = {"have": [str(row.pk), str(plain.pk)]}
    assert ada.post("renew", have)["labelled"] == {}


def test_labelling_a_drawing_of_the_sample_is_an_audit(ada: Queue) -> None:
    row = make_prediction(4, audit_key=0.1)

    ada.label(row, 9)

    row.refresh_from_db()
    assert (row.label, row.labelled_by) == (9, ada.reviewer)
    assert row.audited_at is not None
    assert vias(row) == [Via.AUDIT]
    assert ada.next() == []


def test_an_audit_may_confirm_an_existing_label(ada: Queue) -> None:
    row = make_prediction(4, audit_key=0.1, label=9, labelled_by=make_staff("hopper"))

    ada.label(row, 9)

    row.refresh_from_db()
    assert row.labelled_by is not None
    assert (row.label, row.labelled_by.username) == (9, "hopper")
    assert row.audited_at is not None
    assert vias(row) == [Via.AUDIT]


@pytest.mark.parametrize("final", [9, 5])
def test_an_audit_that_differs_from_a_label_is_settled_by_the_reviewer(
    ada: Queue, final: int
) -> None:
    row = make_prediction(4, audit_key=0.1, label=9, labelled_by=make_staff("hopper"))

    _, answer = ada.label(row, 5, status=409)
    assert answer["label"]["value"] == 9
    assert "hopper" in answer["errors"][0]["detail"]
    assert label_of(row) == 9

    ada.label(row, final, seen=9)
    row.refresh_from_db()
    assert row.label == final
    assert row.audited_at is not None


def test_labelling_elsewhere_is_no_audit(ada: Queue) -> None:
    row = make_prediction(4, audit_key=0.1)

    labels.label_predictions(predictions=[row.pk], label=4, by=ada.reviewer)

    assert ada.ids(order="audit") == [row.pk]


# Two at once ----------------------------------------------------------------------------------


def test_two_reviewers_get_different_drawings(ada: Queue, grace: Queue) -> None:
    rows = make_rows(10)

    first, second = ada.ids(4), grace.ids(4)

    assert first == keys(rows[:4])
    assert second == keys(rows[4:8])
    assert reviewer_named("hopper").ids(4) == keys(rows[8:])


def test_two_reviewers_get_different_audits(ada: Queue, grace: Queue) -> None:
    audits = make_audits(4)

    assert ada.ids(2, "audit") == keys(audits[:2])
    assert grace.ids(4, "audit") == keys(audits[2:])


def test_drawings_claimed_by_others_are_counted_separately(ada: Queue, grace: Queue) -> None:
    make_rows(3)
    ada.next(2)

    left = grace.post("next", {**NEXT, "wanted": 1})["left"]

    assert (left["count"], left["is_more"], left["with_others"]) == (1, False, 2)


def test_a_repeated_request_gets_the_same_drawings(ada: Queue) -> None:
    rows = make_rows(4)
    ada.next(2)

    assert ada.ids(3) == keys(rows[:3])


def test_two_tabs_of_one_reviewer_get_different_drawings(ada: Queue, grace: Queue) -> None:
    rows = make_rows(6)
    other = ada.open_another()

    assert ada.ids(2) == keys(rows[:2])
    assert other.ids(2) == keys(rows[2:4])
    assert other.post("next", {**NEXT, "wanted": 1})["left"]["with_others"] == 2
    assert grace.ids(6) == keys(rows[4:])


@pytest.mark.parametrize("kind", ["queue", "grid"])
def test_closing_a_tab_keeps_the_claims_of_the_reviewers_other_tab(
    ada: Queue, grace: Queue, kind: str
) -> None:
    rows = [make_prediction(7, margin=0.1 * index) for index in range(4)]
    ada.ids(2, "least_sure")

    if kind == "queue":
        other = ada.open_another()
        other.ids(2, "least_sure")
        other.release(*keys(rows))
    else:
        # Opened, left for another digit, and saved with drawings that the queue shows.
        grid = ada.client.get(f"{LIST}grid/", {"digit": 7}, follow=True)
        assert [cell["pk"] for cell in grid.context["cells"]] == keys(rows[2:])
        (menu,) = [link["address"] for link in grid.context["menu"] if link["text"] == "3"]
        ada.client.get(menu)
        sent = {f"label-{row.pk}": "leave" for row in rows[:2]}
        page = grid.context["page_id"]
        ada.client.post(f"{LIST}grid/", {"digit": 7, "page": page, **sent})

    assert grace.ids(4, "least_sure") == keys(rows[2:])
    assert ada.post("renew", {"have": [str(row.pk) for row in rows[:2]]})["lost"] == []


def test_an_open_queue_and_another_reviewers_grid_never_show_the_same_drawing(
    ada: Queue, grace: Queue
) -> None:
    rows = [make_prediction(7, margin=0.1 * index) for index in range(4)]
    ada.ids(2, "least_sure")

    grid = grace.client.get(f"{LIST}grid/", {"digit": 7}, follow=True)

    assert [cell["pk"] for cell in grid.context["cells"]] == keys(rows[2:])
    assert ada.ids(4, "least_sure") == keys(rows[:2])


def test_a_page_id_does_not_give_access_to_another_reviewers_claims(
    ada: Queue, grace: Queue
) -> None:
    (row,) = make_rows(1)
    ada.next()
    grace.page = ada.page

    assert grace.ids() == []
    assert grace.release(row.pk) == {"released": 0}
    assert ReviewClaim.objects.get().reviewer == ada.reviewer


def test_a_claim_expires(ada: Queue, grace: Queue) -> None:
    (row,) = make_rows(1)
    ada.next()
    ReviewClaim.objects.update(expires_at=minutes_ago(1))

    assert grace.ids() == [row.pk]
    assert ReviewClaim.objects.get().reviewer == grace.reviewer


def test_a_page_that_is_open_keeps_its_drawings(ada: Queue, grace: Queue) -> None:
    (row,) = make_rows(1)
    ada.next()
    ReviewClaim.objects.update(expires_at=timezone.now() + datetime.timedelta(seconds=30))

    answer = ada.post("renew", {"have": [str(row.pk)]})

    assert answer["lost"] == []
    claim = ReviewClaim.objects.get()
    assert claim.expires_at.isoformat() == answer["until"]
    assert claim.expires_at > timezone.now() + datetime.timedelta(minutes=9)
    assert grace.ids() == []


def test_a_page_that_slept_is_notified_of_lost_claims(ada: Queue, grace: Queue) -> None:
    taken, free, deleted = make_rows(3)
    ada.next()
    ReviewClaim.objects.update(expires_at=minutes_ago(1))
    grace.next(1)
    Prediction.objects.filter(pk=deleted.pk).delete()

    have = [str(row.pk) for row in (taken, free, deleted)]
    answer = ada.post("renew", {"have": have})

    assert set(answer["lost"]) == {str(taken.pk), str(deleted.pk)}
    assert ReviewClaim.objects.get(prediction=free).reviewer == ada.reviewer


def test_leaving_the_page_releases_its_drawings(ada: Queue, grace: Queue) -> None:
    rows = make_rows(2)
    given = ada.ids()

    assert ada.release(*given) == {"released": 2}
    assert grace.ids() == keys(rows)


def test_a_release_that_arrives_after_a_reload_leaves_the_page_its_drawings(ada: Queue) -> None:
    (row,) = make_rows(1)
    ada.next()
    before = copy(ada)
    assert ada.ids() == [row.pk]

    assert before.release(row.pk) == {"released": 0}

    assert ReviewClaim.objects.get().reviewer == ada.reviewer


def test_a_label_releases_the_claim(ada: Queue) -> None:
    (row,) = make_rows(1)
    ada.next()

    ada.label(row, 3)

    assert not ReviewClaim.objects.exists()


def test_a_label_set_since_is_shown_not_overwritten(ada: Queue, grace: Queue) -> None:
    (row,) = make_rows(1)
    ada.next()
    labels.label_predictions(predictions=[row.pk], label=7, by=grace.reviewer)

    _, answer = ada.label(row, 3, status=409)

    assert answer["errors"][0] == {
        "code": "conflict",
        "detail": "grace has labelled this “7” in the meantime.",
        "attr": None,
    }
    assert answer["label"]["value"] == 7
    row.refresh_from_db()
    assert (row.label, row.labelled_by) == (7, grace.reviewer)


def test_a_label_set_since_can_be_overwritten(ada: Queue, grace: Queue) -> None:
    (row,) = make_rows(1)
    labels.label_predictions(predictions=[row.pk], label=7, by=grace.reviewer)

    ada.label(row, 3, seen=7)

    row.refresh_from_db()
    assert (row.label, row.labelled_by) == (3, ada.reviewer)
    event = LabelEvent.objects.filter(via=Via.QUEUE).get()
    assert (event.old, event.new, event.by) == (7, 3, ada.reviewer)


def test_two_reviewers_who_agree_are_no_conflict(ada: Queue, grace: Queue) -> None:
    (row,) = make_rows(1)
    labels.label_predictions(predictions=[row.pk], label=7, by=grace.reviewer)

    ada.label(row, 7)

    row.refresh_from_db()
    assert row.labelled_by == grace.reviewer


def test_a_label_cleared_since_is_a_conflict_too(ada: Queue, grace: Queue) -> None:
    (row,) = make_rows(1)

    _, answer = ada.label(row, 3, seen=7, status=409)

    assert answer["label"] == {
        "value": None,
        "text": "Someone has cleared this label in the meantime.",
    }


def test_a_waiting_page_is_notified_of_a_label(ada: Queue, grace: Queue) -> None:
    row, other = make_rows(2)
    ada.next()
    labels.label_predictions(predictions=[row.pk], label=7, by=grace.reviewer)

    answer = ada.post("renew", {"have": [str(row.pk), str(other.pk)]})

    assert list(answer["labelled"]) == [str(row.pk)]
    assert answer["labelled"][str(row.pk)]["text"] == "grace has labelled this “7” in the meantime."


def together(*calls: Any) -> list[Any]:
    """Call all at once, each in its own thread with its own connection; return the results."""
    start = threading.Barrier(len(calls))

    def run(call: Any) -> Any:
        try:
            start.wait(timeout=300)
            return call()
        finally:
            connections.close_all()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


@pytest.mark.django_db(transaction=True)
def test_simultaneous_requests_get_different_drawings() -> None:
    make_rows(60)
    make_audits(6)
    everybody = [reviewer_named(f"reviewer-{number}") for number in range(6)]

    given = together(*(partial(queue.ids, 11) for queue in everybody))

    assert [len(ids) for ids in given] == [11] * 6
    assert len({each for ids in given for each in ids}) == 66
    claims = dict(ReviewClaim.objects.values_list("prediction", "reviewer"))
    for queue, ids in zip(everybody, given, strict=True):
        assert {claims[each] for each in ids} == {queue.reviewer.pk}


@pytest.mark.django_db(transaction=True)
def test_one_of_two_simultaneous_labels_is_rejected() -> None:
    (row,) = make_rows(1)
    queues = [reviewer_named(f"reviewer-{number}") for number in range(4)]

    def send(queue: Queue, label: int) -> int:
        body = {"id": str(row.pk), "label": label, "seen": None, "step": str(uuid.uuid4())}
        body["page"] = queue.page
        response = queue.client.post(f"{PAGE}label/", body, content_type="application/json")
        return response.status_code

    statuses = together(*(partial(send, queue, label) for label, queue in enumerate(queues)))

    assert sorted(statuses) == [200, 409, 409, 409]
    assert LabelEvent.objects.get().new == label_of(row) == statuses.index(200)


@pytest.mark.django_db(transaction=True)
def test_simultaneous_reviewers_never_block_each_other() -> None:
    make_rows(44)
    make_audits(4)

    def work(queue: Queue) -> int:
        done = 0
        while given := queue.ids(4):
            queue.post("renew", {"have": list(map(str, given))})
            for each in given:
                queue.label(each, 3)
            done += len(given)
        return done

    queues = [reviewer_named(f"reviewer-{number}") for number in range(4)]
    done = together(*(partial(work, queue) for queue in queues))

    assert sum(done) == 48
    assert LabelEvent.objects.count() == 48
    assert not ReviewClaim.objects.exists()


# Skips ----------------------------------------------------------------------------------------


def test_a_skipped_drawing_goes_to_the_others_and_comes_back_later(
    ada: Queue, grace: Queue
) -> None:
    (row,) = make_rows(1)
    ada.next()

    ada.post("skip", {"id": str(row.pk)})

    asked = ada.post("next", NEXT)
    assert (asked["drawings"], asked["left"]["count"], asked["left"]["skipped"]) == ([], 0, 1)
    assert grace.ids() == [row.pk]
    grace.release(row.pk)
    skip = ReviewSkip.objects.get()
    assert datetime.timedelta(minutes=59) < skip.expires_at - timezone.now()
    assert skip.expires_at - timezone.now() <= datetime.timedelta(hours=1)
    ReviewSkip.objects.update(expires_at=minutes_ago(1))
    assert ada.ids() == [row.pk]
    assert not ReviewSkip.objects.exists()


def test_skipping_twice_is_once(ada: Queue) -> None:
    (row,) = make_rows(1)

    ada.post("skip", {"id": str(row.pk)})
    ada.post("skip", {"id": str(row.pk)})

    assert ReviewSkip.objects.count() == 1


def test_a_skip_is_undone(ada: Queue, grace: Queue) -> None:
    (row,) = make_rows(1)
    ada.next()
    ada.post("skip", {"id": str(row.pk)})

    answer = ada.undo(row, None)

    assert answer["label"] is None
    assert ReviewClaim.objects.get().expires_at.isoformat() == answer["until"]
    assert not ReviewSkip.objects.exists()
    assert grace.ids() == []


# Undo -----------------------------------------------------------------------------------------


def test_a_label_is_undone(ada: Queue, grace: Queue) -> None:
    (row,) = make_rows(1)
    step, _ = ada.label(row, 3)

    answer = ada.undo(row, step)

    assert answer["label"] is None
    assert ReviewClaim.objects.get().expires_at.isoformat() == answer["until"]
    row.refresh_from_db()
    assert (row.label, row.labelled_by, row.labelled_at) == (None, None, None)
    assert vias(row) == [Via.QUEUE, Via.UNDO]
    assert grace.ids() == []


def test_ten_steps_are_undone_one_by_one(ada: Queue) -> None:
    rows = make_rows(10)
    steps = [ada.label(row, index)[0] for index, row in enumerate(rows)]

    for left, (row, step) in enumerate(zip(rows, steps, strict=True)):
        ada.undo(row, step)
        assert Prediction.objects.labelled().count() == 9 - left


@pytest.mark.parametrize("before", [None, 4])
def test_an_audit_is_undone(ada: Queue, before: int | None) -> None:
    row = make_prediction(4, audit_key=0.1, label=before)
    step, _ = ada.label(row, 4)

    answer = ada.undo(row, step)

    row.refresh_from_db()
    assert (row.label, row.audited_at) == (before, None)
    assert answer["label"] is None
    assert ada.ids() == [row.pk]


def test_undo_restores_an_overwritten_label(ada: Queue) -> None:
    row = make_prediction(4, label=9, labelled_by=make_staff("hopper"))
    step, _ = ada.label(row, 4, seen=9)

    answer = ada.undo(row, step)

    assert label_of(row) == 9
    assert answer["label"]["value"] == 9


def test_undo_keeps_a_label_set_since(ada: Queue, grace: Queue) -> None:
    (row,) = make_rows(1)
    step, _ = ada.label(row, 3)
    grace.label(row, 8, seen=3)

    answer = ada.undo(row, step)

    assert label_of(row) == 8
    assert answer["label"]["value"] == 8
    assert "grace" in answer["label"]["text"]


def test_a_reviewer_can_not_undo_another_reviewers_label(ada: Queue, grace: Queue) -> None:
    (row,) = make_rows(1)
    step, _ = ada.label(row, 3)

    grace.undo(row, step, status=400)

    assert label_of(row) == 3


def test_undoing_twice_is_once(ada: Queue) -> None:
    (row,) = make_rows(1)
    step, _ = ada.label(row, 3)
    ada.undo(row, step)
    ada.undo(row, step)

    assert vias(row) == [Via.QUEUE, Via.UNDO]


# Sent twice, as after an answer that got lost ---------------------------------------------------


@pytest.mark.parametrize("audit_key", [None, 0.1])
def test_a_label_that_arrives_twice_is_set_once(ada: Queue, audit_key: float | None) -> None:
    row = make_prediction(4, audit_key=audit_key)
    body = {"id": str(row.pk), "label": 3, "seen": None, "step": str(uuid.uuid4())}

    assert ada.post("label", body) == ada.post("label", body) == {"old": None, "new": 3}

    assert LabelEvent.objects.count() == 1


def test_a_step_id_belongs_to_one_label(ada: Queue) -> None:
    row, other = make_rows(2)
    step = str(uuid.uuid4())
    ada.post("label", {"id": str(row.pk), "label": 3, "seen": None, "step": step})

    for wrong in ({"id": str(other.pk), "label": 3}, {"id": str(row.pk), "label": 4}):
        ada.post("label", {**wrong, "seen": None, "step": step}, status=400)

    assert (label_of(row), label_of(other)) == (3, None)


# A long queue -----------------------------------------------------------------------------------


def test_a_long_queue_takes_no_more_queries_than_a_short_one(ada: Queue) -> None:
    def count() -> list[int]:
        counts = []
        step = str(uuid.uuid4())
        for order in ("disagreement", "least_sure", "newest", "audit"):
            asked = {**NEXT, "order": order, "wanted": 24}
            with CaptureQueriesContext(connection) as queries:
                given = ada.post("next", asked)["drawings"]
            assert len(given) == 24
            counts.append(len(queries))
        with CaptureQueriesContext(connection) as queries:
            ada.client.get(PAGE)
        counts.append(len(queries))
        with CaptureQueriesContext(connection) as queries:
            body = {"id": given[0]["id"], "label": 3, "seen": None, "step": step}
            ada.post("label", body)
        counts.append(len(queries))
        return counts

    make_rows(60, suggestion=3)
    make_audits(60)
    count()
    few = count()
    make_rows(2500, suggestion=3)

    assert count() == few
    assert max(few) <= 30


def test_counting_stops_at_a_thousand(ada: Queue) -> None:
    make_rows(1002)

    left = ada.post("next", NEXT)["left"]

    assert (left["count"], left["is_more"]) == (1000, True)


# The way there ----------------------------------------------------------------------------------


def test_the_first_page_after_the_login_leads_to_the_queue(ada: Queue) -> None:
    page = ada.client.get("/admin/").content.decode()

    assert f'<a href="{PAGE}">Review queue</a>' in page


def test_the_list_leads_to_the_queue_and_back(ada: Queue) -> None:
    assert f'<a href="{PAGE}"' in ada.client.get(LIST).content.decode()
    page = ada.client.get(PAGE).content.decode()
    assert f'<a href="{LIST}"' in page
    assert 'aria-current="page">Review queue</a>' in page


def test_users_who_may_not_label_see_no_link_to_the_queue(client: Client) -> None:
    client.force_login(make_staff("viewer", "view_prediction"))

    assert PAGE not in client.get("/admin/").content.decode()
    assert PAGE not in client.get(LIST).content.decode()


def test_users_without_access_to_drawings_see_no_links(client: Client) -> None:
    client.force_login(make_staff("newcomer"))

    assert "Review" not in client.get("/admin/").content.decode()
