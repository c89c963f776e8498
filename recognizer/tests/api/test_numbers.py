"""Numbers in the API: the answer, what is kept of it, and a reviewer's label."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from rest_framework.test import APIClient

from recognizer import imaging
from recognizer.imaging import PenStrokes
from recognizer.models import Label, Prediction, Source
from recognizer.predictions import selectors
from recognizer.tests.support.accounts import program_of
from recognizer.tests.support.drawings import digit_strokes, number_strokes

pytestmark = pytest.mark.django_db

PREDICTIONS, PREVIEW = "/api/v1/predictions/", "/api/v1/preview/"


@pytest.fixture
def program(reviewer: User) -> APIClient:
    return program_of(reviewer, "review")


def drawn(number: str) -> Prediction:
    APIClient().post(PREDICTIONS, number_strokes(number))
    return Prediction.objects.get(part_of=None)


@pytest.mark.parametrize("as_picture", [False, True])
def test_the_answer_has_the_number_and_its_parts(
    api: APIClient, data_url: Callable[[bytes], str], as_picture: bool
) -> None:
    body = number_strokes("42")
    if as_picture:
        body = {"image": data_url(PenStrokes.from_json(body).drawing().to_png())}

    stored, preview = api.post(PREDICTIONS, body).json(), api.post(PREVIEW, body).json()
    again = api.get(f"{PREDICTIONS}{stored['id']}/").json()
    (in_batch,) = api.post("/api/v1/predictions/batch/", {"drawings": [body]}).json()["results"]

    assert stored["verdict"] == "not_a_digit"
    for answer in (stored, preview, again, in_batch):
        assert answer["number"] == "42"
        assert 0.5 < answer["number_confidence"] <= 1
        assert [part["digit"] for part in answer["parts"]] == [4, 2]
        four, two = (part["box"] for part in answer["parts"])
        assert four["left"] + four["width"] <= two["left"]
        assert set(four) == {"left", "top", "width", "height"}


def test_a_digit_is_no_number(api: APIClient) -> None:
    for address in (PREDICTIONS, PREVIEW):
        answer = api.post(address, digit_strokes(4)).json()

        assert answer["digit"] == 4
        assert (answer["number"], answer["number_confidence"], answer["parts"]) == (None, None, [])


def test_the_words_name_the_number(api: APIClient) -> None:
    answer = api.post(PREVIEW, number_strokes("42"), headers={"Prefer": "include=words"}).json()

    assert answer["words"]["sentence"] == "That looks like the number 42."
    assert answer["words"]["percent"] != ""


def test_a_visitor_corrects_a_number(api: APIClient) -> None:
    url = f"{PREDICTIONS}{api.post(PREDICTIONS, number_strokes('42')).json()['id']}/"

    corrected = api.post(f"{url}suggestion/", {"number": "47"}).json()

    assert (corrected["number"], corrected["suggested_number"]) == ("42", "47")
    assert (corrected["suggested_digit"], corrected["suggested_not_a_digit"]) == (None, False)
    assert api.post(f"{url}suggestion/", {"number": "47", "digit": 4}).status_code == 400
    assert api.delete(f"{url}suggestion/").status_code == 204
    assert api.get(url).json()["suggested_number"] is None


# Labels -----------------------------------------------------------------------------------------


def test_a_labelled_number_gives_labelled_digits(program: APIClient, reviewer: User) -> None:
    row = drawn("42")

    answer = program.patch(f"{PREDICTIONS}{row.pk}/", {"number": "42"})

    assert answer.json() == {"id": str(row.pk), "label": 10, "previous": None, "parts": 2}
    row.refresh_from_db()
    assert (row.label, row.number_label) == (Label.NOT_A_DIGIT, "42")
    parts = Prediction.objects.filter(part_of=row)
    assert sorted(part.label or 0 for part in parts) == [2, 4]
    for part in parts:
        assert (part.source, part.labelled_by) == (Source.NUMBER, reviewer)
        assert (part.user, part.visitor, part.strokes is None) == (None, None, False)
        assert part.digit == part.label
        assert imaging.model_input(part.stored_drawing()).shape == (28, 28)
        part.full_clean()
    # They are exported and trained on like every labelled drawing.
    assert selectors.labelled_drawings().count() == 3


def test_another_label_ends_those_of_the_digits(program: APIClient) -> None:
    row = drawn("42")
    program.patch(f"{PREDICTIONS}{row.pk}/", {"number": "42"})

    program.patch(f"{PREDICTIONS}{row.pk}/", {"label": 4, "seen": 10})

    row.refresh_from_db()
    assert (row.label, row.number_label) == (4, "")
    assert not Prediction.objects.filter(part_of=row).exists()


def test_typing_another_number_replaces_the_digits(program: APIClient) -> None:
    row = drawn("42")
    program.patch(f"{PREDICTIONS}{row.pk}/", {"number": "81306"})
    assert not Prediction.objects.filter(part_of=row).exists()

    for _ in range(2):
        program.patch(f"{PREDICTIONS}{row.pk}/", {"number": "42", "seen": 10})

    assert Prediction.objects.filter(part_of=row).count() == 2


def test_the_owner_can_still_delete_a_labelled_number(program: APIClient) -> None:
    visitor = APIClient()
    identifier = visitor.post(PREDICTIONS, number_strokes("42")).json()["id"]
    program.patch(f"{PREDICTIONS}{identifier}/", {"number": "42"})

    removed = visitor.delete(f"{PREDICTIONS}{identifier}/").json()

    assert removed == {"deleted": 0, "unlinked": 1}
    assert visitor.get(PREDICTIONS).json()["results"] == []


@pytest.mark.parametrize(
    ("sent", "code", "field"),
    [
        ({}, "required", "label"),
        ({"number": "4"}, "invalid", "number"),
        ({"number": "123456789"}, "invalid", "number"),
        ({"number": "4 2"}, "invalid", "number"),
        ({"number": None}, "null", "number"),
        ({"number": "42", "label": 4}, "ambiguous", "number"),
    ],
)
def test_a_number_that_can_not_be_used_is_refused(
    program: APIClient, sent: dict[str, object], code: str, field: str
) -> None:
    row = drawn("42")

    answer = program.patch(f"{PREDICTIONS}{row.pk}/", sent)

    assert answer.status_code == 400
    (error,) = answer.json()["errors"]
    assert (error["code"], error["attr"]) == (code, field)
