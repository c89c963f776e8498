"""The admin's start page: the way from review to the active model."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client
from django.utils import timezone

from recognizer.jobs import training_jobs
from recognizer.labelling import labels, queue_orders
from recognizer.models import JobStatus, ModelVersion, Prediction, TrainingJob
from recognizer.tests.support.reviewing import make_prediction, prediction

pytestmark = pytest.mark.django_db

HOME = "/admin/"


def loop(browser: Client) -> dict[str, str]:
    """The steps on the start page: text to address."""
    page = browser.get(HOME).content.decode()
    found = re.search(r'<nav class="learning-loop".*?</nav>', page, re.DOTALL)
    if found is None:
        return {}
    links = re.findall(r'<a href="([^"]*)">([^<]*)</a>', found[0])
    return {unescape(text): unescape(address) for address, text in links}


def test_an_admin_sees_every_step_and_each_opens(admin_client: Client, admin_user: User) -> None:
    make_prediction(3)
    make_prediction(4, audit_key=0.5)
    labels.label_predictions(predictions=[make_prediction(5).pk], label=5, by=admin_user)
    active = ModelVersion.objects.get(is_active=True)

    steps = loop(admin_client)

    assert list(steps) == ["2 to review", "1 new label", "train", f"{active} active"]
    for address in steps.values():
        assert admin_client.get(address).status_code == 200


def test_labels_of_before_the_last_training_are_not_new(
    admin_client: Client, admin_user: User
) -> None:
    old, new = make_prediction(3), make_prediction(4)
    labels.label_predictions(predictions=[old.pk, new.pk], label=3, by=admin_user)
    now = timezone.now()
    Prediction.objects.filter(pk=old.pk).update(labelled_at=now - timedelta(hours=2))
    TrainingJob.objects.create(
        status=JobStatus.SUCCEEDED,
        started_at=now - timedelta(hours=1),
        finished_at=now,
        heartbeat_at=now,
        options=training_jobs.Options().to_json(),
    )

    address = loop(admin_client)["1 new label"]

    page = admin_client.get(address).content.decode()
    assert str(new.pk) in page
    assert str(old.pk) not in page


def test_a_running_training_is_the_step(admin_client: Client) -> None:
    job = training_jobs.request(options=training_jobs.Options(), by=None)

    assert str(job.pk) in loop(admin_client)["training"]


def test_a_reviewer_sees_the_steps_that_a_reviewer_may_open(reviewing: Client) -> None:
    assert list(loop(reviewing)) == ["0 to review", "0 new labels"]


def test_counts_stop_at_a_limit(
    admin_client: Client, monkeypatch: pytest.MonkeyPatch, django_assert_max_num_queries: Any
) -> None:
    monkeypatch.setattr(queue_orders, "COUNT_LIMIT", 5)
    Prediction.objects.bulk_create(prediction(3) for _row in range(7))

    with django_assert_max_num_queries(18) as found:
        steps = loop(admin_client)

    assert "5+ to review" in steps
    counts = [each["sql"] for each in found.captured_queries if "COUNT(" in each["sql"]]
    assert counts
    assert all("LIMIT 6" in sql or "LIMIT 51" in sql for sql in counts if "prediction" in sql)
