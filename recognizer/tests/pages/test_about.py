"""The About page: what it says about the active model comes from its card."""

from __future__ import annotations

import re

import pytest
from django.test import Client

from recognizer.models import ModelVersion
from recognizer.tests.support import bundled_model

pytestmark = pytest.mark.django_db


def about(client: Client) -> str:
    response = client.get("/about/")
    assert response.status_code == 200
    return re.sub(r"[ \n]+", " ", response.content.decode())


SHOWN = ("UNIPEN writers wild", "UNIPEN site wild", "pen small", "pen wild", "mnist test")
"""Some of the sets in the order shown: drawings of people first, MNIST last."""


def percent(share: float | None) -> str:
    assert share is not None
    return f"{share:.2%}".replace("%", "\u00a0%")


def figures(name: str) -> list[str]:
    """Return what the page shows of an evaluation set: size, accuracy and interval."""
    row = bundled_model.CARD.metrics[name]
    assert row.interval is not None
    low, high = row.interval
    return [f"{row.n:,}", percent(row.accuracy), f"{percent(low)} – {percent(high)}"]


def test_it_shows_the_card_of_the_active_model(client: Client) -> None:
    page = about(client)

    assert f"The active model is called <strong>{bundled_model.NAME}</strong>." in page
    assert f"{bundled_model.CARD.parameters:,} parameters" in page
    assert "MNIST, scanned handwriting (55,000)" in page
    assert "digits and other shapes drawn by a program</li>" in page
    rows = [
        re.findall(r'class="figure">(.*?)</td>', row) for row in re.findall("<tr>.*?</tr>", page)
    ]
    expected = [figures(name) for name in SHOWN]
    assert [row for row in rows if row in expected] == expected
    # Of people's own drawings, which are nearer to what people draw here than MNIST is.
    drawn = bundled_model.CARD.metrics["UNIPEN writers wild"]
    assert f"It wrongly rejected {percent(drawn.refused)} of the test digits." in page
    assert f"its confidence was off by {percent(drawn.calibration_error)} on average." in page


@pytest.mark.parametrize(
    "card",
    [{}, [], {"metrics": {"mnist test": {"n": "many"}}, "data": 1, "created": "soon"}],
)
def test_it_leaves_out_what_the_card_lacks(client: Client, card: object) -> None:
    ModelVersion.objects.filter(is_active=True).update(card=card)

    page = about(client)

    assert bundled_model.NAME in page
    assert "parameters" not in page
    assert "What it was trained on" not in page
    assert "How accurate it is" not in page
    assert "wrongly rejected" not in page


def test_it_says_so_if_no_model_is_active(client: Client) -> None:
    ModelVersion.objects.update(is_active=False)

    assert "No model is active at the moment." in about(client)
