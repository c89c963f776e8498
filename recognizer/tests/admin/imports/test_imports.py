"""Imports in the admin: upload, preview, background job, undo."""

from __future__ import annotations

import io
import json
import re
import tempfile
import zipfile
from collections.abc import Callable, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import timezone
from django_tasks_db.models import DBTaskResult

from recognizer.jobs import heartbeat, import_jobs, states
from recognizer.jobs.progress import CountedProgress
from recognizer.labelling import labels
from recognizer.models import (
    ImportFile,
    ImportJob,
    JobStatus,
    LabelEvent,
    ModelVersion,
    Prediction,
    Via,
)
from recognizer.tests.support.exporting import store
from recognizer.tests.support.reviewing import drawing, make_staff
from recognizer.tests.transfer.test_foreign_files import annotation, data_uri
from recognizer.transfer import import_task, importing
from recognizer.transfer.plausibility import LabelCheck

pytestmark = [pytest.mark.django_db, pytest.mark.store]

LIST = "/admin/recognizer/importjob/"
ADD = LIST + "add/"
CASES = Path(__file__).parents[2] / "transfer" / "cases"


@pytest.fixture
def importer() -> User:
    """A member of staff who may import, and nothing else."""
    return make_staff("importer", "add_importjob")


@pytest.fixture
def admin(client: Client, importer: User) -> Client:
    """A browser in which the importer is logged in."""
    client.force_login(importer)
    return client


