"""Sending a drawing and reading one's own history, over HTTP."""

from __future__ import annotations

import base64
import io
import uuid
from collections.abc import Callable
from urllib.parse import quote

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from PIL import Image
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from recognizer.models import ModelVersion, Prediction
from recognizer.tests.support.accounts import make_token
from recognizer.tests.support.drawings import DrawDigit
from recognizer.tests.support.logins import log_in
from recognizer.tests.support.reviewing import make_prediction

pytestmark = [pytest.mark.django_db, pytest.mark.store]

URL = "/api/v1/predictions/"
DataUrl = Callable[[bytes], str]


def as_format(png: bytes, name: str) -> bytes:
    buffer = io.BytesIO()
    Image.open(io.BytesIO(png)).convert("RGB").save(buffer, name)
    return buffer.getvalue()


@pytest.mark.parametrize("digit", range(10))
def test_it_recognises_each_digit(
    api: APIClient, draw_digit: DrawDigit, data_url: DataUrl, digit: int
) -> None:
    response = api.post(URL, {"image": data_url(draw_digit(digit)), "source": "canvas"})

    assert response.status_code == 201
    assert response.json()["digit"] == digit


def test_the_answer_has_the_documented_fields(
    api: APIClient, draw_digit: DrawDigit, data_url: DataUrl
) -> None:
    response = api.post(URL, {"image": data_url(draw_digit(3)), "source": "canvas"})

    body = response.json()
    row = Prediction.objects.get()
    address = f"http://testserver{URL}{row.pk}/"
    assert response["Location"] == address
    assert set(body) == {
        "id",
        "digit",
        "confidence",
        "probabilities",
        "verdict",
        "personal",
        "network",
        "remembered_id",
        "remembered_image_url",
        "number",
        "number_confidence",
        "parts",
        "model_version",
        "source",
        "suggested_digit",
        "suggested_not_a_digit",
        "suggested_number",
        "words",
        "image_url",
        "model_input_url",
        "created_at",
    }
    assert body["id"] == str(row.pk)
    assert 0 <= body["confidence"] <= 1
    assert len(body["probabilities"]) == 10
    assert sum(body["probabilities"]) == pytest.approx(1)
    assert body["probabilities"][body["digit"]] == pytest.approx(max(body["probabilities"]))
    assert body["verdict"] in {"digit", "uncertain", "not_a_digit"}
    assert body["model_version"] == ModelVersion.objects.get(is_active=True).name
    assert body["source"] == "canvas"
    assert body["suggested_digit"] is None
    assert body["suggested_not_a_digit"] is False
    assert (body["number"], body["number_confidence"], body["parts"]) == (None, None, [])
    assert body["suggested_number"] is None
    assert body["personal"] is False
    assert body["network"] == {key: body[key] for key in ("digit", "confidence", "verdict")}
    assert body["remembered_id"] is None
    assert body["remembered_image_url"] is None
    assert body["image_url"] == f"{address}image/"
    assert body["model_input_url"] == f"{address}model-input/"
    assert api.get(response["Location"]).json() == body


def test_the_words_of_an_answer_follow_the_language_of_the_request(
    api: APIClient, draw_digit: DrawDigit, data_url: DataUrl
) -> None:
    assert api.post(URL, {"image": data_url(draw_digit(3))}).json()["words"] is None

    response = api.post(URL, {"image": data_url(draw_digit(3))}, HTTP_PREFER="include=words")
    body = response.json()
    assert "Prefer" in response["Vary"]
    assert body["words"]["sentence"] == "That looks like a 3."
    assert len(body["words"]["bars"]) == 10
    address = f"{URL}{body['id']}/"
    german = api.get(
        address, HTTP_ACCEPT_LANGUAGE="de", HTTP_PREFER="wait=5, include=words"
    ).json()["words"]
    assert german["sentence"] == "Das sieht aus wie eine 3."
    assert german["percent"] == "über 99,9\u00a0%"


