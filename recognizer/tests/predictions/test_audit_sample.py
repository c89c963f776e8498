"""The random audit sample: no visitor can choose to be in it."""

from __future__ import annotations

import uuid

import pytest

from recognizer.models import Owner, Prediction
from recognizer.predictions import recognition
from recognizer.predictions.idempotency import IdempotencyKey
from recognizer.tests.support.drawings import DrawDigit

pytestmark = pytest.mark.django_db


def test_the_same_id_is_not_always_in_the_sample(draw_digit: DrawDigit) -> None:
    owner = Owner(visitor=uuid.uuid4())
    sampled = set()
    # The same idempotency key gives the same id again. 1 in 20: 400 misses are one in 10^9.
    for _ in range(400):
        key = IdempotencyKey("mine", owner)
        row = recognition.recognise(data=draw_digit(), source="api", owner=owner, key=key)
        sampled.add(row.audit_key is not None)
        Prediction.objects.all().delete()
        if sampled == {True, False}:
            break

    assert sampled == {True, False}
