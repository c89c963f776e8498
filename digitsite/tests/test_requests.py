"""What every request passes: its id, its charset, its length, its origin, its host."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable

import pytest
from django.contrib.auth.models import User
from django.test import Client, RequestFactory
from django.test.client import FakePayload
from django.urls import reverse
from pytest_django import Settings

from digitsite.environment import is_loopback
from digitsite.wsgi import application
from recognizer.models import Prediction
from recognizer.tests.support.drawings import DrawDigit

pytestmark = pytest.mark.django_db

API = "/api/v1/predictions/"


# Ids --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["/", API, "/api/nothing/", "/nothing/", "/healthz"])
def test_every_response_has_a_request_id_of_its_own(client: Client, address: str) -> None:
    first, second = (client.get(address)["X-Request-ID"] for _ in range(2))

    assert len(first) == 32
    assert first != second


def test_the_id_of_a_proxy_is_kept(client: Client) -> None:
    response = client.get("/healthz", headers={"X-Request-ID": "proxy-17.a_B"})

    assert response["X-Request-ID"] == "proxy-17.a_B"


@pytest.mark.parametrize("sent", ["", "a b", "x" * 65, "a\nb", "<script>", "ü", "a;b", "a\x1b[31m"])
def test_a_harmful_id_is_replaced(client: Client, sent: str) -> None:
    assert client.get("/healthz", headers={"X-Request-ID": sent})["X-Request-ID"] != sent


# Charsets ---------------------------------------------------------------------------------------


CONTENT_TYPES = [
    *(
        f"application/x-www-form-urlencoded; charset={charset}"
        for charset in ("hex", "zlib", "rot13", "utf-7", "utf-16", "idna", "latin-1", "nonsense")
    ),
    "application/json; charset=a\0",
    # Parameters in an encoding of their own (RFC 2231).
    "application/json; charset*=nonsense''%41",
    "multipart/form-data; boundary*=nonsense''%41",
]


def send(method: str, address: str, content_type: str) -> tuple[int, str]:
    """Send a request to the application as a web server does: the test client parses it itself."""
    body = FakePayload("a=b")
    environ = {
        **RequestFactory(headers={"Host": "localhost"})._base_environ(),  # type: ignore[attr-defined]
        "REQUEST_METHOD": method,
        "PATH_INFO": address.partition("?")[0],
        "QUERY_STRING": address.partition("?")[2],
        "CONTENT_TYPE": content_type,
        "CONTENT_LENGTH": str(len(body)),
        "wsgi.input": body,
    }
    statuses: list[str] = []

    def start(status: str, headers: object, error: object = None, /) -> Callable[[bytes], object]:
        statuses.append(status)
        return lambda data: None

    response = application(environ, start)
    return int(statuses[0].split()[0]), b"".join(response).decode()


@pytest.mark.parametrize("content_type", CONTENT_TYPES)
@pytest.mark.parametrize("address", [f"{API}?cursor=x", "/?prediction=x", "/admin/login/?next=/"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_other_charsets_than_utf_8_are_refused(
    content_type: str, address: str, method: str
) -> None:
    status, text = send(method, address, content_type)

    assert status == 415
    assert "in UTF-8" in text
    if address.startswith("/api/"):
        assert json.loads(text)["errors"][0]["code"] == "unsupported_media_type"


@pytest.mark.parametrize("charset", ["utf-8", "UTF8", "us-ascii", '"utf-8"'])
def test_names_of_utf_8_are_accepted(charset: str) -> None:
    status, _text = send("GET", f"{API}?page_size=3", f"text/plain; charset={charset}")

    assert status == 200


# Origins ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://digits.example", "digits.example:443"),
        ("https://digits.example:443", "digits.example"),
        ("HTTPS://Digits.Example", "digits.example"),
        ("https://digits.example", "DIGITS.EXAMPLE"),
        ("https://app.example:443", "digits.example"),
        ("https://a.wild.example", "digits.example"),
    ],
)
def test_an_origin_is_compared_as_browsers_do(
    settings: Settings, draw_digit: DrawDigit, user: User, origin: str, host: str
) -> None:
    settings.ALLOWED_HOSTS = ["digits.example"]
    settings.CSRF_TRUSTED_ORIGINS = ["https://app.example", "https://*.wild.example"]
    client = Client(enforce_csrf_checks=True, headers={"Host": host, "Origin": origin})
    forget = reverse("memory")

    sent = client.post(API, draw_digit(), "image/png", secure=True)
    client.get("/", secure=True)
    token = client.cookies["csrftoken"].value
    form = client.post(forget, {"memory": "on", "csrfmiddlewaretoken": token}, secure=True)

    # Another content type than the API's: the origin was not what refused it.
    assert sent.status_code == 415
    assert form.status_code == 302


@pytest.mark.parametrize("address", [API, "/", "/memory/"])
@pytest.mark.parametrize(
    ("origin", "names"),
    [
        ("https://digits.example", ["CSRF_TRUSTED_ORIGINS", "Host header", "digits.example"]),
        ("null", ["Referrer-Policy", "Origin: null"]),
    ],
)
def test_a_refused_origin_names_the_setting_in_page_and_log(
    caplog: pytest.LogCaptureFixture, address: str, origin: str, names: list[str]
) -> None:
    client = Client(enforce_csrf_checks=True, headers={"Origin": origin})

    with caplog.at_level(logging.WARNING):
        response = client.post(address, {"memory": "on"})

    text = response.content.decode()
    assert response.status_code == 403
    assert all(name in text for name in names)
    assert "expired" not in text.split("</h1>")[-1]
    assert any(all(name in line for name in names) for line in caplog.messages)


# Hosts ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["/healthz", "/readyz"])
def test_health_checks_answer_whatever_the_host(client: Client, address: str) -> None:
    response = client.get(address, headers={"Host": "10.0.0.7"})

    assert response.status_code == 200


@pytest.mark.parametrize("address", ["/", API, "/admin/login/", "/about/"])
def test_another_host_is_refused(client: Client, address: str) -> None:
    response = client.get(address, headers={"Host": "evil.example"})

    assert response.status_code == 400
    assert "evil.example" not in response.content.decode()


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("[::1]", True),
        ("localhost", True),
        ("a.localhost", True),
        ("127.attacker.example", False),
        ("127.0.0.1.attacker.example", False),
        ("127.", False),
        ("[::2]", False),
        ("*", False),
    ],
)
def test_only_addresses_of_this_machine_are_loopback(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


@pytest.mark.parametrize(
    "headers", [{"X-Forwarded-For": "203.0.113.9"}, {"Forwarded": "for=203.0.113.9"}]
)
def test_readyz_names_nothing_to_others(
    client: Client, headers: dict[str, str], admin_client: Client
) -> None:
    elsewhere = client.get("/readyz", REMOTE_ADDR="203.0.113.9")
    behind_a_proxy = client.get("/readyz", headers=headers)

    assert elsewhere.json() == behind_a_proxy.json() == {
        "status": "ok", "problem": None, "model": None,
    }  # fmt: skip
    assert admin_client.get("/readyz", REMOTE_ADDR="203.0.113.9").json()["model"]


# Errors -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("address", ["/", "/about/", "/admin/login/", API, "/healthz"])
def test_no_page_may_use_the_devices_of_a_visitor(client: Client, address: str) -> None:
    policy = client.get(address)["Permissions-Policy"]

    assert {"camera=()", "microphone=()", "geolocation=()"} <= set(policy.split(", "))


@pytest.mark.parametrize(
    ("address", "status", "text"),
    [("/nothing/", 404, "<h1>"), ("/admin/nothing/", 302, ""), ("/api/nothing/", 404, "errors")],
)
def test_an_unknown_address_has_a_friendly_answer(
    client: Client, address: str, status: int, text: str
) -> None:
    response = client.get(address)

    assert response.status_code == status
    assert text in response.content.decode()


def test_a_crash_shows_the_id_that_is_in_the_log(
    client: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    client.raise_request_exception = False
    client.cookies["sessionid"] = "x" * 32
    with monkeypatch.context() as broken:
        broken.setattr("django.contrib.sessions.backends.db.SessionStore.load", _crash)
        page, api = client.get("/"), client.get(API)

    assert (page.status_code, api.status_code) == (500, 500)
    assert page["X-Request-ID"] in page.content.decode()
    assert api.json()["errors"][0]["code"] == "error"
    assert api.json()["type"] == "server_error"
    assert "secret of the database" not in page.content.decode() + api.content.decode()
    crashes = [record for record in caplog.records if record.exc_info]
    named = {vars(record)["request"].id for record in crashes}
    assert {page["X-Request-ID"], api["X-Request-ID"]} <= named
    assert not Prediction.objects.exists()


def _crash(*args: object) -> None:
    raise RuntimeError("secret of the database")


@pytest.mark.parametrize("address", [API, "/"])
def test_a_body_without_an_end_that_the_server_knows_needs_a_length(
    client: Client, address: str
) -> None:
    response = client.post(
        address, headers={"Transfer-Encoding": "chunked"}, CONTENT_LENGTH="", HTTP_HOST="localhost"
    )

    assert response.status_code == 411
    assert "Content-Length" in response.content.decode()


@pytest.mark.parametrize("address", [API, "/", "/account/log-in/"])
@pytest.mark.parametrize("length", ["abc", "-1", "1e3", "0x10", "5, 5"])
def test_a_length_that_is_no_number_breaks_nothing(
    client: Client, address: str, length: str
) -> None:
    client.raise_request_exception = False

    response = client.post(address, CONTENT_LENGTH=length)

    assert response.status_code < 500


@pytest.mark.parametrize(
    ("status", "method", "address", "options"),
    [
        (400, "POST", API, {"data": "{", "content_type": "application/json"}),
        (400, "GET", API, {"HTTP_HOST": "evil.example"}),
        (401, "GET", API, {"HTTP_AUTHORIZATION": "Token wrong"}),
        (403, "POST", API, {"HTTP_ORIGIN": "https://evil.example"}),
        (404, "GET", "/api/nothing/", {}),
        (404, "GET", f"{API}00000000-0000-4000-8000-000000000000/", {}),
        (405, "PUT", API, {}),
        (405, "POST", "/api/docs/", {}),
        (405, "OPTIONS", "/api/docs/", {}),
        (405, "DELETE", "/api/schema/", {}),
        (411, "POST", API, {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": ""}),
        (413, "POST", API, {"CONTENT_LENGTH": str(2**30)}),
        (415, "POST", API, {"data": "x", "content_type": "text/plain"}),
    ],
)
def test_every_error_of_the_api_has_one_shape(
    client: Client, status: int, method: str, address: str, options: dict[str, str]
) -> None:
    response = client.generic(method, address, **options)  # type: ignore[arg-type]

    body = response.json()
    assert response.status_code == status
    assert set(body) == {"type", "errors"}
    assert set(body["errors"][0]) == {"code", "detail", "attr"}
    assert response["X-Request-ID"]
    assert response["Content-Type"] == "application/json"
