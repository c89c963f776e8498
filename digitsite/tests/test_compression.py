"""What goes out compressed, and what must not."""

from __future__ import annotations

import gzip

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from rest_framework.test import APIClient

from recognizer.tests.support.drawings import DrawDigit

ACCEPTS = {"accept-encoding": "gzip, deflate, br"}


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/", "/about/", "/admin/login/", "/nothing-here"])
def test_a_page_is_compressed_for_a_browser_that_asks(client: Client, address: str) -> None:
    response = client.get(address, headers=ACCEPTS)

    assert response["Content-Encoding"] == "gzip"
    assert int(response["Content-Length"]) == len(response.content)
    assert "Accept-Encoding" in response["Vary"]
    assert gzip.decompress(response.content).decode().startswith("<!")


@pytest.mark.django_db
def test_a_page_stays_readable_for_a_client_that_does_not_ask(client: Client) -> None:
    response = client.get("/")

    assert "Content-Encoding" not in response
    assert "Accept-Encoding" in response["Vary"]
    assert "<!doctype html>" in response.content.decode()


@pytest.mark.django_db
def test_the_length_of_a_compressed_page_varies(client: Client) -> None:
    # What a visitor typed must not be told by how well a page compresses (BREACH).
    lengths = {len(client.get("/about/", headers=ACCEPTS).content) for _ in range(12)}

    assert len(lengths) > 1


@pytest.mark.django_db
def test_api_responses_and_images_are_not_compressed(api: APIClient, draw_digit: DrawDigit) -> None:
    upload = SimpleUploadedFile("3.png", draw_digit(3), "image/png")
    answer = api.post(
        "/api/v1/predictions/", {"image": upload}, format="multipart", headers=ACCEPTS
    )
    picture = api.get(answer.json()["image_url"], headers=ACCEPTS)

    assert answer.status_code == 201
    assert picture["Content-Type"] == "image/png"
    for response in (answer, picture):
        assert "Content-Encoding" not in response
