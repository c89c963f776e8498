"""The lists of the admin on a small desktop: no column is cut off."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.utils import timezone
from playwright.sync_api import expect
from pytest_django.live_server_helper import LiveServer

from recognizer.jobs.training_jobs import Options
from recognizer.labelling import labels, notes
from recognizer.models import ApiToken, ImportFile, ImportJob, JobStatus, Prediction, TrainingJob
from recognizer.tests.browser.conftest import listen
from recognizer.tests.support.reviewing import NOT_A_DIGIT, make_prediction, make_version

pytestmark = pytest.mark.django_db(transaction=True)

LISTS = {
    "predictions": "recognizer/prediction/",
    "versions": "recognizer/modelversion/",
    "trainings": "recognizer/trainingjob/",
    "imports": "recognizer/importjob/",
    "label history": "recognizer/labelevent/",
    "tokens": "recognizer/apitoken/",
    "users": "auth/user/",
    "groups": "auth/group/",
}


def fill_the_lists(person: User) -> None:
    """Store rows with long values."""
    now = timezone.now() - timedelta(days=40)
    version = make_version("20261127-201548-fine-tune", created_at=now)
    rows = [
        make_prediction(
            7,
            verdict=verdict,
            suggestion=NOT_A_DIGIT,
            model_version=version,
            confidence=0.9876,
            personal_digit=1,
            personal_confidence=0.9,
            personal_probabilities=[0.9] + [0.1 / 9] * 9,
            personal_verdict="not_a_digit",
            created_at=now,
        )
        for verdict in ("digit", "uncertain", "not_a_digit")
    ]
    labels.label_predictions(predictions=[row.pk for row in rows[:2]], label=NOT_A_DIGIT, by=person)
    notes.set_note(prediction_id=rows[0].pk, text="1 or 7?", is_flagged=True, by=person)
    TrainingJob.objects.create(
        status=JobStatus.SUCCEEDED, requested_by=person, options=Options().to_json(),
        started_at=now, finished_at=now, model_version=version,
    )  # fmt: skip
    file = ImportFile.objects.create(name="x.json", content=b"[]")
    ImportJob.objects.create(
        pk=file.pk, file=file, file_name="labelled-drawings-of-last-november.parquet",
        status=JobStatus.FAILED, finished_at=now, requested_by=person,
    )  # fmt: skip
    ApiToken.objects.create(
        user=person, name="the export of every night", scopes=["predict", "read", "review"],
        key_sha256="0" * 64, last_used_at=now, expires_at=now,
    )  # fmt: skip


@pytest.fixture
def admin(admin_user: User) -> User:
    User.objects.filter(pk=admin_user.pk).update(
        username="ada.lovelace@example.org", first_name="Augusta Ada", last_name="Lovelace"
    )
    admin_user.refresh_from_db()
    return admin_user


def test_no_column_of_a_list_is_cut_off(
    new_context: Any, live_server: LiveServer, log_in: Any, complaints: list[str], admin: User
) -> None:
    fill_the_lists(admin)
    assert Prediction.objects.count() == 3
    context = new_context(viewport={"width": 1280, "height": 800})
    listen(context, complaints)
    log_in(context, admin)
    page = context.new_page()
    cut = {}
    for name, path in LISTS.items():
        page.goto(f"{live_server.url}/admin/{path}")
        results = page.locator("#changelist .results")
        expect(results).to_be_visible()
        hidden = results.evaluate("(element) => element.scrollWidth - element.clientWidth")
        wide = page.evaluate("document.documentElement.scrollWidth - innerWidth")
        if hidden > 0 or wide > 0:
            cut[name] = (hidden, wide)

    assert cut == {}
