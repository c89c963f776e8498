"""POST /api/v1/preview/: an answer to a drawing that is not stored."""

from __future__ import annotations

import base64
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from recognizer import imaging
from recognizer.models import Prediction
from recognizer.tests.support.drawings import DrawDigit

PREVIEW = "/api/v1/preview/"
PREDICTIONS = "/api/v1/predictions/"

DataUrl = Callable[[bytes], str]
pytestmark = pytest.mark.django_db


def test_it_answers_as_a_prediction_does_and_stores_nothing(
    api: APIClient, draw_digit: DrawDigit, data_url: DataUrl
) -> None:
    image = data_url(draw_digit(4))
    api.credentials(HTTP_PREFER="include=words")

    preview = api.post(PREVIEW, {"image": image})
    assert preview.status_code == 200
    assert not Prediction.objects.exists()
    assert "sessionid" not in preview.cookies

    kept = api.post(PREDICTIONS, {"image": image}).json()
    said = preview.json()
    for name in ("digit", "confidence", "probabilities", "verdict", "personal", "network", "words"):
        assert said[name] == kept[name], name
    assert said["model_version"] == kept["model_version"]
    assert "id" not in said


def test_it_shows_what_the_model_saw(
    api: APIClient, draw_digit: DrawDigit, data_url: DataUrl
) -> None:
    image = data_url(draw_digit(4))

    seen = api.post(PREVIEW, {"image": image}).json()["model_input"]

    kept = api.post(PREDICTIONS, {"image": image}).json()
    png = base64.b64decode(seen.removeprefix("data:image/png;base64,"))
    assert png == b"".join(api.get(kept["model_input_url"]))


@pytest.mark.parametrize("dust", [False, True])
def test_it_says_where_the_digit_is(api: APIClient, dust: bool) -> None:
    pixels = np.full((400, 500), 255, np.uint8)
    pixels[100:300, 200:220] = 0
    if dust:
        pixels[20:22, 480:482] = 0

    upload = SimpleUploadedFile("one.png", imaging.encode_png(pixels))
    box = api.post(PREVIEW, {"image": upload}, format="multipart").json()["ink_box"]

    found = [box["left"], box["top"], box["width"], box["height"]]
    assert found == pytest.approx([0.4, 0.25, 0.04, 0.5], abs=0.02)


def test_a_large_picture_has_its_box_in_shares_of_itself(api: APIClient) -> None:
    pixels = np.full((3000, 2000), 255, np.uint8)
    pixels[1500:2700, 200:320] = 0
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "JPEG")

    upload = SimpleUploadedFile("one.jpg", file.getvalue())
    box = api.post(PREVIEW, {"image": upload}, format="multipart").json()["ink_box"]

    found = [box["left"], box["top"], box["width"], box["height"]]
    assert found == pytest.approx([0.1, 0.5, 0.06, 0.4], abs=0.02)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({}, 400, "required"),
        ({"image": "seven"}, 400, "invalid_base64"),
        ({"image": ""}, 400, "empty_image"),
        ({"image": base64.b64encode(b"no image").decode()}, 400, "not_an_image"),
    ],
)
def test_it_rejects_invalid_drawings(
    api: APIClient, body: dict[str, Any], status: int, code: str
) -> None:
    response = api.post(PREVIEW, body)

    assert response.status_code == status
    assert response.json()["errors"][0]["code"] == code


def test_it_refuses_a_blank_drawing(api: APIClient, data_url: DataUrl) -> None:
    blank = imaging.encode_png(np.full((280, 280), 255, np.uint8))

    response = api.post(PREVIEW, {"image": data_url(blank)})

    assert response.json()["errors"][0]["code"] == "blank_drawing"


@pytest.mark.parametrize("method", ["get", "put", "delete"])
def test_it_only_takes_posts(api: APIClient, method: str) -> None:
    assert getattr(api, method)(PREVIEW).status_code == 405


def test_it_has_a_rate_limit_of_its_own(
    api: APIClient, draw_digit: DrawDigit, data_url: DataUrl, settings: Settings
) -> None:
    settings.REST_FRAMEWORK = {
        **settings.REST_FRAMEWORK,
        "DEFAULT_THROTTLE_RATES": {"anon": "1/min", "user": "1/min", "preview": "2/min"},
    }
    body = {"image": data_url(draw_digit(4))}

    assert [api.post(PREVIEW, body).status_code for _ in range(3)] == [200, 200, 429]
    assert api.post(PREDICTIONS, body).status_code == 201
    assert api.post(PREDICTIONS, body).status_code == 429


def test_a_new_visitor_costs_no_query(
    api: APIClient,
    draw_digit: DrawDigit,
    data_url: DataUrl,
    settings: Settings,
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    settings.MODEL_RECHECK_SECONDS = 60
    body = {"image": data_url(draw_digit(4))}
    api.post(PREVIEW, body)

    with django_assert_max_num_queries(1):
        api.post(PREVIEW, body)
