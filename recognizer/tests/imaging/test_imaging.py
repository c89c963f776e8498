"""What the model sees must be the digit, not how and where it was drawn.

The tolerance, stated once: two renderings of the same strokes differ by at most 9 % in the mean
square (root, of full scale) of their 28x28, and the bundled model reads the same digit in both.
"""

from __future__ import annotations

import contextlib
import io
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from recognizer import imaging
from recognizer.imaging import stroke_width as stroke
from recognizer.imaging.strokes import Strokes, render
from recognizer.inference.classifier import BUNDLED, Classifier, load_bundle
from training.synthesis.allographs import generate_digit
from training.synthesis.strokes import place

TOLERANCE = 0.09

digits = st.integers(0, 9)
seeds = st.integers(0, 10_000)
many = settings(max_examples=40, deadline=None)


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier(load_bundle(BUNDLED))


def strokes_of(digit: int, seed: int) -> Strokes:
    return generate_digit(digit, np.random.default_rng(seed))


def canvas(
    strokes: Strokes, side: int = 280, size: float = 0.6, brush: float = 0.07
) -> imaging.Pixels:
    """Draw in the middle of a canvas; ``brush`` as a share of its side."""
    return render(place(strokes, canvas=side, size=size), canvas=side, brush=brush * side)


def png(pixels: imaging.Pixels) -> bytes:
    return imaging.encode_png(pixels)


def seen(data: bytes) -> imaging.Pixels:
    return imaging.model_input(imaging.read_drawing(data))


def difference(one: imaging.Pixels, other: imaging.Pixels) -> float:
    return float(np.sqrt(np.mean((one / 255.0 - other / 255.0) ** 2)))


def assert_alike(one: imaging.Pixels, other: imaging.Pixels, classifier: Classifier) -> None:
    assert difference(one, other) <= TOLERANCE
    first, second = classifier.classify(one), classifier.classify(other)
    if min(first.confidence, second.confidence) > 0.6:
        assert first.digit == second.digit


# --- the same digit, drawn otherwise --------------------------------------------------------------


@many
@given(digits, seeds, st.floats(0, 1), st.floats(0, 1))
def test_place_does_not_matter(
    classifier: Classifier, digit: int, seed: int, across: float, down: float
) -> None:
    strokes = strokes_of(digit, seed)
    centred = place(strokes, size=0.4)
    points = np.concatenate(centred)
    low, high = 10 - points.min(0), 270 - points.max(0)
    moved = [stroke + low + (high - low) * (across, down) for stroke in centred]
    one, other = (png(render(drawn, brush=14)) for drawn in (centred, moved))
    assert_alike(seen(one), seen(other), classifier)


@many
@given(digits, seeds, st.floats(0.25, 1.0))
def test_size_does_not_matter(classifier: Classifier, digit: int, seed: int, size: float) -> None:
    strokes = strokes_of(digit, seed)
    full = canvas(strokes, size=0.9, brush=0.08)
    small = canvas(strokes, size=0.9 * size, brush=0.08 * size)
    assert_alike(seen(png(full)), seen(png(small)), classifier)


@many
@given(digits, seeds, st.sampled_from([100, 200, 560, 1000, 2000]))
def test_resolution_does_not_matter(
    classifier: Classifier, digit: int, seed: int, side: int
) -> None:
    strokes = strokes_of(digit, seed)
    assert_alike(seen(png(canvas(strokes))), seen(png(canvas(strokes, side))), classifier)


@many
@given(digits, seeds)
def test_inversion_does_not_matter(classifier: Classifier, digit: int, seed: int) -> None:
    pixels = canvas(strokes_of(digit, seed))
    assert_alike(seen(png(pixels)), seen(png(255 - pixels)), classifier)


@many
@given(
    digits,
    seeds,
    st.tuples(*[st.integers(0, 255)] * 3),
    st.tuples(*[st.integers(0, 255)] * 3),
)
def test_colour_does_not_matter(
    classifier: Classifier,
    digit: int,
    seed: int,
    ink: tuple[int, int, int],
    paper: tuple[int, int, int],
) -> None:
    if max(abs(a - b) for a, b in zip(ink, paper, strict=True)) < 60:
        return
    pixels = canvas(strokes_of(digit, seed))
    share = pixels[..., None] / 255
    coloured = np.rint(share * paper + (1 - share) * ink).astype(np.uint8)
    assert_alike(seen(png(pixels)), seen(png(coloured)), classifier)


@many
@given(digits, seeds, st.booleans())
def test_a_transparent_ground_does_not_matter(
    classifier: Classifier, digit: int, seed: int, white_ink: bool
) -> None:
    pixels = canvas(strokes_of(digit, seed))
    ink = np.full((*pixels.shape, 3), 255 if white_ink else 0, np.uint8)
    clear = np.dstack([ink, 255 - pixels])
    assert_alike(seen(png(pixels)), seen(png(clear)), classifier)


