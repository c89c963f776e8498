"""Scripts on other sites: with a token, where CORS_ALLOWED_ORIGINS names their origin."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from recognizer.models import Prediction
from recognizer.tests.support.accounts import make_token
from recognizer.tests.support.drawings import data_url, digit_png

pytestmark = pytest.mark.django_db

URL = "/api/v1/predictions/"
ORIGIN = "https://app.example"
BODY = {"image": data_url(digit_png(3))}


@pytest.fixture
def _allowed(settings: Settings) -> None:
    settings.CORS_ALLOWED_ORIGINS = [ORIGIN]


def asked(client: Client, address: str = URL, origin: str = ORIGIN) -> str | None:
    """Ask as a browser does before a request with a token; return the allowed origin."""
    answer = client.options(
        address,
        headers={
            "Origin": origin,
            "Access-Control-Request-Method": "POST",
            "Access-Control-Request-Headers": "authorization, idempotency-key",
        },
    )
    assert "Access-Control-Allow-Credentials" not in answer
    return answer.headers.get("Access-Control-Allow-Origin")


def test_it_is_off_by_default(client: Client) -> None:
    assert asked(client) is None


@pytest.mark.usefixtures("_allowed")
def test_only_the_api_and_only_named_origins_are_allowed(client: Client) -> None:
    assert asked(client) == ORIGIN
    assert asked(client, origin="https://evil.example") is None
    assert asked(client, "/") is None
    assert asked(client, "/admin/") is None
    assert asked(client, "/account/") is None


@pytest.mark.usefixtures("_allowed")
def test_a_token_works(user: User) -> None:
    headers = {"Origin": ORIGIN, "Authorization": f"Bearer {make_token(user)}"}

    answer = APIClient().post(URL, BODY, headers=headers)

    assert answer.status_code == 201
    assert answer["Access-Control-Allow-Origin"] == ORIGIN
    assert "Location" in answer["Access-Control-Expose-Headers"]
    assert "Access-Control-Allow-Credentials" not in answer
    assert not answer.cookies


@pytest.mark.usefixtures("_allowed")
@pytest.mark.parametrize("who", ["visitor", "user"])
def test_cookies_are_not_honoured(user: User, who: str) -> None:
    client = APIClient()
    if who == "user":
        client.force_login(user)
    client.post(URL, BODY)
    drawn = Prediction.objects.get().pk
    headers = {"Origin": ORIGIN}

    answers = [
        client.get(URL, headers=headers),
        client.get(f"{URL}{drawn}/image/", headers=headers),
        client.post(URL, BODY, headers=headers),
        client.delete(URL, headers=headers),
        client.get("/api/v1/memory/", headers=headers),
    ]

    assert {answer.status_code for answer in answers} == {403}
    assert {answer.json()["errors"][0]["code"] for answer in answers} == {"cross_site"}
    assert Prediction.objects.count() == 1
    assert client.get("/api/v1/model/", headers=headers).status_code == 200
