"""Public links: off until they are made, for everybody who has one, and gone when revoked."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from recognizer.labelling import labels
from recognizer.models import Prediction, PublicLink

pytestmark = pytest.mark.django_db


@pytest.fixture
def own(client: Client, draw_digit: Any) -> Prediction:
    """Return a drawing of `client`'s visitor."""
    picture = SimpleUploadedFile("digit.png", draw_digit(3), "image/png")
    response = client.post("/api/v1/predictions/", {"image": picture, "source": "upload"})
    assert response.status_code == 201
    return Prediction.objects.get()


def _publish(client: Client, own: Prediction) -> str:
    response = client.post(f"/api/v1/predictions/{own.pk}/link/")
    assert response.status_code == 200
    url: str = response.json()["url"]
    return url.removeprefix("http://testserver")


def test_a_drawing_is_private_until_its_owner_makes_a_link(client: Client, own: Prediction) -> None:
    assert not PublicLink.objects.exists()
    url = _publish(client, own)
    assert re.fullmatch(r"/shared/[\w-]{22}/", url)
    assert _publish(client, own) == url

    stranger = Client()
    page = stranger.get(url)
    assert page.status_code == 200
    text = page.content.decode()
    assert "That looks like a 3." in text
    assert '<meta name="robots" content="noindex">' in text
    assert str(own.pk) not in text
    assert "no-store" in page["Cache-Control"]
    picture = stranger.get(f"{url}drawing.png")
    assert (picture.status_code, picture["Content-Type"]) == (200, "image/png")
    assert picture.content == bytes(Prediction.objects.get().image)
    # The link shows one drawing; its other addresses stay private.
    assert stranger.get(f"/?prediction={own.pk}").status_code == 404
    assert stranger.get(f"/api/v1/predictions/{own.pk}/image/").status_code == 404


def test_a_revoked_link_shows_nothing_and_a_new_one_is_another(
    client: Client, own: Prediction
) -> None:
    url = _publish(client, own)
    for _ in range(2):
        assert client.delete(f"/api/v1/predictions/{own.pk}/link/").status_code == 204
    assert client.get(url).status_code == 404
    assert client.get(f"{url}drawing.png").status_code == 404
    assert _publish(client, own) != url


def test_only_the_owner_can_make_or_revoke_it(client: Client, own: Prediction) -> None:
    url = _publish(client, own)
    stranger = Client()
    address = f"/api/v1/predictions/{own.pk}/link/"
    assert stranger.post(address).status_code == 404
    assert stranger.delete(address).status_code == 404
    assert stranger.post(f"/predictions/{own.pk}/link/", {"public": "off"}).status_code == 404
    assert client.get(url).status_code == 200
    wary = Client(enforce_csrf_checks=True)
    assert wary.post(f"/predictions/{own.pk}/link/", {"public": "on"}).status_code == 403


def test_it_works_without_javascript(client: Client, own: Prediction) -> None:
    address = f"/predictions/{own.pk}/link/"
    assert "Make a public link" in client.get(f"/?prediction={own.pk}").content.decode()
    response = client.post(address, {"public": "on"})
    assert response["Location"] == f"/?prediction={own.pk}#public"
    page = client.get(f"/?prediction={own.pk}").content.decode()
    assert "Revoke the public link" in page
    assert f"http://testserver/shared/{PublicLink.objects.get().key}/" in page
    client.post(address, {"public": "off"})
    assert not PublicLink.objects.exists()


def test_deleting_a_drawing_ends_its_link_also_where_the_drawing_stays_as_training_data(
    client: Client, own: Prediction, reviewer: User
) -> None:
    url = _publish(client, own)
    labels.label_predictions(predictions=[own.pk], label=3, by=reviewer)
    assert client.delete(f"/api/v1/predictions/{own.pk}/").status_code == 200
    assert Prediction.objects.filter(pk=own.pk).exists()
    assert client.get(url).status_code == 404