@pytest.mark.parametrize("brush", [2, 4, 8, 14, 20, 26])
def test_the_brush_does_not_matter(brush: int, classifier: Classifier) -> None:
    """A hair-thin line does not fade and a fat brush does not fill what it left open."""
    read = 0
    for digit in range(10):
        for seed in range(3):
            image = seen(png(canvas(strokes_of(digit, seed), brush=brush / 280)))
            stroke = np.sort(image[image > 127])
            assert stroke.size > 15, "the line has faded"
            read += classifier.classify(image).digit == digit
    assert read >= 28


@pytest.mark.parametrize("side", [2000, 4096])
def test_a_line_of_one_pixel_on_a_large_canvas_is_seen(side: int, classifier: Classifier) -> None:
    strokes = strokes_of(5, 3)
    drawn = seen(png(canvas(strokes, side=side, brush=1 / side)))
    assert_alike(seen(png(canvas(strokes))), drawn, classifier)


# --- the convention of MNIST ----------------------------------------------------------------------


@many
@given(digits, seeds, st.floats(0.25, 0.9), st.integers(6, 24))
def test_what_the_model_sees_is_centred_scaled_and_in_full_contrast(
    digit: int, seed: int, size: float, brush: int
) -> None:
    image = seen(png(canvas(strokes_of(digit, seed), size=size, brush=brush / 280)))
    assert image.shape == (28, 28)
    assert image.dtype == np.uint8
    assert image.max() == 255
    rows, columns = np.flatnonzero(image.max(1) > 100), np.flatnonzero(image.max(0) > 100)
    assert 18 <= max(np.ptp(rows), np.ptp(columns)) + 1 <= 22
    weight = image.astype(float)
    middle = [(weight.sum(1) @ np.arange(28)), (weight.sum(0) @ np.arange(28))] / weight.sum()
    # A lopsided digit may be held back by the frame, no further than its box is long.
    assert np.abs(middle - 13.5).max() <= 1.5


def test_normalising_a_model_input_changes_little(classifier: Classifier) -> None:
    for digit in range(10):
        once = seen(png(canvas(strokes_of(digit, 1))))
        twice = imaging.model_input(imaging.drawing_from_array(once))
        assert_alike(once, twice, classifier)


def test_the_distance_transform_is_exact() -> None:
    rng = np.random.default_rng(4)
    for _ in range(20):
        mask = rng.random((23, 31)) < 0.97
        mask[rng.integers(23), rng.integers(31)] = False
        walls = np.argwhere(~mask)
        cells = np.argwhere(np.ones_like(mask))
        apart = np.sqrt(((cells[:, None] - walls[None]) ** 2).sum(2)).min(1).reshape(mask.shape)
        assert stroke.distance_transform(mask, 60) == pytest.approx(apart, abs=1e-4)
        limited = stroke.distance_transform(mask, 4)
        assert limited == pytest.approx(np.minimum(apart, 4), abs=1e-4)


# --- files ----------------------------------------------------------------------------------------


def saved(pixels: imaging.Pixels, kind: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_every_format_gives_the_same_answer(kind: str, classifier: Classifier) -> None:
    pixels = canvas(strokes_of(3, 5))
    assert_alike(seen(png(pixels)), seen(saved(pixels, kind)), classifier)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "I;16"])
def test_every_png_mode_gives_the_same_answer(mode: str, classifier: Classifier) -> None:
    pixels = canvas(strokes_of(8, 2))
    if mode == "I;16":
        image = Image.fromarray(pixels.astype(np.uint16) * 257)
    else:
        image = Image.fromarray(pixels).convert(mode)
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    assert_alike(seen(png(pixels)), seen(buffer.getvalue()), classifier)


def test_a_photo_is_turned_upright(classifier: Classifier) -> None:
    pixels = canvas(strokes_of(4, 2))
    exif = Image.Exif()
    exif[0x0112] = 6
    sideways = saved(np.rot90(pixels), "JPEG", exif=exif, quality=95)
    assert_alike(seen(png(pixels)), seen(sideways), classifier)


def test_the_first_frame_of_an_animation_counts(classifier: Classifier) -> None:
    first, second = (canvas(strokes_of(digit, 1)) for digit in (6, 1))
    animation = saved(
        first, "GIF", save_all=True, append_images=[Image.fromarray(second)], duration=50
    )
    assert_alike(seen(png(first)), seen(animation), classifier)


