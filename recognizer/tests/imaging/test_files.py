"""Files as people and their programs really make them, and files made to stop a worker."""

from __future__ import annotations

import io
import struct
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from benchmarks.imaging.bombs import BOMBS
from recognizer import imaging
from recognizer.imaging.strokes import render
from recognizer.inference.classifier import BUNDLED, Classifier, load_bundle
from training.synthesis.allographs import generate_digit
from training.synthesis.strokes import place

Pixels = imaging.Pixels


@pytest.fixture(scope="module")
def classifier() -> Classifier:
    return Classifier(load_bundle(BUNDLED))


def drawn(digit: int, seed: int = 1, side: int = 280) -> Pixels:
    strokes = place(generate_digit(digit, np.random.default_rng(seed)), canvas=side, size=0.6)
    return render(strokes, canvas=side, brush=0.06 * side)


def saved(pixels: NDArray[Any], kind: str = "PNG", **options: Any) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, kind, **options)
    return buffer.getvalue()


def digit_in(data: bytes, classifier: Classifier) -> int:
    return int(classifier.classify(imaging.model_input(imaging.read_drawing(data))).digit)


def refusal(data: bytes) -> imaging.ImageError:
    with pytest.raises(imaging.ImageError) as caught:
        imaging.read_drawing(data)
    return caught.value


# --- PNG ------------------------------------------------------------------------------------------


def chunk(name: bytes, content: bytes) -> bytes:
    checksum = zlib.crc32(name + content)
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", checksum)


def png(
    samples: NDArray[Any],
    colour: int,
    *,
    depth: int | None = None,
    rows: bytes | None = None,
    interlaced: bool = False,
    more: bytes = b"",
) -> bytes:
    """Return samples (h, w) or (h, w, channels) as a PNG, whose rows have all five filters."""
    height, width = samples.shape[:2]
    bits = depth or 8 * samples.dtype.itemsize
    header = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, int(interlaced))
    packed = zlib.compress(filtered(samples) if rows is None else rows)
    start, end = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header), chunk(b"IEND", b"")
    return start + more + chunk(b"IDAT", packed) + end


