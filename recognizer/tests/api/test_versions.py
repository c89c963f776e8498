"""Model versions in the API: the active one for everybody, all of them for staff."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from recognizer.models import ModelVersion
from recognizer.tests.support import bundled_model
from recognizer.tests.support.accounts import program_of
from recognizer.tests.support.reviewing import make_staff, make_version

pytestmark = pytest.mark.django_db


def test_everybody_sees_the_card_of_the_active_model(api: APIClient) -> None:
    active = ModelVersion.objects.get(is_active=True)

    answer = api.get("/api/v1/model/")

    assert answer.status_code == 200
    body = answer.json()
    assert (body["name"], body["sha256"], body["is_active"]) == (active.name, active.sha256, True)
    assert body["card"]["metrics"]
    assert not {"serving", "training"} & set(body)


def test_without_an_active_model_there_is_none(api: APIClient) -> None:
    ModelVersion.objects.update(is_active=False)

    answer = api.get("/api/v1/model/")

    assert answer.status_code == 503
    assert answer.json()["errors"][0]["code"] == "no_model"


def test_only_staff_see_all_versions(api: APIClient, user: User) -> None:
    make_version("older-1", parent=ModelVersion.objects.get())
    staff = make_staff("boss")

    names = [
        row["name"] for row in program_of(staff, "review").get("/api/v1/models/").json()["results"]
    ]

    assert names == ["older-1", bundled_model.NAME]
    assert api.get("/api/v1/models/").status_code == 401
    assert program_of(user, "review").get("/api/v1/models/").status_code == 403
    assert program_of(staff, "read").get("/api/v1/models/").status_code == 403
