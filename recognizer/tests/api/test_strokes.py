"""Drawings sent as the strokes of a pen, which the server draws."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from PIL import Image
from rest_framework.test import APIClient

from recognizer.models import Prediction
from recognizer.tests.support.drawings import DrawDigit, digit_strokes

pytestmark = pytest.mark.django_db

PREDICTIONS = "/api/v1/predictions/"
PREVIEW = "/api/v1/preview/"
SIZE = [280, 280]
LINE = [[140, 60], [140, 220]]


def pixels(api: APIClient, url: str) -> np.ndarray[Any, Any]:
    """Return the picture at an address, as (h, w) numbers."""
    png = b"".join(api.get(url))
    return np.asarray(Image.open(io.BytesIO(png))).astype(int)


def drawn(api: APIClient, **body: Any) -> np.ndarray[Any, Any]:
    """Send strokes; return the picture that is stored."""
    sent = api.post(PREDICTIONS, {"size": SIZE, **body})
    assert sent.status_code == 201, sent.content
    return pixels(api, sent.json()["image_url"])


@pytest.mark.parametrize("digit", range(10))
def test_it_recognises_each_digit(api: APIClient, digit: int) -> None:
    response = api.post(PREDICTIONS, {**digit_strokes(digit), "source": "canvas"})

    assert response.status_code == 201
    assert (response.json()["digit"], response.json()["source"]) == (digit, "canvas")


def test_the_preview_gives_the_answer_that_is_stored(api: APIClient) -> None:
    preview = api.post(PREVIEW, digit_strokes(4))
    assert preview.status_code == 200
    assert not Prediction.objects.exists()

    kept = api.post(PREDICTIONS, digit_strokes(4)).json()
    for name in ("digit", "confidence", "probabilities", "verdict"):
        assert preview.json()[name] == kept[name]


def test_the_picture_is_stored_and_the_strokes_with_their_times(
    api: APIClient, draw_digit: DrawDigit
) -> None:
    sent = digit_strokes(8, times=True)
    body = api.post(PREDICTIONS, sent).json()

    picture = pixels(api, body["image_url"])
    assert picture.shape == (512, 512)
    expected = Image.open(io.BytesIO(draw_digit(8))).resize((512, 512))
    assert np.abs(picture - np.asarray(expected).astype(int)).mean() < 4
    row = Prediction.objects.get()
    assert row.strokes is not None
    assert len(row.strokes) < 1000
    strokes = row.pen_strokes()
    assert strokes is not None
    stored = strokes.to_json()
    unit = 2048 / 280
    for before, after in zip(sent["strokes"], stored["strokes"], strict=True):
        assert np.abs(np.array(before)[:, :2] * unit - np.array(after)[:, :2]).max() <= 0.5
    first, last = sent["strokes"][0][0][2], sent["strokes"][-1][-1][2]
    assert stored["strokes"][-1][-1][2] == last - first
    assert stored["width"] == round(20 * unit)


def test_a_picture_has_no_strokes(
    api: APIClient, draw_digit: DrawDigit, data_url: Callable[[bytes], str]
) -> None:
    api.post(PREDICTIONS, {"image": data_url(draw_digit(3))})

    assert Prediction.objects.get().strokes is None


def test_strokes_are_deleted_with_their_drawing(api: APIClient) -> None:
    body = api.post(PREDICTIONS, digit_strokes(3)).json()

    assert api.delete(f"{PREDICTIONS}{body['id']}/").json() == {"deleted": 1, "unlinked": 0}
    assert not Prediction.objects.exists()


def test_pressure_widens_the_line(api: APIClient) -> None:
    ink = {
        pressure: (255 - drawn(api, strokes=[[[*point, None, pressure] for point in LINE]])).sum()
        for pressure in (0, 0.5, 1)
    }

    # 0.4 and 1.6 times as wide; the round ends make it a little less than proportional.
    assert 0.33 < ink[0] / ink[0.5] < 0.42
    assert 1.58 < ink[1] / ink[0.5] < 1.7
    assert (drawn(api, strokes=[LINE]) == drawn(api, strokes=[[[*p, 7] for p in LINE]])).all()


def test_each_stroke_can_have_its_own_width(api: APIClient) -> None:
    left, right = [[70, 60], [70, 220]], [[210, 60], [210, 220]]

    picture = drawn(api, strokes=[left, right], width=[10, 30])

    across = (picture[256] < 128).astype(int)
    assert across[:256].sum() == pytest.approx(10 * 512 / 280, abs=2)
    assert across[256:].sum() == pytest.approx(30 * 512 / 280, abs=2)


def test_an_eraser_takes_away_what_was_drawn_before_it(api: APIClient) -> None:
    above = [[100, 140], [180, 140]]

    erased = drawn(api, strokes=[LINE, above, LINE[:1]], width=[20, 30, 20], erasers=[1])

    assert erased[256, 256] == 255
    assert erased[150, 256] == erased[380, 256] == 0


def test_a_line_may_leave_the_canvas_and_come_back(api: APIClient) -> None:
    picture = drawn(api, strokes=[[[200, 140], [400, 140], [200, 200]]])

    assert picture[256, 500] == 0


def test_a_canvas_may_have_any_unit_and_shape(api: APIClient) -> None:
    wide = drawn(api, strokes=[[[1, 0.2], [1, 0.8]]], size=[2, 1], width=0.1)

    assert wide.shape == (256, 512)
    assert wide[128, 256] == 0
    assert (wide < 128).sum() < 0.1 * wide.size


def test_what_may_be_missing_may_be_null(api: APIClient) -> None:
    plain = drawn(api, strokes=[LINE])

    assert (drawn(api, strokes=[LINE], width=None, erasers=None) == plain).all()


def test_as_many_strokes_and_points_as_promised_are_taken(api: APIClient) -> None:
    across = [[20 + 240 * n / 156, 140 + 100 * np.sin(n / 10)] for n in range(156)]
    strokes = [*[across] * 63, (across * 2)[: 10_000 - 63 * 156]]
    assert sum(map(len, strokes)) == 10_000

    assert api.post(PREDICTIONS, {"strokes": strokes, "size": SIZE}).status_code == 201


NAN = float("nan")
BAD: list[tuple[str, str, dict[str, Any]]] = [
    ("invalid_strokes", "strokes", {"strokes": "x"}),
    ("invalid_strokes", "strokes", {"strokes": 3}),
    ("invalid_strokes", "strokes", {"strokes": {"x": [1], "y": [2]}}),
    ("invalid_strokes", "strokes", {"strokes": [[1, 2], [3, 4]]}),
    ("invalid_strokes", "strokes", {"strokes": [1, 2]}),
    ("invalid_strokes", "strokes", {"strokes": [{"x": 1}]}),
    ("empty_strokes", "strokes", {"strokes": []}),
    ("empty_strokes", "strokes", {"strokes": [[]]}),
    ("empty_strokes", "strokes", {"strokes": [LINE, []]}),
    ("too_many_strokes", "strokes", {"strokes": [LINE] * 65}),
    ("too_many_strokes", "strokes", {"strokes": [LINE * 5001]}),
    ("invalid_point", "strokes", {"strokes": [[[]]]}),
    ("invalid_point", "strokes", {"strokes": [[[1]]]}),
    ("invalid_point", "strokes", {"strokes": [[[1, 2, 3, 0.5, 5]]]}),
    ("invalid_point", "strokes", {"strokes": [[["1", "2"]]]}),
    ("invalid_point", "strokes", {"strokes": [[[True, 2]]]}),
    ("invalid_point", "strokes", {"strokes": [[[None, 2]]]}),
    ("invalid_point", "strokes", {"strokes": [[[[1], 2]]]}),
    ("invalid_point", "strokes", {"strokes": [[[1, 2, "now"]]]}),
    ("invalid_point", "strokes", {"strokes": [[[1, 2, 3, 1.1]]]}),
    ("invalid_point", "strokes", {"strokes": [[[1, 2, 3, -0.1]]]}),
    ("invalid_point", "strokes", {"strokes": [[[10**400, 2]]]}),
    ("invalid_point", "strokes", {"strokes": [[[1e300, 2]]]}),
    ("invalid_point", "strokes", {"strokes": [[[1, 2, 10**30]]]}),
    ("outside_canvas", "strokes", {"strokes": [[[140, 140], [1000, 140]]]}),
    ("outside_canvas", "strokes", {"strokes": [[[140, -281]]]}),
    ("outside_canvas", "strokes", {"strokes": [[[1e14, 2]]]}),
    ("blank_drawing", "strokes", {"strokes": [[[-200, -200], [-100, -200]]]}),
    ("blank_drawing", "strokes", {"strokes": [LINE], "erasers": [0]}),
    ("invalid_times", "strokes", {"strokes": [[[1, 2, 0], [3, 4, 10**9]]]}),
    ("invalid_width", "width", {"width": 0}),
    ("invalid_width", "width", {"width": -3}),
    ("invalid_width", "width", {"width": 71}),
    ("invalid_width", "width", {"width": "20"}),
    ("invalid_width", "width", {"width": True}),
    ("invalid_width", "width", {"width": [20, 20]}),
    ("invalid_width", "width", {"width": []}),
    ("invalid_size", "size", {"size": 280}),
    ("invalid_size", "size", {"size": [280]}),
    ("invalid_size", "size", {"size": [0, 0]}),
    ("invalid_size", "size", {"size": [-280, -280]}),
    ("invalid_size", "size", {"size": [4097, 4097]}),
    ("invalid_size", "size", {"size": [280, 20]}),
    ("invalid_size", "size", {"size": ["280", 280]}),
    ("required", "size", {"size": ...}),
    ("invalid_erasers", "erasers", {"erasers": 0}),
    ("invalid_erasers", "erasers", {"erasers": [1]}),
    ("invalid_erasers", "erasers", {"erasers": [-1]}),
    ("invalid_erasers", "erasers", {"erasers": [0.0]}),
    ("invalid_erasers", "erasers", {"erasers": [0, 0]}),
    ("invalid_choice", "source", {"source": "import"}),
]


@pytest.mark.parametrize("url", [PREDICTIONS, PREVIEW])
@pytest.mark.parametrize(("code", "field", "change"), BAD)
def test_what_is_wrong_is_named(
    api: APIClient, url: str, code: str, field: str, change: dict[str, Any]
) -> None:
    body = {"strokes": [LINE], "size": SIZE, "width": 20, **change}
    body = {key: value for key, value in body.items() if value is not ...}

    response = api.post(url, body)

    assert response.status_code == 400, response.content[:300]
    (found,) = response.json()["errors"]
    assert (found["code"], found["attr"]) == (code, field)
    assert found["detail"].endswith(".")
    assert not Prediction.objects.exists()


@pytest.mark.parametrize("number", ["NaN", "Infinity", "-Infinity", "1e999", "9" * 5000])
def test_what_is_no_number_is_refused(api: APIClient, number: str) -> None:
    body = f'{{"strokes": [[[1, {number}]]], "size": [280, 280]}}'

    response = api.generic("POST", PREDICTIONS, body, content_type="application/json")

    assert response.status_code == 400
    (found,) = response.json()["errors"]
    assert found["code"] in ("parse_error", "invalid_point")


@pytest.mark.parametrize("value", ["[]", "[[[[]]]]", '"x"', "1"])
def test_millions_of_values_are_refused_before_they_are_read(api: APIClient, value: str) -> None:
    body = f'{{"strokes": [{",".join([value] * 200_000)}], "size": [280, 280]}}'

    response = api.generic("POST", PREVIEW, body, content_type="application/json")

    assert response.status_code == 400
    assert "too many values" in response.json()["errors"][0]["detail"]


def test_either_a_picture_or_strokes(
    api: APIClient, draw_digit: DrawDigit, data_url: Callable[[bytes], str]
) -> None:
    image = data_url(draw_digit(3))

    both = api.post(PREDICTIONS, {**digit_strokes(3), "image": image})
    neither = api.post(PREDICTIONS, {"size": SIZE})

    assert both.status_code == neither.status_code == 400
    assert both.json()["errors"][0]["code"] == "ambiguous"
    assert neither.json()["errors"][0] == {
        "code": "required",
        "detail": "Send the drawing in the field image, or its strokes in strokes.",
        "attr": "image",
    }
    assert api.post(PREDICTIONS, {"image": image, "strokes": None}).status_code == 201
    assert api.post(PREDICTIONS, {**digit_strokes(3), "image": None}).status_code == 201


def test_the_schema_describes_both_ways_with_an_example_that_works(api: APIClient) -> None:
    schema = api.get("/api/schema/?format=json").json()

    for url in (PREDICTIONS, PREVIEW):
        content = schema["paths"][url]["post"]["requestBody"]["content"]["application/json"]
        assert content["schema"] == {"$ref": "#/components/schemas/Drawing"}
        example = content["examples"]["Strokes"]["value"]
        sent = api.post(url, json.loads(json.dumps(example)))
        assert (sent.status_code // 100, sent.json()["digit"]) == (2, 1)
    ways = schema["components"]["schemas"]["Drawing"]["oneOf"]
    assert len(ways) == 2
