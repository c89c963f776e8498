"""Visitors are a signed cookie: no rows for requests that store nothing, no drawing lost."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from io import StringIO
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session
from django.core.management import CommandError, call_command
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from recognizer.models import Prediction
from recognizer.tests.support.drawings import DrawDigit
from recognizer.tests.support.logins import log_in, try_to_log_in

pytestmark = pytest.mark.django_db

URL = "/api/v1/predictions/"
PREVIEW = "/api/v1/preview/"
BLANK = "data:image/png;base64,iVBORw0KGgo="
VISITOR = "0a3c5f7e9b1d4c6f8e2a7b9d1c3e5f70"


@pytest.fixture
def body(draw_digit: DrawDigit, data_url: Callable[[bytes], str]) -> dict[str, str]:
    return {"image": data_url(draw_digit(7))}


def drawings(client: Client) -> list[str]:
    return [each["id"] for each in client.get(URL).json()["results"]]


def with_old_session(client: Client, visitor: UUID) -> None:
    """Give the client the session in which earlier versions kept a visitor's id."""
    session = SessionStore()
    session["visitor"] = str(visitor)
    session.save()
    client.cookies["sessionid"] = str(session.session_key)


# What is set and stored ---------------------------------------------------------------------------


def test_a_stored_drawing_sets_a_cookie_that_scripts_and_other_sites_cannot_use(
    api: APIClient, body: dict[str, str], settings: Settings
) -> None:
    settings.SESSION_COOKIE_SECURE = True

    cookie = api.post(URL, body).cookies["visitor"]

    assert cookie["httponly"]
    assert cookie["secure"]
    assert (cookie["samesite"], cookie["path"], cookie["domain"]) == ("Lax", "/", "")
    assert cookie["max-age"] == 180 * 24 * 3600
    # Signed: the id alone is worth nothing.
    assert str(Prediction.objects.get().visitor) not in cookie.value
    assert not Session.objects.exists()


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        (PREVIEW, "drawing"),
        (PREVIEW, {"image": BLANK}),
        (URL, {"image": BLANK}),
        (URL, {}),
        (URL, {"image": "no image"}),
    ],
)
def test_what_stores_nothing_sets_no_cookie_and_no_row(
    api: APIClient, body: dict[str, str], url: str, sent: Any
) -> None:
    response = api.post(url, body if sent == "drawing" else sent)

    assert response.status_code == (200 if sent == "drawing" else 400)
    assert not response.cookies
    assert not Session.objects.exists()
    assert not Prediction.objects.exists()


@pytest.mark.parametrize("method", ["get", "delete"])
def test_reading_and_deleting_nothing_set_no_cookie(api: APIClient, method: str) -> None:
    response = getattr(api, method)(URL)

    assert response.status_code == 200
    assert not response.cookies


