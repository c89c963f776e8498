"""The network's embedding, stored with each drawing: correct, small, read only where needed."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.exceptions import ValidationError
from django.core.management import call_command
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from numpy.typing import NDArray
from rest_framework.test import APIClient

from recognizer import imaging
from recognizer.inference import classifier, embeddings
from recognizer.models import Prediction
from recognizer.predictions import selectors
from recognizer.tests.support.drawings import DrawDigit, digit_png
from recognizer.tests.support.reviewing import LIST, make_prediction

pytestmark = pytest.mark.store

URL = "/api/v1/predictions/"
KEPT = b"\x00\x3c" * 96
"""Ninety-six ones: numbers that no network gave."""


@pytest.fixture(scope="module")
def bundled() -> classifier.Classifier:
    return classifier.Classifier(classifier.load_bundle(classifier.BUNDLED))


def embedding_of(png: bytes, bundled: classifier.Classifier) -> NDArray[np.float32]:
    return bundled.classify(imaging.model_input(imaging.read_drawing(png))).embedding


@pytest.mark.django_db
@pytest.mark.parametrize("digit", [0, 4, 8])
def test_a_drawing_is_stored_with_the_networks_embedding(
    api: APIClient,
    draw_digit: DrawDigit,
    data_url: Callable[[bytes], str],
    bundled: classifier.Classifier,
    digit: int,
) -> None:
    png = draw_digit(digit)

    api.post(URL, {"image": data_url(png)})

    row = Prediction.objects.get()
    kept, given = row.embedding_vector, embedding_of(png, bundled)
    assert kept is not None
    assert kept.dtype == np.float32
    assert kept.shape == given.shape
    assert len(bytes(row.embedding or b"")) == 2 * given.size
    assert np.linalg.norm(kept) == pytest.approx(1, abs=1e-6)
    np.testing.assert_allclose(kept, given, atol=5e-4)


def test_drawings_of_one_digit_are_nearer_than_those_of_others(
    bundled: classifier.Classifier,
) -> None:
    digits = np.repeat(np.arange(10), 4)
    pictures = [digit_png(int(digit), seed=seed) for seed, digit in enumerate(digits)]
    packed = [embeddings.pack(embedding_of(png, bundled)) for png in pictures]
    kept = np.stack([embeddings.unpack(each) for each in packed if each is not None])
    cosine = kept @ kept.T
    same = digits[:, None] == digits
    others = ~np.eye(len(digits), dtype=bool)

    assert cosine[same & others].mean() > cosine[~same].mean() + 0.3
    nearest = np.where(others, cosine, -2).argmax(1)
    assert (digits[nearest] == digits).mean() >= 0.9


def test_an_embedding_without_direction_is_not_stored() -> None:
    assert embeddings.pack(np.zeros(96, np.float32)) is None
    assert embeddings.pack(np.full(96, np.nan, np.float32)) is None


@pytest.mark.django_db
@pytest.mark.parametrize("length", [0, 1, 126, 127, 129, 258])
def test_the_database_rejects_invalid_embeddings(length: int) -> None:
    row = make_prediction()

    with pytest.raises(IntegrityError), transaction.atomic():
        Prediction.objects.filter(pk=row.pk).update(embedding=KEPT[:1] * length)


@pytest.mark.django_db
@pytest.mark.parametrize("length", [128, 192, 256])
def test_the_database_accepts_embeddings_of_other_versions(length: int) -> None:
    row = make_prediction(embedding=b"\x00\x3c" * (length // 2))

    row.refresh_from_db()
    row.full_clean()
    assert row.embedding_vector is not None
    assert row.embedding_vector.shape == (length // 2,)


@pytest.mark.django_db
@pytest.mark.parametrize("stored", [b"\x00\x3c", bytes(192), b"\x00\x7e" * 96, "text"], ids=repr)
def test_a_row_is_checked_before_it_is_saved(stored: object) -> None:
    row = make_prediction()
    row.embedding = stored

    with pytest.raises(ValidationError) as refused:
        row.clean_fields()
    assert set(refused.value.message_dict) == {"embedding"}


def test_a_model_whose_embedding_would_not_fit_is_refused(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(embeddings, "MAX_LENGTH", 65)

    with pytest.raises(classifier.BundleError, match="embedding has 96 numbers, not 64 to 65"):
        classifier.Classifier(classifier.load_bundle(classifier.BUNDLED))


@pytest.mark.django_db
@pytest.mark.parametrize("embedding", [None, KEPT], ids=["of before", "kept"])
def test_every_page_works_and_none_loads_it(
    admin_user: User, tmp_path: Path, embedding: bytes | None
) -> None:
    row = make_prediction(4, user=admin_user, label=9, embedding=embedding)
    client = Client()
    client.force_login(admin_user)
    addresses = ["/", f"/?prediction={row.pk}", URL, f"{URL}{row.pk}/", f"{URL}{row.pk}/image/"]
    addresses += [LIST, f"{LIST}{row.pk}/change/", f"{LIST}{row.pk}/thumbnail.png"]

    with CaptureQueriesContext(connection) as queries:
        pages = [client.get(address) for address in addresses]
        assert [drawing.pk for drawing in selectors.labelled_drawings()] == [row.pk]
        for suffix in ("npz", "csv", ""):
            call_command("export_drawings", str(tmp_path / f"drawings.{suffix}".strip(".")))

    assert [page.status_code for page in pages] == [200] * len(pages)
    assert "embedding" not in client.get(f"{URL}{row.pk}/").json()
    assert not any('"embedding"' in query["sql"] for query in queries.captured_queries)
    row.refresh_from_db()
    assert (row.embedding_vector is None) == (embedding is None)


def test_the_bytes_are_the_same_on_every_machine() -> None:
    first = embeddings.pack(np.eye(1, 64, dtype=np.float32)[0])

    assert first == b"\x00\x3c" + bytes(126)
