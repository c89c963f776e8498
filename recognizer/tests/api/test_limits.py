"""Limits: by user, visitor and address, on every address of the site, and on what is stored."""

from __future__ import annotations

import base64
import time
from collections.abc import Callable
from typing import Any
from unittest.mock import ANY

import pytest
from django.contrib.auth.models import User
from django.core.cache import cache
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from pytest_django import Settings
from rest_framework.test import APIClient

from recognizer.api import limits
from recognizer.models import Prediction
from recognizer.tests.support.drawings import DrawDigit

pytestmark = pytest.mark.django_db

URL = "/api/v1/predictions/"
PREVIEW = "/api/v1/preview/"
# A public site's.
DEFAULTS = {
    "anon": "60/min",
    "user": "120/min",
    "preview": "600/min",
    "read": "600/min",
    "login": "10/hour",
}


@pytest.fixture
def body(draw_digit: DrawDigit, data_url: Callable[[bytes], str]) -> dict[str, str]:
    return {"image": data_url(draw_digit(7))}


@pytest.fixture
def limit(settings: Settings) -> Callable[..., None]:
    """Return the function that sets limits; what is not named has none."""

    def set_limits(**rates: str | None) -> None:
        settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": rates}

    return set_limits


def code(response: Any) -> str:
    found: str = response.json()["errors"][0]["code"]
    return found


# Visitors and addresses ---------------------------------------------------------------------------


def test_thirty_visitors_of_one_address_are_not_refused_and_an_abuser_beside_them_is(
    body: dict[str, str], limit: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(**DEFAULTS)
    now = time.time()
    # All within one minute, however slow this machine is.
    monkeypatch.setattr("time.time", lambda: now)
    pupils = [Client() for _ in range(30)]
    pages = [pupil.get("/").status_code for pupil in pupils]
    drawings, guesses = [], []

    def post(client: Client, address: str) -> int:
        return client.post(address, body, content_type="application/json").status_code

    for _drawing in range(3):
        for pupil in pupils:
            guesses += [post(pupil, PREVIEW) for _ in range(4)]
            drawings.append(post(pupil, URL))

    assert pages == [200] * 30
    assert guesses == [200] * 360
    assert drawings == [201] * 90
    # Whoever throws cookies away has what is left of the address's own limit, and no more.
    abuser = [APIClient().post(URL, {}).status_code for _ in range(61)]
    assert abuser[-1] == 429
    assert abuser.count(400) <= 60
    assert post(pupils[0], URL) == 201


def test_who_throws_cookies_away_meets_the_limit_of_the_address(
    api: APIClient, limit: Callable[..., None]
) -> None:
    limit(anon="5/min")

    codes = [APIClient().post(URL, {}).status_code for _ in range(7)]

    assert codes == [400] * 5 + [429] * 2


def test_who_collects_cookies_meets_the_ceiling_of_the_address(
    body: dict[str, str], limit: Callable[..., None], settings: Settings
) -> None:
    settings.ADDRESS_LIMIT_FACTOR = 2
    limit(anon="2/min")
    first, second, third = APIClient(), APIClient(), APIClient()

    codes = [each.post(URL, body).status_code for each in (first, second, first, second, third)]

    assert codes == [201, 201, 201, 201, 429]
    assert third.post(URL, body, REMOTE_ADDR="192.0.2.7").status_code == 201


def test_who_collects_accounts_meets_the_ceiling_of_the_address(
    limit: Callable[..., None], settings: Settings
) -> None:
    settings.ADDRESS_LIMIT_FACTOR = 2
    limit(user="2/min")
    clients = [APIClient() for _ in range(3)]
    for n, each in enumerate(clients):
        each.force_login(User.objects.create_user(f"u{n}"))
    first, second, third = clients

    codes = [each.post(URL, {}).status_code for each in (first, second, first, second, third)]

    assert codes == [400, 400, 400, 400, 429]
    assert third.post(URL, {}, REMOTE_ADDR="192.0.2.7").status_code == 400


def test_what_is_refused_to_one_visitor_is_not_counted_for_their_address(
    api: APIClient, body: dict[str, str], limit: Callable[..., None], settings: Settings
) -> None:
    settings.ADDRESS_LIMIT_FACTOR = 2
    limit(anon="2/min")

    codes = [api.post(URL, body).status_code for _ in range(12)]

    assert codes == [201] * 2 + [429] * 10
    assert APIClient().post(URL, body).status_code == 201


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1:2::1", "2001:db8:1:2:ffff::2", True),
        ("2001:db8:1:2::1", "2001:db8:1:3::1", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("192.0.2.1", "192.0.2.2", False),
    ],
)
def test_an_ipv6_network_counts_as_one_address(
    api: APIClient, limit: Callable[..., None], one: str, other: str, same: bool
) -> None:
    limit(anon="1/min")

    codes = [api.post(URL, {}, REMOTE_ADDR=each).status_code for each in (one, other)]

    assert codes == [400, 429 if same else 400]


def test_only_trusted_proxies_say_the_address(
    api: APIClient, limit: Callable[..., None], settings: Settings
) -> None:
    settings.NUM_PROXIES = 1
    limit(anon="1/min")

    def post(forwarded: str) -> int:
        return api.post(URL, {}, headers={"X-Forwarded-For": forwarded}).status_code

    assert post("192.0.2.1") == 400
    # What the client wrote stands before what the proxy added.
    assert post("198.51.100.9, 192.0.2.1") == 429
    assert post("192.0.2.2") == 400