def test_the_row_holds_the_answer_and_the_drawing(
    api: APIClient, draw_digit: DrawDigit, data_url: DataUrl
) -> None:
    png = draw_digit(5)
    body = api.post(URL, {"image": data_url(png)}).json()

    row = Prediction.objects.get()
    assert (row.digit, row.confidence, row.verdict) == (
        body["digit"],
        body["confidence"],
        body["verdict"],
    )
    assert row.source == "api"
    assert row.user is None
    assert row.visitor is not None
    assert row.label is None
    kept, sent = Image.open(io.BytesIO(bytes(row.image))), Image.open(io.BytesIO(png))
    assert (kept.format, kept.mode, kept.info) == ("PNG", "L", {})
    assert np.array_equal(np.asarray(kept), np.asarray(sent))


def test_it_stores_at_most_512_pixels(
    api: APIClient, draw_digit: DrawDigit, data_url: DataUrl
) -> None:
    api.post(URL, {"image": data_url(draw_digit(4, canvas=1600, brush=110))})

    assert Image.open(io.BytesIO(bytes(Prediction.objects.get().image))).size == (512, 512)


@pytest.mark.parametrize(
    "wrap",
    [
        lambda text: text,
        lambda text: f"data:image/png;base64,{text}",
        lambda text: f"DATA:image/png;name=a.png;BASE64,{text}",
        lambda text: f"data:;base64,{text}",
        lambda text: f"  {text}\n",
        lambda text: "\r\n".join(text[i : i + 76] for i in range(0, len(text), 76)),
        lambda text: text.rstrip("="),
        lambda text: text.replace("+", "-").replace("/", "_"),
        lambda text: f"data: image/png ; base64 , {text}",
        lambda text: f"data:image/png;base64,{quote(text, safe='')}",
    ],
    ids=[
        *("bare", "data-url", "capitals", "no-type", "spaces", "lines", "unpadded", "url-safe"),
        *("spaces-in-header", "percent-encoded"),
    ],
)
def test_it_accepts_base64_as_programs_write_it(
    api: APIClient, draw_digit: DrawDigit, wrap: Callable[[str], str]
) -> None:
    text = base64.b64encode(draw_digit(7)).decode()

    assert api.post(URL, {"image": wrap(text)}).status_code == 201


@pytest.mark.parametrize("name", ["PNG", "JPEG", "WEBP", "GIF", "BMP"])
def test_it_accepts_a_file_in_a_form(api: APIClient, draw_digit: DrawDigit, name: str) -> None:
    file = SimpleUploadedFile("seven", as_format(draw_digit(7), name))

    response = api.post(URL, {"image": file, "source": "upload"}, format="multipart")

    assert response.status_code == 201
    assert response.json()["digit"] == 7
    assert response.json()["source"] == "upload"


def test_it_answers_whatever_the_client_accepts(
    api: APIClient, draw_digit: DrawDigit, data_url: DataUrl
) -> None:
    created = api.post(URL, {"image": data_url(draw_digit())}, headers={"Accept": "text/html"})

    assert created.status_code == 201
    assert created["Content-Type"] == "application/json"
    image = api.get(created.json()["image_url"], headers={"Accept": "image/png"})
    assert image["Content-Type"] == "image/png"


# Whose drawings ---------------------------------------------------------------------------------


def test_history_shows_the_visitors_own_drawings_newest_first(
    api: APIClient, draw_digit: DrawDigit, data_url: DataUrl
) -> None:
    stranger = APIClient()
    stranger.post(URL, {"image": data_url(draw_digit(9))})
    ids = [api.post(URL, {"image": data_url(draw_digit(d))}).json()["id"] for d in (1, 2, 3)]

    listed = api.get(URL).json()

    assert [entry["id"] for entry in listed["results"]] == ids[::-1]
    assert listed["next"] is None
    assert len(stranger.get(URL).json()["results"]) == 1


