"""Bad input: always a 4xx with a stable code and a sentence, never a row."""

from __future__ import annotations

import base64
import io
import json
import struct
import zlib
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from PIL import Image
from pytest_django import Settings
from rest_framework.test import APIClient

from recognizer import imaging
from recognizer.models import Prediction
from recognizer.tests.support.drawings import DrawDigit

pytestmark = pytest.mark.django_db

URL = "/api/v1/predictions/"
MEGABYTE = 2**20
DataUrl = Callable[[bytes], str]


@pytest.fixture(autouse=True)
def _nothing_is_kept(api: APIClient) -> Iterator[None]:
    # What goes wrong reaches the test as the caller would see it.
    api.raise_request_exception = False
    yield
    assert not Prediction.objects.exists()


def error(response: Any, status: int) -> dict[str, Any]:
    """Check the one shape of every error; return the first."""
    assert response.status_code == status, response.content[:500]
    body = response.json()
    assert set(body) == {"type", "errors"}
    assert body["type"] in {"validation_error", "client_error"}
    first: dict[str, Any] = body["errors"][0]
    assert set(first) == {"code", "detail", "attr"}
    assert first["detail"].endswith((".", "?"))
    assert len(first["detail"]) < 300
    return first


def png(width: int, height: int, rows: bytes | None = None) -> bytes:
    """Return a PNG whose header promises this size, whatever its data holds."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    data = zlib.compress(rows if rows is not None else b"\0" * 100)
    return (
        b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    )


def encoded(pixels: np.ndarray[Any, Any], name: str = "PNG") -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, name)
    return buffer.getvalue()


WHITE = np.full((280, 280), 255, np.uint8)
NOISE = np.random.default_rng(0).integers(0, 256, (100, 100), np.uint8)

BAD_FILES = {
    "no bytes": (b"", "empty_image"),
    "text": (b"hello, I am a digit", "not_an_image"),
    "html": (b"<html><script>alert(1)</script></html>", "not_an_image"),
    "svg": (b'<svg xmlns="http://www.w3.org/2000/svg"><circle r="9"/></svg>', "not_an_image"),
    "zeros": (bytes(1000), "not_an_image"),
    "one byte": (b"\x89", "not_an_image"),
    "a PNG signature alone": (b"\x89PNG\r\n\x1a\n", "truncated_image"),
    "half a PNG": (encoded(NOISE)[:3000], "truncated_image"),
    "half a JPEG": (encoded(NOISE, "JPEG")[:2000], "truncated_image"),
    "half a GIF": (encoded(NOISE, "GIF")[:3000], "truncated_image"),
    "half a BMP": (encoded(NOISE, "BMP")[:3000], "truncated_image"),
    "half a WebP": (encoded(NOISE, "WEBP")[:1000], "truncated_image"),
    "a PNG without its pixels": (png(100, 100), "truncated_image"),
    "a TIFF": (encoded(NOISE, "TIFF"), "unsupported_image"),
    "white": (encoded(WHITE), "blank_drawing"),
    "black": (encoded(0 * WHITE), "blank_drawing"),
    "transparent": (encoded(np.zeros((50, 50, 4), np.uint8)), "blank_drawing"),
    "one pixel": (encoded(WHITE[:1, :1]), "blank_drawing"),
    "too wide": (encoded(np.full((2, 4097), 255, np.uint8)), "image_too_large"),
    "too high": (encoded(np.full((4097, 2), 255, np.uint8)), "image_too_large"),
    # Four gigapixels by their header, 4 MB packed: decoding it would take 4 GB.
    "a bomb": (png(65535, 65535, bytes(2**22)), "image_too_large"),
    "a bomb of 2 Gpx": (png(2**31 - 1, 1), "image_too_large"),
}


@pytest.mark.parametrize(("data", "code"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_it_refuses_a_bad_file_in_json(
    api: APIClient, data_url: DataUrl, data: bytes, code: str
) -> None:
    first = error(api.post(URL, {"image": data_url(data)}), 400)

    assert (first["code"], first["attr"]) == (code, "image")


@pytest.mark.parametrize(("data", "code"), BAD_FILES.values(), ids=BAD_FILES.keys())
def test_it_refuses_a_bad_file_in_a_form(api: APIClient, data: bytes, code: str) -> None:
    file = SimpleUploadedFile("digit.png", data)

    first = error(api.post(URL, {"image": file}, format="multipart"), 400)

    assert (first["code"], first["attr"]) == (code, "image")


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "empty_image"),
        ("   ", "empty_image"),
        ("data:,", "empty_image"),
        ("data:image/png;base64,", "empty_image"),
        ("not base64!", "invalid_base64"),
        ("a", "invalid_base64"),
        ("data:image/png,abc", "invalid_base64"),
        ("data:image/png;base64;abc", "empty_image"),
        ("\x00\x00\x00\x00", "invalid_base64"),
        ("iVBORw0KGgo\x00", "invalid_base64"),
        ("ÄÖÜß", "invalid_base64"),
        ("\ud800", "invalid_base64"),
        ("aGVsbG8=" * 2, "invalid_base64"),
        ("https://example.org/seven.png", "invalid_base64"),
        ("aGVsbG8=", "not_an_image"),
    ],
)
def test_it_refuses_text_that_is_no_image(api: APIClient, text: str, code: str) -> None:
    first = error(api.post(URL, json.dumps({"image": text}), content_type="application/json"), 400)

    assert (first["code"], first["attr"]) == (code, "image")


@pytest.mark.parametrize(
    ("body", "code", "attr"),
    [
        ({}, "required", "image"),
        ({"picture": "x"}, "required", "image"),
        ({"image": None}, "null", "image"),
        ({"image": 7}, "invalid", "image"),
        ({"image": 1.5}, "invalid", "image"),
        ({"image": True}, "invalid", "image"),
        ({"image": ["x"]}, "invalid", "image"),
        ({"image": {"data": {"image": "x"}}}, "invalid", "image"),
        ([], "invalid", "non_field_errors"),
        ([{"image": "x"}], "invalid", "non_field_errors"),
        ("image", "invalid", "non_field_errors"),
        (7, "invalid", "non_field_errors"),
        (False, "invalid", "non_field_errors"),
        (None, "parse_error", None),
    ],
    ids=str,
)
def test_it_refuses_wrong_types(api: APIClient, body: Any, code: str, attr: str) -> None:
    response = api.post(URL, json.dumps(body), content_type="application/json")

    first = error(response, 400)
    assert (first["code"], first["attr"]) == (code, attr)


@pytest.mark.parametrize(
    "source",
    ["paper", "", " ", "CANVAS", "api\x00", "x" * 100_000, 1, True, ["api"], {"api": "api"}],
    ids=lambda source: repr(source)[:20],
)
def test_it_refuses_an_unknown_source(
    api: APIClient, draw_digit: DrawDigit, data_url: DataUrl, source: Any
) -> None:
    first = error(api.post(URL, {"image": data_url(draw_digit()), "source": source}), 400)

    assert (first["code"], first["attr"]) == ("invalid_choice", "source")


def test_it_refuses_no_source_by_name(
    api: APIClient, draw_digit: DrawDigit, data_url: DataUrl
) -> None:
    first = error(api.post(URL, {"image": data_url(draw_digit()), "source": None}), 400)

    assert (first["code"], first["attr"]) == ("null", "source")


def test_it_names_everything_that_is_wrong(api: APIClient) -> None:
    response = api.post(URL, {"image": 1, "source": "paper"})

    assert {(e["attr"], e["code"]) for e in response.json()["errors"]} == {
        ("image", "invalid"),
        ("source", "invalid_choice"),
    }


@pytest.mark.parametrize(
    "body",
    [
        b"{",
        b"nonsense",
        b'{"image": NaN}',
        b'{"image": "\xff"}',
        b"\xff\xfe\x00",
        b'{"image": "x"} and more',
        b"\x00",
        b'{"image": ' + b"9" * 10_000 + b"}",
        b"[" * 100_000,
        b'{"image":' * 100_000,
    ],
    ids=range(10),
)
def test_it_refuses_malformed_json(api: APIClient, body: bytes) -> None:
    first = error(api.post(URL, body, content_type="application/json"), 400)

    assert first["code"] in {"parse_error", "invalid"}


def test_it_refuses_json_that_nests_deeply_but_closes(api: APIClient) -> None:
    body = b'{"image": ' + b"[" * 900 + b"]" * 900 + b', "source": ' + b"[" * 900 + b"]" * 900

    response = api.post(URL, body + b"}", content_type="application/json")

    error(response, 400)


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "image/png",
        "application/x-www-form-urlencoded",
        "application/octet-stream",
        "application/xml",
        "nonsense",
        "application/json; charset=utf-16",
        "application/json; charset=hex",
        "application/json; charset=rot13",
        "multipart/form-data; boundary=x; charset=zlib",
    ],
)
def test_it_refuses_other_content_types(api: APIClient, content_type: str) -> None:
    response = api.generic("POST", URL, "image=x", content_type=content_type)

    first = error(response, 415)
    assert first["code"] == "unsupported_media_type"
    assert "Send application/json or multipart/form-data in UTF-8." in first["detail"]


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--x",
        b"nonsense",
        b"--x\r\nContent-Disposition: form-data; name=image; filename=a\r\n\r\nabc",
        b"--x\r\nContent-Disposition: form-data\r\n\r\nabc\r\n--x--\r\n",
        b'--x\r\nContent-Disposition: form-data; name="image"\r\n\r\nabc\r\n--x--\r\n',
        b'--x\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n'
        b"Content-Transfer-Encoding: base64\r\n\r\n!!!\r\n--x--\r\n",
    ],
    ids=range(7),
)
def test_it_refuses_a_malformed_form(api: APIClient, body: bytes) -> None:
    error(
        api.generic("POST", URL, body.decode(), content_type="multipart/form-data; boundary=x"), 400
    )


@pytest.mark.parametrize(
    "boundary", ["", "; boundary=", "; boundary=\u00e9", "; boundary=" + "x" * 300]
)
def test_it_refuses_a_form_without_a_boundary(api: APIClient, boundary: str) -> None:
    error(api.generic("POST", URL, "--x--", content_type=f"multipart/form-data{boundary}"), 400)


def test_it_refuses_a_form_with_too_many_fields(api: APIClient) -> None:
    fields = {f"field{number}": "x" for number in range(1100)}

    error(api.post(URL, fields, format="multipart"), 400)


def test_it_refuses_a_form_with_too_many_files(api: APIClient) -> None:
    files = {f"file{number}": SimpleUploadedFile("a", b"x") for number in range(110)}

    error(api.post(URL, files, format="multipart"), 400)


def test_it_refuses_an_image_that_is_no_file(api: APIClient) -> None:
    first = error(api.post(URL, {"image": "x", "source": "api"}, format="multipart"), 400)

    assert (first["code"], first["attr"]) == ("invalid", "image")


# Size -------------------------------------------------------------------------------------------


@pytest.fixture
def padded(draw_digit: DrawDigit) -> Callable[[int], bytes]:
    """Return a good drawing followed by zeros, so that it has as many bytes as asked for."""
    return lambda size: draw_digit().ljust(size, b"\0")


@pytest.mark.parametrize("size", [8 * MEGABYTE + 1, 9 * MEGABYTE, 12 * MEGABYTE, 20 * MEGABYTE])
def test_it_refuses_more_than_8_megabytes_in_json(
    api: APIClient, padded: Callable[[int], bytes], data_url: DataUrl, size: int
) -> None:
    first = error(api.post(URL, {"image": data_url(padded(size))}), 413)

    assert first["code"] == "image_too_large"
    assert "8 MB" in first["detail"]


@pytest.mark.parametrize("size", [8 * MEGABYTE + 1, 9 * MEGABYTE, 12 * MEGABYTE, 20 * MEGABYTE])
def test_it_refuses_more_than_8_megabytes_in_a_form(
    api: APIClient, padded: Callable[[int], bytes], size: int
) -> None:
    file = SimpleUploadedFile("digit.png", padded(size))

    first = error(api.post(URL, {"image": file}, format="multipart"), 413)

    assert first["code"] == "image_too_large"


def test_it_refuses_a_field_that_is_too_long(api: APIClient, settings: Settings) -> None:
    text = "x" * (settings.DATA_UPLOAD_MAX_MEMORY_SIZE + 1)

    assert (
        error(api.post(URL, {"image": text}, format="multipart"), 413)["code"] == "image_too_large"
    )


@pytest.mark.parametrize("length", ["", "-1", "x", "1e9", "99999999999999999999"])
def test_it_survives_an_invalid_content_length(api: APIClient, length: str) -> None:
    response = api.post(
        URL, b"{}", content_type="application/json", headers={"Content-Length": length}
    )

    assert response.status_code in {400, 413}


def test_an_unknown_address_of_the_api_answers_in_json(api: APIClient) -> None:
    for address in ("/api/", "/api/v1/", "/api/v2/predictions/", "/api/v1/nothing/"):
        assert error(api.get(address), 404)["code"] == "not_found"
        assert error(api.post(address, {}), 404)["code"] == "not_found"


def test_the_limits_are_the_documented_ones() -> None:
    assert imaging.MAX_BYTES == 8 * MEGABYTE
    assert imaging.MAX_SIDE == 4096


def test_base64_of_exactly_8_megabytes_is_not_too_large(api: APIClient, data_url: DataUrl) -> None:
    first = error(api.post(URL, {"image": data_url(b"x" * (8 * MEGABYTE))}), 400)

    assert first["code"] == "not_an_image"
    assert len(base64.b64encode(b"x" * (8 * MEGABYTE))) > 11 * MEGABYTE - 400_000