def test_the_wait_ends_with_the_period(
    api: APIClient, limit: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    limit(anon="1/min")
    api.post(URL, {})

    refused = api.post(URL, {})
    assert (refused.status_code, code(refused)) == (429, "throttled")
    assert 58 <= int(refused["Retry-After"]) <= 60
    now = time.time()
    monkeypatch.setattr("time.time", lambda: now + 61)
    assert api.post(URL, {}).status_code == 400


def test_taking_back_what_an_earlier_period_counted_refuses_nobody() -> None:
    limit = limits.Limit(limits.Rate(5, 3600), "login", "192.0.2.1")
    limit.count()

    limit.take_back()
    limit.take_back()

    assert limit.count() is None


# Every address ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    [
        "/predictions/delete/",
        "/predictions/00000000-0000-4000-8000-000000000000/delete/",
        "/memory/",
        "/language/",
        "/admin/login/",
        "/admin/jsi18n/",
        "/",
    ],
)
def test_every_form_is_limited(client: Client, limit: Callable[..., None], address: str) -> None:
    limit(anon="1/min")
    client.post("/language/")

    refused = client.post(address)

    assert refused.status_code == 429
    assert 1 <= int(refused["Retry-After"]) <= 60
    assert "Too many requests" in refused.content.decode()


@pytest.mark.parametrize("address", ["/", "/memory/", "/language/", "/admin/login/"])
def test_forms_without_a_csrf_token_are_limited_too(
    limit: Callable[..., None], address: str
) -> None:
    limit(anon="1/min")
    client = Client(enforce_csrf_checks=True)

    assert [client.post(address).status_code for _ in range(2)] == [403, 429]


def test_the_review_is_limited(reviewing: Client, limit: Callable[..., None]) -> None:
    limit(user="1/min")
    url = "/admin/recognizer/prediction/review/next/"

    codes = [reviewing.post(url, {}, content_type="application/json") for _ in range(6)]

    # Staff may do five times as much.
    assert [each.status_code for each in codes] == [400] * 5 + [429]


@pytest.mark.parametrize("address", [URL, "/api/schema/", "/api/docs/", "/about/", "/", "/admin/"])
def test_reading_is_limited(api: APIClient, limit: Callable[..., None], address: str) -> None:
    limit(read="2/min")

    codes = [api.get(address, follow=False).status_code for _ in range(3)]

    assert codes[2] == 429
    assert 429 not in codes[:2]
    # Writing has a limit of its own, and monitoring has none.
    assert api.post(URL, {}).status_code == 400
    assert api.get("/healthz").status_code == 200


# When the cache fails -----------------------------------------------------------------------------


def test_a_cache_that_fails_refuses_nobody(
    api: APIClient,
    limit: Callable[..., None],
    settings: Settings,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "_resting_until", 0.0)
    limit(anon="1/min")
    settings.CACHES = {
        "default": {"BACKEND": "digitsite.cache.SqliteCache", "LOCATION": "/no/such/folder/file"}
    }

    codes = [api.post(URL, {}).status_code for _ in range(3)]

    assert codes == [400] * 3
    # Once, not for each request.
    assert [each.message for each in caplog.records if "cache fails" in each.message] == [ANY]


# What is stored in a day --------------------------------------------------------------------------


def test_a_visitor_cannot_store_more_than_the_daily_limit(
    api: APIClient, body: dict[str, str], settings: Settings
) -> None:
    settings.STORED_MB_PER_DAY = 1
    api.post(URL, body)
    count = 0
    while api.post(URL, body).status_code == 201:
        count += 1
        assert count < 1000

    refused = api.post(URL, body)
    assert (refused.status_code, code(refused)) == (429, "daily_limit")
    assert 3600 < int(refused["Retry-After"]) <= 24 * 3600
    stored = sum(len(row.image) for row in Prediction.objects.only("image"))
    assert stored + 2048 * count < 2**20 + 64 * 1024
    # Previews store nothing, and other visitors of the address have a limit of their own.
    assert api.post(PREVIEW, body).status_code == 200
    assert APIClient().post(URL, body).status_code == 201
    page = api.post("/", {"image": _file(body)}, format="multipart")
    assert page.status_code == 429
    assert "Try again tomorrow." in page.content.decode()


def test_users_have_a_daily_limit_of_their_own(
    api: APIClient, user: User, body: dict[str, str], settings: Settings
) -> None:
    settings.STORED_MB_PER_DAY = 1
    api.force_login(user)
    limit = limits.Limit(limits.Rate(1024, 24 * 3600), "stored", f"user {user.pk}")
    limit.count(1024)

    assert api.post(URL, body).status_code == 429
    cache.clear()
    assert api.post(URL, body).status_code == 201


def test_the_users_of_an_address_have_a_daily_limit_together(
    api: APIClient, user: User, body: dict[str, str], settings: Settings
) -> None:
    settings.STORED_MB_PER_DAY = 1
    day = limits.Rate(5 * 1024, 24 * 3600)
    limits.Limit(day, "stored", "users at 127.0.0.1").count(5 * 1024)
    api.force_login(user)

    assert api.post(URL, body).status_code == 429
    assert api.post(URL, body, REMOTE_ADDR="192.0.2.7").status_code == 201


def test_sending_again_with_the_same_key_is_not_counted(
    api: APIClient, body: dict[str, str], settings: Settings
) -> None:
    settings.STORED_MB_PER_DAY = 1
    api.post(URL, body)

    codes = {
        api.post(URL, body, headers={"Idempotency-Key": "k" * 16}).status_code for _ in range(400)
    }

    assert codes == {201}


def _file(body: dict[str, str]) -> SimpleUploadedFile:
    return SimpleUploadedFile("7.png", base64.b64decode(body["image"].partition(",")[2]))
