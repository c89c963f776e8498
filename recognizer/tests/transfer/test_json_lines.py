"""JSON lines: drawings with the strokes of a pen and their times, out and back."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from rest_framework.test import APIClient

from recognizer.labelling import labels
from recognizer.models import Prediction
from recognizer.tests.support.drawings import DrawDigit, digit_strokes
from recognizer.tests.support.exporting import export_to, import_from, refused_import, store

pytestmark = pytest.mark.django_db


def send(api: APIClient, digit: int, **options: Any) -> Prediction:
    """Send a digit's strokes and label it."""
    body = api.post("/api/v1/predictions/", digit_strokes(digit, **options)).json()
    labels.label_predictions(predictions=[body["id"]], label=digit, by=None)
    return Prediction.objects.get(pk=body["id"])


def lines_of(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_strokes_come_back_with_their_times(api: APIClient, tmp_path: Path) -> None:
    path = tmp_path / "drawings.jsonl"
    rows = [send(api, 3, times=True), send(api, 8), store(4, label=4)]
    export_to(path)
    Prediction.objects.all().delete()

    assert "Imported 3 drawings" in import_from(path)

    for before in rows:
        after = Prediction.objects.get(pk=before.pk)
        assert after.label == before.label
        assert bytes(after.image) == bytes(before.image)
        kept = before.pen_strokes()
        assert (after.strokes is None) == (kept is None)
        if kept is not None:
            found = after.pen_strokes()
            assert found is not None
            assert found.to_json() == kept.to_json()


def test_a_line_is_a_drawing(api: APIClient, tmp_path: Path) -> None:
    sent = digit_strokes(3, times=True)
    row = send(api, 3, times=True)
    path = tmp_path / "drawings.jsonl"

    export_to(path)

    (line,) = lines_of(path)
    assert (line["id"], line["label"], line["digit"]) == (str(row.pk), "3", 3)
    assert line["image"].startswith("data:image/png;base64,")
    assert line["strokes"]["size"] == [2048, 2048]
    points = [point for stroke in line["strokes"]["strokes"] for point in stroke]
    times = [point[2] for stroke in sent["strokes"] for point in stroke]
    assert [point[2] for point in points] == [time - times[0] for time in times]
    # What was exported can be sent again as it is.
    assert api.post("/api/v1/predictions/", line["strokes"]).json()["digit"] == 3


def test_drawings_without_a_label_are_exported_too(api: APIClient, tmp_path: Path) -> None:
    api.post("/api/v1/predictions/", digit_strokes(3))
    path = tmp_path / "drawings.jsonl"

    export_to(path, "--include-unlabelled")

    assert lines_of(path)[0]["label"] is None


@pytest.mark.parametrize("change", ["line lost", "strokes changed"])
def test_an_export_that_was_changed_is_refused(api: APIClient, tmp_path: Path, change: str) -> None:
    path = tmp_path / "drawings.jsonl"
    send(api, 3)
    send(api, 8)
    export_to(path)
    first, last = lines_of(path)
    if change == "line lost":
        path.write_text(json.dumps(first) + "\n")
    else:
        first["strokes"]["strokes"][0][0][0] += 9
        path.write_text(json.dumps(first) + "\n" + json.dumps(last) + "\n")
    Prediction.objects.all().delete()

    assert "does not match the drawings" in refused_import(path)


def wrapped(text: str) -> str:
    """Return base64 in lines and of a URL-safe alphabet, as some programs write it."""
    safe = text.replace("+", "-").replace("/", "_").rstrip("=")
    return "\r\n".join(safe[at : at + 76] for at in range(0, len(safe), 76))


def test_lines_from_elsewhere_are_read(tmp_path: Path, draw_digit: DrawDigit) -> None:
    path = tmp_path / "mine.jsonl"
    five, six = (base64.b64encode(draw_digit(digit)).decode() for digit in (5, 6))
    lines = [
        {"image": five, "label": 5},
        {
            "image": f"data:image/png;base64,{wrapped(six)}",
            "label": "6",
        },
        {"strokes": digit_strokes(7), "label": 7.0},
        {**digit_strokes(2), "label": "not_a_digit"},
    ]
    path.write_text("\n".join(map(json.dumps, lines)))

    assert "Imported 4 drawings" in import_from(path)

    found = Prediction.objects.order_by("label")
    assert [row.label for row in found] == [5, 6, 7, 10]
    assert [row.strokes is None for row in found] == [True, True, False, False]
    assert found[2].digit == 7


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ({"label": "3"}, "neither an image nor strokes"),
        ({"label": "x", "image": "iVBORw0KGgo="}, "its label 'x' is not 0-9"),
        ({"label": "3", "image": "https://example.com/3.png"}, "3.png is not fetched"),
        ({"label": "3", "image": "a?b="}, "must be in the file"),
        ({"label": "3", "strokes": {"strokes": [[[1]]], "size": [9, 9]}}, "In a point"),
        ({"label": "3", "strokes": {"strokes": [], "size": [9, 9]}}, "at least one stroke"),
        ([1, 2], "not a JSON object"),
    ],
)
def test_a_bad_line_is_named(tmp_path: Path, line: Any, why: str) -> None:
    path = tmp_path / "mine.jsonl"
    good = {**digit_strokes(7), "label": "7"}
    path.write_text(f"{json.dumps(good)}\n{json.dumps(line)}\n")

    said = refused_import(path)

    assert "line 2" in said
    assert why in said
