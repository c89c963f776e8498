"""What "Train now" says before it starts, and trainings that nobody has to start."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from recognizer.jobs import training_jobs, training_outlook
from recognizer.jobs.training_jobs import Kind, Options
from recognizer.models import JobStatus, ModelVersion, Prediction, TrainingJob
from recognizer.tests.support.insights import words
from recognizer.tests.support.reviewing import make_staff, prediction
from recognizer.tests.support.trained_versions import trained

pytestmark = [pytest.mark.django_db, pytest.mark.store]

ADD = "/admin/recognizer/trainingjob/add/"


@pytest.fixture
def training(client: Client) -> Client:
    """A browser in which somebody who may start trainings is logged in."""
    client.force_login(make_staff("trainer", "add_trainingjob"))
    return client


def label(n: int, digit: int, answer: int, **fields: Any) -> None:
    """Store n drawings of a digit, answered so."""
    Prediction.objects.bulk_create(
        prediction(answer, label=digit, **fields) for _number in range(n)
    )


def past(version: ModelVersion, *, seconds: float, ago: int, **options: object) -> TrainingJob:
    """Store a training that took so long, ``ago`` hours ago."""
    start = timezone.now() - timedelta(hours=ago)
    return TrainingJob.objects.create(
        status=JobStatus.SUCCEEDED, options=Options().to_json() | options, model_version=version,
        started_at=start, finished_at=start + timedelta(seconds=seconds),
    )  # fmt: skip


def page(client: Client, address: str = ADD) -> str:
    return words(client.get(address).content.decode())


def test_the_labels_are_counted_by_digit_and_the_new_ones_apart(training: Client) -> None:
    label(3, 7, 7, labelled_at=timezone.now() - timedelta(days=2))
    past(trained("first", labels=3, mistakes=1, before=2), seconds=100, ago=5)
    label(2, 7, 1)
    label(1, 4, 4)

    found = page(training)

    assert "Label 4 7 Drawings 1 5 New 1 2 One labelled drawing in five is held out" in found
    assert "The model’s answer to 2 of the 3 new drawings was wrong." in found


def test_without_labels_there_is_nothing_to_say(training: Client) -> None:
    found = page(training)

    assert "What it may bring" not in found
    assert "there is nothing to fine-tune on" in found


def test_the_time_is_estimated_from_past_trainings(training: Client) -> None:
    label(10, 3, 3)
    assert "Takes about 2 minutes on two idle cores." in page(training)

    version = trained("first", labels=80, mistakes=1, before=2, of=20)
    past(version, seconds=600, ago=9)
    # Other settings, or an interrupted one, say nothing about the next.
    past(version, seconds=9_000, ago=8, limit=50)
    past(version, seconds=9_000, ago=7, workers_lost=1)
    assert "Takes about 10 minutes, judging by the last training." in page(training)

    past(version, seconds=660, ago=6)
    past(version, seconds=720, ago=5)
    assert "Takes about 11 minutes, judging by the last 3 trainings." in page(training)


def test_more_labels_take_longer() -> None:
    few, more, many = (
        training_outlook.durations(labels)[Kind.FINE_TUNE].seconds
        for labels in (100, 1_500, 20_000)
    )

    assert few < more < many


def test_the_gain_comes_from_past_trainings_and_the_learning_curve(training: Client) -> None:
    label(900, 3, 3)
    trained("a", labels=100, mistakes=40, before=80)
    assert "Past trainings removed 50.0\u00a0% of the mistakes" in page(training)
    assert "The learning curve has 1 point: too few" in page(training)

    trained("b", labels=200, mistakes=28, before=40)
    trained("c", labels=400, mistakes=20, before=28)

    found = page(training)
    assert re.search(r"about \d+ of 1,000 held-out drawings would be misclassified", found), found


def test_a_curve_without_a_slope_promises_nothing(training: Client) -> None:
    label(10, 3, 3)
    for name, labels in (("a", 100), ("b", 200), ("c", 400)):
        trained(name, labels=labels, mistakes=20, before=20)

    assert "The learning curve shows no gain" in page(training)


@pytest.mark.parametrize(
    ("right", "wrong", "expected"), [(40, 10, True), (39, 10, False), (60, 4, False)]
)
def test_it_proposes_itself_if_enough_new_labels_contradict_the_model(
    training: Client, right: int, wrong: int, expected: bool
) -> None:
    label(right, 3, 3)
    label(wrong, 3, 8)

    for address in (ADD, "/admin/"):
        assert ("A training would probably help." in page(training, address)) is expected


def test_the_start_page_proposes_nothing_to_others_or_while_a_training_waits(
    training: Client, client: Client
) -> None:
    label(60, 3, 8)
    other = Client()
    other.force_login(make_staff("reviewer", "view_prediction", "label_prediction"))
    assert "would probably help" not in page(other, "/admin/")

    training_jobs.request(options=Options(), by=None)

    assert "would probably help" not in page(training, "/admin/")


def test_beside_many_labels_a_few_new_ones_are_not_worth_it() -> None:
    label(1_200, 3, 3, labelled_at=timezone.now() - timedelta(days=2))
    past(trained("first", labels=3, mistakes=1, before=2), seconds=100, ago=5)
    label(55, 3, 8)
    assert not training_outlook.outlook().is_worthwhile

    label(20, 3, 8)
    assert training_outlook.outlook().is_worthwhile


@pytest.mark.skipif(connection.vendor != "sqlite", reason="the plan is read as SQLite writes it")
def test_the_labels_are_counted_without_reading_their_rows() -> None:
    label(3, 3, 8)
    past(trained("first", labels=3, mistakes=1, before=2), seconds=100, ago=5)

    with CaptureQueriesContext(connection) as captured:
        training_outlook.outlook()

    plans = []
    for asked in captured.captured_queries:
        if 'FROM "recognizer_prediction"' in asked["sql"]:
            with connection.cursor() as cursor:
                cursor.execute("EXPLAIN QUERY PLAN " + asked["sql"])
                plans.append(" ".join(row[3] for row in cursor.fetchall()))
    assert len(plans) == 2
    assert all("USING COVERING INDEX" in plan for plan in plans), plans


# By itself ------------------------------------------------------------------------------------


def housekeeping() -> str:
    out = io.StringIO()
    call_command("housekeeping", stdout=out, stderr=out)
    return out.getvalue()


def test_housekeeping_requests_a_training_if_the_setting_is_on(
    settings: Settings, training: Client
) -> None:
    label(60, 3, 8)
    assert "training" not in housekeeping()
    assert not TrainingJob.objects.exists()

    settings.TRAIN_NIGHTLY = True
    assert "A training of the new labels was requested." in housekeeping()

    job = TrainingJob.objects.get()
    assert Options.from_json(job.options) == Options(
        Kind.FINE_TUNE, activate=True, without_suspects=True, nightly=True
    )
    shown = page(training, f"/admin/recognizer/trainingjob/{job.pk}/change/")
    assert "Requested by the setting TRAIN_NIGHTLY" in shown
    assert "the setting TRAIN_NIGHTLY" in page(training, "/admin/recognizer/trainingjob/")
    # The next night, while it still waits.
    assert "No training was requested: Another training is waiting or running." in housekeeping()


def test_housekeeping_does_not_train_again_on_the_same_labels(settings: Settings) -> None:
    settings.TRAIN_NIGHTLY = True
    label(60, 3, 8, labelled_at=timezone.now() - timedelta(days=1))
    past(trained("refused", labels=50, mistakes=5, before=4), seconds=100, ago=5)

    housekeeping()

    assert TrainingJob.objects.count() == 1


def test_a_deleted_account_is_not_taken_for_the_setting(training: Client) -> None:
    by = User.objects.create_user("gone")
    training_jobs.request(options=Options(), by=by)
    by.delete()

    assert "deleted account" in page(training, "/admin/recognizer/trainingjob/")
