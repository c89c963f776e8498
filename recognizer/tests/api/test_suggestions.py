"""Saying what a drawing was, over HTTP."""

from __future__ import annotations

import json
import threading
import uuid
from collections.abc import Callable
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from recognizer.labelling import labels
from recognizer.models import Owner, Prediction, RememberedDrawing, Via
from recognizer.personalisation import corrections
from recognizer.tests.api.test_errors import error
from recognizer.tests.support.accounts import make_token
from recognizer.tests.support.drawings import DrawDigit
from recognizer.tests.support.reviewing import NOT_A_DIGIT, make_prediction

pytestmark = [pytest.mark.django_db, pytest.mark.store]

URL = "/api/v1/predictions/"
DataUrl = Callable[[bytes], str]


@pytest.fixture
def drawn(api: APIClient, draw_digit: DrawDigit, data_url: DataUrl) -> Prediction:
    """Return a drawing of the client's own, read as 3."""
    api.post(URL, {"image": data_url(draw_digit(3))})
    return Prediction.objects.get()


def address(row: Prediction) -> str:
    return f"{URL}{row.pk}/suggestion/"


@pytest.mark.parametrize("digit", [3, 8, 0])
def test_a_suggested_digit_is_stored_beside_the_answer(
    api: APIClient, drawn: Prediction, digit: int
) -> None:
    api.credentials(HTTP_PREFER="include=words")
    before = api.get(f"{URL}{drawn.pk}/").json()

    response = api.post(address(drawn), {"digit": digit})

    assert response.status_code == 200
    note = "You: correct" if digit == before["digit"] else f"You: {digit}"
    words = {**before["words"], "suggestion": note}
    assert response.json() == {**before, "suggested_digit": digit, "words": words}
    assert api.get(f"{URL}{drawn.pk}/").json() == response.json()
    assert response["Cache-Control"] == "private, no-store"


def test_it_may_be_no_digit(api: APIClient, drawn: Prediction) -> None:
    body = api.post(address(drawn), {"not_a_digit": True}).json()

    assert (body["suggested_digit"], body["suggested_not_a_digit"]) == (None, True)
    drawn.refresh_from_db()
    assert drawn.suggestion == NOT_A_DIGIT


def test_it_may_be_changed(api: APIClient, drawn: Prediction) -> None:
    for body in ({"digit": 5}, {"not_a_digit": True}, {"digit": 6, "not_a_digit": False}):
        api.post(address(drawn), body)

    assert api.get(f"{URL}{drawn.pk}/").json()["suggested_digit"] == 6
    assert RememberedDrawing.objects.get().label == 6


def test_it_may_be_undone(api: APIClient, drawn: Prediction) -> None:
    api.post(address(drawn), {"digit": 5})

    response = api.delete(address(drawn))

    assert (response.status_code, response.content) == (204, b"")
    body = api.get(f"{URL}{drawn.pk}/").json()
    assert (body["suggested_digit"], body["suggested_not_a_digit"]) == (None, False)
    assert not RememberedDrawing.objects.exists()
    # What is not there can be taken back once more.
    assert api.delete(address(drawn)).status_code == 204


def test_it_is_never_a_label(
    api: APIClient, drawn: Prediction, reviewer: User, reviewing: Client
) -> None:
    api.post(address(drawn), {"digit": 5})
    drawn.refresh_from_db()
    assert (drawn.label, drawn.labelled_by, drawn.labelled_at) == (None, None, None)

    labels.label_one(prediction_id=drawn.pk, label=2, seen=None, by=reviewer, via=Via.ADMIN)
    response = api.post(address(drawn), {"digit": 6})

    assert response.json()["suggested_digit"] == 6
    drawn.refresh_from_db()
    assert (drawn.label, drawn.labelled_by) == (2, reviewer)
    assert "6" in reviewing.get(f"/admin/recognizer/prediction/{drawn.pk}/change/").content.decode()


# Whose drawing ----------------------------------------------------------------------------------


@pytest.mark.parametrize("method", ["post", "delete"])
def test_another_visitors_drawing_is_not_found(
    drawn: Prediction,
    user: User,
    reviewer: User,
    draw_digit: DrawDigit,
    data_url: DataUrl,
    method: str,
) -> None:
    other_visitor, other_user, staff = APIClient(), APIClient(), APIClient()
    other_visitor.post(URL, {"image": data_url(draw_digit())})
    other_user.force_login(user)
    staff.force_login(reviewer)

    for client in (APIClient(), other_visitor, other_user, staff):
        response = getattr(client, method)(address(drawn), {"digit": 1})
        first = error(response, 404)
        assert first["code"] == "not_found"
        assert first["detail"] == "You have no drawing with this id."
    drawn.refresh_from_db()
    assert drawn.suggestion is None


