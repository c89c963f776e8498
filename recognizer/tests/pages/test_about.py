"""The About page: what it says about the active model comes from its card."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from recognizer.models import ModelVersion

pytestmark = pytest.mark.django_db


def about(client: Client) -> str:
    response = client.get("/about/")
    assert response.status_code == 200
    return re.sub(r"[ \n]+", " ", response.content.decode())


def test_it_shows_the_card_of_the_active_model(client: Client) -> None:
    page = about(client)

    assert "The active model is called <strong>shipped-3</strong>." in page
    assert "440,363 parameters" in page
    assert "MNIST, scanned handwriting (55,000)" in page
    assert "digits and other shapes drawn by a program</li>" in page
    rows = [
        re.findall(r'class="figure">(.*?)</td>', row) for row in re.findall("<tr>.*?</tr>", page)
    ]
    assert ["10,000", "99.57\u00a0%", "99.42\u00a0% – 99.68\u00a0%"] in rows
    assert ["500", "99.60\u00a0%", ""] in rows
    # Of the pen digits, which are nearer to what people draw here than MNIST is.
    assert "It wrongly rejected 0.67\u00a0% of the test digits." in page
    assert "its confidence was off by 0.37\u00a0% on average." in page


@pytest.mark.parametrize(
    "card",
    [{}, [], {"metrics": {"mnist test": {"n": "many"}}, "data": 1, "created": "soon"}],
)
def test_it_leaves_out_what_the_card_lacks(client: Client, card: object) -> None:
    ModelVersion.objects.filter(is_active=True).update(card=card)

    page = about(client)

    assert "shipped-3" in page
    assert "parameters" not in page
    assert "What it was trained on" not in page
    assert "How accurate it is" not in page
    assert "wrongly rejected" not in page


def test_it_says_so_if_no_model_is_active(client: Client) -> None:
    ModelVersion.objects.update(is_active=False)

    assert "No model is active at the moment." in about(client)