def zipped(digits: Sequence[int], labels: Sequence[object] | None = None) -> bytes:
    """A zip file of drawings in folders of labels."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for number, (digit, label) in enumerate(zip(digits, labels or digits, strict=True)):
            archive.writestr(f"{label}/{number}.png", drawing(digit, seed=number))
    return buffer.getvalue()


def upload(admin: Client, content: bytes, name: str = "drawings.zip") -> str:
    """Upload a file; return the address of its preview."""
    response = admin.post(ADD, {"file": SimpleUploadedFile(name, content)})
    assert response.status_code == 302
    return str(response["Location"])


def page(admin: Client, address: str, data: dict[str, Any] | None = None) -> str:
    """The text of a page: opened, or posted to."""
    response = admin.get(address) if data is None else admin.post(address, data, follow=True)
    assert response.status_code == 200
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", response.content.decode()))


def start(admin: Client, content: bytes, name: str = "drawings.zip", **options: str) -> ImportJob:
    """Upload a file and press "Import"; the job waits for a worker."""
    admin.post(upload(admin, content, name), {"import": "Import", **options})
    return ImportJob.objects.latest("created_at")


def work(job: ImportJob) -> ImportJob:
    """Do what a worker does."""
    import_task.run.func(str(job.pk))
    job.refresh_from_db()
    return job


# Upload and preview -----------------------------------------------------------------------------


def test_the_preview_shows_what_is_in_a_file(admin: Client) -> None:
    store(3, label=8, seed=0)
    found = page(admin, upload(admin, zipped([3, 1, 5, 8, 4])))

    assert "Format png" in found
    assert "Drawings 5 Already stored 1 Conflicting labels 1" in found
    assert "Labels that agree with the model 4 of 4" in found
    for digit in (1, 5, 8, 4):
        assert f"Label: {digit} Predicted: {digit}" in found
    assert Prediction.objects.count() == 1
    assert not ImportJob.objects.exists()


def test_twenty_drawings_of_many_are_shown(admin: Client) -> None:
    address = upload(admin, zipped([digit for digit in range(10) for _ in range(4)]))

    content = admin.get(address).content.decode()

    assert content.count('src="data:image/png;base64,') == 20
    assert {*re.findall(r"Label: (\d)", content)} == {*"0123456789"}


def test_only_the_first_drawings_are_looked_at(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_task, "LOOKED_AT", 3)

    assert "Drawings looked at, the first ones 3" in page(admin, upload(admin, zipped([*range(9)])))


def test_labels_that_contradict_the_model_are_not_imported(admin: Client) -> None:
    address = upload(admin, zipped([3, 7, 5, 0], [3, 3, 3, 3]))

    found = page(admin, address)

    assert "Only 1 of 4 labels agree" in found
    assert "may be the number of a project" in found
    assert "3/1.png: labelled 3, predicted as 7" in found
    assert 'name="import"' not in admin.get(address).content.decode()

    assert "Only 1 of 4" not in page(admin, address, {"as_is": "on"})
    job = start(admin, zipped([3, 7, 5, 0], [3, 3, 3, 3]), as_is="on")
    assert work(job).status == JobStatus.SUCCEEDED
    assert Prediction.objects.filter(label=3).count() == 4


def test_the_whole_file_is_checked_by_the_job(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_task, "LOOKED_AT", 1)
    job = start(admin, zipped([3, 7, 5, 0], [3, 3, 3, 3]))

    work(job)

    assert job.status == JobStatus.FAILED
    assert "Only 1 of 4 labels agree" in page(admin, f"{LIST}{job.pk}/change/")
    assert not Prediction.objects.exists()
    # It can be looked at again.
    assert job.file is not None
    assert "Only 1 of 4" not in page(admin, f"{LIST}{job.file.pk}/preview/", {"as_is": "on"})


def test_transposed_images_and_other_columns_are_offered(admin: Client) -> None:
    name = "transposed_emnist-digits-train-{}-ubyte.gz"
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for part in ("images-idx3", "labels-idx1"):
            archive.write(CASES / "emnist" / name.format(part), name.format(part))
    address = upload(admin, buffer.getvalue())
    assert "swap rows and columns below" in page(admin, address)
    assert "Labels that agree with the model 40 of 40" in page(admin, address, {"transpose": "on"})

    table = (CASES / "csv" / "load_digits-0-16-label-last.csv").read_bytes()
    address = upload(admin, table, "x.csv")
    assert "enter “last” as the column of the labels" in page(admin, address)
    assert "agree with the model 19 of 20" in page(admin, address, {"label_column": "last"})


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"Three one four", "none of the supported formats"),
        (zipped([3])[:-30], "can't be read"),
        (b"[{]", "words.txt is invalid or incomplete JSON"),
    ],
)
def test_what_can_not_be_read_is_refused(admin: Client, content: bytes, said: str) -> None:
    found = page(admin, upload(admin, content, "words.txt"))

    assert said in found.replace("&#x27;", "'")
    assert tempfile.gettempdir() not in found


def test_files_that_are_empty_or_too_large_are_refused(
    admin: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_task, "MAX_UPLOAD", 1 << 20)
    for content, said in ((b"", "empty"), (bytes((1 << 20) + 1), "larger than 1 MB")):
        found = page(admin, ADD, {"file": SimpleUploadedFile("x.zip", content)})
        assert said in found
    assert "required" in page(admin, ADD, {})
    assert not ImportFile.objects.exists()


@pytest.mark.parametrize("name", ["..", "../../x.zip", "/etc/x.zip", "x" * 190 + ".zip"])
def test_the_name_of_a_file_leads_nowhere(importer: User, name: str) -> None:
    file = import_task.upload(name=name, content=zipped([3]), by=importer)

    assert import_task.preview(file=file, options=importing.Options()).format == "png"


def test_old_files_are_deleted(importer: User, admin: Client) -> None:
    old = import_task.upload(name="a.zip", content=zipped([3]), by=importer)
    waiting = start(admin, zipped([5]))
    ImportFile.objects.update(uploaded_at=timezone.now() - timedelta(days=2))

    new = import_task.upload(name="b.zip", content=zipped([4]), by=importer)

    assert {*ImportFile.objects.values_list("pk", flat=True)} == {new.pk, waiting.file_id}
    assert old.pk != new.pk


def test_without_a_model_nothing_can_be_imported(admin: Client) -> None:
    from recognizer.versions import active as active_version

    ModelVersion.objects.update(is_active=False)
    active_version.forget()

    assert "No model version is active" in page(admin, upload(admin, zipped([3])))


# The job ----------------------------------------------------------------------------------------


def test_a_worker_imports_the_file(admin: Client, importer: User) -> None:
    unlabelled = store(4, seed=1)
    task = {"data": {"image": data_uri(8)}, "annotations": [annotation("8"), annotation("3")]}
    buffer = io.BytesIO(zipped([3, 4, 5]))
    job = start(admin, buffer.getvalue())
    assert "Waiting for a worker." in page(admin, f"{LIST}{job.pk}/change/")

    work(job)

    assert (job.status, job.error, job.file) == (JobStatus.SUCCEEDED, "", None)
    assert not ImportFile.objects.exists()
    unlabelled.refresh_from_db()
    assert (unlabelled.label, unlabelled.labelled_by) == (4, importer)
    assert Prediction.objects.filter(labelled_by=importer, source="import").count() == 2
    found = page(admin, f"{LIST}{job.pk}/change/")
    assert "Digits imported 2" in found
    assert "Stored before without a label, now labelled 1" in found
    assert "Drawings: 2." in page(admin, LIST)

    job = work(start(admin, json.dumps([task]).encode(), "x.json"))
    found = page(admin, f"{LIST}{job.pk}/change/")
    assert "Imported without a label: the annotators don’t agree 1" in found


def test_the_status_of_a_job(admin: Client, importer: User) -> None:
    job = start(admin, zipped([3, 4]))
    heartbeat.beat(name="one", place="here")
    address = f"{LIST}{job.pk}/status/"
    assert admin.get(address).json()["phase"] == "Waiting for a worker."

    import_jobs.begin(job_id=job.pk)
    import_jobs.report(
        job_id=job.pk,
        progress=CountedProgress(step="Reading", done=3, total=4),
        log="3/x.png: blank.\n",
    )

    found = admin.get(address).json()
    assert (found["phase"], found["percent"], found["done"]) == ("Reading the file.", 75, "3")
    assert (found["log"], found["is_unfinished"]) == ("3/x.png: blank.\n", True)


def test_a_waiting_job_is_cancelled_and_never_starts(admin: Client) -> None:
    job = start(admin, zipped([3]))

    assert "Nothing was imported." in page(admin, f"{LIST}{job.pk}/cancel/", {})

    assert work(job).status == JobStatus.CANCELLED
    assert not Prediction.objects.exists()
    assert "already ended" in page(admin, f"{LIST}{job.pk}/cancel/", {})


def test_a_running_job_is_cancelled(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between reading and storing."""
    job = start(admin, zipped([3, 4]))
    check = LabelCheck.finding

    def cancel(*args: Any) -> Any:
        import_jobs.cancel(job_id=job.pk)
        return check(*args)

    monkeypatch.setattr(LabelCheck, "finding", cancel)

    assert work(job).status == JobStatus.CANCELLED
    assert not Prediction.objects.exists()


