"""What the page sends: the strokes of a drawing, and a picture only where they are too many."""

from __future__ import annotations

import base64
import io
from typing import Any

import numpy as np
import pytest
from PIL import Image
from playwright.sync_api import Request, expect

from recognizer.models import Prediction
from recognizer.tests.browser.draw_page import DrawPage

PREDICTIONS = "**/api/v1/predictions/"
pytestmark = pytest.mark.django_db

# As Firefox with privacy.resistFingerprinting: whatever is on a canvas, its pixels are stripes.
STRIPES = """
    const { getImageData } = CanvasRenderingContext2D.prototype;
    CanvasRenderingContext2D.prototype.getImageData = function (...box) {
        const image = getImageData.apply(this, box);
        image.data.forEach((_, index) => { image.data[index] = (97 * index) % 256; });
        return image;
    };
    HTMLCanvasElement.prototype.toDataURL = () => "data:image/png;base64,U3RyaXBlcw==";
"""


@pytest.fixture
def sent(draw_page: DrawPage) -> list[dict[str, Any]]:
    """Return what is sent to be stored."""
    found: list[dict[str, Any]] = []

    def note(request: Request) -> None:
        if request.method == "POST" and request.url.endswith("/api/v1/predictions/"):
            body: Any = request.post_data_json
            found.append(body)

    draw_page.page.on("request", note)
    return found


def picture_on_page(draw_page: DrawPage) -> np.ndarray[Any, Any]:
    """Return the drawing as the page itself draws it in black on white."""
    url: str = draw_page.page.evaluate(
        """async () => {
            const { StrokeModel } = await import("/static/recognizer/draw/canvas/strokes.js");
            const { toDataUrl } = await import("/static/recognizer/draw/canvas/as_picture.js");
            const model = new StrokeModel();
            model.restore(JSON.parse(sessionStorage["digitsite.drawing"]));
            return toDataUrl(model.strokes);
        }"""
    )
    return pixels(base64.b64decode(url.partition(",")[2]))


def pixels(png: bytes) -> np.ndarray[Any, Any]:
    return np.asarray(Image.open(io.BytesIO(png)).convert("L")).astype(int)


def scribble(draw_page: DrawPage, strokes: int) -> None:
    """Draw a 1 of many short strokes."""
    for number in range(strokes):
        y = 0.2 + 0.6 * number / strokes
        draw_page.drag([draw_page.at(0.5, y), draw_page.at(0.5, y + 0.02)])


def test_it_sends_strokes_and_the_server_stores_the_same_picture(
    draw_page: DrawPage, sent: list[dict[str, Any]]
) -> None:
    draw_page.draw(3)
    expected = picture_on_page(draw_page)

    draw_page.save.click()

    draw_page.expect_answer(3)
    (body,) = sent
    assert set(body) == {"strokes", "width", "size", "source"}
    times = [point[2] for stroke in body["strokes"] for point in stroke]
    assert times[0] == 0
    assert times == sorted(times)
    assert 0 < times[-1] < 600_000
    row = Prediction.objects.get()
    stored = pixels(bytes(row.image))
    assert stored.shape == expected.shape == (512, 512)
    assert np.abs(stored - expected).mean() < 1
    strokes = row.pen_strokes()
    assert strokes is not None
    assert strokes.to_json()["strokes"] == body["strokes"]


def test_what_was_erased_is_erased_in_the_stored_picture(
    draw_page: DrawPage, sent: list[dict[str, Any]]
) -> None:
    draw_page.drag([draw_page.at(0.3, y / 20) for y in range(4, 17)])
    draw_page.drag([draw_page.at(0.7, y / 20) for y in range(4, 17)])
    draw_page.page.locator("#eraser").click()
    draw_page.drag([draw_page.at(0.7, y / 20) for y in range(2, 19)])
    expected = picture_on_page(draw_page)

    draw_page.save.click()

    draw_page.expect_answer(1)
    assert sent[0]["erasers"] == [2]
    stored = pixels(bytes(Prediction.objects.get().image))
    assert np.abs(stored - expected).mean() < 1
    assert stored[256, 154] == 0
    assert stored[256, 358] == 255


def test_a_drawing_that_waited_for_the_network_is_sent_as_strokes(
    draw_page: DrawPage, sent: list[dict[str, Any]], complaints: list[str]
) -> None:
    draw_page.page.route(PREDICTIONS, lambda route: route.abort())
    draw_page.draw(7)
    draw_page.save.click()
    draw_page.expect_kept("Can't reach the site")
    complaints.clear()

    draw_page.page.unroute(PREDICTIONS)
    draw_page.page.evaluate("dispatchEvent(new Event('online'))")

    expect(draw_page.entries).to_have_count(1)
    strokes = Prediction.objects.get().pen_strokes()
    assert strokes is not None
    for first, last in zip(sent[0]["strokes"], strokes.to_json()["strokes"], strict=True):
        # The browser keeps coordinates with four decimals, and times as they are.
        assert np.abs(np.array(first) - np.array(last)).max(axis=0).tolist() <= [1, 1, 0]


def test_a_browser_that_hides_the_canvas_changes_nothing(open_draw_page: Any) -> None:
    page = open_draw_page()
    page.page.add_init_script(STRIPES)
    page.open()

    page.draw(7)
    page.save.click()

    page.expect_answer(7)


def test_more_strokes_than_the_site_takes_are_sent_as_a_picture(
    draw_page: DrawPage, sent: list[dict[str, Any]]
) -> None:
    scribble(draw_page, 70)

    draw_page.save.click()

    draw_page.expect_answer(1)
    assert set(sent[0]) == {"image", "source"}
    assert Prediction.objects.get().strokes is None


def test_where_the_canvas_is_hidden_too_many_strokes_are_not_sent_and_the_page_says_why(
    open_draw_page: Any,
) -> None:
    page = open_draw_page()
    page.page.add_init_script(STRIPES)
    page.open()
    scribble(page, 70)

    page.save.click()

    page.expect_kept("your browser hides the canvas")
    assert not Prediction.objects.exists()
