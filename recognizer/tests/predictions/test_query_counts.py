"""How often one request asks the database, outside of the transaction that other tests run in."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from pytest_django import DjangoAssertNumQueries, Settings
from rest_framework.test import APIClient

from recognizer.tests.support.drawings import DrawDigit

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.store]

PREDICTIONS, PREVIEW = "/api/v1/predictions/", "/api/v1/preview/"


@pytest.mark.parametrize(
    ("address", "with_cookie", "queries"),
    [
        # The row.
        (PREDICTIONS, False, 1),
        # What is remembered, and the row.
        (PREDICTIONS, True, 2),
        (PREVIEW, False, 0),
        # What is remembered.
        (PREVIEW, True, 1),
    ],
)
def test_a_drawing_takes_few_queries(
    address: str,
    with_cookie: bool,
    queries: int,
    draw_digit: DrawDigit,
    data_url: Callable[[bytes], str],
    settings: Settings,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    settings.MODEL_RECHECK_SECONDS = 60
    settings.STORED_MB_PER_DAY = 50
    rates = dict.fromkeys(("anon", "user", "preview", "read"), "60/min")
    settings.REST_FRAMEWORK = {**settings.REST_FRAMEWORK, "DEFAULT_THROTTLE_RATES": rates}
    body = {"image": data_url(draw_digit(7))}
    visitor = APIClient()
    visitor.post(PREDICTIONS, body)

    with django_assert_num_queries(queries):
        sender = visitor if with_cookie else APIClient()
        assert sender.post(address, body).status_code in (200, 201)
