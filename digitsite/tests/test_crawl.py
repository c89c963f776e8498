"""Every address, by every kind of user, every method and odd values: never a server error."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from django.contrib.admin import site
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver

from recognizer.models import ModelVersion, Prediction
from recognizer.tests.support.drawings import DrawDigit
from recognizer.versions import active as active_version

pytestmark = pytest.mark.django_db

METHODS = ["GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE", "TRACE", "NONSENSE"]

# Parameters that the pages have, and those that admin, REST framework and the schema take.
NAMES = [
    "prediction", "said", "removed", "cursor", "page_size", "limit", "next", "lang", "version",
    "format", "digit", "order", "page", "left", "again", "meanwhile", "period", "days", "from",
    "to", "with", "q", "o", "p", "e", "all", "_popup", "_to_field", "_changelist_filters", "jsi18n",
    "app_label", "model_name", "field_name", "term", "serving", "models", "a", "b", "versions",
    "since", "until", "source",
]  # fmt: skip
VALUES = ["", "\0x", "-1", "9" * 30]
LOOKUPS = ["", "__year", "__range", "__in", "__regex", "__contained_by"]
# What stands for a converter of an address, beside an existing row's key.
ODD_PARTS = ["x", "0", "-1", "9" * 30, "%00", "a_00", str(uuid.UUID(int=0)), "1/1", "_2F"]


@pytest.fixture
def client_of(request: pytest.FixtureRequest, client: Client, admin_user: User) -> Client:
    client.raise_request_exception = False
    if request.param == "superuser":
        client.force_login(admin_user)
    return client


everyone = pytest.mark.parametrize("client_of", ["visitor", "superuser"], indirect=True)


@pytest.fixture(autouse=True)
def _rows(client: Client, draw_digit: DrawDigit) -> None:
    """Store a drawing, so that pages and filters have something to show."""
    client.post("/", {"image": SimpleUploadedFile("seven.png", draw_digit())})
    assert Prediction.objects.exists()


def addresses(key: str = "1") -> list[str]:
    """Return an address for each pattern of the site, with ``key`` for each of its parameters."""
    return sorted({"/" + path for path in _below(get_resolver(), key)})


def _below(resolver: URLResolver, key: str) -> Iterator[str]:
    for pattern in resolver.url_patterns:
        part = str(pattern.pattern).removeprefix("^").removesuffix("\\Z").removesuffix("$")
        filled = _filled(part, key)
        if isinstance(pattern, URLResolver):
            yield from (filled + rest for rest in _below(pattern, key))
        elif isinstance(pattern, URLPattern):
            yield filled


def _filled(part: str, key: str) -> str:
    if part.startswith("(?P<"):
        return "auth/"
    return re.sub(r"<[^>]*>", key, part)


def failures(client: Client, requests: list[tuple[str, str]]) -> list[str]:
    """Send requests; return those with a server error."""
    found = []
    for method, address in requests:
        response = client.generic(method, address)
        # Streamed and rendered to the end.
        body = response.getvalue() if method != "HEAD" else b""
        if response.status_code >= 500 and response.status_code != 503:
            found.append(f"{method} {address}: {response.status_code} {body[:0]!r}")
    return found


@everyone
def test_no_method_breaks_an_address(client_of: Client) -> None:
    keys = ["1", str(Prediction.objects.values_list("pk", flat=True)[0])]
    requests = [
        (method, address)
        for key in keys
        for address in addresses(key)
        # What these delete or end is needed by the others.
        if not address.startswith(("/admin/logout", "/api/v1/predictions/delete"))
        for method in METHODS
    ]

    assert len(requests) > 500
    assert failures(client_of, requests) == []


@everyone
def test_no_part_of_an_address_breaks_it(client_of: Client) -> None:
    requests = [("GET", address) for part in ODD_PARTS for address in addresses(part)]

    assert failures(client_of, requests) == []


@everyone
def test_no_query_breaks_an_address(client_of: Client) -> None:
    key = str(Prediction.objects.values_list("pk", flat=True)[0])
    requests = [
        ("GET", f"{address}?{'&'.join(f'{name}={quote(value)}' for name in NAMES)}")
        for address in addresses(key)
        for value in VALUES
    ]
    requests += [
        ("GET", f"{address}?{name}={quote(value)}")
        for address in addresses(key)
        if not address.startswith("/admin/")
        for name in NAMES
        for value in ("\0", "x", "9" * 30)
    ]

    assert failures(client_of, requests) == []


def test_no_filter_breaks_a_list_of_the_admin(client: Client, admin_user: User) -> None:
    client.raise_request_exception = False
    client.force_login(admin_user)
    requests = []
    for model in site._registry:
        options = model._meta
        address = f"/admin/{options.app_label}/{options.model_name}/"
        for field in options.get_fields():
            for lookup in LOOKUPS:
                requests += [
                    ("GET", f"{address}?{field.name}{lookup}={quote(value)}")
                    for value in ("", "[\0", "9" * 30)
                ]
        requests += [
            ("GET", f"{address}?{name}={quote(value)}")
            for name in ("q", "o", "p", "e", "all", "_popup", "_to_field", "_facets", "models")
            for value in ("\0", "x", "-1", "9" * 30)
        ]

    assert failures(client, requests) == []
    assert active_version.status().serving == ModelVersion.objects.get(is_active=True).name


def test_no_id_breaks_an_action_of_the_admin(client: Client, admin_user: User) -> None:
    client.raise_request_exception = False
    client.force_login(admin_user)

    for model in site._registry:
        address = f"/admin/{model._meta.app_label}/{model._meta.model_name}/"
        for value in ("x", "\0", "9" * 30):
            sent = {"action": "delete_selected", "index": "0", "_selected_action": value}
            response = client.post(address, sent)
            assert response.status_code < 500, (address, value)
