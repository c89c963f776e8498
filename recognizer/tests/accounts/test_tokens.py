"""API tokens: only a hash is stored, they expire, and they can do no more than their user."""

from __future__ import annotations

import hashlib
import io
from datetime import timedelta
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.utils import timezone
from rest_framework.test import APIClient

from recognizer.models import ApiToken
from recognizer.tests.support.accounts import make_token, program_of
from recognizer.tests.support.reviewing import make_staff

pytestmark = pytest.mark.django_db

URL = "/api/v1/predictions/"


def status_of(key: str, keyword: str = "Bearer") -> int:
    return APIClient().get(URL, headers={"Authorization": f"{keyword} {key}"}).status_code


@pytest.mark.parametrize("keyword", ["Bearer", "bearer", "Token", "TOKEN"])
def test_both_keywords_are_taken(user: User, keyword: str) -> None:
    assert status_of(make_token(user), keyword) == 200


@pytest.mark.parametrize("key", ["", "wrong", "é", "digitsite_" + "a" * 5000, "a b"])
def test_another_text_is_not_valid(user: User, key: str) -> None:
    make_token(user)

    assert status_of(key) == 401


def test_only_a_hash_is_stored(user: User) -> None:
    key = make_token(user)

    stored = ApiToken.objects.values().get()
    assert stored["key_sha256"] == hashlib.sha256(key.encode()).hexdigest()
    assert key not in str(stored)


def test_an_expired_token_is_not_valid(user: User) -> None:
    now = timezone.now()

    assert status_of(make_token(user, expires_at=now + timedelta(hours=1))) == 200
    assert status_of(make_token(user, expires_at=now - timedelta(seconds=1))) == 401


def test_tokens_of_a_blocked_user_are_not_valid(user: User) -> None:
    key = make_token(user)
    User.objects.update(is_active=False)

    assert status_of(key) == 401


def test_the_last_use_is_written_every_few_minutes(user: User) -> None:
    key = make_token(user)
    status_of(key)
    first = ApiToken.objects.get().last_used_at
    status_of(key)
    assert ApiToken.objects.get().last_used_at == first

    earlier = timezone.now() - timedelta(minutes=6)
    ApiToken.objects.update(last_used_at=earlier)
    status_of(key)

    last = ApiToken.objects.get().last_used_at
    assert last is not None
    assert last > earlier


@pytest.mark.parametrize(
    ("scope", "allowed"), [("predict", "POST"), ("read", "GET"), ("review", ""), ("export", "")]
)
def test_a_token_does_only_what_its_scope_names(user: User, scope: str, allowed: str) -> None:
    client = program_of(user, scope)

    answers = {"GET": client.get(URL), "POST": client.post(URL, {})}

    for method, answer in answers.items():
        if method == allowed:
            assert answer.status_code != 403
        else:
            assert answer.status_code == 403
            assert answer.json()["errors"][0]["code"] == "insufficient_scope"


def test_the_command_creates_a_token(user: User) -> None:
    out = io.StringIO()
    call_command("create_token", "ada", "--days", "3", "--scopes", "read", stdout=out)

    token = ApiToken.objects.get()
    assert token.scopes == ["read"]
    assert token.expires_at is not None
    assert status_of(out.getvalue().strip()) == 200


@pytest.mark.parametrize("arguments", [["nobody"], ["ada", "--days", "0"], ["ada", "--name", ""]])
def test_the_command_refuses(user: User, arguments: list[str]) -> None:
    with pytest.raises(CommandError):
        call_command("create_token", *arguments)

    assert not ApiToken.objects.exists()


def test_the_admin_shows_and_revokes(admin_client: Client, user: User) -> None:
    key = make_token(user, name="a scanner")
    token = ApiToken.objects.get()

    page = admin_client.get("/admin/recognizer/apitoken/").content.decode()
    detail = admin_client.get(f"/admin/recognizer/apitoken/{token.pk}/change/").content.decode()
    assert "a scanner" in page
    assert token.key_sha256 not in page + detail
    admin_client.post(f"/admin/recognizer/apitoken/{token.pk}/delete/", {"post": "yes"})

    assert status_of(key) == 401


def test_staff_do_not_see_tokens_without_permission(client: Client) -> None:
    client.force_login(make_staff("reviewer", group="Reviewer"))

    assert client.get("/admin/recognizer/apitoken/").status_code == 403


def test_tokens_of_before_go_on_working(user: User) -> None:
    key = "9944b09199c62bcf9418ad846dd0e4bbdfc6ee4b"
    migration = import_module("recognizer.migrations.0005_api_tokens")
    with connection.cursor() as cursor:
        cursor.execute(
            'CREATE TABLE authtoken_token ("key" varchar(40) PRIMARY KEY, created timestamp, '
            "user_id integer REFERENCES auth_user (id))"
        )
        cursor.execute("INSERT INTO authtoken_token VALUES (%s, NULL, %s)", [key, user.pk])

    for _ in range(2):
        migration.move_tokens(apps, SimpleNamespace(connection=connection))

    assert "authtoken_token" not in connection.introspection.table_names()
    assert status_of(key, "Token") == 200
    assert ApiToken.objects.get().scopes == ["predict", "read"]
    user.delete()
