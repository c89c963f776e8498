"""Which labels a version learned, and which drawings it unlearned, on its page."""

from __future__ import annotations

import re
import uuid
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from recognizer.jobs import heartbeat, regression_jobs
from recognizer.labelling import labels, learned
from recognizer.models import (
    ImportJob,
    JobStatus,
    LearnedLabels,
    ModelVersion,
    Prediction,
    RegressionJob,
    VersionAnswer,
    Via,
)
from recognizer.tests.support.insights import words
from recognizer.tests.support.reviewing import make_prediction, make_staff, make_version
from recognizer.tests.versions.test_comparison import candidate
from recognizer.transfer.importing import stored_batch

pytestmark = [pytest.mark.django_db, pytest.mark.store]

LIST = "/admin/recognizer/modelversion/"


@pytest.fixture
def staff(client: Client) -> Client:
    """A browser of somebody who sees versions and drawings and may start trainings."""
    client.force_login(
        make_staff("trainer", "view_modelversion", "view_prediction", "add_trainingjob")
    )
    return client


def page_of(version: ModelVersion) -> str:
    return f"{LIST}{version.pk}/change/"


def section(client: Client, version: ModelVersion, name: str) -> str:
    page = client.get(page_of(version)).content.decode()
    found = re.search(rf'aria-labelledby="{name}-title">(.*?)</section>', page, re.DOTALL)
    return words(found[1]) if found else ""


def taken(*rows: Prediction) -> dict[str, int]:
    found = Prediction.objects.filter(pk__in=[row.pk for row in rows]).values_list("pk", "label")
    return {str(pk): label for pk, label in found if label is not None}


# What it learned ------------------------------------------------------------------------------


def test_labels_are_counted_by_label_reviewer_and_import(staff: Client) -> None:
    ada, ben = (User.objects.create_user(name) for name in ("ada", "ben"))
    by_ada = [make_prediction(3) for _number in range(4)]
    by_ben, corrected = make_prediction(5), make_prediction(5)
    imported, before = make_prediction(7), make_prediction(7)
    job = ImportJob.objects.create(status=JobStatus.QUEUED, file_name="pack.zip")
    labels.label_predictions(predictions=[row.pk for row in by_ada], label=3, by=ada)
    labels.label_predictions(predictions=[by_ben.pk], label=5, by=ben)
    for row, batch in ((imported, job.pk), (before, stored_batch(job.pk)), (corrected, job.pk)):
        labels.label_predictions(predictions=[row.pk], label=7, by=ada, via=Via.IMPORT, batch=batch)
    # Somebody changed what was imported: it is that reviewer's label now.
    labels.label_predictions(predictions=[corrected.pk], label=5, by=ben)
    version = make_version("learned")
    given = taken(*by_ada, by_ben, corrected, imported, before)

    learned.record(version=version, given={**given, "a hash": 0}, held_out={str(by_ada[0].pk)})

    shown = section(staff, version, "learned")
    assert "Learned: 8 labels. Held out for the quality checks: 1." in shown
    assert "By label Label Learned Held out 0 1 0 3 3 1 5 2 0 7 2 0" in shown
    assert (
        "By reviewer Reviewer Learned Held out ada 3 1 ben 2 0 file or deleted account 1 0" in shown
    )
    assert "By import Import Learned Held out pack.zip 2 0" in shown


def test_the_counts_of_a_deleted_account_and_of_a_command_s_import_stay(staff: Client) -> None:
    ada = User.objects.create_user("ada")
    one, other = make_prediction(3), make_prediction(4)
    labels.label_predictions(predictions=[one.pk], label=3, by=ada)
    labels.label_predictions(
        predictions=[other.pk], label=4, by=None, via=Via.IMPORT, batch=uuid.uuid4()
    )
    version = make_version("learned")
    learned.record(version=version, given=taken(one, other), held_out=set())
    ada.delete()

    shown = section(staff, version, "learned")

    assert "file or deleted account 1 0" in shown
    assert re.search(r"Import Learned Held out command, \d+ \w+ \d{4}, \d\d:\d\d 1 0", shown)


def test_a_label_that_changed_during_the_training_counts_for_nobody() -> None:
    ada = User.objects.create_user("ada")
    row = make_prediction(3)
    labels.label_predictions(predictions=[row.pk], label=3, by=ada)
    version = make_version("learned")

    learned.record(version=version, given={str(row.pk): 8}, held_out=set())

    found = LearnedLabels.objects.get()
    assert (found.label, found.by, found.batch, found.n) == (8, None, None, 1)


def test_a_version_without_labels_says_nothing(staff: Client) -> None:
    assert section(staff, make_version("learned"), "learned") == ""


# What it unlearned ----------------------------------------------------------------------------


def answer(version: ModelVersion, row: Prediction, digit: int, verdict: str = "digit") -> None:
    VersionAnswer.objects.create(
        version=version, prediction=row, digit=digit, verdict=verdict, confidence=0.9
    )


def search(staff: Client, version: ModelVersion, before: ModelVersion) -> RegressionJob:
    response = staff.post(f"{LIST}{version.pk}/unlearned/", {"before": before.pk})
    assert response.status_code == 302
    return RegressionJob.objects.get()


