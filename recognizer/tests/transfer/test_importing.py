"""Imports of the site's own exports: the same drawings, labels and records."""

from __future__ import annotations

import json
import shutil
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.utils import timezone

from recognizer.labelling import labels
from recognizer.models import LabelEvent, ModelVersion, Prediction, Source, Via
from recognizer.tests.support.exporting import (
    Target,
    each_target,
    export_to,
    files_of,
    import_from,
    refused_import,
    store,
    store_some,
)
from recognizer.tests.support.reviewing import NOT_A_DIGIT, make_prediction
from recognizer.transfer import importing

pytestmark = [pytest.mark.django_db, pytest.mark.store]


def delete_all() -> None:
    Prediction.objects.all().delete()
    assert not LabelEvent.objects.exists()


# Round trips ---------------------------------------------------------------------------------


@each_target
def test_export_empty_the_database_import_export_gives_the_same_bytes(
    tmp_path: Path, reviewer: User, target: Target
) -> None:
    rows = store_some(by=reviewer)
    (tmp_path / "again").mkdir()
    export_to(tmp_path / target.name, *target.options)
    delete_all()

    printed = import_from(tmp_path / target.name)

    export_to(tmp_path / "again" / target.name, *target.options)
    assert files_of(tmp_path / "again" / target.name) == files_of(tmp_path / target.name)
    assert "Imported 5 drawings" in printed
    assert "4 digits, 1 not a digit" in printed
    for row in rows:
        found = Prediction.objects.get(pk=row.pk)
        assert (found.label, found.labelled_at, found.labelled_by) == (
            row.label,
            row.labelled_at,
            reviewer,
        )
        np.testing.assert_array_equal(found.model_input(), row.model_input())
        if target.has_drawings:
            assert bytes(found.image) == bytes(row.image)
            assert found.pixels_sha256 == row.pixels_sha256
        else:
            assert found.is_model_input


@each_target
def test_metadata_is_restored_except_owner_and_audit(
    tmp_path: Path, reviewer: User, target: Target
) -> None:
    rows = store_some(by=reviewer)
    Prediction.objects.filter(pk=rows[0].pk).update(
        audit_key=0.25, audited_at=timezone.now(), user=reviewer, visitor=None
    )
    export_to(tmp_path / target.name, *target.options)
    delete_all()

    import_from(tmp_path / target.name)

    for row in rows:
        found = Prediction.objects.get(pk=row.pk)
        assert (found.created_at, found.source) == (row.created_at, "canvas")
        assert found.suggestion == row.suggestion
        # Predicted again, by the same version.
        assert found.model_version == row.model_version
        assert (found.digit, found.confidence, found.verdict, found.margin) == (
            row.digit,
            row.confidence,
            row.verdict,
            row.margin,
        )
        assert found.probabilities == row.probabilities
        assert bytes(found.embedding or b"") == bytes(row.embedding or b"?")
        # Without an owner, and not part of the random audit sample.
        assert (found.user, found.visitor) == (None, None)
        assert (found.audit_key, found.audited_at) == (None, None)


@each_target
def test_stored_drawings_are_skipped_and_counted(
    tmp_path: Path, reviewer: User, target: Target
) -> None:
    store_some(by=reviewer)
    export_to(tmp_path / target.name, *target.options)
    before = list(Prediction.objects.order_by("pk").values())
    events = LabelEvent.objects.count()

    printed = import_from(tmp_path / target.name)

    assert "Imported 0 drawings" in printed
    assert "Skipped 5: already stored." in printed
    assert list(Prediction.objects.order_by("pk").values()) == before
    assert LabelEvent.objects.count() == events


def test_an_exported_folder_can_be_zipped(tmp_path: Path) -> None:
    store_some()
    export_to(tmp_path / "drawings")
    shutil.make_archive(str(tmp_path / "zipped"), "zip", tmp_path, "drawings")
    delete_all()

    assert "Imported 5 drawings" in import_from(tmp_path / "zipped.zip")
    assert Prediction.objects.filter(is_model_input=False, source="canvas").count() == 5


def test_ids_that_are_taken_are_replaced(tmp_path: Path) -> None:
    row = store(3, label=3)
    export_to(tmp_path / "labels.npz")
    delete_all()
    other = store(8)
    Prediction.objects.filter(pk=other.pk).update(id=row.pk)

    import_from(tmp_path / "labels.npz")

    assert Prediction.objects.get(pk=row.pk).digit == other.digit
    (imported,) = Prediction.objects.exclude(pk=row.pk)
    assert (imported.label, imported.pixels_sha256) == (3, row.pixels_sha256)


def test_unknown_accounts_are_not_created(tmp_path: Path, reviewer: User) -> None:
    store(3, label=3, by=reviewer)
    store(4, label=4)
    export_to(tmp_path / "labels.npz")
    delete_all()
    User.objects.all().delete()

    import_from(tmp_path / "labels.npz")

    assert [row.labelled_by for row in Prediction.objects.all()] == [None, None]


