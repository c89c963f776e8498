"""The files that labelled drawings are exported to."""

from __future__ import annotations

import csv
import hashlib
import io
import os
import stat
import zipfile
from pathlib import Path

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.core.management import call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from recognizer import classifier, export_formats, exports, imaging, services
from recognizer.models import Prediction
from recognizer.tests.reviewing import LIST, NOT_A_DIGIT, drawing, make_prediction, make_version
from recognizer.tests.reviewing import prediction as unsaved

pytestmark = pytest.mark.django_db


@pytest.fixture
def seven() -> Prediction:
    """A one that was read as a seven."""
    return make_prediction(7, shown=1, label=1, confidence=0.6)


@pytest.fixture
def three() -> Prediction:
    """A three that was read so, and confirmed."""
    return make_prediction(3, label=3)


@pytest.fixture
def scribble() -> Prediction:
    return make_prediction(8, label=NOT_A_DIGIT)


def run(*args: object) -> str:
    out = io.StringIO()
    call_command("export_drawings", *map(str, args), stdout=out)
    return out.getvalue()


# npz ------------------------------------------------------------------------------------------


def test_npz_has_the_layout_of_keras(
    tmp_path: Path, seven: Prediction, three: Prediction, scribble: Prediction
) -> None:
    make_prediction(5)

    printed = run(tmp_path / "labels.npz")

    with np.load(tmp_path / "labels.npz", allow_pickle=False) as data:
        assert set(data.files) == {"x_train", "y_train", "ids", "x_not_a_digit", "ids_not_a_digit"}
        assert (data["x_train"].dtype, data["x_train"].shape) == (np.uint8, (2, 28, 28))
        assert (data["y_train"].dtype, data["y_train"].tolist()) == (np.uint8, [1, 3])
        assert data["ids"].tolist() == [str(seven.pk), str(three.pk)]
        assert data["x_not_a_digit"].shape == (1, 28, 28)
        assert data["ids_not_a_digit"].tolist() == [str(scribble.pk)]
    assert "3 drawings" in printed
    assert "2 of digits, 1 not a digit" in printed


def test_npz_holds_exactly_what_the_model_saw(tmp_path: Path, three: Prediction) -> None:
    run(tmp_path / "labels.npz")

    expected = services.classify_bytes(bytes(three.image)).model_input
    with np.load(tmp_path / "labels.npz") as data:
        np.testing.assert_array_equal(data["x_train"][0], expected)
        assert data["x_train"][0, 0, 0] == 0
        assert data["x_train"].max() == 255


def test_npz_with_drawings_that_are_no_digits_alone(tmp_path: Path, scribble: Prediction) -> None:
    run(tmp_path / "labels.npz")

    with np.load(tmp_path / "labels.npz") as data:
        assert data["x_train"].shape == (0, 28, 28)
        assert data["y_train"].shape == data["ids"].shape == (0,)
        assert len(data["x_not_a_digit"]) == 1


def test_the_same_labels_give_the_same_bytes(
    tmp_path: Path, seven: Prediction, three: Prediction
) -> None:
    for name in ("a", "b"):
        run(tmp_path / f"{name}.npz")

    assert (tmp_path / "a.npz").read_bytes() == (tmp_path / "b.npz").read_bytes()


# csv ------------------------------------------------------------------------------------------


def test_csv_has_a_label_and_784_pixels(
    tmp_path: Path, three: Prediction, scribble: Prediction
) -> None:
    printed = run(tmp_path / "labels.csv")

    header, *rows = (tmp_path / "labels.csv").read_text().splitlines()
    assert header.split(",") == ["label", *(f"pixel{index}" for index in range(784))]
    assert len(rows) == 1
    numbers = [int(cell) for cell in rows[0].split(",")]
    assert numbers[0] == 3
    np.testing.assert_array_equal(
        np.array(numbers[1:], np.uint8).reshape(28, 28), export_formats.model_input(three)
    )
    assert "Left out 1 labelled “not a digit”" in printed


def test_csv_with_nothing_but_no_digits_is_refused(tmp_path: Path, scribble: Prediction) -> None:
    with pytest.raises(exports.ExportError, match="CSV has no place"):
        exports.export_drawings(
            drawings=Prediction.objects.all(),
            path=tmp_path / "x.csv",
            format=exports.Format.CSV,
        )

    assert list(tmp_path.iterdir()) == []


# png ------------------------------------------------------------------------------------------


