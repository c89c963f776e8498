"""Drift: the newest drawings compared with the validation data and with a version's first ones."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import numpy as np
import pytest
from django.test import Client
from django.utils import timezone

from recognizer.inference import embeddings
from recognizer.models import ModelVersion, Prediction
from recognizer.tests.support.insights import section, table
from recognizer.tests.support.reviewing import make_version, prediction

pytestmark = pytest.mark.django_db

CARD = {
    "metrics": {
        "mnist validation": {"n": 5000, "accuracy": 0.99, "refused": 0.007},
        "pen validation": {"n": 500, "accuracy": 0.99, "refused": 0.0},
        "non-digits": {"n": 2000, "refused": 0.98},
    }
}


@pytest.fixture
def version() -> ModelVersion:
    """Return a version that has been active for a month."""
    ModelVersion.objects.update(is_active=False)
    return make_version(
        "drifting", card=CARD, is_active=True, activated_at=timezone.now() - timedelta(days=30)
    )


def store(
    version: ModelVersion, n: int, days_ago: float, *, noise: float = 0.3, **fields: Any
) -> None:
    """Store n drawings, a tenth of each digit, their embeddings around ten directions."""
    rng = np.random.default_rng(n)
    centres = np.eye(10, 64, dtype=np.float32)
    now = timezone.now()
    rows = []
    for number in range(n):
        vector = centres[number % 10] + rng.normal(0, noise / 8, 64).astype(np.float32)
        given = {"confidence": 0.9 + 0.001 * (number % 50), **fields}
        rows.append(
            prediction(
                number % 10,
                model_version=version,
                embedding=embeddings.pack(vector),
                created_at=now - timedelta(days=days_ago, seconds=number),
                **given,
            )
        )
    Prediction.objects.bulk_create(rows)


def test_drawings_like_the_first_ones_are_inside_every_interval(
    reviewing: Client, version: ModelVersion
) -> None:
    store(version, 150, days_ago=20)
    store(version, 200, days_ago=1)

    words = section(reviewing, "drift")
    rows = table(reviewing, "drift")

    assert "The newest drawings of version drifting in the last 7 days: 200." in words
    assert "They are like those that it is compared with." in words
    assert rows["Rejected"][0] == "0.0\u00a0%"
    assert rows["Rejected"][2] == "validation data of this version"
    assert rows["Mean confidence"][2] == "first drawings of this version"
    assert rows["Distance of the embedding"][2] == "first drawings of this version"


def test_each_figure_that_leaves_its_interval_gets_a_sentence(
    reviewing: Client, version: ModelVersion
) -> None:
    store(version, 150, days_ago=20)
    store(version, 200, days_ago=1, confidence=0.6, verdict="not_a_digit", noise=2.0)

    words = section(reviewing, "drift")

    assert "More drawings are rejected than expected" in words
    assert "The model is less confident than expected" in words
    assert "The drawings are less like those that this version saw first" in words
    assert "They are like" not in words


def test_the_card_gives_the_confidence_if_it_has_it(
    reviewing: Client, version: ModelVersion
) -> None:
    version.card = {"metrics": {"pen validation": {"n": 500, "accuracy": 1.0, "confidence": 0.92}}}
    version.save()
    store(version, 200, days_ago=1)

    rows = table(reviewing, "drift")

    assert rows["Mean confidence"][2] == "validation data of this version"
    # The card says nothing of rejections, and there are no older drawings yet.
    assert rows["Rejected"][1:] == ["–", "–"]
    assert "once this version has 100 drawings that are older than 7 days" in section(
        reviewing, "drift"
    )


def test_too_few_drawings_give_no_figure(reviewing: Client, version: ModelVersion) -> None:
    store(version, 99, days_ago=1)
    store(version, 50, days_ago=1.5, source="import")

    assert "A comparison needs 100 drawings" in section(reviewing, "drift")
