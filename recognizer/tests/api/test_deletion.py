"""DELETE of one's own drawings, the key that makes sending again harmless, and old drawings."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from io import StringIO

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.utils import timezone
from pytest_django import Settings
from rest_framework.test import APIClient

from recognizer.labelling import labels
from recognizer.models import LabelEvent, Prediction, RememberedDrawing
from recognizer.predictions import deletion
from recognizer.tests.support.drawings import DrawDigit
from recognizer.tests.support.reviewing import make_prediction

PREDICTIONS = "/api/v1/predictions/"

DataUrl = Callable[[bytes], str]
pytestmark = pytest.mark.django_db


@pytest.fixture
def body(draw_digit: DrawDigit, data_url: DataUrl) -> dict[str, str]:
    """A drawing as JSON."""
    return {"image": data_url(draw_digit(4))}


def test_a_visitors_drawing_is_deleted(api: APIClient, body: dict[str, str]) -> None:
    first, second = (api.post(PREDICTIONS, body).json()["id"] for _ in range(2))
    api.post(f"{PREDICTIONS}{first}/suggestion/", {"digit": 9})

    response = api.delete(f"{PREDICTIONS}{first}/")

    assert response.status_code == 200
    assert response.json() == {"deleted": 1, "unlinked": 0}
    assert [str(row.pk) for row in Prediction.objects.all()] == [second]
    assert not RememberedDrawing.objects.exists()
    assert api.get(f"{PREDICTIONS}{first}/").status_code == 404
    assert api.delete(f"{PREDICTIONS}{first}/").status_code == 404


def test_another_visitors_drawing_can_not_be_deleted(api: APIClient, body: dict[str, str]) -> None:
    drawing = api.post(PREDICTIONS, body).json()["id"]

    stranger = APIClient()
    stranger.post(PREDICTIONS, body)

    assert stranger.delete(f"{PREDICTIONS}{drawing}/").status_code == 404
    assert stranger.delete(PREDICTIONS).json() == {"deleted": 1, "unlinked": 0}
    assert APIClient().delete(PREDICTIONS).json() == {"deleted": 0, "unlinked": 0}
    assert Prediction.objects.filter(pk=drawing).exists()


def test_a_labelled_drawing_is_anonymised(
    api: APIClient, body: dict[str, str], reviewer: User
) -> None:
    drawing = api.post(PREDICTIONS, body).json()["id"]
    api.post(f"{PREDICTIONS}{drawing}/suggestion/", {"digit": 9})
    labels.label_predictions(predictions=[uuid.UUID(drawing)], label=9, by=reviewer)

    response = api.delete(f"{PREDICTIONS}{drawing}/")

    assert response.json() == {"deleted": 0, "unlinked": 1}
    row = Prediction.objects.get(pk=drawing)
    assert (row.user, row.visitor, row.label) == (None, None, 9)
    assert LabelEvent.objects.count() == 1
    assert not RememberedDrawing.objects.exists()
    assert api.get(f"{PREDICTIONS}{drawing}/").status_code == 404


def test_answers_decided_by_a_deleted_drawing_are_kept(
    api: APIClient, body: dict[str, str]
) -> None:
    corrected = api.post(PREDICTIONS, body).json()["id"]
    row = make_prediction(4)
    Prediction.objects.filter(pk=row.pk).update(
        personal_digit=9,
        personal_confidence=0.9,
        personal_probabilities=row.probabilities,
        personal_verdict="digit",
        remembered=corrected,
    )

    api.delete(f"{PREDICTIONS}{corrected}/")

    row.refresh_from_db()
    assert (row.personal_digit, row.remembered) == (9, None)


def test_all_of_a_users_drawings_go_at_once(
    api: APIClient, user: User, reviewer: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(deletion, "CHUNK", 2)
    rows = [make_prediction(3, user=user) for _ in range(7)]
    other = make_prediction(3)
    labels.label_predictions(predictions=[rows[0].pk], label=3, by=reviewer)
    api.force_authenticate(user)

    response = api.delete(PREDICTIONS)

    assert response.json() == {"deleted": 6, "unlinked": 1}
    assert set(Prediction.objects.values_list("pk", flat=True)) == {rows[0].pk, other.pk}
    assert api.get(PREDICTIONS).json()["results"] == []


# Sent again ---------------------------------------------------------------------------------------


def test_the_same_key_stores_a_drawing_once(api: APIClient, body: dict[str, str]) -> None:
    headers = {"Idempotency-Key": "k" * 32}

    first, again = (api.post(PREDICTIONS, body, headers=headers) for _ in range(2))

    assert (first.status_code, again.status_code) == (201, 201)
    assert first.json() == again.json()
    assert Prediction.objects.count() == 1
    assert (
        api.post(PREDICTIONS, body, headers={"Idempotency-Key": "j" * 32}).json()["id"]
        != (first.json()["id"])
    )


def test_a_key_belongs_to_one_visitor(api: APIClient, body: dict[str, str]) -> None:
    headers = {"Idempotency-Key": "k" * 32}
    other = APIClient()
    for client in (api, other):
        client.post(PREDICTIONS, body)

    mine = api.post(PREDICTIONS, body, headers=headers).json()["id"]
    theirs = other.post(PREDICTIONS, body, headers=headers).json()["id"]

    assert mine != theirs
    assert uuid.UUID(mine).version == 4


@pytest.mark.parametrize("key", ["", "short", "k" * 129])
def test_an_invalid_key_is_refused(api: APIClient, body: dict[str, str], key: str) -> None:
    response = api.post(PREDICTIONS, body, headers={"Idempotency-Key": key})

    assert response.status_code == 400
    assert response.json()["errors"][0]["code"] == "invalid_idempotency_key"
    assert not Prediction.objects.exists()


# Old drawings -------------------------------------------------------------------------------------


def test_old_drawings_are_purged(reviewer: User, settings: Settings) -> None:
    settings.DRAWINGS_KEPT_DAYS = 30
    old, labelled = (
        make_prediction(3, created_at=timezone.now() - timedelta(days=31)) for _ in range(2)
    )
    new = make_prediction(3, created_at=timezone.now() - timedelta(days=29))
    labels.label_predictions(predictions=[labelled.pk], label=3, by=reviewer)
    out = StringIO()

    call_command("purge_predictions", stdout=out)

    assert "1 deleted, 1 labelled ones anonymised" in out.getvalue()
    assert set(Prediction.objects.values_list("pk", flat=True)) == {labelled.pk, new.pk}
    labelled.refresh_from_db()
    assert labelled.visitor is None
    assert not Prediction.objects.filter(pk=old.pk).exists()


@pytest.mark.parametrize("options", [[], ["--older-than=0"], ["--older-than=99999999"]])
def test_nothing_is_purged_without_an_age(options: list[str]) -> None:
    make_prediction(3, created_at=timezone.now() - timedelta(days=9999))

    with pytest.raises(CommandError):
        call_command("purge_predictions", *options)

    assert Prediction.objects.count() == 1