@pytest.mark.parametrize("junk", ["1", "junk", "%00", str(uuid.UUID(int=0)), "é"])
def test_an_invalid_id_is_not_found(api: APIClient, drawn: Prediction, junk: str) -> None:
    response = api.post(f"{URL}{junk}/suggestion/", {"digit": 1})

    assert error(response, 404)["code"] == "not_found"


def test_a_token_acts_for_its_user(api: APIClient, user: User) -> None:
    row = make_prediction(3, user=user)
    api.credentials(HTTP_AUTHORIZATION=f"Token {make_token(user)}")

    assert api.post(address(row), {"digit": 5}).json()["suggested_digit"] == 5

    api.credentials(HTTP_AUTHORIZATION="Token wrong")
    assert api.post(address(row), {"digit": 6}).status_code == 401
    assert api.delete(address(row)).status_code == 401
    row.refresh_from_db()
    assert row.suggestion == 5


# Guards -----------------------------------------------------------------------------------------


def test_a_session_needs_the_csrf_token(user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    row = make_prediction(3, user=user)
    client.cookies["csrftoken"] = token = "a" * 32

    def send(**headers: str) -> list[int]:
        sent = {"content_type": "application/json", "headers": headers}
        return [
            client.post(address(row), {"digit": 5}, **sent).status_code,  # type: ignore[arg-type]
            client.delete(address(row), headers=headers).status_code,
            client.patch("/api/v1/memory/", {"enabled": False}, **sent).status_code,  # type: ignore[arg-type]
            client.delete("/api/v1/memory/", headers=headers).status_code,
        ]

    assert send() == [403] * 4
    assert send(**{"X-CSRFToken": token}) == [200, 204, 200, 204]


@pytest.mark.parametrize(
    ("origin", "works"), [("http://testserver", True), ("https://e.org", False)]
)
def test_another_site_cannot_act_for_a_visitor(
    api: APIClient, drawn: Prediction, origin: str, works: bool
) -> None:
    headers = {"Origin": origin}

    statuses = [
        api.post(address(drawn), {"digit": 5}, headers=headers).status_code,
        api.delete(address(drawn), headers=headers).status_code,
        api.patch("/api/v1/memory/", {"enabled": False}, headers=headers).status_code,
        api.delete("/api/v1/memory/", headers=headers).status_code,
    ]

    assert statuses == ([200, 204, 200, 204] if works else [403] * 4)


def test_it_is_throttled(api: APIClient, drawn: Prediction, settings: Settings) -> None:
    settings.REST_FRAMEWORK = {
        **settings.REST_FRAMEWORK,
        "DEFAULT_THROTTLE_RATES": {"anon": "3/hour", "user": "3/hour"},
    }

    answers = [
        api.post(address(drawn), {"digit": 5}),
        api.delete(address(drawn)),
        api.patch("/api/v1/memory/", {"enabled": True}),
        api.post(address(drawn), {"digit": 5}),
        api.delete("/api/v1/memory/"),
    ]

    assert [answer.status_code for answer in answers] == [200, 204, 200, 429, 429]
    first = error(answers[-1], 429)
    assert first["code"] == "throttled"
    wait = answers[-1]["Retry-After"]
    assert first["detail"] == f"Too many requests. Try again in {wait} seconds."
    assert api.get("/api/v1/memory/").status_code == 200


# What is refused --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("body", "code", "attr"),
    [
        ({}, "required", "non_field_errors"),
        ({"label": 4}, "required", "non_field_errors"),
        ({"not_a_digit": False}, "required", "non_field_errors"),
        ({"digit": 4, "not_a_digit": True}, "ambiguous", "non_field_errors"),
        ({"digit": 10}, "max_value", "digit"),
        ({"digit": -1}, "min_value", "digit"),
        ({"digit": 10**400}, "max_value", "digit"),
        ({"digit": True}, "invalid", "digit"),
        ({"digit": False}, "invalid", "digit"),
        ({"digit": 4.0}, "invalid", "digit"),
        ({"digit": "4"}, "invalid", "digit"),
        ({"digit": ""}, "invalid", "digit"),
        ({"digit": [4]}, "invalid", "digit"),
        ({"digit": {"digit": 4}}, "invalid", "digit"),
        ({"digit": None}, "null", "digit"),
        ({"digit": None, "not_a_digit": True}, "null", "digit"),
        ({"not_a_digit": None}, "null", "not_a_digit"),
        ({"not_a_digit": 1}, "invalid", "not_a_digit"),
        ({"not_a_digit": "true"}, "invalid", "not_a_digit"),
        ({"not_a_digit": "yes"}, "invalid", "not_a_digit"),
        ({"not_a_digit": [True]}, "invalid", "not_a_digit"),
        ([], "invalid", "non_field_errors"),
        ([{"digit": 4}], "invalid", "non_field_errors"),
        ("4", "invalid", "non_field_errors"),
        (4, "invalid", "non_field_errors"),
        (True, "invalid", "non_field_errors"),
        (None, "parse_error", None),
    ],
    ids=str,
)
def test_it_rejects_invalid_suggestions(
    api: APIClient, drawn: Prediction, body: Any, code: str, attr: str | None
) -> None:
    response = api.post(address(drawn), json.dumps(body), content_type="application/json")

    first = error(response, 400)
    assert (first["code"], first["attr"]) == (code, attr)
    drawn.refresh_from_db()
    assert drawn.suggestion is None
    assert not RememberedDrawing.objects.exists()