def test_png_tree_has_a_folder_a_label_and_a_manifest(
    tmp_path: Path, seven: Prediction, scribble: Prediction
) -> None:
    run(tmp_path / "drawings")

    folder = tmp_path / "drawings"
    assert {child.name for child in folder.iterdir()} == {
        *"0123456789",
        "not_a_digit",
        "manifest.csv",
    }
    assert (folder / "1" / f"{seven.pk}.png").read_bytes() == bytes(seven.image)
    assert (folder / "not_a_digit" / f"{scribble.pk}.png").is_file()
    with (folder / "manifest.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == list(export_formats.MANIFEST_COLUMNS)
    assert seven.labelled_at is not None
    assert rows[0] == {
        "id": str(seven.pk),
        "label": "1",
        "digit": "7",
        "confidence": "0.6",
        "verdict": "digit",
        "model_version": "tested-1",
        "source": "canvas",
        "labelled_at": seven.labelled_at.isoformat(),
        "created_at": seven.created_at.isoformat(),
        "path": f"1/{seven.pk}.png",
        "sha256": hashlib.sha256(bytes(seven.image)).hexdigest(),
    }
    assert rows[1]["label"] == "not_a_digit"
    imaging.read_drawing((folder / rows[1]["path"]).read_bytes())


def test_force_replaces_an_earlier_tree_whole(
    tmp_path: Path, seven: Prediction, three: Prediction
) -> None:
    folder = tmp_path / "drawings"
    run(folder)
    three.delete()

    run(folder, "--force")

    assert len(list(folder.rglob("*.png"))) == 1
    assert [child.name for child in tmp_path.iterdir()] == ["drawings"]


def test_an_empty_folder_is_filled_without_force(tmp_path: Path, three: Prediction) -> None:
    (tmp_path / "drawings").mkdir()

    run(tmp_path / "drawings")

    assert (tmp_path / "drawings" / "manifest.csv").is_file()


# Whole or not at all --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["labels.npz", "labels.csv", "drawings"])
def test_a_failure_half_way_leaves_what_was_there(
    tmp_path: Path, three: Prediction, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(tmp_path / name)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    make_prediction(4, label=4, image=b"damaged")
    if name == "drawings":
        # A tree copies the bytes unread, so a full disk has to stop it.
        monkeypatch.setattr(Path, "write_bytes", full_disk)

    with pytest.raises(exports.ExportError, match=r"can't be read|No space left"):
        export(tmp_path / name, exports.guess_format(tmp_path / name))

    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert after == before


def full_disk(self: Path, data: bytes) -> int:
    raise OSError(28, os.strerror(28))


def export(path: Path, format: exports.Format) -> exports.Summary:
    return exports.export_drawings(
        drawings=Prediction.objects.all(), path=path, format=format, force=True
    )


def test_the_file_gets_the_usual_rights(tmp_path: Path, three: Prediction) -> None:
    run(tmp_path / "labels.npz")
    (tmp_path / "other").touch()

    rights = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("labels.npz", "other")]
    assert rights[0] == rights[1]


def test_many_drawings_take_few_queries_and_no_more_for_each(tmp_path: Path) -> None:
    version = make_version()
    Prediction.objects.bulk_create(
        unsaved(digit % 10, label=digit % 10, model_version=version) for digit in range(450)
    )

    with CaptureQueriesContext(connection) as queries:
        summary = export(tmp_path / "labels.npz", exports.Format.NPZ)

    assert summary.written == 450
    assert len(queries) == 1
    assert "serving" not in queries[0]["sql"]


# From the admin -------------------------------------------------------------------------------


def download(client: Client, action: str, *rows: Prediction) -> bytes:
    response = client.post(
        LIST, {"action": action, "_selected_action": [r.pk for r in rows], "index": "0"}
    )
    assert response.status_code == 200
    assert response["Content-Disposition"].startswith('attachment; filename="drawings-')
    return response.getvalue()


def test_the_admin_exports_what_is_selected(
    client: Client, reviewer: User, seven: Prediction, three: Prediction, scribble: Prediction
) -> None:
    client.force_login(reviewer)
    unlabelled = make_prediction(2)

    arrays = download(client, "export_npz", three, scribble, unlabelled)
    images = download(client, "export_png", seven, scribble)
    table = download(client, "export_csv", three, scribble)

    with np.load(io.BytesIO(arrays)) as data:
        assert data["ids"].tolist() == [str(three.pk)]
        assert data["ids_not_a_digit"].tolist() == [str(scribble.pk)]
    with zipfile.ZipFile(io.BytesIO(images)) as archive:
        assert archive.testzip() is None
        assert set(archive.namelist()) == {
            f"1/{seven.pk}.png",
            f"not_a_digit/{scribble.pk}.png",
            "manifest.csv",
        }
        assert archive.read(f"1/{seven.pk}.png") == bytes(seven.image)
    assert len(table.splitlines()) == 2


def test_the_admin_says_that_there_is_nothing_to_export(client: Client, reviewer: User) -> None:
    client.force_login(reviewer)
    row = make_prediction(2)

    response = client.post(
        LIST,
        {"action": "export_npz", "_selected_action": [row.pk], "index": "0"},
        follow=True,
    )

    assert "Nothing to export" in response.content.decode()


def test_the_admin_names_a_drawing_that_can_not_be_read(client: Client, reviewer: User) -> None:
    client.force_login(reviewer)
    row = make_prediction(2, label=2, image=b"damaged")

    response = client.post(
        LIST,
        {"action": "export_npz", "_selected_action": [row.pk], "index": "0"},
        follow=True,
    )

    assert f"Drawing {row.pk} can&#x27;t be read" in response.content.decode()


def test_what_is_exported_is_read_again_as_it_was(tmp_path: Path) -> None:
    """Pixels that leave by npz are the pixels that the model answers on."""
    for digit in range(10):
        make_prediction(digit, label=digit, image=drawing(digit, seed=4, canvas=280))
    run(tmp_path / "labels.npz")
    model = classifier.Classifier(classifier.load_bundle(classifier.BUNDLED))

    with np.load(tmp_path / "labels.npz") as data:
        read = [model.classify(image).digit for image in data["x_train"]]
        assert np.mean(np.array(read) == data["y_train"]) >= 0.9
