"""What other sites, links and texts can't do: forge, frame, inject, fixate, redirect."""

from __future__ import annotations

import re
import uuid
from html import unescape

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from recognizer.models import ModelVersion, Prediction
from recognizer.tests.support.drawings import DrawDigit
from recognizer.tests.support.reviewing import make_prediction

pytestmark = pytest.mark.django_db

API = "/api/v1/predictions/"
SCRIPT = "<script>alert(1)</script>"
ATTRIBUTE = '"onload=alert(1) x="'
ELSEWHERE = {"Origin": "https://evil.example", "Referer": "https://evil.example/form"}


# Forged requests --------------------------------------------------------------------------------


def posts(prediction: Prediction) -> list[tuple[str, dict[str, object]]]:
    admin = "/admin/recognizer/prediction/"
    return [
        ("/", {"image": "x"}),
        ("/memory/", {"memory": "forget"}),
        (f"/predictions/{prediction.pk}/suggestion/", {"digit": "7"}),
        (f"/predictions/{prediction.pk}/delete/", {}),
        ("/predictions/delete/", {}),
        ("/language/", {"language": "de"}),
        (admin, {"action": "label_seven", "_selected_action": str(prediction.pk)}),
        (f"{admin}{prediction.pk}/change/", {"label": "7"}),
        (f"{admin}grid/", {f"label-{prediction.pk}": "7", "digit": "3"}),
        (f"{admin}review/label/", {"id": str(prediction.pk), "label": "7"}),
        ("/admin/logout/", {}),
        ("/account/log-in/", {"username": "admin", "password": "password"}),
        ("/account/log-out/", {}),
        ("/account/password/", {"old_password": "password"}),
        ("/account/tokens/", {"name": "stolen", "scopes": ["read"]}),
        ("/account/tokens/1/revoke/", {}),
        ("/account/delete/", {"password": "password"}),
        ("/admin/auth/user/add/", {"username": "mallory"}),
        (API, {"image": "x"}),
    ]


def test_another_site_can_send_no_form_in_a_persons_name(admin_user: User) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(admin_user)
    prediction = make_prediction(3, user=admin_user)
    before = list(Prediction.objects.values())

    for address, fields in posts(prediction):
        response = client.post(address, fields, headers=ELSEWHERE)
        assert response.status_code == 403, address

    assert list(Prediction.objects.values()) == before
    assert set(User.objects.all()) == {admin_user}


def test_a_form_without_the_token_is_refused_for_a_visitor(draw_digit: DrawDigit) -> None:
    client = Client(enforce_csrf_checks=True)

    response = client.post("/", {"image": SimpleUploadedFile("x.png", draw_digit())})

    assert response.status_code == 403
    assert not Prediction.objects.exists()


# Frames -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "address", ["/", "/about/", "/admin/", "/admin/login/", "/api/docs/", "/nothing/", API]
)
def test_no_page_can_be_framed(admin_client: Client, address: str) -> None:
    response = admin_client.get(address)

    assert response["X-Frame-Options"] == "DENY"
    assert "frame-ancestors 'none'" in response["Content-Security-Policy"]


# Texts that people choose -----------------------------------------------------------------------


@pytest.mark.parametrize("text", [SCRIPT, ATTRIBUTE])
def test_no_text_of_a_person_becomes_markup(
    admin_client: Client, admin_user: User, draw_digit: DrawDigit, text: str
) -> None:
    User.objects.filter(pk=admin_user.pk).update(
        username=text, first_name=text, last_name=text, email=text
    )
    ModelVersion.objects.filter(is_active=True).update(name=text)
    row = make_prediction(3, label=7, labelled_by=admin_user, user=admin_user)
    admin_client.post("/", {"image": SimpleUploadedFile(f"{text}.png", draw_digit())})
    admin_client.post("/", {"image": SimpleUploadedFile("x.png", text.encode(), text)})
    version = row.model_version_id
    pages = [
        "/", f"/?prediction={row.pk}", "/about/", "/admin/", "/admin/auth/user/",
        f"/admin/auth/user/{admin_user.pk}/change/", f"/admin/auth/user/{admin_user.pk}/delete/",
        "/admin/recognizer/modelversion/", f"/admin/recognizer/modelversion/{version}/change/",
        "/admin/recognizer/prediction/", f"/admin/recognizer/prediction/{row.pk}/change/",
        f"/admin/recognizer/prediction/{row.pk}/history/", "/admin/recognizer/labelevent/",
        "/admin/recognizer/prediction/grid/?digit=3", "/admin/recognizer/prediction/review/",
        "/admin/recognizer/prediction/insights/", "/admin/recognizer/trainingjob/",
        "/admin/recognizer/trainingjob/add/", f"/admin/recognizer/prediction/?q={text}",
        f"/admin/login/?next={text}", f"/{text}/", f"/?cursor={text}", f"/?removed={text}",
        f"/admin/recognizer/prediction/?label={text}", f"/admin/{text}/",
    ]  # fmt: skip
    seen = 0

    for address in pages:
        page = admin_client.get(address, follow=True).content.decode()
        assert SCRIPT not in page, address
        assert not re.search(r'"\s*onload=alert', page), address
        seen += text in unescape(page)

    # The texts are there, as text.
    assert seen >= 8


def test_a_json_answer_is_never_taken_for_a_page(client: Client) -> None:
    for address in (f"/api/{SCRIPT}/", f"{API}?cursor={SCRIPT}", f"{API}{SCRIPT}/"):
        response = client.get(address)
        assert response["Content-Type"] == "application/json"
        assert response["X-Content-Type-Options"] == "nosniff"


# Hosts, sessions, redirects ---------------------------------------------------------------------


def test_the_host_header_builds_no_link(client: Client, draw_digit: DrawDigit) -> None:
    response = client.get("/", headers={"Host": "evil.example"})
    forwarded = client.get("/about", headers={"X-Forwarded-Host": "evil.example"})

    assert response.status_code == 400
    assert "evil.example" not in response.content.decode() + forwarded.headers["Location"]


def test_a_session_from_before_the_login_is_worth_nothing_after_it(
    client: Client, admin_user: User
) -> None:
    planted = uuid.uuid4().hex
    client.cookies["sessionid"] = planted
    client.get("/admin/login/")
    before = client.session.session_key

    client.post("/admin/login/", {"username": admin_user.username, "password": "password"})

    after = client.cookies["sessionid"].value
    assert client.get("/admin/").status_code == 200
    assert after not in (planted, before)
    other = Client()
    for old in filter(None, (planted, before)):
        other.cookies["sessionid"] = old
        assert other.get("/admin/").status_code == 302


BAD_TARGETS = [
    "https://evil.example/", "//evil.example/", "/\\evil.example", "\\\\evil.example",
    "javascript:alert(1)", "https:evil.example", "http:///evil.example", "\t//evil.example",
]  # fmt: skip


@pytest.mark.parametrize("target", BAD_TARGETS)
def test_nothing_redirects_to_another_site(client: Client, admin_user: User, target: str) -> None:
    language = client.post(reverse("language"), {"language": "de", "next": target})
    referred = client.post(
        reverse("language"), {"language": "de"}, headers={"Referer": "https://evil.example/"}
    )
    login = client.post(
        f"/admin/login/?next={target}",
        {"username": admin_user.username, "password": "password", "next": target},
    )

    assert language.headers["Location"] == "/"
    assert referred.headers["Location"] == "/"
    assert login.status_code == 302
    assert login.headers["Location"] in ("/", "/admin/")