def test_the_importing_account_is_in_the_label_history(
    tmp_path: Path, reviewer: User, user: User
) -> None:
    store(3, label=3, by=reviewer)
    store(4, label=4)
    export_to(tmp_path / "labels.npz")
    delete_all()

    import_from(tmp_path / "labels.npz", "--by", user.username)

    events = LabelEvent.objects.all()
    assert {(event.old, event.new) for event in events} == {(None, 3), (None, 4)}
    assert {(event.by, event.via) for event in events} == {(user, Via.IMPORT)}
    assert len({event.batch for event in events}) == 1
    assert events[0].batch is not None
    assert {change.new for change in labels.changes_of(events[0].batch)} == {3, 4}
    # The label stays the reviewer's; without a reviewer it is the importer's.
    by = {row.label: row.labelled_by for row in Prediction.objects.all()}
    assert by == {3: reviewer, 4: user}


def test_an_unknown_version_is_replaced_by_the_active_one(tmp_path: Path) -> None:
    row = make_prediction(7, shown=3, label=3)
    export_to(tmp_path / "labels.npz")
    delete_all()
    row.model_version.delete()

    import_from(tmp_path / "labels.npz")

    found = Prediction.objects.get(pk=row.pk)
    assert found.model_version == ModelVersion.objects.get(is_active=True)
    assert found.digit == 3


def test_a_version_with_the_same_name_but_other_content_is_not_used(tmp_path: Path) -> None:
    row = make_prediction(7, shown=3, label=3)
    export_to(tmp_path / "labels.npz")
    delete_all()
    ModelVersion.objects.filter(pk=row.model_version.pk).update(sha256="0" * 64)

    import_from(tmp_path / "labels.npz")

    assert Prediction.objects.get().model_version.is_active


def test_an_unknown_source_becomes_import(tmp_path: Path) -> None:
    store(3, label=3)
    export_to(tmp_path / "tasks.json")
    delete_all()
    tasks = json.loads((tmp_path / "tasks.json").read_bytes())
    tasks[0]["id"] = 1  # Label Studio numbers them
    tasks[0]["meta"]["source"] = "telepathy"
    (tmp_path / "tasks.json").write_text(json.dumps(tasks))

    import_from(tmp_path / "tasks.json")

    assert Prediction.objects.get().source == Source.IMPORT


# Duplicates -----------------------------------------------------------------------------------


def test_a_stored_drawing_without_a_label_gets_the_one_in_the_file(
    tmp_path: Path, user: User
) -> None:
    labelled, changed = store(3, label=3), store(1, label=7)
    export_to(tmp_path / "labels.npz")
    labels.label_predictions(predictions=[labelled.pk], label=None, by=user)
    labels.label_predictions(predictions=[changed.pk], label=1, by=user)

    printed = import_from(tmp_path / "labels.npz", "--by", user.username)

    labelled.refresh_from_db()
    changed.refresh_from_db()
    assert (labelled.label, labelled.labelled_by, changed.label) == (3, user, 1)
    assert "1 of these had no label and got the label in the file" in printed
    assert "1 of these have a conflicting label; existing one kept" in printed
    assert f"{changed.pk}: already stored as {changed.pk}, with label 1 instead of 7" in printed
    last = LabelEvent.objects.filter(prediction=labelled).first()
    assert last is not None
    assert (last.old, last.new, last.via) == (None, 3, Via.IMPORT)


def test_the_same_pixels_twice_in_a_file_are_stored_once(tmp_path: Path) -> None:
    images = np.stack([store(digit).model_input() for digit in (3, 3, 5)])
    images[1] = images[0]
    np.savez(tmp_path / "x.npz", x_train=images, y_train=np.array([3, 8, 5], np.uint8))
    delete_all()

    printed = import_from(tmp_path / "x.npz")

    assert {*Prediction.objects.values_list("label", flat=True)} == {3, 5}
    assert Prediction.objects.count() == 2
    assert "Skipped 1: already stored" in printed
    assert "x_train[1]: already in this file, with label 3 instead of 8" in printed


def test_the_model_input_of_a_stored_drawing_is_a_duplicate(tmp_path: Path) -> None:
    """Its pixels differ, because it is 28x28, but its id and model input are the same."""
    row = store(3, label=3)
    export_to(tmp_path / "labels.csv")
    Prediction.objects.filter(pk=row.pk).update(label=None, labelled_at=None)

    printed = import_from(tmp_path / "labels.csv")

    row.refresh_from_db()
    assert (row.label, row.is_model_input, Prediction.objects.count()) == (3, False, 1)
    assert "1 of these had no label" in printed


# Bad drawings ---------------------------------------------------------------------------------


