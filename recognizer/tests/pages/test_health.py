"""What a load balancer asks."""

from __future__ import annotations

import dataclasses

import pytest
from django.db import connection
from django.test import Client
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries, Settings

from recognizer.inference import classifier
from recognizer.models import ModelVersion, Worker
from recognizer.versions import active as active_version
from recognizer.versions import registry


def test_healthz_answers_without_the_database(client: Client) -> None:
    response = client.get("/healthz")

    assert (response.status_code, response.json()) == (200, {"status": "ok"})
    assert "no-store" in response["Cache-Control"]


@pytest.mark.django_db
def test_readyz_names_the_serving_model(client: Client) -> None:
    response = client.get("/readyz")

    name = ModelVersion.objects.get(is_active=True).name
    assert response.status_code == 200
    assert response.json() == {"status": "ok", "problem": None, "model": name}
    assert not response.cookies


@pytest.mark.django_db
def test_readyz_says_that_no_model_serves(client: Client) -> None:
    ModelVersion.objects.all().delete()

    response = client.get("/readyz")

    assert response.status_code == 503
    assert response.json()["status"] == "unavailable"
    assert "migrate" in response.json()["problem"]


@pytest.mark.django_db
def test_readyz_reports_a_version_that_does_not_load(client: Client) -> None:
    bundle = classifier.load_bundle(classifier.BUNDLED)
    registry.register_model(bundle=dataclasses.replace(bundle, name="broken"))
    active_version.current_version()
    ModelVersion.objects.filter(is_active=True).update(is_active=False)
    ModelVersion.objects.filter(name="broken").update(
        is_active=True, activated_at=timezone.now(), serving=b"junk"
    )

    response = client.get("/readyz")

    # An older model reads drawings all the same: taking the machine out would help nobody.
    assert response.status_code == 200
    body = response.json()
    assert (body["status"], body["model"]) == ("degraded", bundle.name)
    assert "broken does not load" in body["problem"]


@pytest.mark.django_db
def test_readyz_reports_that_the_database_does_not_answer(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    from django.db import OperationalError

    def refuse(*args: object, **kwargs: object) -> None:
        raise OperationalError("connection refused")

    monkeypatch.setattr(connection, "cursor", refuse)
    response = client.get("/readyz")
    monkeypatch.undo()

    assert response.status_code == 503
    assert response.json()["problem"] == "The database does not answer."


@pytest.mark.django_db
def test_readyz_is_cheap(
    client: Client, django_assert_num_queries: DjangoAssertNumQueries, settings: Settings
) -> None:
    settings.MODEL_RECHECK_SECONDS = 60
    client.get("/readyz")

    # A row is written and deleted in one transaction.
    with django_assert_num_queries(4):
        client.get("/readyz")
    assert not Worker.objects.exists()


@pytest.mark.parametrize("address", ["/healthz", "/readyz"])
def test_probes_only_read(client: Client, address: str) -> None:
    assert client.post(address).status_code == 405


@pytest.mark.django_db
@pytest.mark.parametrize("address", ["/healthz", "/readyz"])
@pytest.mark.parametrize("host", ["10.1.2.3:8000", "web:8000", "digit_web:8000", "[fd00::7]:8000"])
def test_probes_are_answered_by_any_name_and_not_sent_to_https(
    client: Client, settings: Settings, address: str, host: str
) -> None:
    settings.SECURE_SSL_REDIRECT = True
    settings.ALLOWED_HOSTS = ["digits.example"]

    assert client.get(address, headers={"Host": host}).status_code == 200
