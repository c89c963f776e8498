"""What is stored of a drawing: at most 32 kB, and the model sees the same in it."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from rest_framework.test import APIClient

from recognizer import imaging
from recognizer.models import Prediction
from recognizer.tests.support.drawings import DrawDigit
from training.synthesis import photos
from training.synthesis.allographs import generate_digit

LIMIT = 32 * 1024


def noise(*shape: int) -> bytes:
    return imaging.encode_png(np.random.default_rng(1).integers(0, 256, shape).astype(np.uint8))


def photo(digit: int, seed: int) -> bytes:
    rng = np.random.default_rng(seed)
    picture = photos.photograph(generate_digit(digit, rng), rng, width=1024, height=768)
    return photos.as_jpeg(picture, 90)


@pytest.mark.parametrize("digit", range(10))
def test_a_drawing_on_the_canvas_stays_as_it_is(draw_digit: DrawDigit, digit: int) -> None:
    drawing = imaging.read_drawing(draw_digit(digit))

    stored = imaging.for_storing(drawing, imaging.model_input(drawing))

    assert stored.drawing is drawing
    assert stored.png == drawing.to_png()


@pytest.mark.parametrize("seed", range(5))
def test_the_model_sees_the_same_in_a_stored_photo(seed: int) -> None:
    drawing = imaging.read_drawing(photo(seed, seed))
    seen = imaging.model_input(drawing)
    assert len(drawing.to_png()) > LIMIT

    stored = imaging.for_storing(drawing, seen)

    assert len(stored.png) <= LIMIT
    again = np.asarray(imaging.decode(stored.png).convert("L"))
    assert (again == stored.drawing.pixels).all()
    difference = np.abs(imaging.model_input(stored.drawing).astype(int) - seen)
    assert difference.mean() < 5


@pytest.mark.django_db
@pytest.mark.parametrize("shape", [(512, 512), (512, 100), (2000, 1500), (300, 300)])
def test_noise_takes_no_more_and_gets_its_answer(
    api: APIClient, data_url: Callable[[bytes], str], shape: tuple[int, int]
) -> None:
    body = {"image": data_url(noise(*shape))}

    preview = api.post("/api/v1/preview/", body).json()
    kept = api.post("/api/v1/predictions/", body).json()

    assert kept["probabilities"] == preview["probabilities"]
    row = Prediction.objects.get()
    assert len(row.image) <= LIMIT
    assert row.pixels_sha256 == row.stored_drawing().sha256()