def test_reading_starts_no_session(api: APIClient) -> None:
    response = api.get(URL)

    assert response.json()["results"] == []
    assert not response.cookies


@pytest.mark.parametrize("part", ["", "image/", "model-input/"])
def test_another_visitors_drawing_is_not_found(
    api: APIClient,
    user: User,
    reviewer: User,
    draw_digit: DrawDigit,
    data_url: DataUrl,
    part: str,
) -> None:
    address = api.post(URL, {"image": data_url(draw_digit())})["Location"] + part
    other_visitor, other_user, staff = APIClient(), APIClient(), APIClient()
    other_visitor.post(URL, {"image": data_url(draw_digit())})
    other_user.force_login(user)
    staff.force_login(reviewer)

    assert api.get(address).status_code == 200
    for client in (APIClient(), other_visitor, other_user, staff):
        response = client.get(address)
        assert response.status_code == 404
        assert response.json()["errors"][0]["code"] == "not_found"


@pytest.mark.parametrize(
    "junk",
    [
        "1",
        "junk",
        "%00",
        "..%2f..%2f",
        "00000000-0000-0000-0000-00000000000",
        "00000000-0000-0000-0000-0000000000000",
        "0" * 5000,
        str(uuid.UUID(int=0)),
        "é",
    ],
)
@pytest.mark.parametrize("part", ["", "image/", "model-input/"])
def test_an_invalid_id_is_not_found(api: APIClient, junk: str, part: str) -> None:
    response = api.get(f"{URL}{junk}/{part}")

    assert response.status_code == 404
    assert response.json()["errors"][0]["code"] == "not_found"


def test_a_token_is_its_user(
    api: APIClient, user: User, draw_digit: DrawDigit, data_url: DataUrl
) -> None:
    api.credentials(HTTP_AUTHORIZATION=f"Token {make_token(user)}")

    response = api.post(URL, {"image": data_url(draw_digit())})

    row = Prediction.objects.get()
    assert (row.user, row.visitor) == (user, None)
    assert not response.cookies
    assert len(api.get(URL).json()["results"]) == 1


def test_a_wrong_token_is_refused(api: APIClient, draw_digit: DrawDigit, data_url: DataUrl) -> None:
    api.credentials(HTTP_AUTHORIZATION="Token wrong")

    response = api.post(URL, {"image": data_url(draw_digit())})

    assert response.status_code == 401
    assert response["WWW-Authenticate"] == "Bearer"
    assert response.json()["errors"][0]["detail"].startswith("The token is not valid. Send the")
    assert not Prediction.objects.exists()


def test_drawings_follow_a_visitor_who_logs_in(
    api: APIClient, user: User, draw_digit: DrawDigit, data_url: DataUrl
) -> None:
    drawn = api.post(URL, {"image": data_url(draw_digit())}).json()["id"]

    log_in(api, user)

    assert [entry["id"] for entry in api.get(URL).json()["results"]] == [drawn]
    row = Prediction.objects.get()
    assert (row.user, row.visitor) == (user, None)
    api.logout()
    assert api.get(URL).json()["results"] == []


def test_a_damaged_stored_drawing_is_an_error_of_the_server(
    api: APIClient, draw_digit: DrawDigit, data_url: DataUrl
) -> None:
    drawn = api.post(URL, {"image": data_url(draw_digit())}).json()
    Prediction.objects.update(image=b"\x89PNG\r\n\x1a\n, and no more")
    api.raise_request_exception = False

    response = api.get(drawn["model_input_url"])

    assert response.status_code == 500
    body = response.json()
    assert body["type"] == "server_error"
    assert body["errors"][0]["detail"] == (
        "Something went wrong on the server. Try again in a minute."
    )


# CSRF -------------------------------------------------------------------------------------------