def filtered(samples: NDArray[Any]) -> bytes:
    """Return rows with the filters None, Sub, Up, Average and Paeth in turn."""
    size = samples.dtype.itemsize * (samples.shape[2] if samples.ndim == 3 else 1)
    big = samples.astype(samples.dtype.newbyteorder(">"))
    rows = np.frombuffer(big.tobytes(), np.uint8).reshape(len(samples), -1).astype(int)
    out = bytearray()
    above = np.zeros_like(rows[0])
    for number, row in enumerate(rows):
        left, corner = np.zeros_like(row), np.zeros_like(row)
        left[size:], corner[size:] = row[:-size], above[:-size]
        guess = left + above - corner
        near = np.stack([abs(guess - left), abs(guess - above), abs(guess - corner)]).argmin(0)
        paeth = np.choose(near, [left, above, corner])
        predicted = [0 * row, left, above, (left + above) // 2, paeth][number % 5]
        out += bytes([number % 5]) + ((row - predicted) % 256).astype(np.uint8).tobytes()
        above = row
    return bytes(out)


@pytest.mark.parametrize("colour", [0, 2, 4, 6], ids=["grey", "RGB", "grey and alpha", "RGBA"])
@pytest.mark.parametrize("side", [64, 1600])
@pytest.mark.parametrize("deep", [False, True], ids=["8 bits", "16 bits"])
def test_every_filter_of_png_is_undone(colour: int, side: int, deep: bool) -> None:
    """As Pillow decodes it, also where it is reduced."""
    channels = {0: 1, 2: 3, 4: 2, 6: 4}[colour]
    rng = np.random.default_rng(5)
    samples = np.dstack([drawn(3, side=side) // 2 + rng.integers(0, 99, (side, side))] * channels)
    samples = samples.astype(np.uint8)
    samples[:8, :4], samples[:8, 4:8] = 0, 255  # all levels are used
    if colour in (4, 6):
        samples[..., -1] = 255
    stored = samples.astype(np.uint16) * 257 if deep else samples
    expected = Image.fromarray(samples[..., 0] if channels == 1 else samples)

    image = imaging.decode(png(stored, colour))

    factor = expected.width // image.width
    assert factor == (1 if side == 64 else 2)
    # All channels are alike, and nothing is transparent.
    assert image.mode == "L"
    found = np.asarray(image).astype(int)
    wanted = np.asarray(expected.convert(image.mode).reduce(factor)).astype(int)
    assert abs(found - wanted).max() <= 1 + deep


@pytest.mark.parametrize("bits", [1, 2, 4, 8])
@pytest.mark.parametrize("colour", [0, 3], ids=["grey", "palette"])
def test_png_with_few_levels(bits: int, colour: int, classifier: Classifier) -> None:
    levels = drawn(7) >> (8 - bits)
    per_byte = 8 // bits
    packed = sum(
        levels[:, place::per_byte].astype(int) << (8 - bits - bits * place)
        for place in range(per_byte)
    )
    rows = np.pad(np.asarray(packed, np.uint8), ((0, 0), (1, 0)))
    palette = bytes(255 * n // (2**bits - 1) for n in range(2**bits) for _ in range(3))
    more = chunk(b"PLTE", palette) if colour == 3 else b""

    data = png(levels, colour, depth=bits, rows=rows.tobytes(), more=more)

    assert digit_in(data, classifier) == 7


def interlaced_rows(pixels: NDArray[Any]) -> bytes:
    starts = ((0, 0, 8, 8), (4, 0, 8, 8), (0, 4, 4, 8), (2, 0, 4, 4), (0, 2, 2, 4), (1, 0, 2, 2))
    return b"".join(
        filtered(pixels[top::down, left::across])
        for left, top, across, down in (*starts, (0, 1, 1, 2))
    )


@pytest.mark.parametrize("side", [280, 1500])
@pytest.mark.parametrize("deep", [False, True], ids=["8 bits", "16 bits"])
def test_interlaced_png(side: int, deep: bool, classifier: Classifier) -> None:
    pixels = drawn(7, side=side).astype(np.uint16) * 257 if deep else drawn(7, side=side)
    rows = interlaced_rows(pixels)

    assert digit_in(png(pixels, 0, rows=rows, interlaced=True), classifier) == 7


@pytest.mark.parametrize("deep", [False, True], ids=["8 bits", "16 bits"])
@pytest.mark.parametrize("there", [0.3, 0.5, 0.8])
def test_an_interlaced_png_may_lack_its_last_passes(
    deep: bool, there: float, classifier: Classifier
) -> None:
    """A quarter of the bytes has every second px of every second row."""
    pixels = drawn(7).astype(np.uint16) * 257 if deep else drawn(7)
    rows = interlaced_rows(pixels)

    def cut(share: float) -> bytes:
        # Without the chunk of the end.
        return png(pixels, 0, rows=rows[: int(share * len(rows))], interlaced=True)[:-12]

    assert digit_in(cut(there), classifier) == 7
    assert "end of the image is missing" in refusal(cut(0.2)).message


RANGES: dict[str, Callable[[Pixels], NDArray[Any]]] = {
    "0 to 65535": lambda pixels: pixels.astype(np.uint16) * 257,
    "0 to 4095": lambda pixels: pixels.astype(np.uint16) * 16,
    "0 to 255 of 16 bits": lambda pixels: pixels.astype(np.uint16),
    "0 to 16 of 16 bits": lambda pixels: pixels.astype(np.uint16) // 16,
    "0 and 1 of 16 bits": lambda pixels: (pixels > 127).astype(np.uint16),
    "30000 to 32000": lambda pixels: 30000 + pixels.astype(np.uint16) * 2000 // 255,
    "0 to 1023, light ink": lambda pixels: 1023 - pixels.astype(np.uint16) * 1023 // 255,
    "0 and 1": lambda pixels: (pixels > 127).astype(np.uint8),
    "0 to 15": lambda pixels: pixels // 16,
}


@pytest.mark.parametrize("scaled", RANGES.values(), ids=RANGES.keys())
@pytest.mark.parametrize("colour", [0, 2], ids=["grey", "RGB"])
def test_an_image_is_scaled_to_the_range_that_it_uses(
    scaled: Callable[[Pixels], NDArray[Any]], colour: int, classifier: Classifier
) -> None:
    for digit in (2, 7):
        samples = scaled(drawn(digit))
        data = png(np.dstack([samples] * 3) if colour == 2 else samples, colour)
        assert digit_in(data, classifier) == digit


@pytest.mark.parametrize("most", [1, 16])
def test_opaque_alpha_does_not_change_the_range(most: int, classifier: Classifier) -> None:
    levels = (drawn(7) // 255 if most == 1 else drawn(7) // 16).astype(np.uint8)
    opaque = np.full_like(levels, 255)

    assert digit_in(saved(np.dstack([levels] * 3 + [opaque])), classifier) == 7


def test_the_noise_of_a_dark_photo_is_no_drawing() -> None:
    noise = np.random.default_rng(3).normal(6, 3, (300, 300)).clip(0, 23).astype(np.uint8)

    assert refusal(saved(noise)).code == "blank_drawing"


def bad_checksum(name: bytes) -> bytes:
    return chunk(name, b"Comment\0text")[:-1] + b"?"


@pytest.mark.parametrize(
    "metadata",
    [
        chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(2_000_000))),
        chunk(b"iCCP", b"profile\0\0" + zlib.compress(bytes(2_000_000))),
        chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(1_000_000))) * 70,
        chunk(b"tEXt", bytes(1_000_000)),
        chunk(b"zTXt", b"Comment\0\0not packed"),
        bad_checksum(b"tEXt"),
        bad_checksum(b"eXIf"),
    ],
    ids=["text", "colours", "70 texts", "plain text", "not packed", "checksum", "checksum of Exif"],
)
def test_what_the_pixels_of_a_png_do_not_need_does_not_matter(
    metadata: bytes, classifier: Classifier
) -> None:
    data = saved(drawn(7))
    end = len(data) - 12

    assert digit_in(data[:33] + metadata + data[33:], classifier) == 7
    assert digit_in(data[:end] + metadata + data[end:], classifier) == 7


def test_a_png_with_a_bad_checksum_of_its_pixels_is_damaged() -> None:
    data = bytearray(saved(drawn(7)))
    data[len(data) // 2] ^= 1

    assert refusal(bytes(data)).code == "truncated_image"


# --- the end is missing ---------------------------------------------------------------------------

KINDS: dict[str, tuple[str, dict[str, Any]]] = {
    "JPEG": ("JPEG", {}),
    "progressive JPEG": ("JPEG", {"progressive": True}),
    "WebP": ("WEBP", {}),
    "BMP": ("BMP", {}),
    "PNG": ("PNG", {}),
}


@pytest.mark.parametrize(("kind", "options"), KINDS.values(), ids=KINDS.keys())
@pytest.mark.parametrize("missing", [2, 20, 200])
def test_a_few_missing_bytes_at_the_end_do_not_matter(
    kind: str, options: dict[str, Any], missing: int, classifier: Classifier
) -> None:
    data = saved(np.dstack([drawn(7, side=400)] * 3), kind, **options)

    assert digit_in(data[:-missing], classifier) == 7


@pytest.mark.parametrize("kind", ["JPEG", "WEBP", "BMP", "PNG", "GIF"])
def test_it_says_that_the_end_is_missing(kind: str) -> None:
    noise = np.random.default_rng(0).integers(0, 256, (90, 90, 3), np.uint8)
    data = saved(noise, kind)

    error = refusal(data[: len(data) // 3])

    assert error.code == "truncated_image"
    assert error.message == "The end of the image is missing. Send the whole file again."


def test_blocks_that_a_cmyk_jpeg_lacks_are_no_ink(classifier: Classifier) -> None:
    cmyk = Image.fromarray(np.dstack([drawn(7)] * 3)).convert("CMYK")
    buffer = io.BytesIO()
    cmyk.save(buffer, "JPEG")
    data = buffer.getvalue()

    assert digit_in(data[: len(data) * 9 // 10], classifier) == 7
    assert refusal(data[: len(data) * 8 // 10]).code == "truncated_image"
    assert refusal(data[: len(data) * 7 // 10]).code == "truncated_image"


def test_a_bmp_of_run_lengths_says_that_its_end_is_missing() -> None:
    rows = b"\x8c\xff\x8c\x00\0\0" * 280 + b"\0\1"
    header = struct.pack("<2sIII", b"BM", 1078 + len(rows), 0, 1078)
    info = struct.pack("<IiiHHIIiiII", 40, 280, 280, 1, 8, 1, len(rows), 0, 0, 256, 0)
    data = header + info + bytes(level for n in range(256) for level in (n, n, n, 0)) + rows

    assert imaging.decode(data).size == (280, 280)
    assert "end of the image is missing" in refusal(data[:-300]).message


@pytest.mark.parametrize("options", [{}, {"lossless": True}])
def test_an_animated_webp_gives_its_first_frame(
    options: dict[str, Any], classifier: Classifier
) -> None:
    others = [Image.fromarray(drawn(digit)) for digit in (1, 3)]
    data = saved(drawn(7), "WEBP", save_all=True, append_images=others, **options)

    assert digit_in(data, classifier) == 7


@pytest.mark.parametrize(
    ("height", "width", "options"),
    [(2778, 1284, {}), (2400, 1080, {}), (2400, 1080, {"lossless": True, "method": 0})],
)
def test_a_screenshot_of_a_phone_as_webp(
    height: int, width: int, options: dict[str, Any], classifier: Classifier
) -> None:
    screen = np.full((height, width, 3), 255, np.uint8)
    screen[500 : 500 + 900, 90 : 90 + 900] = drawn(7, side=900)[..., None]

    assert digit_in(saved(screen, "WEBP", **options), classifier) == 7


def test_a_webp_that_would_take_too_much_memory_is_refused() -> None:
    error = refusal(saved(np.full((1900, 1900, 3), 255, np.uint8), "WEBP"))

    assert (error.code, "too large for its format" in error.message) == ("image_too_large", True)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF", "BMP"])
def test_a_line_of_pixels_is_an_image(kind: str) -> None:
    ramp = np.arange(4000) % 200
    for pixels in (ramp[None], ramp[:, None]):
        assert 1 in imaging.decode(saved(pixels.astype(np.uint8), kind)).size


def test_a_bmp_whose_ink_is_only_in_its_alpha(classifier: Classifier) -> None:
    """As Pillow and screenshot programs write it: with an unused byte for each pixel."""
    ink = 255 - drawn(7)
    rgba = np.dstack([np.zeros_like(ink)] * 3 + [ink])

    assert digit_in(saved(rgba, "BMP"), classifier) == 7
    assert refusal(saved(np.zeros((90, 90, 4), np.uint8), "BMP")).code == "blank_drawing"


@pytest.mark.parametrize("method", [0, 4, 6])
@pytest.mark.parametrize("lossless", [True, False])
def test_a_webp_as_programs_write_it(method: int, lossless: bool, classifier: Classifier) -> None:
    """With few colours, with alpha, and with the noise of a photo."""
    pixels = drawn(7, side=600)
    noise = np.random.default_rng(1).integers(0, 20, (*pixels.shape, 3), np.uint8)
    kinds = (
        np.dstack([pixels] * 3),
        np.dstack([np.zeros_like(pixels)] * 3 + [255 - pixels]),
        pixels[..., None] // 2 + noise,
    )
    found = [
        digit_in(saved(kind, "WEBP", method=method, lossless=lossless), classifier)
        for kind in kinds
    ]
    assert found == [7, 7, 7]


# --- other kinds ----------------------------------------------------------------------------------


@pytest.mark.parametrize("brand", [b"heic", b"heix", b"hevc", b"mif1", b"msf1", b"avif"])
def test_photos_of_phones_are_named_with_what_to_do(brand: bytes) -> None:
    data = struct.pack(">I4s4sI4s", 24, b"ftyp", brand, 0, brand) + bytes(64)

    error = refusal(data)

    assert error.code == "unsupported_image"
    assert "HEIF" in error.message
    assert "JPEG" in error.message


# --- transparency ---------------------------------------------------------------------------------


def on_transparency(digit: int, ink: int = 255) -> NDArray[np.uint8]:
    """Return a digit in one grey on transparency: uint8 (h, w, 4)."""
    pixels = drawn(digit)
    return np.dstack([np.full_like(pixels, ink)] * 3 + [255 - pixels])


def with_frame(image: NDArray[np.uint8], shade: int) -> NDArray[np.uint8]:
    framed = image.copy()
    for edge in (np.s_[:12], np.s_[-12:], np.s_[:, :12], np.s_[:, -12:]):
        framed[edge] = shade, shade, shade, 255
    return framed


def with_dot(image: NDArray[np.uint8], shade: int) -> NDArray[np.uint8]:
    marked = image.copy()
    marked[4, 4] = shade, shade, shade, 255
    return marked


def with_outline(image: NDArray[np.uint8], shade: int) -> NDArray[np.uint8]:
    wide = np.asarray(Image.fromarray(image[..., 3]).resize((280, 280))).copy()
    for shift, axis in ((3, 0), (-3, 0), (3, 1), (-3, 1)):
        wide = np.maximum(wide, np.roll(wide, shift, axis))
    share = image[..., 3:] / 255
    colour = share * image[..., :3] + (1 - share) * shade
    return np.dstack([np.rint(colour).astype(np.uint8), wide])


def on_card(image: NDArray[np.uint8], shade: int) -> NDArray[np.uint8]:
    share = image[..., 3:] / 255
    card = np.zeros_like(image)
    card[..., :3] = np.rint(share * image[..., :3] + (1 - share) * shade)
    card[20:-20, 20:-20, 3] = 255
    return card


@pytest.mark.parametrize("ink", [255, 0], ids=["white ink", "black ink"])
@pytest.mark.parametrize("around", [with_frame, with_dot, with_outline, on_card])
def test_what_is_transparent_becomes_paper_for_the_ink(
    around: Callable[[NDArray[np.uint8], int], NDArray[np.uint8]],
    ink: int,
    classifier: Classifier,
) -> None:
    wrong = [
        digit
        for digit in (0, 2, 4, 7)
        if digit_in(saved(around(on_transparency(digit, ink), 255 - ink)), classifier) != digit
    ]
    assert wrong == []


# --- walls ----------------------------------------------------------------------------------------

REFUSED = {
    "JPEG, 2,000 empty scans": "unsupported_image",
    "JPEG, 200,000 Exif segments": "unsupported_image",
    "JPEG, quantisation tables of 64 kB": "truncated_image",
    "JPEG 4096x4096, progressive, 4:4:4": "image_too_large",
    "PNG 4096x4096, RGB of 16 bits": "image_too_large",
    "PNG, empty deflate blocks": "truncated_image",
    "PNG, 650,000 chunks": "unsupported_image",
    "GIF, comment in one-byte blocks": "unsupported_image",
    "BMP, 8 MB of run lengths": "unsupported_image",
    "WebP, 1,000,000 chunks": "unsupported_image",
    "WebP, lossless, 65,536 sets of codes": "unsupported_image",
    "WebP 4096x4096": "image_too_large",
    "EPS of two million lines": "unsupported_image",
    "HEIC, 1,000,000 boxes": "unsupported_image",
}
DECODED = [
    "JPEG, 900 Exif segments",
    "JPEG 4096x4096, 4:2:0",
    "PNG 4096x4096, RGBA, with a digit",
    "GIF 4096x4096",
    "BMP 4096x4096, 1 bit",
    "BMP 2800x2800, grey",
    "WebP 1670x1670, lossless",
]


@pytest.mark.parametrize(("name", "code"), REFUSED.items())
def test_files_that_would_stop_a_worker_are_refused(name: str, code: str) -> None:
    error = refusal(BOMBS[name]())

    assert error.code == code
    assert error.message.endswith(".")


@pytest.mark.parametrize("name", DECODED)
def test_large_images_are_decoded(name: str, classifier: Classifier) -> None:
    assert digit_in(BOMBS[name](), classifier) == 1


def test_a_dozen_large_images_take_turns(classifier: Classifier) -> None:
    data = BOMBS["JPEG 4096x4096, 4:2:0"]()
    with ThreadPoolExecutor(6) as pool:
        digits = list(pool.map(lambda _: digit_in(data, classifier), range(12)))

    assert digits == [1] * 12
