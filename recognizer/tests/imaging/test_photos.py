"""A digit written on paper and photographed is recognised like one drawn on the screen.

The photographs are made up (``training.synthesis.photos``), each from its own seed.
"""

from __future__ import annotations

import io
import json
from pathlib import Path

import numpy as np
import pytest
from django.core.management import call_command
from PIL import Image, ImageFilter

from recognizer import imaging
from recognizer.inference.classifier import BUNDLED, Classifier, Verdict, load_bundle
from training.synthesis.allographs import generate_digit
from training.synthesis.nondigits import generate_nondigit
from training.synthesis.photos import KINDS, Conditions, as_jpeg, photograph
from training.synthesis.strokes import PLACEMENTS, Placement, draw_at

SIZE = (640, 480)

DRAWN = Placement(size=(0.2, 0.95), brush=(3, 40), anywhere=True)


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier(load_bundle(BUNDLED))


def photo(
    digit: int | None,
    conditions: Conditions,
    seed: int,
    *,
    size: tuple[int, int] = SIZE,
    enlarged: int = 1,
    quality: int = 70,
    orientation: int = 1,
) -> bytes:
    """Photograph a digit, or blank paper: a JPEG file."""
    rng = np.random.default_rng([seed, 7])
    strokes = [] if digit is None else generate_digit(digit, rng)
    picture = photograph(strokes, rng, conditions, width=size[0], height=size[1])
    if enlarged > 1:
        large = (enlarged * size[0], enlarged * size[1])
        picture = np.asarray(Image.fromarray(picture).resize(large, Image.Resampling.BICUBIC))
    return as_jpeg(picture, quality, orientation=orientation)


def read(classifier: Classifier, data: bytes) -> int:
    return classifier.classify(imaging.model_input(imaging.read_drawing(data))).digit


# --- digits -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", KINDS)
def test_the_digit_is_recognised_in_any_light_and_on_any_paper(
    classifier: Classifier, kind: str
) -> None:
    digits = (2, 3, 5, 6, 8)
    found = [
        read(classifier, photo(digit, KINDS[kind], seed, quality=40 + 10 * seed))
        for seed, digit in enumerate(digits)
    ]
    wrong = sum(one != other for one, other in zip(found, digits, strict=True))
    assert wrong <= 1, found


def test_a_rotated_phone_photo_of_twelve_megapixels_is_recognised(classifier: Classifier) -> None:
    data = photo(3, KINDS["everything"], 4, size=(756, 1008), enlarged=4, orientation=6)
    with Image.open(io.BytesIO(data)) as image:
        assert image.size == (4032, 3024)
    drawing = imaging.read_drawing(data)
    assert drawing.pixels.shape == (512, 384)
    assert classifier.classify(imaging.model_input(drawing)).digit == 3


@pytest.mark.parametrize("orientation", [3, 6, 8])
def test_it_turns_a_photo_upright(orientation: int) -> None:
    upright, turned = (
        imaging.read_drawing(photo(4, KINDS["gradient"], 1, quality=90, orientation=way)).pixels
        for way in (1, orientation)
    )
    assert turned.shape == upright.shape
    assert np.abs(turned.astype(int) - upright).mean() < 2


def test_a_photo_is_stored_as_it_was_sent() -> None:
    data = photo(4, KINDS["gradient"], 1)
    with Image.open(io.BytesIO(data)) as image:
        expected = np.asarray(image.convert("L").resize((512, 384), Image.Resampling.BOX))
    kept = imaging.read_drawing(data)
    assert np.abs(kept.pixels.astype(int) - expected).max() <= 1
    assert np.array_equal(
        imaging.model_input(imaging.read_drawing(kept.to_png())), imaging.model_input(kept)
    )


@pytest.mark.django_db
def test_the_command_recognises_a_photo(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "photo.jpg"
    path.write_bytes(photo(5, KINDS["hard shadow"], 2))
    call_command("recognize", str(path), "--json")
    assert json.loads(capsys.readouterr().out)[0]["digit"] == 5


# --- paper without a digit, and no paper at all -------------------------------------------------


@pytest.mark.parametrize("kind", ["plain", "gradient", "rotated"])
def test_a_photo_of_blank_paper_is_blank(kind: str) -> None:
    for seed in range(3):
        with pytest.raises(imaging.BlankDrawing):
            imaging.model_input(imaging.read_drawing(photo(None, KINDS[kind], seed)))


@pytest.mark.parametrize("kind", ["soft shadow", "hard shadow", "ruled", "squared"])
def test_shadows_and_ruled_lines_alone_are_no_digit(classifier: Classifier, kind: str) -> None:
    for seed in range(3):
        try:
            drawing = imaging.read_drawing(photo(None, KINDS[kind], seed))
            seen = imaging.model_input(drawing)
        except imaging.BlankDrawing:
            continue
        assert classifier.classify(seen).verdict is not Verdict.DIGIT


def textures() -> dict[str, imaging.Pixels]:
    """Photos of what is no paper, uint8 (h, w)."""
    rng = np.random.default_rng(1)
    y, x = np.mgrid[:300, :400]
    grain = rng.normal(0, 4, x.shape)
    noise = Image.fromarray(rng.integers(0, 256, x.shape).astype(np.uint8))
    blurred = np.asarray(noise.filter(ImageFilter.GaussianBlur(5)), float)
    made = {
        "noise": np.asarray(noise),
        "clouds": (blurred - blurred.min()) * 8,
        "stripes": 127 + 100 * np.sin(x / 3 + y / 40) + grain,
        "checkers": (x // 20 + y // 20) % 2 * 150 + 40 + grain,
        "ball": np.where(np.hypot(x - 200, y - 150) < 90, 60, 180) + grain,
        "strip": rng.integers(0, 256, (64, 600)),
    }
    return {name: np.clip(pixels, 0, 255).astype(np.uint8) for name, pixels in made.items()}


@pytest.mark.parametrize("name", textures())
def test_a_photo_of_something_else_comes_out_as_what_it_is(name: str) -> None:
    seen = imaging.model_input(imaging.drawing_from_array(textures()[name]))
    assert seen.shape == (28, 28)
    assert seen.max() == 255


# --- drawings made on a screen ------------------------------------------------------------------


def as_saved(pixels: imaging.Pixels, quality: int) -> imaging.Pixels:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "JPEG", quality=quality)
    with Image.open(buffer) as image:
        return np.asarray(image)


@pytest.mark.parametrize("placement", [*PLACEMENTS.values(), DRAWN], ids=[*PLACEMENTS, "drawn"])
def test_a_drawing_made_on_a_screen_is_taken_as_it_is(placement: Placement) -> None:
    rng = np.random.default_rng(9)
    for count in range(20):
        strokes = generate_digit(count % 10, rng) if count % 2 else generate_nondigit(rng)
        pixels = draw_at(strokes, placement, rng, canvas=int(rng.choice((112, 180, 280, 400))))
        faint = (60 + pixels / 255 * 90).astype(np.uint8)
        for clean in (pixels, 255 - pixels, faint, *(as_saved(pixels, q) for q in (30, 60, 90))):
            assert imaging.as_drawn(clean) is clean


def test_a_small_image_is_taken_as_it_is() -> None:
    uneven = np.random.default_rng(2).integers(0, 256, (28, 28)).astype(np.uint8)
    assert imaging.as_drawn(uneven) is uneven
