"""A new reviewer, made in one step in the admin."""

from __future__ import annotations

import re

import pytest
from django.contrib.auth.models import Group, User
from django.test import Client

from recognizer.tests.support.reviewing import LIST, make_staff

pytestmark = pytest.mark.django_db

ADD = "/admin/auth/user/add/"
PERSON = {
    "username": "grace",
    "usable_password": "true",
    "password1": "correct horse battery",
    "password2": "correct horse battery",
}


def test_a_reviewer_is_made_in_one_step_and_may_label_and_nothing_else(
    admin_client: Client, client: Client
) -> None:
    home = admin_client.get("/admin/").content.decode()
    assert f'href="{ADD}?is_reviewer=1"' in home
    form = admin_client.get(f"{ADD}?is_reviewer=1").content.decode()
    assert re.search(r'<input[^>]* name="is_reviewer"[^>]* checked', form)

    response = admin_client.post(ADD, {**PERSON, "is_reviewer": "on"})

    assert response.status_code == 302
    assert client.login(username="grace", password=PERSON["password1"])
    assert client.get(f"{LIST}review/").status_code == 200
    train = "/admin/recognizer/trainingjob/add/"
    for other in ("/admin/auth/user/", ADD, f"{LIST}export/npz/", train):
        assert client.get(other).status_code == 403


def test_others_are_made_without_any_right(admin_client: Client) -> None:
    admin_client.post(ADD, PERSON)

    person = User.objects.get(username="grace")
    assert not person.is_staff
    assert not person.groups.exists()


def test_without_the_group_the_form_says_so(admin_client: Client) -> None:
    Group.objects.all().delete()

    page = admin_client.post(ADD, {**PERSON, "is_reviewer": "on"}).content.decode()

    assert "There is no group “Reviewer”." in page
    assert not User.objects.filter(username="grace").exists()


def test_changing_a_user_leaves_the_rights_alone(admin_client: Client) -> None:
    person = make_staff("grace", group="Reviewer")

    page = admin_client.get(f"/admin/auth/user/{person.pk}/change/").content.decode()

    assert "is_reviewer" not in page


@pytest.mark.parametrize("permissions", [(), ("label_prediction",)])
def test_who_may_not_add_users_makes_no_reviewer(
    client: Client, permissions: tuple[str, ...]
) -> None:
    client.force_login(make_staff("member", *permissions))

    assert client.post(ADD, {**PERSON, "is_reviewer": "on"}).status_code == 403
    assert "is_reviewer" not in client.get("/admin/").content.decode()
    assert not User.objects.filter(username="grace").exists()