@each_target
def test_one_bad_drawing_prevents_an_import_without_skip_bad(
    tmp_path: Path, target: Target
) -> None:
    """The date in its record is in the future."""
    rows = store_some()
    Prediction.objects.filter(pk=rows[2].pk).update(created_at=timezone.now() + timedelta(days=400))
    export_to(tmp_path / target.name, *target.options)
    delete_all()

    said = refused_import(tmp_path / target.name)

    assert "1 of 5 drawings can't be used. Nothing was imported" in said
    assert "its date is in the future" in said

    printed = import_from(tmp_path / target.name, "--skip-bad")

    assert "Imported 4 drawings" in printed
    assert "Skipped 1 unreadable." in printed
    assert set(Prediction.objects.values_list("pk", flat=True)) == {
        row.pk for row in rows if row.pk != rows[2].pk
    }


def test_changed_and_missing_images_are_reported(tmp_path: Path) -> None:
    rows = store_some()
    export_to(tmp_path / "drawings")
    delete_all()
    changed = tmp_path / "drawings" / "3" / f"{rows[0].pk}.png"
    missing = tmp_path / "drawings" / "7" / f"{rows[1].pk}.png"
    changed.write_bytes(bytes(rows[1].image))
    missing.unlink()

    said = refused_import(tmp_path / "drawings")

    assert f"3/{rows[0].pk}.png: it does not match the manifest." in said
    assert f"7/{rows[1].pk}.png: 7/{rows[1].pk}.png can't be read: No such file" in said
    assert "2 of 5" in said


def test_an_image_added_to_an_export_is_detected(tmp_path: Path) -> None:
    rows = store_some()
    export_to(tmp_path / "drawings")
    delete_all()
    (tmp_path / "drawings" / "9" / "more.png").write_bytes(bytes(rows[1].image) + b" ")

    assert "has 6 images, but its manifest lists 5" in refused_import(tmp_path / "drawings")

    import_from(tmp_path / "drawings", "--ignore-manifest")
    assert Prediction.objects.filter(source=Source.IMPORT).count() == 5


def test_a_label_changed_only_in_the_table_is_reported(tmp_path: Path) -> None:
    store_some()
    export_to(tmp_path / "labels.csv")
    delete_all()
    lines = (tmp_path / "labels.csv").read_text().splitlines()
    lines[2] = "4" + lines[2][1:]
    (tmp_path / "labels.csv").write_text("\n".join(lines) + "\n")

    said = refused_import(tmp_path / "labels.csv")

    assert "row 3: it does not match drawing 2 of the manifest" in said
    assert "Imported 5 drawings" in import_from(tmp_path / "labels.csv", "--ignore-manifest")


@pytest.mark.parametrize("rows", [4, 6])
def test_a_table_with_the_manifest_of_another_is_refused(tmp_path: Path, rows: int) -> None:
    store_some()
    export_to(tmp_path / "labels.csv")
    delete_all()
    header, *lines = (tmp_path / "labels.csv").read_text().splitlines()
    lines = [*lines, lines[0]][:rows]
    (tmp_path / "labels.csv").write_text("\n".join([header, *lines]) + "\n")

    said = refused_import(tmp_path / "labels.csv", "--skip-bad")

    assert f"lists {'more' if rows == 4 else 'fewer'} drawings than there are" in said
    assert "--ignore-manifest" in said


def test_an_import_that_fails_while_storing_stores_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store_some()
    export_to(tmp_path / "labels.npz")
    delete_all()
    monkeypatch.setattr("recognizer.transfer.importing.BATCH", 2)
    stored: list[int] = []
    log_imported = labels.log_imported

    def fail(**arguments: object) -> None:
        stored.append(Prediction.objects.count())
        if len(stored) == 2:
            raise RuntimeError("disk failure")
        log_imported(**arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(labels, "log_imported", fail)

    with pytest.raises(RuntimeError, match="disk failure"):
        import_from(tmp_path / "labels.npz")

    assert stored == [2, 4]
    assert not Prediction.objects.exists()
    assert not LabelEvent.objects.exists()


def test_a_drawing_stored_during_the_import_is_not_stored_twice(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between reading and storing another process stores the same drawing, and uses an id."""
    three, eight = store(3, label=3), store(8, label=8)
    export_to(tmp_path / "labels.npz")
    delete_all()
    known = ModelVersion.objects.select_for_update

    def store_others(**options: object) -> object:
        monkeypatch.undo()
        store(3)
        Prediction.objects.filter(pk=store(5).pk).update(id=eight.pk)
        return known(no_key=True)

    monkeypatch.setattr(ModelVersion.objects, "select_for_update", store_others)

    report = importing.import_drawings(
        path=tmp_path / "labels.npz", options=importing.Options(format="npz")
    )

    assert (report.imported, report.duplicates) == (1, 1)
    assert Prediction.objects.filter(pixels_sha256=three.pixels_sha256).count() == 1
    imported = Prediction.objects.get(pixels_sha256=eight.pixels_sha256)
    assert (imported.label, imported.pk == eight.pk) == (8, False)


def test_not_a_digit_is_imported_without_the_manifest_too(tmp_path: Path) -> None:
    store(5, label=NOT_A_DIGIT)
    export_to(tmp_path / "labels.npz")
    delete_all()

    import_from(tmp_path / "labels.npz", "--ignore-manifest")

    assert Prediction.objects.get().label == NOT_A_DIGIT