def test_a_session_needs_the_csrf_token(
    user: User, draw_digit: DrawDigit, data_url: DataUrl
) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(user)
    body = {"image": data_url(draw_digit())}

    refused = client.post(URL, body, content_type="application/json")
    client.get("/admin/login/")
    client.get("/")
    token = client.cookies["csrftoken"].value if "csrftoken" in client.cookies else "a" * 32
    client.cookies["csrftoken"] = token
    accepted = client.post(
        URL, body, content_type="application/json", headers={"X-CSRFToken": token}
    )

    assert refused.status_code == 403
    first = refused.json()["errors"][0]
    assert first["code"] == "permission_denied"
    assert first["detail"] == "The CSRF token is missing or wrong. Reload the page and try again."
    assert accepted.status_code == 201
    assert Prediction.objects.count() == 1


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 201),
        ("http://testserver", 201),
        ("https://testserver", 201),
        ("https://trusted.example", 201),
        ("https://evil.example", 403),
        ("https://testserver.evil.example", 403),
        ("null", 403),
        ("http://[", 403),
    ],
)
def test_another_site_cannot_post_for_a_visitor(
    api: APIClient,
    draw_digit: DrawDigit,
    data_url: DataUrl,
    settings: Settings,
    origin: str | None,
    status: int,
) -> None:
    settings.CSRF_TRUSTED_ORIGINS = ["https://trusted.example"]
    headers = {} if origin is None else {"Origin": origin}

    response = api.post(URL, {"image": data_url(draw_digit())}, headers=headers)

    assert response.status_code == status
    assert bool(response.cookies) == (status == 201)


# Pages ------------------------------------------------------------------------------------------


def test_pages_hold_every_drawing_once(
    api: APIClient, draw_digit: DrawDigit, data_url: DataUrl
) -> None:
    ids = {api.post(URL, {"image": data_url(draw_digit(d))}).json()["id"] for d in range(7)}

    seen: list[str] = []
    address: str | None = f"{URL}?page_size=3"
    while address:
        page = api.get(address).json()
        assert len(page["results"]) <= 3
        seen += [entry["id"] for entry in page["results"]]
        address = page["next"]

    assert len(seen) == 7
    assert set(seen) == ids


@pytest.mark.parametrize(
    "cursor",
    [
        "junk",
        "%00",
        base64.b64encode(b"p=%00").decode(),
        base64.b64encode(b"p=yesterday").decode(),
        base64.b64encode(b"p=2020-13-45 25:00:00+00:00").decode(),
        base64.b64encode(b"p=2020-01-01 00:00:00").decode(),
        base64.b64encode(b"p=0001-01-01 00:00:00%2B14:00").decode(),
        base64.b64encode(b"o=-1").decode(),
        base64.b64encode(b"o=99999999999999999999").decode(),
        base64.b64encode(b"\xff\xfe").decode(),
    ],
)
def test_an_invalid_cursor_is_no_server_error(
    api: APIClient, draw_digit: DrawDigit, data_url: DataUrl, cursor: str
) -> None:
    api.post(URL, {"image": data_url(draw_digit())})

    response = api.get(f"{URL}?cursor={cursor}")

    assert response.status_code in {200, 404}
    if response.status_code == 404:
        assert response.json()["errors"][0]["detail"].startswith("The cursor is not valid.")


@pytest.mark.parametrize("size", ["0", "-1", "x", "%00", "1e9", "99999999999999999999999"])
def test_an_invalid_page_size_is_no_server_error(api: APIClient, size: str) -> None:
    assert api.get(f"{URL}?page_size={size}").status_code == 200


# By verdict -------------------------------------------------------------------------------------


