"""Who may see, label, export and delete what in the admin."""

from __future__ import annotations

import re
from importlib import import_module
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.contrib.auth.models import Group, Permission
from django.db import connection
from django.test import Client

from recognizer.models import Prediction
from recognizer.tests.support.reviewing import LIST, in_list, label_of, make_prediction, make_staff

pytestmark = pytest.mark.django_db

IMAGES = ["thumbnail.png", "drawing.png", "model-input.png"]
INLINE = re.compile(r"\sstyle=|<style|\son\w+=|<script(?![^>]*(\ssrc=|type=\"application/json\"))")


@pytest.fixture
def by_group(client: Client) -> Client:
    """A client of a member of the Reviewer group."""
    client.force_login(make_staff("member", group="Reviewer"))
    return client


@pytest.fixture
def by_viewer(client: Client) -> Client:
    """A client of staff who may only look."""
    client.force_login(make_staff("viewer", "view_prediction"))
    return client


def test_the_group_may_only_view_and_label() -> None:
    held = Group.objects.get(name="Reviewer").permissions.values_list(
        "content_type__app_label", "codename"
    )

    assert set(held) == {("recognizer", "view_prediction"), ("recognizer", "label_prediction")}


def test_the_group_is_created_before_any_permission_exists() -> None:
    Group.objects.all().delete()
    Permission.objects.all().delete()
    migration = import_module("recognizer.migrations.0002_reviewer_group")

    for _ in range(2):
        migration.create_group(apps, SimpleNamespace(connection=connection))

    assert Group.objects.get(name="Reviewer").permissions.count() == 2


def test_a_reviewer_labels_in_the_list(by_group: Client) -> None:
    row = make_prediction(3)

    by_group.post(LIST, in_list([row], [5], [None]))

    assert label_of(row) == 5


def test_a_reviewer_sees_only_the_predictions_in_the_admin(by_group: Client) -> None:
    page = by_group.get("/admin/").content.decode()

    assert LIST in page
    assert "/admin/recognizer/modelversion/" not in page
    assert "/admin/auth/" not in page


@pytest.mark.parametrize(
    "address",
    ["/admin/recognizer/modelversion/", "/admin/auth/user/", "/admin/auth/group/", LIST + "add/"],
)
def test_a_reviewer_has_no_access_to_other_pages(by_group: Client, address: str) -> None:
    assert by_group.get(address).status_code == 403


def test_a_reviewer_can_not_delete(by_group: Client) -> None:
    row = make_prediction()

    page = by_group.get(LIST).content.decode()
    one = by_group.post(f"{LIST}{row.pk}/delete/", {"post": "yes"})
    by_group.post(LIST, {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})

    assert "delete_selected" not in page
    assert one.status_code == 403
    assert Prediction.objects.filter(pk=row.pk).exists()


def test_users_who_may_only_view_see_the_label_without_a_field(by_viewer: Client) -> None:
    row = make_prediction(3, label=5)

    page = by_viewer.get(LIST).content.decode()
    detail = by_viewer.get(f"{LIST}{row.pk}/change/").content.decode()

    assert '<td class="field-label">5</td>' in page
    for html in (page, detail):
        assert 'name="label"' not in html
        assert "form-0-label" not in html
        assert "label_five" not in html
        assert 'name="_save"' not in html


def test_users_who_may_only_view_can_not_label(by_viewer: Client) -> None:
    row = make_prediction(3)

    listed = by_viewer.post(LIST, in_list([row], [5], [None]))
    detail = by_viewer.post(f"{LIST}{row.pk}/change/", {"label": "5", "initial-label": ""})
    by_viewer.post(LIST, {"action": "label_five", "_selected_action": [row.pk], "index": "0"})
    by_viewer.post(LIST, {"action": "confirm", "_selected_action": [row.pk], "index": "0"})

    assert label_of(row) is None
    assert listed.status_code in {302, 403} or b"form-0-label" not in listed.content
    assert detail.status_code == 403


def test_staff_with_no_permission_see_nothing(client: Client) -> None:
    client.force_login(make_staff("newcomer"))
    row = make_prediction()

    addresses = [LIST, f"{LIST}{row.pk}/change/", *(f"{LIST}{row.pk}/{name}" for name in IMAGES)]

    assert {client.get(address).status_code for address in addresses} == {403}


@pytest.mark.parametrize("name", IMAGES)
def test_an_anonymous_user_who_requests_a_drawing_is_sent_to_the_login(
    client: Client, name: str
) -> None:
    row = make_prediction()

    response = client.get(f"{LIST}{row.pk}/{name}")

    assert response.status_code == 302
    assert response["Location"].startswith("/admin/login/")


@pytest.mark.parametrize("name", IMAGES)
def test_users_who_may_view_get_the_images(by_viewer: Client, name: str) -> None:
    row = make_prediction()

    response = by_viewer.get(f"{LIST}{row.pk}/{name}")

    assert response.status_code == 200
    assert response["Content-Type"] == "image/png"
    assert response.content.startswith(b"\x89PNG")
    assert "private" in response["Cache-Control"]


def test_only_the_label_can_be_changed(admin_client: Client) -> None:
    row = make_prediction(3, suggestion=4)
    before = dict(Prediction.objects.filter(pk=row.pk).values().get())

    admin_client.post(
        f"{LIST}{row.pk}/change/",
        {
            "label": "7",
            "initial-label": "",
            "digit": "9",
            "confidence": "0.1",
            "suggestion": "1",
            "source": "api",
            "labelled_by": "1",
        },
    )

    after = dict(Prediction.objects.filter(pk=row.pk).values().get())
    changed = {name for name in before if before[name] != after[name]}
    assert changed == {"label", "labelled_by_id", "labelled_at"}


def test_predictions_can_not_be_added(admin_client: Client) -> None:
    assert admin_client.get(LIST + "add/").status_code == 403


def test_a_superuser_deletes(admin_client: Client) -> None:
    row = make_prediction()

    admin_client.post(f"{LIST}{row.pk}/delete/", {"post": "yes"})

    assert not Prediction.objects.exists()


def test_the_pages_need_no_inline_style_or_script(admin_client: Client) -> None:
    row = make_prediction()
    version = row.model_version_id

    for address in (
        LIST,
        f"{LIST}{row.pk}/change/",
        f"{LIST}{row.pk}/history/",
        "/admin/recognizer/modelversion/",
        f"/admin/recognizer/modelversion/{version}/change/",
    ):
        response = admin_client.get(address)
        assert not INLINE.search(response.content.decode()), address
        assert "'unsafe-inline'" not in response["Content-Security-Policy"]