@pytest.mark.parametrize(
    "body", [b"{", b"nonsense", b'{"digit": NaN}', b"\xff\xfe", b"[" * 100_000], ids=range(5)
)
def test_it_refuses_malformed_json(api: APIClient, drawn: Prediction, body: bytes) -> None:
    api.raise_request_exception = False

    first = error(api.post(address(drawn), body, content_type="application/json"), 400)

    assert first["code"] == "parse_error"
    assert '{"digit": 4}' in first["detail"]


def test_it_accepts_only_json(api: APIClient, drawn: Prediction) -> None:
    response = api.post(address(drawn), {"digit": "4"}, format="multipart")

    first = error(response, 415)
    assert first["code"] == "unsupported_media_type"
    assert "Send application/json in UTF-8." in first["detail"]


def test_it_does_not_read_bodies_that_are_far_too_large(api: APIClient, drawn: Prediction) -> None:
    response = api.post(
        address(drawn), b'{"digit": 4}' + b" " * 13_000_000, content_type="application/json"
    )

    assert error(response, 413)["code"] == "image_too_large"


@pytest.mark.parametrize("method", ["get", "put", "patch"])
def test_other_methods_are_not_allowed(api: APIClient, drawn: Prediction, method: str) -> None:
    response = getattr(api, method)(address(drawn), {"digit": 4})

    assert error(response, 405)["code"] == "method_not_allowed"


# At once ----------------------------------------------------------------------------------------


@pytest.mark.django_db(transaction=True)
def test_many_suggestions_at_once_leave_one_remembered(user: User) -> None:
    row = make_prediction(3, user=user, embedding=b"\x00\x3c" * 96)
    failed: list[BaseException] = []
    start = threading.Barrier(8)

    def say(label: int) -> None:
        try:
            start.wait()
            corrections.suggest(prediction_id=row.pk, label=label, owner=Owner(user=user))
        except BaseException as problem:
            failed.append(problem)
        finally:
            connection.close()

    threads = [threading.Thread(target=say, args=[label]) for label in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert failed == []
    row.refresh_from_db()
    assert RememberedDrawing.objects.get().label == row.suggestion


# The schema -------------------------------------------------------------------------------------


def test_the_schema_shows_each_kind_of_correction(api: APIClient) -> None:
    schema = api.get("/api/schema/", {"format": "json"}).json()

    path = schema["paths"]["/api/v1/predictions/{id}/suggestion/"]
    examples = path["post"]["requestBody"]["content"]["application/json"]["examples"]
    assert [each["value"] for each in examples.values()] == [
        {"digit": 4},
        {"not_a_digit": True},
        {"number": "42"},
    ]
    assert set(path) == {"post", "delete"}
    assert set(schema["paths"]["/api/v1/memory/"]) == {"get", "patch", "delete"}
    sources = schema["components"]["schemas"]["SentSourceEnum"]["enum"]
    assert sources == ["canvas", "upload", "api"]


def test_the_schema_is_valid() -> None:
    call_command("spectacular", "--validate", "--fail-on-warn", "--file", "/dev/null")


def test_an_import_cannot_be_claimed(
    api: APIClient, user: User, draw_digit: DrawDigit, data_url: DataUrl
) -> None:
    response = api.post(URL, {"image": data_url(draw_digit()), "source": "import"})

    assert error(response, 400)["code"] == "invalid_choice"
    make_prediction(3, user=user, source="import")
    api.force_login(user)
    assert [entry["source"] for entry in api.get(URL).json()["results"]] == ["import"]