@pytest.mark.parametrize("verdict", ["digit", "uncertain", "not_a_digit"])
def test_history_can_be_filtered_by_verdict(api: APIClient, user: User, verdict: str) -> None:
    api.force_login(user)
    for each in ("digit", "uncertain", "not_a_digit", "digit", "uncertain", "not_a_digit"):
        make_prediction(8, verdict=each, confidence=0.6, user=user)
    stranger = make_prediction(8, verdict=verdict)

    first = api.get(f"{URL}?verdict={verdict}&page_size=1").json()
    second = api.get(first["next"]).json()

    found = first["results"] + second["results"]
    assert [entry["verdict"] for entry in found] == [verdict] * 2
    # The confidence is that of the digit shown, whatever the verdict.
    assert [(entry["digit"], entry["confidence"]) for entry in found] == [(8, 0.6)] * 2
    assert second["next"] is None
    assert str(stranger.pk) not in {entry["id"] for entry in found}


@pytest.mark.parametrize("verdict", ["maybe", "DIGIT", "digit,uncertain", "%00", "8", "é"])
def test_an_unknown_verdict_is_refused_with_the_three(api: APIClient, verdict: str) -> None:
    response = api.get(f"{URL}?verdict={verdict}")

    assert response.status_code == 400
    assert response.json() == {
        "type": "validation_error",
        "errors": [
            {
                "code": "invalid_choice",
                "detail": "The verdict must be one of digit, uncertain and not_a_digit.",
                "attr": "verdict",
            }
        ],
    }


def test_a_verdict_filters_only_the_list(api: APIClient, user: User) -> None:
    api.force_login(user)
    row = make_prediction(8, verdict="digit", user=user)

    assert api.get(f"{URL}{row.pk}/?verdict=maybe").status_code == 200
    assert len(api.get(f"{URL}?verdict=").json()["results"]) == 1


# Queries ----------------------------------------------------------------------------------------


def test_posting_takes_few_queries(
    api: APIClient,
    draw_digit: DrawDigit,
    data_url: DataUrl,
    django_assert_max_num_queries: DjangoAssertNumQueries,
    settings: Settings,
) -> None:
    settings.MODEL_RECHECK_SECONDS = 60
    body = {"image": data_url(draw_digit())}
    api.post(URL, body)

    # What is remembered, and the row, whose transaction is a savepoint here: the model stays in
    # memory, the answer is not read back.
    with django_assert_max_num_queries(4) as queries:
        api.post(URL, body)
    asked = [q["sql"] for q in queries.captured_queries if "SAVEPOINT" not in q["sql"]]
    assert len(asked) <= 2
    assert not any("recognizer_modelversion" in q["sql"] for q in queries.captured_queries)


