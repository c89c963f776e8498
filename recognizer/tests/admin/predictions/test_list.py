"""Finding drawings in the admin's list."""

from __future__ import annotations

import datetime
import html
import io
import re
import uuid

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from PIL import Image

from recognizer.models import Prediction
from recognizer.tests.support.reviewing import (
    LIST,
    NOT_A_DIGIT,
    drawing,
    make_prediction,
    make_version,
    prediction,
)

pytestmark = pytest.mark.django_db


def found(client: Client, query: str) -> set[uuid.UUID]:
    """The ids that the list shows."""
    response = client.get(f"{LIST}?{query}", follow=True)
    assert response.status_code == 200
    return {row.pk for row in response.context["cl"].result_list}


def test_a_row_shows_all_columns(reviewing: Client) -> None:
    row = make_prediction(7, confidence=0.876, verdict="uncertain", suggestion=NOT_A_DIGIT, label=1)

    page = reviewing.get(LIST).content.decode()

    assert f'src="{LIST}{row.pk}/thumbnail.png"' in page
    assert 'alt="Drawing predicted as 7"' in page
    assert '<td class="field-answer">7</td>' in page
    assert "87.6\u00a0%" in page
    assert '<span class="verdict uncertain">uncertain</span>' in page
    assert '<td class="field-suggestion_text">not a digit</td>' in page
    assert '<option value="1" selected>1</option>' in page
    assert "wrong" in page
    assert "tested-1" in page
    assert str(row.pk)[:8] in page


def test_many_rows_take_no_more_queries_than_few(reviewing: Client) -> None:
    version = make_version()
    Prediction.objects.bulk_create(prediction(1, model_version=version) for _ in range(60))
    reviewing.get(LIST)
    with CaptureQueriesContext(connection) as few:
        reviewing.get(LIST)
    Prediction.objects.bulk_create(
        (
            prediction(index % 10, model_version=version, label=index % 11 if index % 2 else None)
            for index in range(10_000)
        ),
        batch_size=500,
    )

    with CaptureQueriesContext(connection) as many:
        response = reviewing.get(LIST)

    # Counting a million would take longer than the rest of the page.
    assert "more than 10,000 predictions" in " ".join(response.content.decode().split())
    assert len(many) == len(few) <= 12
    assert not any('"recognizer_prediction"."image"' in query["sql"] for query in many)
    assert not any('"recognizer_modelversion"."serving"' in query["sql"] for query in many)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("digit=7", {"wrong", "refused", "none"}),
        ("label=1", {"wrong"}),
        ("label=10", {"refused", "no digit"}),
        ("labelled=yes", {"wrong", "right", "refused", "no digit"}),
        ("labelled=no", {"none"}),
        ("outcome=right", {"right", "refused"}),
        ("outcome=wrong", {"wrong", "no digit"}),
        ("verdict=not_a_digit", {"refused"}),
        ("verdict=uncertain", {"none"}),
        ("confidence=0-50", {"none"}),
        ("confidence=50-80", {"refused"}),
        ("confidence=95-99", {"wrong"}),
        ("confidence=99-100", {"right"}),
        ("source=upload", {"right"}),
        ("labelled=yes&digit=7", {"wrong", "refused"}),
    ],
)
def test_it_filters(reviewing: Client, query: str, expected: set[str]) -> None:
    rows = {
        "wrong": make_prediction(7, label=1, confidence=0.95),
        "right": make_prediction(2, label=2, confidence=0.99, source="upload"),
        "refused": make_prediction(7, label=NOT_A_DIGIT, verdict="not_a_digit", confidence=0.5),
        "no digit": make_prediction(4, label=NOT_A_DIGIT),
        "none": make_prediction(7, verdict="uncertain", confidence=0.4),
    }

    assert found(reviewing, query) == {rows[name].pk for name in expected}


def test_it_filters_by_model_version(reviewing: Client) -> None:
    other = make_prediction(model_version=make_version("tested-2"))
    make_prediction()

    assert found(reviewing, f"model_version={other.model_version_id}") == {other.pk}


