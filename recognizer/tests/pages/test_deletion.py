"""Deleting one's own drawings by the forms of the page, without JavaScript."""

from __future__ import annotations

import base64
import re

import pytest
from django.test import Client

from recognizer.models import Prediction
from recognizer.tests.support.drawings import DrawDigit

pytestmark = pytest.mark.django_db


def draw(client: Client, png: bytes) -> str:
    """Submit a drawing as the page does; return its id."""
    image = f"data:image/png;base64,{base64.b64encode(png).decode()}"
    answer = client.post("/api/v1/predictions/", {"image": image}, content_type="application/json")
    assert answer.status_code == 201
    return str(answer.json()["id"])


def form_actions(client: Client, drawing: str = "") -> list[str]:
    """Return the addresses of the forms that delete, on the page or on that of a drawing."""
    page = client.get("/", {"prediction": drawing} if drawing else {}).content.decode()
    return [action for action in re.findall(r'action="([^"]*)"', page) if "delete/" in action]


def test_the_page_of_a_drawing_deletes_it(client: Client, draw_digit: DrawDigit) -> None:
    first, second = draw(client, draw_digit(4)), draw(client, draw_digit(7))
    [action] = [action for action in form_actions(client, first) if first in action]

    response = client.post(action, follow=True)

    assert "removed=one" in response.redirect_chain[-1][0]
    assert "deleted" in response.content.decode().lower()
    assert [str(row.pk) for row in Prediction.objects.all()] == [second]
    assert client.post(action).status_code == 404


def test_nobody_deletes_the_drawing_of_another_visitor(
    client: Client, draw_digit: DrawDigit
) -> None:
    drawing = draw(client, draw_digit(4))
    [action] = [action for action in form_actions(client, drawing) if drawing in action]

    assert Client().post(action).status_code == 404
    assert Client(enforce_csrf_checks=True).post(action).status_code == 403
    assert client.get(action).status_code == 405
    assert Prediction.objects.filter(pk=drawing).exists()


def test_the_history_deletes_all_of_ones_own_drawings(
    client: Client, draw_digit: DrawDigit
) -> None:
    draw(client, draw_digit(4))
    draw(client, draw_digit(7))
    other = draw(Client(), draw_digit(1))
    [action] = form_actions(client)

    response = client.post(action, follow=True)

    assert "removed=all" in response.redirect_chain[-1][0]
    assert [str(row.pk) for row in Prediction.objects.all()] == [other]