def test_what_is_stored_is_grey_small_and_without_metadata() -> None:
    pixels = canvas(strokes_of(2, 2), side=1000)
    photo = saved(np.dstack([pixels] * 3), "JPEG", exif=b"Exif\0\0secret", comment=b"secret")
    kept = imaging.read_drawing(photo).to_png()
    image = Image.open(io.BytesIO(kept))
    assert image.format == "PNG"
    assert image.mode == "L"
    assert max(image.size) == 512
    assert image.info == {}
    assert b"secret" not in kept


@many
@given(digits, seeds, st.sampled_from([100, 280, 700, 1500]), st.integers(1, 24))
def test_the_stored_drawing_gives_the_same_model_input(
    digit: int, seed: int, side: int, brush: int
) -> None:
    drawing = imaging.read_drawing(png(canvas(strokes_of(digit, seed), side, brush=brush / 280)))
    again = imaging.read_drawing(drawing.to_png())
    assert (imaging.model_input(drawing) == imaging.model_input(again)).all()


# --- bad input ------------------------------------------------------------------------------------

PICTURE = png(canvas(strokes_of(7, 1)))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (b"", "empty_image"),
        (b"hello, this is text", "not_an_image"),
        (b"\0" * 1000, "not_an_image"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "not_an_image"),
        (PICTURE[:20], "truncated_image"),
        (PICTURE[: len(PICTURE) // 2], "truncated_image"),
        (PICTURE + b"\0" * imaging.MAX_BYTES, "image_too_large"),
        (saved(np.zeros((9, 9), np.uint8), "TIFF"), "unsupported_image"),
        (saved(np.full((280, 280), 255, np.uint8), "PNG"), "blank_drawing"),
        (saved(np.zeros((280, 280), np.uint8), "PNG"), "blank_drawing"),
        (saved(np.full((90, 90, 4), 255, np.uint8), "PNG"), "blank_drawing"),
        (saved(np.zeros((90, 90, 4), np.uint8), "PNG"), "blank_drawing"),
        (saved(np.zeros((1, 1), np.uint8), "PNG"), "blank_drawing"),
        (saved(np.zeros((1, 4097), np.uint8), "PNG"), "image_too_large"),
    ],
)
def test_bad_bytes_are_refused_with_a_code(data: bytes, code: str) -> None:
    with pytest.raises(imaging.ImageError) as caught:
        imaging.read_drawing(data)
    assert caught.value.code == code
    assert caught.value.message.endswith(".")


def test_a_huge_image_is_refused_before_it_is_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    header = bytearray(saved(np.zeros((8, 8), np.uint8), "BMP"))
    header[18:26] = (20_000).to_bytes(4, "little") * 2
    with pytest.raises(imaging.ImageTooLarge):
        imaging.read_drawing(bytes(header))


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_damaged_files_never_raise_anything_else(data: st.DataObject) -> None:
    kind = data.draw(st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "BMP"]))
    content = bytearray(SAMPLES[kind])
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    content = content[: data.draw(st.integers(1, len(content)))]
    with contextlib.suppress(imaging.ImageError):
        seen(bytes(content))


SAMPLES = {
    kind: saved(canvas(strokes_of(7, 1), side=64), kind)
    for kind in ("PNG", "JPEG", "WEBP", "GIF", "BMP")
}


@pytest.mark.parametrize("shape", [(1, 300), (300, 1), (3, 3), (2, 512), (600, 2)])
def test_odd_shapes_with_ink_are_accepted(shape: tuple[int, int]) -> None:
    pixels = np.full(shape, 255, np.uint8)
    pixels[shape[0] // 2, shape[1] // 2] = 0
    assert seen(png(pixels)).max() == 255


@pytest.mark.parametrize("drawn", [lambda: np.zeros((5, 5)), lambda: np.zeros((5, 5, 3), np.uint8)])
def test_arrays_of_another_kind_are_refused(drawn: Callable[[], imaging.Pixels]) -> None:
    with pytest.raises(ValueError, match="expected uint8"):
        imaging.drawing_from_array(drawn())


def test_a_noisy_thumbnail_gets_the_same_answer_as_a_clean_one() -> None:
    rng = np.random.default_rng(3)
    wrong = 0
    for digit in range(10):
        pixels = render(place(generate_digit(digit, rng), canvas=280, size=0.7), brush=30)
        small = np.asarray(Image.fromarray(pixels).resize((28, 28), Image.Resampling.BOX))
        noisy, hit = small.copy(), rng.random(small.shape) < 0.12
        noisy[hit] = rng.choice([0, 255], int(hit.sum()))
        assert imaging.without_grain(small) is small
        seen = imaging.model_input(imaging.drawing_from_array(noisy)).astype(float)
        clean = imaging.model_input(imaging.drawing_from_array(small)).astype(float)
        wrong += np.sqrt(((seen - clean) ** 2).mean()) > 45
    assert wrong <= 2
