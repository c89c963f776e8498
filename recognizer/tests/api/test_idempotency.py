"""Idempotency-Key: one drawing for one key, with a cookie, a token, or neither."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.utils import timezone
from rest_framework.test import APIClient

from recognizer.models import Prediction
from recognizer.tests.support.accounts import program_of
from recognizer.tests.support.drawings import data_url, digit_png, digit_strokes

pytestmark = pytest.mark.django_db

URL = "/api/v1/predictions/"
KEY = {"Idempotency-Key": "0123456789abcdef"}
THREE = {"image": data_url(digit_png(3))}
SEVEN = {"image": data_url(digit_png(7))}


def send(client: APIClient, body: Any = THREE, key: dict[str, str] = KEY, **more: Any) -> Any:
    return client.post(URL, body, headers=key, **more)


@pytest.fixture(params=["nobody", "visitor", "token"])
def client(request: pytest.FixtureRequest, user: User) -> Any:
    """Return a function that gives the client of one more request."""
    if request.param == "token":
        program = program_of(user)
        return lambda: program
    visitor = APIClient()
    if request.param == "visitor":
        visitor.post(URL, SEVEN)
        Prediction.objects.all().delete()
        return lambda: visitor
    return APIClient


def test_one_key_keeps_one_drawing(client: Any) -> None:
    answers = [send(client()) for _ in range(3)]

    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.json()["id"] for answer in answers}) == 1
    assert Prediction.objects.count() == 1


@pytest.mark.parametrize(
    "other",
    [SEVEN, {"image": data_url(b"rubbish")}, {"image": ""}, digit_strokes(7)],
    ids=["another digit", "rubbish", "nothing", "strokes"],
)
def test_another_drawing_with_the_key_is_refused(client: Any, other: Any) -> None:
    send(client())

    refused = send(client(), other)

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["code"] == "idempotency_key_reused"
    assert Prediction.objects.count() == 1


def test_the_same_drawing_may_come_in_another_form(client: Any) -> None:
    first = send(client()).json()

    file = io.BytesIO(digit_png(3))
    file.name = "three.png"
    assert send(client(), {"image": file}, format="multipart").json()["id"] == first["id"]


def test_a_key_without_cookie_works_for_a_day() -> None:
    first = send(APIClient()).json()["id"]
    Prediction.objects.update(created_at=timezone.now() - timedelta(hours=23))
    assert send(APIClient()).json()["id"] == first

    Prediction.objects.update(created_at=timezone.now() - timedelta(hours=25))
    again = send(APIClient())

    assert again.status_code == 201
    assert again.json()["id"] != first


def test_a_drawing_that_moved_to_an_account_does_not_block_its_key(user: User) -> None:
    visitor = APIClient()
    visitor.post(URL, SEVEN)
    first = send(visitor).json()["id"]
    Prediction.objects.filter(pk=first).update(user=user, visitor=None)

    again = send(visitor)

    assert again.status_code == 201
    assert again.json()["id"] != first


def test_a_lost_response_loses_no_drawing() -> None:
    send(APIClient())
    again = APIClient()

    drawn = send(again).json()

    assert [row["id"] for row in again.get(URL).json()["results"]] == [drawn["id"]]
    assert again.get(drawn["image_url"]).status_code == 200
    # The cookie has come meanwhile: the key is still the same.
    assert send(again).json()["id"] == drawn["id"]
    assert Prediction.objects.count() == 1


def test_a_key_opens_no_other_drawings_of_a_visitor() -> None:
    victim, other = APIClient(), APIClient()
    send(victim)
    victim.post(URL, SEVEN)

    answer = send(other)

    assert answer.status_code == 201
    assert not answer.cookies
    assert other.get(URL).json()["results"] == []


@pytest.mark.store
@pytest.mark.django_db(transaction=True)
def test_simultaneous_requests_keep_one_drawing() -> None:
    def once(number: int) -> Any:
        try:
            return send(APIClient(), THREE if number % 2 else SEVEN)
        finally:
            connection.close()

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(once, range(16)))

    assert Prediction.objects.count() == 1
    good = [answer for answer in answers if answer.status_code == 201]
    assert {answer.json()["id"] for answer in good} == {str(Prediction.objects.get().pk)}
    assert {answer.status_code for answer in answers} == {201, 422}
    assert len(good) == 8