def test_a_page_takes_one_query_and_no_images(
    api: APIClient,
    draw_digit: DrawDigit,
    data_url: DataUrl,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    for digit in range(4):
        api.post(URL, {"image": data_url(draw_digit(digit))})

    with django_assert_num_queries(1) as queries:
        assert len(api.get(URL).json()["results"]) == 4
    sql = queries.captured_queries[-1]["sql"]
    assert '"image"' not in sql
    assert '"serving"' not in sql
    assert '"training"' not in sql


# Images -----------------------------------------------------------------------------------------


def test_the_drawing_comes_back_as_drawn(
    api: APIClient, draw_digit: DrawDigit, data_url: DataUrl
) -> None:
    png = draw_digit(6)
    body = api.post(URL, {"image": data_url(png)}).json()

    response = api.get(body["image_url"])

    assert response["Content-Type"] == "image/png"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert "private" in response["Cache-Control"]
    assert "Cookie" in response["Vary"]
    drawn, sent = Image.open(io.BytesIO(response.content)), Image.open(io.BytesIO(png))
    assert np.array_equal(np.asarray(drawn), np.asarray(sent))


def test_the_model_input_is_28x28_white_on_black(
    api: APIClient, draw_digit: DrawDigit, data_url: DataUrl
) -> None:
    body = api.post(URL, {"image": data_url(draw_digit(0))}).json()

    response = api.get(body["model_input_url"])

    pixels = np.asarray(Image.open(io.BytesIO(response.content)))
    assert response["Content-Type"] == "image/png"
    assert pixels.shape == (28, 28)
    assert pixels.dtype == np.uint8
    assert (pixels[0].max(), pixels.max()) == (0, 255)


@pytest.mark.parametrize("part", ["image_url", "model_input_url"])
def test_an_unchanged_image_is_not_sent_again(
    api: APIClient, draw_digit: DrawDigit, data_url: DataUrl, part: str
) -> None:
    address = api.post(URL, {"image": data_url(draw_digit())}).json()[part]
    etag = api.get(address)["ETag"]

    again = api.get(address, headers={"If-None-Match": etag})

    assert (again.status_code, again.content) == (304, b"")
    assert "private" in again["Cache-Control"]


def test_answers_stay_out_of_shared_caches(
    api: APIClient, draw_digit: DrawDigit, data_url: DataUrl
) -> None:
    created = api.post(URL, {"image": data_url(draw_digit())})

    for response in (created, api.get(URL), api.get(created["Location"])):
        assert response["Cache-Control"] == "private, no-store"


@pytest.mark.parametrize(
    ("method", "status", "code"),
    [("put", 405, "method_not_allowed"), ("patch", 401, "not_authenticated")],
)
def test_a_visitor_cannot_change_a_prediction(
    api: APIClient, draw_digit: DrawDigit, data_url: DataUrl, method: str, status: int, code: str
) -> None:
    address = api.post(URL, {"image": data_url(draw_digit())})["Location"]

    response = getattr(api, method)(address, {"digit": 1})

    assert response.status_code == status
    assert response.json()["errors"][0]["code"] == code


# Throttles --------------------------------------------------------------------------------------


def test_too_many_drawings_are_refused_with_a_time_to_wait(
    api: APIClient, draw_digit: DrawDigit, data_url: DataUrl, settings: Settings
) -> None:
    settings.REST_FRAMEWORK = {
        **settings.REST_FRAMEWORK,
        "DEFAULT_THROTTLE_RATES": {"anon": "2/min", "user": "3/min"},
    }
    body = {"image": data_url(draw_digit())}

    codes = [api.post(URL, body).status_code for _ in range(3)]
    refused = api.post(URL, body)

    assert codes == [201, 201, 429]
    assert refused.json()["errors"][0]["code"] == "throttled"
    assert int(refused["Retry-After"]) > 0
    assert Prediction.objects.count() == 2
    # Reading goes on.
    assert api.get(URL).status_code == 200


def test_a_user_has_a_limit_of_their_own(
    api: APIClient, user: User, draw_digit: DrawDigit, data_url: DataUrl, settings: Settings
) -> None:
    settings.REST_FRAMEWORK = {
        **settings.REST_FRAMEWORK,
        "DEFAULT_THROTTLE_RATES": {"anon": "1/min", "user": "2/min"},
    }
    api.force_login(user)

    codes = [api.post(URL, {"image": data_url(draw_digit())}).status_code for _ in range(3)]

    assert codes == [201, 201, 429]


def test_a_forged_address_does_not_reset_the_limit(
    api: APIClient, draw_digit: DrawDigit, data_url: DataUrl, settings: Settings
) -> None:
    settings.REST_FRAMEWORK = {
        **settings.REST_FRAMEWORK,
        "DEFAULT_THROTTLE_RATES": {"anon": "1/min", "user": None},
    }
    body = {"image": data_url(draw_digit())}

    codes = [
        api.post(URL, body, headers={"X-Forwarded-For": f"10.0.0.{n}"}).status_code
        for n in range(2)
    ]

    assert codes == [201, 429]


def test_without_a_model_it_says_so(
    api: APIClient, draw_digit: DrawDigit, data_url: DataUrl
) -> None:
    ModelVersion.objects.all().delete()

    response = api.post(URL, {"image": data_url(draw_digit())})

    assert response.status_code == 503
    assert response.json()["type"] == "server_error"
    assert response.json()["errors"][0]["code"] == "no_model"
    assert not Prediction.objects.exists()
