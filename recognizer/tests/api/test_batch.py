"""Many drawings in one request: one answer each, in order."""

from __future__ import annotations

import io
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from pytest_django import Settings
from rest_framework.test import APIClient

from recognizer.models import ModelVersion, Prediction
from recognizer.tests.support.accounts import program_of
from recognizer.tests.support.drawings import data_url, digit_png, digit_strokes
from recognizer.tests.support.mirrored_digits import mirrored_png

pytestmark = pytest.mark.django_db

URL = "/api/v1/predictions/batch/"
SINGLE = "/api/v1/predictions/"


def picture(digit: int, **fields: Any) -> dict[str, Any]:
    return {"image": data_url(digit_png(digit)), **fields}


def files(*contents: bytes) -> list[io.BytesIO]:
    found = [io.BytesIO(content) for content in contents]
    for file in found:
        file.name = "digit.png"
    return found


def test_every_drawing_gets_its_answer_in_order(api: APIClient) -> None:
    sent = [picture(3), digit_strokes(7), picture(1, source="canvas")]

    answer = api.post(URL, {"drawings": sent})

    assert answer.status_code == 200
    results = answer.json()["results"]
    assert [each["digit"] for each in results] == [3, 7, 1]
    assert [each["source"] for each in results] == ["api", "api", "canvas"]
    stored = {row["id"]: row for row in api.get(SINGLE).json()["results"]}
    assert {each["id"]: each for each in results} == stored
    assert Prediction.objects.exclude(strokes=None).count() == 1


def test_files_of_a_form(api: APIClient) -> None:
    sent = files(digit_png(3), b"rubbish", digit_png(7))

    answer = api.post(URL, {"image": sent, "source": "upload"}, format="multipart")

    first, refused, last = answer.json()["results"]
    assert (first["digit"], last["digit"], last["source"]) == (3, 7, "upload")
    assert refused["errors"][0]["code"] == "not_an_image"


def test_an_answer_is_that_of_a_single_request(api: APIClient, user: User) -> None:
    program = program_of(user)
    first = program.post(SINGLE, {"image": data_url(mirrored_png(7))}).json()
    program.post(f"{SINGLE}{first['id']}/suggestion/", {"digit": 7})
    again = {"image": data_url(mirrored_png(7, 1))}

    (batch,) = program.post(URL, {"drawings": [again]}).json()["results"]
    # It would count as an earlier drawing.
    program.delete(f"{SINGLE}{batch['id']}/")
    single = program.post(SINGLE, again).json()

    assert batch["personal"]
    for body in (batch, single):
        for name in ("id", "image_url", "model_input_url", "created_at"):
            del body[name]
    assert batch == single


def test_a_bad_drawing_spoils_no_other(api: APIClient) -> None:
    bad = [
        {},
        {"image": None},
        {"image": "seven"},
        {"image": data_url(b"")},
        picture(1, strokes=[]),
        picture(1, source="moon"),
        {"strokes": [[[1]]], "size": [280, 280]},
        "text",
        None,
        7,
        [],
    ]

    results = api.post(URL, {"drawings": [picture(3), *bad, picture(4)]}).json()["results"]

    assert (results[0]["digit"], results[-1]["digit"]) == (3, 4)
    assert len(results) == len(bad) + 2
    for result in results[1:-1]:
        assert set(result) == {"type", "errors"}
        assert set(result["errors"][0]) == {"code", "detail", "attr"}
    assert Prediction.objects.count() == 2


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({}, "required"),
        ([], "required"),
        ({"drawings": None}, "required"),
        ({"drawings": []}, "required"),
        ({"drawings": {}}, "invalid"),
        ({"drawings": "x"}, "invalid"),
        ({"drawings": [{}] * 101}, "too_many_drawings"),
        ({"drawings": [[0] * 100_001]}, "parse_error"),
    ],
)
def test_an_invalid_batch_is_refused(api: APIClient, body: Any, code: str) -> None:
    answer = api.post(URL, body)

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == code
    assert not answer.cookies


@pytest.mark.parametrize("count", [0, 101])
def test_an_invalid_form_is_refused(api: APIClient, count: int) -> None:
    answer = api.post(URL, {"image": files(*[b"x"] * count)}, format="multipart")

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == ("too_many_drawings" if count else "required")


def test_nothing_is_stored_for_a_batch_of_bad_drawings(api: APIClient) -> None:
    answer = api.post(URL, {"drawings": [{}, {}]})

    assert answer.status_code == 200
    assert not answer.cookies
    assert not Prediction.objects.exists()


def test_a_batch_takes_as_many_queries_as_one_drawing(api: APIClient, user: User) -> None:
    program = program_of(user)
    counts = []
    for drawings in ([picture(1)], [picture(digit) for digit in range(10)] * 10):
        program.post(URL, {"drawings": drawings[:1]})
        with CaptureQueriesContext(connection) as queries:
            program.post(URL, {"drawings": drawings})
        counts.append(len([q for q in queries if "SAVEPOINT" not in q["sql"]]))

    # One bulk insert; SQLite splits one of over 999 values.
    assert counts[1] - counts[0] <= 100 * 30 // 999


def test_each_drawing_counts_in_the_limits(api: APIClient, settings: Settings) -> None:
    settings.REST_FRAMEWORK = {
        **settings.REST_FRAMEWORK,
        "DEFAULT_THROTTLE_RATES": {"anon": "5/min", "user": "5/min", "preview": None},
    }
    three = {"drawings": [picture(1)] * 3}

    assert api.post(URL, three).status_code == 200
    refused = api.post(URL, three)
    assert refused.status_code == 429
    assert int(refused["Retry-After"]) <= 60
    assert Prediction.objects.count() == 3


def test_a_batch_with_a_key_is_stored_once(api: APIClient) -> None:
    key = {"Idempotency-Key": "0123456789abcdef"}
    body = {"drawings": [picture(3), picture(3), {}]}

    first = api.post(URL, body, headers=key).json()["results"]
    again = APIClient().post(URL, body, headers=key).json()["results"]
    other = APIClient().post(URL, {"drawings": [picture(3), picture(4)]}, headers=key)

    assert first == again
    assert first[0]["id"] != first[1]["id"]
    assert other.json()["results"][1]["errors"][0]["code"] == "idempotency_key_reused"
    assert Prediction.objects.count() == 2


def test_without_a_model_nothing_is_stored(api: APIClient) -> None:
    ModelVersion.objects.update(is_active=False)

    answer = api.post(URL, {"drawings": [picture(1)]})

    assert answer.status_code == 503
    assert not Prediction.objects.exists()