def test_a_visitor_needs_two_queries_for_a_drawing(
    api: APIClient,
    body: dict[str, str],
    settings: Settings,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    settings.MODEL_RECHECK_SECONDS = 60
    settings.STORED_MB_PER_DAY = 50
    rates = dict.fromkeys(("anon", "user", "preview", "read"), "60/min")
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": rates}
    api.post(URL, body)

    # What is remembered, the row, and the savepoint around it.
    with django_assert_num_queries(4) as queries:
        assert api.post(URL, body).status_code == 201
    assert len([q for q in queries.captured_queries if "SAVEPOINT" not in q["sql"]]) == 2


@pytest.mark.parametrize(
    "value",
    ["", "nonsense", f"{VISITOR}:1w2x3y:forged", VISITOR, "\x00", "a:b:c:d"],
)
def test_a_forged_cookie_is_no_visitor(api: APIClient, body: dict[str, str], value: str) -> None:
    api.post(URL, body)
    api.cookies["visitor"] = value

    assert drawings(api) == []
    assert api.post(URL, body).status_code == 201
    assert len(drawings(api)) == 1


def test_each_stored_drawing_renews_the_cookie(api: APIClient, body: dict[str, str]) -> None:
    api.post(URL, body)

    assert "visitor" in api.post(URL, body).cookies
    assert len(drawings(api)) == 2
    assert Prediction.objects.values("visitor").distinct().count() == 1


# Visitors of earlier versions ---------------------------------------------------------------------


@pytest.mark.parametrize("address", ["/", URL])
def test_the_drawings_of_an_old_session_move_to_the_cookie(
    api: APIClient, body: dict[str, str], address: str
) -> None:
    drawn = api.post(URL, body).json()["id"]
    visitor = Prediction.objects.get().visitor
    assert visitor is not None
    api.cookies.clear()
    with_old_session(api, visitor)

    moved = api.get(address)

    assert moved.cookies["visitor"].value
    assert moved.cookies["sessionid"].value == ""
    assert drawings(api) == [drawn]
    # A response that was lost loses nothing.
    assert Session.objects.count() == 1


def test_an_old_session_that_is_logged_in_stays(
    api: APIClient, user: User, body: dict[str, str]
) -> None:
    api.post(URL, body)
    visitor = Prediction.objects.get().visitor
    assert visitor is not None
    api.cookies.clear()
    with_old_session(api, visitor)

    log_in(api, user)

    assert len(drawings(api)) == 1
    assert Prediction.objects.get().user == user
    assert api.cookies["sessionid"].value


# Login ------------------------------------------------------------------------------------------


def test_a_login_takes_the_drawings_along_and_forgets_the_visitor(
    api: APIClient, user: User, body: dict[str, str]
) -> None:
    drawn = api.post(URL, body).json()["id"]
    planted = api.cookies["visitor"].value

    log_in(api, user)
    assert drawings(api) == [drawn]
    assert api.cookies["visitor"].value == ""
    api.post(URL, body)
    api.post("/admin/logout/")
    api.post(URL, body)

    # Whoever knew the cookie sees nothing that was drawn after the login.
    other = APIClient()
    other.cookies["visitor"] = planted
    assert drawings(other) == []
    assert len(drawings(api)) == 1


def test_a_login_changes_the_session(api: APIClient, user: User) -> None:
    with_old_session(api, uuid4())
    planted = api.cookies["sessionid"].value

    log_in(api, user)

    assert api.cookies["sessionid"].value != planted
    assert not Session.objects.filter(pk=planted).exists()


def test_a_refused_login_keeps_the_visitor(
    api: APIClient, user: User, body: dict[str, str]
) -> None:
    drawn = api.post(URL, body).json()["id"]

    assert try_to_log_in(api, "ada", "wrong").status_code == 200

    assert drawings(api) == [drawn]
    assert Prediction.objects.get().user is None


def test_staff_stay_logged_in_for_twelve_hours(api: APIClient, user: User) -> None:
    log_in(api, user)

    ends = Session.objects.get().expire_date
    assert timedelta(hours=11.9) < ends - timezone.now() <= timedelta(hours=12)
    # However busy they are.
    session = SessionStore(api.cookies["sessionid"].value)
    session["review_order"] = "newest"
    session.save()
    assert Session.objects.get().expire_date <= ends + timedelta(seconds=1)


# Purging ----------------------------------------------------------------------------------------


def test_expired_sessions_are_purged(settings: Settings) -> None:
    for days in (-1, 1):
        session = SessionStore()
        session.set_expiry(timezone.now() + timedelta(days=days))
        session.save()
    out = StringIO()

    with pytest.raises(CommandError, match="ANONYMOUS_DRAWINGS_KEPT_DAYS"):
        call_command("purge_predictions", stdout=out)

    assert "Expired sessions: 1 deleted." in out.getvalue()
    assert Session.objects.count() == 1


def test_unlabelled_drawings_without_an_account_are_purged(
    api: APIClient, user: User, body: dict[str, str], settings: Settings
) -> None:
    settings.ANONYMOUS_DRAWINGS_KEPT_DAYS = 180
    ids = [api.post(URL, body).json()["id"] for _ in range(5)]
    long_ago = timezone.now() - timedelta(days=181)
    Prediction.objects.exclude(pk=ids[0]).update(created_at=long_ago)
    Prediction.objects.filter(pk=ids[1]).update(label=7, labelled_at=long_ago)
    Prediction.objects.filter(pk=ids[2]).update(user=user, visitor=None)
    Prediction.objects.filter(pk=ids[3]).update(visitor=None, source="import")
    out = StringIO()

    call_command("purge_predictions", stdout=out)

    assert "older than 180 days: 1 deleted." in out.getvalue()
    assert {str(pk) for pk in Prediction.objects.values_list("pk", flat=True)} == set(ids[:4])


@pytest.mark.parametrize(
    ("kept", "anonymous", "says"),
    [
        (0, 0, ["Drawings are stored until you delete them."]),
        (0, 180, ["until you delete them.", "no reviewer has labelled is deleted after 180 days."]),
        (365, 1, ["deleted after 365 days.", "no reviewer has labelled is deleted after 1 day."]),
        (30, 180, ["Drawings are deleted after 30 days."]),
    ],
)
def test_the_about_page_says_how_long_drawings_are_kept(
    client: Client, settings: Settings, kept: int, anonymous: int, says: list[str]
) -> None:
    settings.DRAWINGS_KEPT_DAYS, settings.ANONYMOUS_DRAWINGS_KEPT_DAYS = kept, anonymous

    page = " ".join(client.get("/about/").content.decode().split())

    assert all(sentence in page for sentence in says)
    assert ("no reviewer has labelled is deleted" in page) == (len(says) == 2)
    assert "The cookie lasts 180 days." in page