def test_a_job_whose_worker_was_killed_is_interrupted(admin: Client) -> None:
    job = start(admin, zipped([3]))
    import_jobs.begin(job_id=job.pk)
    long_ago = timezone.now() - states.SILENCE - timedelta(seconds=1)
    ImportJob.objects.filter(pk=job.pk).update(heartbeat_at=long_ago)

    found = page(admin, f"{LIST}{job.pk}/change/")

    assert "interrupted" in found
    assert "The worker was stopped or killed." in found
    assert "Look at the file again" in found


def test_an_unexpected_error_ends_the_job(admin: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    job = start(admin, zipped([3]))

    def fail(**arguments: object) -> None:
        raise RuntimeError("disk failure")

    monkeypatch.setattr(labels, "log_imported", fail)

    assert work(job).status == JobStatus.FAILED
    assert "unexpected error" in job.error
    assert not Prediction.objects.exists()


def test_a_file_is_imported_once_at_a_time(admin: Client) -> None:
    address = upload(admin, zipped([3]))
    admin.post(address, {"import": "Import"})

    assert "being imported already" in page(admin, address, {"import": "Import"})
    assert DBTaskResult.objects.count() == ImportJob.objects.count() == 1


def test_an_import_waits_beside_a_training(admin: Client, importer: User) -> None:
    from recognizer.jobs import training_jobs, training_outlook

    training_jobs.request(options=training_jobs.Options(), by=importer)

    assert start(admin, zipped([3])).status == JobStatus.QUEUED
    assert training_outlook.outlook().last_training is None


# Undo -------------------------------------------------------------------------------------------


def undo(admin: Client, job: ImportJob, **data: str) -> str:
    return page(admin, f"{LIST}{job.pk}/undo/", data)


def history(row: Prediction) -> list[tuple[int | None, int | None, str]]:
    events = LabelEvent.objects.filter(prediction=row).order_by("pk")
    return [(event.old, event.new, event.via) for event in events]


def test_undo_takes_back_all_labels_that_came_with_an_import(
    admin: Client, importer: User, reviewer: User
) -> None:
    before, unlabelled = store(9, label=9, seed=7), store(4, seed=1)
    job = work(start(admin, zipped([3, 4, 5])))
    changed = Prediction.objects.get(label=5)
    labels.label_predictions(predictions=[changed.pk], label=6, by=reviewer)

    found = undo(admin, job)

    assert "Undone: 2 labels were taken back." in found
    assert "Undone by importer: 2 labels taken back, 0 drawings deleted." in found
    assert "1 drawings have been labelled by somebody else since" in found
    three = Prediction.objects.get(digit=3)
    unlabelled.refresh_from_db()
    assert (three.label, three.labelled_by, unlabelled.label) == (None, None, None)
    assert history(three) == [(None, 3, Via.IMPORT), (3, None, Via.UNDO)]
    changed.refresh_from_db()
    before.refresh_from_db()
    assert (changed.label, before.label) == (6, 9)

    assert "can&#x27;t be undone, or was undone before" in undo(admin, job)


def test_undo_deletes_the_drawings_too(admin: Client, importer: User, reviewer: User) -> None:
    unlabelled = store(4, seed=1)
    task = {"data": {"image": data_uri(8)}, "annotations": [annotation("8"), annotation("3")]}
    job = work(start(admin, zipped([3, 4, 5])))
    tied = work(start(admin, json.dumps([task]).encode(), "x.json"))
    changed = Prediction.objects.get(label=5)
    labels.label_predictions(predictions=[changed.pk], label=6, by=reviewer)
    assert admin.post(f"{LIST}{job.pk}/undo/", {"delete": "on"}).status_code == 403
    importer.user_permissions.add(*make_staff("x", "delete_prediction").user_permissions.all())

    assert "1 drawings deleted" in undo(admin, job, delete="on")
    assert "1 drawings deleted" in undo(admin, tied, delete="on")

    assert {row.pk for row in Prediction.objects.all()} == {unlabelled.pk, changed.pk}


def test_an_import_that_failed_can_not_be_undone(admin: Client) -> None:
    job = work(start(admin, b"no drawings", "x.txt"))

    assert job.status == JobStatus.FAILED
    assert "can&#x27;t be undone" in undo(admin, job)


# Permissions ------------------------------------------------------------------------------------


def test_reviewers_do_not_import(client: Client, make_user: Callable[..., User]) -> None:
    client.force_login(make_staff("reviewer-only", group="Reviewer"))

    for address in (LIST, ADD):
        assert client.get(address).status_code == 403
    list_page = client.get("/admin/recognizer/prediction/").content.decode()
    assert ADD not in list_page


def test_the_list_of_drawings_leads_to_the_import(admin: Client, importer: User) -> None:
    importer.user_permissions.add(*make_staff("x", "view_prediction").user_permissions.all())

    assert ADD in admin.get("/admin/recognizer/prediction/").content.decode()
