"""The figures of a model version: the same in the list, on its page and in the comparison."""

from __future__ import annotations

import re

import numpy as np
import pytest
from django.test import Client

from recognizer.models import ModelVersion
from recognizer.tests.support.reviewing import make_version
from training.evaluation import gate

pytestmark = pytest.mark.django_db

LIST = "/admin/recognizer/modelversion/"


def compare(browser: Client, one: ModelVersion, other: ModelVersion) -> str:
    response = browser.get(LIST + "compare/", {"one": one.pk, "other": other.pk})
    assert response.status_code == 200
    return re.sub(r"[ \n]+", " ", response.content.decode())


LABELLED = {"n": 19, "mistakes": 0, "accuracy": 1.0, "answered": 15 / 19}


def test_list_gate_and_comparison_agree_on_what_is_correct(admin_client: Client) -> None:
    candidate, active = np.arange(19) < 15, np.arange(19) < 12
    decision = gate.decide({"labelled": candidate}, {"labelled": active})
    card = {"metrics": {"labelled": LABELLED}, "gate": decision.to_json()}
    version = make_version("figures", card=card)

    pages = [
        admin_client.get(LIST).content.decode(),
        admin_client.get(f"{LIST}{version.pk}/change/").content.decode().split("Model card")[0],
        compare(admin_client, make_version("other", card=card), version).split("Training</h2>")[0],
    ]

    for page in pages:
        assert "78.95\u00a0%" in page
        assert "100.00\u00a0%" not in page
    assert "labelled 78.95\u00a0% of 19" in pages[0]


@pytest.mark.parametrize(
    ("one", "other", "row"),
    [
        (("pen", 500, 5, None), ("pen", 500, 4, None), ("500", "99.00 %", "99.20 %", "+0.20")),
        (("pen", 500, 5, None), ("pen", 2000, 4, None), ("500 / 2,000", "99.00 %", "99.80 %", "–")),
        (("pen", 500, 5, "a"), ("pen", 500, 4, "b"), ("500", "99.00 %", "99.20 %", "–")),
        (("labelled", 50, 5, None), ("labelled", 50, 4, None), ("50", "90.00 %", "92.00 %", "–")),
        (("labelled", 50, 5, "a"), ("labelled", 50, 4, "a"), ("50", "90.00 %", "92.00 %", "+2.00")),
        (("pen", 500, 5, None), ("mnist", 500, 4, None), ("500", "99.00 %", "–", "–")),
    ],
)
def test_figures_are_subtracted_only_on_the_same_drawings(
    admin_client: Client,
    one: tuple[str, int, int, str | None],
    other: tuple[str, int, int, str | None],
    row: tuple[str, ...],
) -> None:
    versions = []
    for name, (evaluated, n, mistakes, drawings) in (("one", one), ("other", other)):
        measured = {"n": n, "mistakes": mistakes, "answered": 1 - mistakes / n}
        card = {"metrics": {evaluated: {**measured, "drawings": drawings}}}
        versions.append(make_version(name, card=card))

    page = compare(admin_client, *versions)

    cells = [f'<td class="number">{each}</td>' for each in row]
    wanted = " ".join([f'<th scope="row">{one[0]}</th>', *cells]).replace(" %", "\u00a0%")
    assert wanted in page
