"""Accounts: sign up, log in and out, the password, tokens, deletion."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client
from pytest_django import Settings

from recognizer.models import ApiToken, LabelEvent, MemorySwitchedOff, Prediction, RememberedDrawing
from recognizer.tests.support.accounts import make_token
from recognizer.tests.support.drawings import DrawDigit, data_url
from recognizer.tests.support.reviewing import make_prediction, make_staff

pytestmark = pytest.mark.django_db

NEW = {"username": "grace", "password1": "a-long-enough-1", "password2": "a-long-enough-1"}
API = "/api/v1/predictions/"


@pytest.fixture
def logged_in(client: Client, user: User) -> Client:
    client.force_login(user)
    return client


def draw(client: Client, png: bytes) -> str:
    answer = client.post(API, {"image": data_url(png)}, content_type="application/json")
    identifier: str = answer.json()["id"]
    return identifier


def drawings_of(client: Client) -> list[str]:
    return [row["id"] for row in client.get(API).json()["results"]]


# Sign up, log in and out ------------------------------------------------------------------------


def test_sign_up_is_off_by_default(client: Client) -> None:
    assert client.get("/account/sign-up/").status_code == 404
    assert client.post("/account/sign-up/", NEW).status_code == 404
    assert "/account/sign-up/" not in client.get("/account/log-in/").content.decode()
    assert not User.objects.exists()


def test_whoever_signs_up_keeps_their_drawings(
    client: Client, settings: Settings, draw_digit: DrawDigit
) -> None:
    settings.SIGN_UP = True
    drawn = draw(client, draw_digit())
    assert "/account/sign-up/" in client.get("/account/log-in/").content.decode()

    response = client.post("/account/sign-up/", NEW)

    assert (response.status_code, response["Location"]) == (302, "/account/")
    user = User.objects.get()
    assert (user.username, user.is_staff, user.is_superuser) == ("grace", False, False)
    assert drawings_of(client) == [drawn]
    assert Prediction.objects.get().user == user


@pytest.mark.parametrize(
    "changed", [{"password2": "other"}, {"password1": "1", "password2": "1"}, {"username": ""}]
)
def test_an_invalid_sign_up_is_refused(
    client: Client, settings: Settings, changed: dict[str, str]
) -> None:
    settings.SIGN_UP = True

    response = client.post("/account/sign-up/", NEW | changed)

    assert response.status_code == 400
    assert 'role="alert"' in response.content.decode()
    assert not User.objects.exists()


def test_drawings_move_to_the_account_at_login(
    client: Client, user: User, draw_digit: DrawDigit
) -> None:
    drawn = draw(client, draw_digit())
    assert client.cookies["visitor"].value

    client.post("/account/log-in/", {"username": "ada", "password": "pass-of-ada"})

    assert not client.cookies["visitor"].value
    assert drawings_of(client) == [drawn]
    client.post("/account/log-out/")
    assert drawings_of(client) == []
    assert client.get("/account/")["Location"] == "/account/log-in/?next=/account/"


@pytest.mark.parametrize("target", ["https://evil.example/", "//evil.example", "javascript:x"])
def test_logging_in_leads_to_no_other_site(client: Client, user: User, target: str) -> None:
    response = client.post(
        f"/account/log-in/?next={target}",
        {"username": "ada", "password": "pass-of-ada", "next": target},
    )

    assert response["Location"] == "/"


def test_a_wrong_password_is_refused(client: Client, user: User) -> None:
    page = client.post("/account/log-in/", {"username": "ada", "password": "wrong"})

    assert 'role="alert"' in page.content.decode()
    assert client.get("/account/").status_code == 302


@pytest.mark.parametrize("name", ["password/", "delete/"])
def test_an_open_session_does_not_let_others_try_passwords(
    logged_in: Client, settings: Settings, name: str
) -> None:
    set_login_limit(settings, "3/hour")
    new = {"new_password1": "another-one-2", "new_password2": "another-one-2"}

    for _ in range(3):
        wrong = {"old_password": "wrong", "password": "wrong", **new}
        assert logged_in.post(f"/account/{name}", wrong).status_code in (200, 400)
    right = {"old_password": "pass-of-ada", "password": "pass-of-ada", **new}
    refused = logged_in.post(f"/account/{name}", right)

    assert refused.status_code == 429
    assert "Too many attempts to log in." in refused.content.decode()
    assert User.objects.get().check_password("pass-of-ada")


def test_one_address_cannot_create_accounts_without_end(settings: Settings) -> None:
    settings.SIGN_UP = True
    settings.ADDRESS_LIMIT_FACTOR = 2
    set_login_limit(settings, "1/hour")

    codes = [
        Client().post("/account/sign-up/", NEW | {"username": f"u{n}"}).status_code
        for n in range(3)
    ]
    elsewhere = Client().post("/account/sign-up/", NEW, REMOTE_ADDR="192.0.2.7")

    assert codes == [302, 302, 429]
    assert elsewhere.status_code == 302
    assert User.objects.count() == 3


def set_login_limit(settings: Settings, rate: str) -> None:
    rates = {**settings.REST_FRAMEWORK["DEFAULT_THROTTLE_RATES"], "login": rate}
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": rates}


def test_the_password_is_changed(logged_in: Client, user: User) -> None:
    other = Client()
    other.force_login(user)
    new = {"new_password1": "another-one-2", "new_password2": "another-one-2"}

    logged_in.post("/account/password/", {"old_password": "wrong", **new})
    assert other.get("/account/").status_code == 200
    logged_in.post("/account/password/", {"old_password": "pass-of-ada", **new})

    assert Client().login(username="ada", password="another-one-2")
    assert logged_in.get("/account/").status_code == 200
    assert other.get("/account/").status_code == 302


# Tokens -----------------------------------------------------------------------------------------


def test_a_token_is_shown_once(logged_in: Client) -> None:
    page = logged_in.post(
        "/account/tokens/", {"name": "<b>scanner</b>", "scopes": ["read"], "days": "30"}
    )

    html = page.content.decode()
    found = re.search(r'id="new-token">([^<]+)<', html)
    assert found is not None
    assert "no-store" in page["Cache-Control"]
    assert "&lt;b&gt;scanner" in html
    assert "<b>scanner" not in html
    token = ApiToken.objects.get()
    assert token.scopes == ["read"]
    assert token.expires_at is not None
    assert Client().get(API, headers={"Authorization": f"Bearer {found[1]}"}).status_code == 200
    again = logged_in.get("/account/").content.decode()
    assert "&lt;b&gt;scanner" in again
    assert found[1] not in again


@pytest.mark.parametrize(
    "sent",
    [
        {},
        {"name": "x"},
        {"name": "", "scopes": ["read"]},
        {"name": "x" * 101, "scopes": ["read"]},
        {"name": "x", "scopes": ["everything"]},
        {"name": "x", "scopes": ["export"]},
        {"name": "x", "scopes": ["read"], "days": "-1"},
        {"name": "\x00", "scopes": ["read"]},
    ],
)
def test_an_invalid_token_is_refused(logged_in: Client, sent: dict[str, object]) -> None:
    assert logged_in.post("/account/tokens/", sent).status_code == 400
    assert not ApiToken.objects.exists()


def test_staff_can_create_tokens_for_what_they_may(client: Client) -> None:
    client.force_login(make_staff("boss", "export_prediction"))

    client.post("/account/tokens/", {"name": "x", "scopes": ["review", "export"]})

    assert ApiToken.objects.get().scopes == ["review", "export"]


def test_there_is_a_limit_of_tokens(logged_in: Client, user: User) -> None:
    for _ in range(50):
        make_token(user)

    response = logged_in.post("/account/tokens/", {"name": "one more", "scopes": ["read"]})

    assert response.status_code == 400
    assert ApiToken.objects.count() == 50


def test_only_their_owner_revokes_tokens(
    logged_in: Client, user: User, make_user: Callable[..., User]
) -> None:
    make_token(user)
    make_token(make_user("bob"))
    own, other = (ApiToken.objects.get(user__username=name).pk for name in ("ada", "bob"))

    assert logged_in.post(f"/account/tokens/{other}/revoke/").status_code == 404
    assert logged_in.post(f"/account/tokens/{10**30}/revoke/").status_code == 404
    assert logged_in.post(f"/account/tokens/{own}/revoke/").status_code == 302

    assert [token.pk for token in ApiToken.objects.all()] == [other]


# Deletion ---------------------------------------------------------------------------------------


def test_an_account_is_deleted_with_everything(
    logged_in: Client, user: User, draw_digit: DrawDigit
) -> None:
    draw(logged_in, draw_digit())
    kept = draw(logged_in, draw_digit(4))
    logged_in.post(f"{API}{kept}/suggestion/", {"digit": 9}, content_type="application/json")
    logged_in.patch("/api/v1/memory/", {"enabled": False}, content_type="application/json")
    make_token(user)
    Prediction.objects.filter(pk=kept).update(label=4, labelled_at="2026-01-01T00:00Z")

    refused = logged_in.post("/account/delete/", {"password": "wrong"})
    assert refused.status_code == 400
    assert User.objects.exists()
    logged_in.post("/account/delete/", {"password": "pass-of-ada"})

    assert not User.objects.exists()
    for model in (ApiToken, RememberedDrawing, MemorySwitchedOff):
        assert not model._default_manager.exists()
    row = Prediction.objects.get()
    assert (str(row.pk), row.label, row.user, row.visitor) == (kept, 4, None, None)
    assert logged_in.get("/account/").status_code == 302


def test_labels_of_a_deleted_reviewer_stay(client: Client) -> None:
    reviewer = make_staff("reviewer", "label_prediction", password="pass-of-reviewer")
    row = make_prediction(3)
    client.force_login(reviewer)
    client.patch(f"{API}{row.pk}/", {"label": 5}, content_type="application/json")

    client.post("/account/delete/", {"password": "pass-of-reviewer"})

    assert not User.objects.exists()
    row.refresh_from_db()
    assert (row.label, row.labelled_by) == (5, None)
    event = LabelEvent.objects.get()
    assert (event.new, event.by) == (5, None)


def test_the_only_administrator_can_not_be_deleted(
    client: Client, make_user: Callable[..., User]
) -> None:
    client.force_login(make_user("root", is_superuser=True, is_staff=True))

    refused = client.post("/account/delete/", {"password": "pass-of-root"})
    make_user("second", is_superuser=True)
    client.post("/account/delete/", {"password": "pass-of-root"})

    assert refused.status_code == 400
    assert [user.username for user in User.objects.all()] == ["second"]


# Guards -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address",
    ["", "log-out/", "password/", "tokens/", "tokens/1/revoke/", "delete/", "log-in/"],
)
def test_forged_forms_are_refused(user: User, address: str) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)

    response = client.post(f"/account/{address}", {"password": "pass-of-ada"})

    assert response.status_code in {403, 405}
    assert User.objects.exists()
