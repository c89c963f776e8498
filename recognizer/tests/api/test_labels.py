"""Reviewers' programs: label drawings by the rules of the queue, export the labelled ones."""

from __future__ import annotations

import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from recognizer.labelling import claims
from recognizer.labelling.claims import Claimant
from recognizer.models import ApiToken, LabelEvent, Prediction, ReviewClaim, Via
from recognizer.tests.support.accounts import program_of
from recognizer.tests.support.exporting import import_from, store_some
from recognizer.tests.support.reviewing import make_prediction, make_staff

pytestmark = pytest.mark.django_db

URL = "/api/v1/predictions/"
EXPORT = "/api/v1/labels/export/"


@pytest.fixture
def program(reviewer: User) -> APIClient:
    return program_of(reviewer, "review")


def patch(client: APIClient, row: Prediction, **sent: Any) -> Any:
    return client.patch(f"{URL}{row.pk}/", sent)


# Labels -----------------------------------------------------------------------------------------


def test_a_label_is_stored_with_its_history(program: APIClient, reviewer: User) -> None:
    row = make_prediction(3)

    answer = patch(program, row, label=5)

    assert answer.status_code == 200
    assert answer.json() == {"id": str(row.pk), "label": 5, "previous": None}
    row.refresh_from_db()
    assert (row.label, row.labelled_by) == (5, reviewer)
    event = LabelEvent.objects.get()
    assert (event.old, event.new, event.by, event.via) == (None, 5, reviewer, Via.QUEUE)


def test_a_drawing_of_the_audit_sample_is_audited(program: APIClient) -> None:
    row = make_prediction(3, audit_key=0.5)

    patch(program, row, label=3)

    row.refresh_from_db()
    assert row.audited_at is not None
    assert LabelEvent.objects.get().via == Via.AUDIT


def test_its_own_claim_ends_and_that_of_others_stays(program: APIClient, reviewer: User) -> None:
    own, other = make_prediction(3), make_prediction(4)
    token = ApiToken.objects.get()
    page = uuid.uuid5(uuid.NAMESPACE_OID, f"token {token.pk}")
    until = timezone.now() + claims.CLAIMED_FOR
    claims.claim(ids=[own.pk], claimant=Claimant(reviewer, page), until=until)
    claims.claim(ids=[other.pk], claimant=Claimant(reviewer, uuid.uuid4()), until=until)

    for row in (own, other):
        assert patch(program, row, label=3).status_code == 200

    assert [claim.prediction for claim in ReviewClaim.objects.all()] == [other]


def test_a_label_is_changed_only_by_who_has_seen_it(program: APIClient) -> None:
    row = make_prediction(3, label=7)

    refused = patch(program, row, label=5)
    assert refused.status_code == 409
    assert refused.json()["errors"][0]["code"] == "conflict"
    assert patch(program, row, label=5, seen=6).status_code == 409
    changed = patch(program, row, label=5, seen=7)

    assert changed.json()["previous"] == 7
    row.refresh_from_db()
    assert row.label == 5


def test_the_same_step_labels_once(program: APIClient) -> None:
    row, step = make_prediction(3), str(uuid.uuid4())

    for _ in range(2):
        assert patch(program, row, label=10, step=step).status_code == 200
    reused = patch(program, row, label=4, seen=10, step=step)

    assert reused.status_code == 400
    assert reused.json()["errors"][0]["code"] == "step_reused"
    assert LabelEvent.objects.count() == 1


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"label": None},
        {"label": 11},
        {"label": -1},
        {"label": "4"},
        {"label": True},
        {"label": 4.0},
        {"label": 4, "seen": 11},
        {"label": 4, "step": "x"},
        {"label": 4, "step": None},
    ],
)
def test_an_invalid_label_is_refused(program: APIClient, sent: dict[str, Any]) -> None:
    row = make_prediction(3)

    answer = program.patch(f"{URL}{row.pk}/", sent)

    assert answer.status_code == 400
    assert not LabelEvent.objects.exists()


def test_a_drawing_that_does_not_exist_is_not_found(program: APIClient) -> None:
    assert program.patch(f"{URL}{uuid.uuid4()}/", {"label": 4}).status_code == 404


def test_only_staff_with_the_permission_label(user: User, reviewer: User) -> None:
    row = make_prediction(3)

    assert patch(APIClient(), row, label=4).status_code == 401
    assert patch(program_of(user, "review"), row, label=4).status_code == 403
    assert patch(program_of(make_staff("boss"), "review"), row, label=4).status_code == 403
    assert patch(program_of(reviewer, "predict", "read"), row, label=4).status_code == 403
    assert not LabelEvent.objects.exists()


def test_a_browser_needs_the_csrf_token(reviewer: User) -> None:
    row = make_prediction(3)
    client = Client(enforce_csrf_checks=True)
    client.force_login(reviewer)

    answer = client.patch(f"{URL}{row.pk}/", {"label": 4}, content_type="application/json")

    assert answer.status_code == 403


# Export -----------------------------------------------------------------------------------------


@pytest.fixture
def exporter() -> APIClient:
    return program_of(make_staff("exporter", "export_prediction"), "export")


def exported(client: APIClient, query: str = "") -> bytes:
    answer = client.get(EXPORT + query)
    assert answer.status_code == 200
    assert answer["Content-Type"] == "application/x-ndjson"
    assert answer.streaming
    return answer.getvalue()


def test_an_export_can_be_imported(exporter: APIClient, tmp_path: Path) -> None:
    rows = store_some()
    make_prediction(3)

    content = exported(exporter)

    lines = [json.loads(line) for line in content.splitlines()]
    assert [line["id"] for line in lines] == [str(row.pk) for row in rows]
    assert "export" in lines[-1]
    path = tmp_path / "drawings.jsonl"
    path.write_bytes(content)
    Prediction.objects.all().delete()
    import_from(path)
    assert Prediction.objects.labelled().count() == len(rows)


def test_an_export_can_be_narrowed(exporter: APIClient) -> None:
    store_some()

    assert len(exported(exporter, "?only_mistakes=true").splitlines()) == 2
    assert exported(exporter, "?since=2999-01-01T00:00Z") == b""
    assert len(exported(exporter, "?until=2999-01-01T00:00Z").splitlines()) == 5
    assert exporter.get(f"{EXPORT}?since=yesterday").status_code == 400


def test_an_export_needs_its_permission(reviewer: User, user: User) -> None:
    assert APIClient().get(EXPORT).status_code == 401
    assert program_of(user, "export").get(EXPORT).status_code == 403
    reviewer.user_permissions.remove(Permission.objects.get(codename="export_prediction"))
    assert program_of(reviewer, "export").get(EXPORT).status_code == 403
    allowed = make_staff("exporter", "export_prediction")
    assert program_of(allowed, "predict", "read", "review").get(EXPORT).status_code == 403
    assert program_of(allowed, "export").get(EXPORT).status_code == 200
