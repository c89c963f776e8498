"""`housekeeping` deletes what has expired, and the database gives the space back."""

from __future__ import annotations

import io
import os
from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.contrib.sessions.models import Session
from django.core.management import call_command
from django.db import connection
from django.utils import timezone
from django_tasks import TaskResultStatus
from django_tasks_db.models import DBTaskResult
from pytest_django import Settings

from recognizer.models import Prediction, ReviewClaim, ReviewSkip
from recognizer.tests.support.reviewing import make_prediction, prediction

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.store]


def run(command: str = "housekeeping", *options: str) -> str:
    out = io.StringIO()
    call_command(command, *options, stdout=out)
    return out.getvalue()


def test_it_deletes_what_has_expired_and_nothing_else(reviewer: User, settings: Settings) -> None:
    settings.ANONYMOUS_DRAWINGS_KEPT_DAYS = 180
    now = timezone.now()
    old, new = now - timedelta(days=200), now + timedelta(hours=1)
    make_prediction(3, created_at=old)
    kept = [make_prediction(3), make_prediction(3, created_at=old, label=3)]
    for moment in (old, new):
        Session.objects.create(session_key=f"key-{moment.year}{moment.day}", expire_date=moment)
    ReviewClaim.objects.create(prediction=kept[0], reviewer=reviewer, page=uuid4(), expires_at=old)
    ReviewSkip.objects.create(prediction=kept[1], reviewer=reviewer, expires_at=new)
    for finished in (old, now):
        DBTaskResult.objects.create(
            task_path="training.tasks.train", queue_name="default", backend_name="default",
            args_kwargs={"args": [], "kwargs": {}}, exception_class_path="", traceback="",
            status=TaskResultStatus.SUCCESSFUL, finished_at=finished,
        )  # fmt: skip

    out = run()

    assert set(Prediction.objects.values_list("pk", flat=True)) == {each.pk for each in kept}
    assert Session.objects.get().expire_date == new
    assert not ReviewClaim.objects.exists()
    assert ReviewSkip.objects.count() == 1
    assert DBTaskResult.objects.get().finished_at == now
    assert "Labels: 1 checked, 0 look wrong." in out
    assert "Expired sessions: 1 deleted." in out
    assert "Expired claims and skips of the review queue: 1 deleted." in out


def test_it_says_that_drawings_are_kept_if_no_setting_limits_their_age(settings: Settings) -> None:
    settings.DRAWINGS_KEPT_DAYS = settings.ANONYMOUS_DRAWINGS_KEPT_DAYS = 0
    row = make_prediction(3, created_at=timezone.now() - timedelta(days=4000))

    assert "Drawings are kept forever." in run()
    assert Prediction.objects.filter(pk=row.pk).exists()


def _size() -> int:
    return os.path.getsize(connection.settings_dict["NAME"])


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL keeps the space for new rows")
def test_a_purge_makes_the_file_smaller_the_first_time_and_every_later_time() -> None:
    old = timezone.now() - timedelta(days=40)
    for _time in range(2):
        Prediction.objects.bulk_create(
            prediction(3, image=os.urandom(20_000), created_at=old) for _row in range(150)
        )
        make_prediction(4)
        connection.cursor().execute("PRAGMA wal_checkpoint(TRUNCATE)")
        full = _size()

        out = run("purge_predictions", "--older-than", "30")

        assert "150 deleted" in out
        assert "The database is 3 MB smaller." in out
        assert full - _size() > 2_500_000
        with connection.cursor() as cursor:
            cursor.execute("PRAGMA auto_vacuum")
            assert cursor.fetchone() == (2,)