def test_it_filters_by_date(reviewing: Client) -> None:
    new = make_prediction()
    make_prediction(created_at=timezone.now() - datetime.timedelta(days=30))
    links = re.findall(r'href="\?([^"]+)">([^<]+)</a>', reviewing.get(LIST).content.decode())
    (past_week,) = [html.unescape(query) for query, text in links if text == "Past 7 days"]

    assert found(reviewing, past_week) == {new.pk}


@pytest.mark.parametrize(
    "query",
    [
        "digit=x",
        "digit=10",
        "label=11",
        "outcome=maybe",
        "verdict=%00",
        "confidence=1-2",
        "source=%27",
        "model_version=999999",
        "model_version=x",
        "created_at__gte=soon",
        "id__exact=x",
        "nonsense=1",
        "q=%00",
        "p=x",
        "p=999",
        "o=x",
    ],
)
def test_an_invalid_query_is_no_error(reviewing: Client, query: str) -> None:
    make_prediction()

    assert reviewing.get(f"{LIST}?{query}", follow=True).status_code == 200


def test_it_finds_a_drawing_by_its_id(reviewing: Client) -> None:
    row = make_prediction(id=uuid.UUID("6f1c2a9b-4d0e-4a77-9c55-0123456789ab"))
    make_prediction(id=uuid.UUID("70000000-4d0e-4a77-9c55-ba9876543210"))

    for term in (
        "6f1c2a9b-4d0e-4a77-9c55-0123456789ab",
        "6F1C2A9B-4D0E-4A77-9C55-0123456789AB",
        "6f1c2a9b4d0e4a779c550123456789ab",
        "6f1c2a9b",
        "6f1c2a9b-4d",
        "6",
        "  6f1c  ",
        "{6f1c2a9b-4d0e-4a77-9c55-0123456789ab}",
        "0123456789ab",
    ):
        assert found(reviewing, f"q={term}") == {row.pk}, term


@pytest.mark.parametrize(
    "term", ["zzz", "6g", "'", "%25", "_", "6f1c2a9b" * 5, "é", "-", "0x12", "٣", "a b"]
)
def test_junk_in_the_search_finds_nothing(reviewing: Client, term: str) -> None:
    make_prediction(id=uuid.UUID("6f1c2a9b-4d0e-4a77-9c55-0123456789ab"))

    assert found(reviewing, f"q={term}") == set()


def test_a_large_drawing_is_reduced_for_the_list(reviewing: Client) -> None:
    row = make_prediction(image=drawing(5, canvas=500))

    sent = reviewing.get(f"{LIST}{row.pk}/thumbnail.png").content

    assert Image.open(io.BytesIO(sent)).size == (128, 128)


def test_a_small_drawing_is_enlarged_by_whole_pixels(reviewing: Client) -> None:
    image = Image.new("L", (28, 20), 255)
    image.putpixel((3, 4), 0)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    row = make_prediction(image=buffer.getvalue())

    sent = Image.open(io.BytesIO(reviewing.get(f"{LIST}{row.pk}/thumbnail.png").content))

    assert sent.size == (112, 80)
    assert sent.getextrema() == (0, 255)
    assert sorted(sent.getcolors() or []) == [(16, 0), (112 * 80 - 16, 255)]


def test_a_missing_drawing_is_not_found(reviewing: Client) -> None:
    assert reviewing.get(f"{LIST}{uuid.uuid4()}/thumbnail.png").status_code == 404


def test_a_damaged_drawing_breaks_neither_list_nor_page(reviewing: Client) -> None:
    row = make_prediction(image=b"no picture")

    assert reviewing.get(LIST).status_code == 200
    assert reviewing.get(f"{LIST}{row.pk}/change/").status_code == 200
    assert reviewing.get(f"{LIST}{row.pk}/thumbnail.png").status_code == 404
    assert reviewing.get(f"{LIST}{row.pk}/model-input.png").status_code == 404


def test_a_reviewer_sees_verdict_and_probabilities_of_a_rejected_drawing(
    reviewing: Client,
) -> None:
    row = make_prediction(8, verdict="not_a_digit", confidence=0.91)

    page = reviewing.get(f"{LIST}{row.pk}/change/").content.decode()

    assert re.search(r"Verdict:.*?<div class=\"readonly\">not a digit</div>", page, re.DOTALL)
    assert "Probability of each digit" in page
    assert '<meter min="0" max="100" value="91.00" aria-label="8">91.0\u00a0%</meter>' in page