def address(job: RegressionJob) -> str:
    return f"{LIST}unlearned/{job.pk}/"


def test_it_lists_what_only_the_version_before_recognises(staff: Client) -> None:
    before, after = ModelVersion.objects.get(is_active=True), candidate("after")
    kept, lost, gained, rejected, unlabelled = (
        make_prediction(digit, label=label, model_version=before)
        for digit, label in ((3, 3), (5, 5), (1, 7), (4, 4), (9, None))
    )
    for row, one, other in ((kept, 3, 3), (lost, 5, 6), (gained, 1, 7), (rejected, 4, 9)):
        answer(before, row, one)
        answer(after, row, other, "not_a_digit" if row == rejected else "digit")
    answer(before, unlabelled, 9)
    answer(after, unlabelled, 4)
    assert before.name in section(staff, after, "regressions")

    job = search(staff, after, before)
    assert "Waiting for a worker." in words(staff.get(address(job)).content.decode())
    regression_jobs.run.func(str(job.pk))

    page = staff.get(address(job)).content.decode()
    shown = words(page)
    assert "Labelled drawings, predicted by both 4 Unlearned 2 Learned 1" in shown
    assert "Label 4 5 7 Unlearned 1 1 0 Learned 0 0 1" in shown
    assert "5 → changed to 6 labelled 5" in shown
    assert "4 → changed to (9) labelled 4" in shown
    assert page.count("drawing-thumbnail") == 2
    assert f"/{lost.pk}/" in page
    assert f"/{gained.pk}/" not in page
    assert "2 drawings unlearned" in section(staff, after, "regressions")


def test_versions_predict_what_they_have_not_predicted_yet(staff: Client) -> None:
    before, after = ModelVersion.objects.get(is_active=True), candidate("strict", not_a_digit=1.1)
    row = make_prediction(8, label=10, verdict="not_a_digit", model_version=make_version("older"))
    make_prediction(3, model_version=before)

    job = search(staff, after, before)
    regression_jobs.run.func(str(job.pk))

    job.refresh_from_db()
    assert job.status == JobStatus.SUCCEEDED
    answers = VersionAnswer.objects.filter(prediction=row)
    assert set(answers.values_list("version__name", flat=True)) == {
        "older", before.name, "strict",
    }  # fmt: skip
    # Nobody asked about drawings without a label.
    assert not VersionAnswer.objects.exclude(prediction=row).exists()
    assert job.result["labelled"] == 1


def test_a_version_that_does_not_load_says_so(staff: Client) -> None:
    before, broken = ModelVersion.objects.get(is_active=True), make_version("broken")
    make_prediction(3, label=3, model_version=before)

    job = search(staff, broken, before)
    regression_jobs.run.func(str(job.pk))

    assert (
        "The model version broken can&#x27;t be loaded" in staff.get(address(job)).content.decode()
    )


def test_a_search_is_cancelled_and_not_started_twice(staff: Client) -> None:
    before, after = ModelVersion.objects.get(is_active=True), make_version("after")
    job = search(staff, after, before)

    again = staff.post(f"{LIST}{after.pk}/unlearned/", {"before": before.pk}, follow=True)
    assert "This search is waiting or running already." in again.content.decode()
    staff.post(f"{address(job)}cancel/")
    regression_jobs.run.func(str(job.pk))

    assert staff.get(f"{address(job)}status/").json()["status"] == "cancelled"
    same = staff.post(f"{LIST}{after.pk}/unlearned/", {"before": after.pk}, follow=True)
    assert "Choose two different versions." in same.content.decode()


def test_a_worker_that_was_killed_leaves_no_search_running(staff: Client) -> None:
    before, after = ModelVersion.objects.get(is_active=True), make_version("after")
    job = search(staff, after, before)
    regression_jobs.begin(job_id=job.pk)
    RegressionJob.objects.update(heartbeat_at=job.created_at.replace(year=2020))

    heartbeat.beat(name="another", place="here")

    assert "interrupted" in words(staff.get(address(job)).content.decode())


@pytest.mark.parametrize("chosen", ["", "x", "999999999999999999999", "0"])
def test_an_unknown_version_is_not_found(staff: Client, chosen: str) -> None:
    version = make_version("after")

    response = staff.post(f"{LIST}{version.pk}/unlearned/", {"before": chosen})

    assert response.status_code == 404


@pytest.mark.parametrize(
    ("permissions", "may_see", "may_start"),
    [
        (("view_modelversion",), False, False),
        (("view_modelversion", "view_prediction"), True, False),
        (("view_prediction", "add_trainingjob"), False, False),
    ],
)
def test_it_takes_permissions(
    client: Client, permissions: Any, may_see: bool, may_start: bool
) -> None:
    client.force_login(make_staff("one", *permissions))
    before, after = ModelVersion.objects.get(is_active=True), make_version("after")
    job = RegressionJob.objects.create(
        version=after, before=before, status=JobStatus.FAILED, finished_at=before.created_at
    )

    assert (client.get(address(job)).status_code == 200) is may_see
    started = client.post(f"{LIST}{after.pk}/unlearned/", {"before": before.pk})
    assert (started.status_code == 302) is may_start
