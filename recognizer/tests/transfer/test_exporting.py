"""Exports of labelled drawings in every format."""

from __future__ import annotations

import csv
import gzip
import hashlib
import json
import os
import stat
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.contrib.auth.models import User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from recognizer import imaging
from recognizer.inference import classifier
from recognizer.models import Prediction
from recognizer.predictions import recognition
from recognizer.tests.support.exporting import (
    Target,
    each_target,
    export_to,
    files_of,
    needs_pyarrow,
    store,
)
from recognizer.tests.support.reviewing import NOT_A_DIGIT, drawing, make_prediction, make_version
from recognizer.tests.support.reviewing import prediction as unsaved
from recognizer.transfer import exporting
from recognizer.transfer.formats import FORMATS, LABEL_NAMES, Format

pytestmark = [pytest.mark.django_db, pytest.mark.store]


@pytest.fixture
def seven() -> Prediction:
    """A one that was predicted as a seven."""
    return make_prediction(7, shown=1, label=1, confidence=0.6)


@pytest.fixture
def three() -> Prediction:
    """A three that was predicted correctly and confirmed."""
    return make_prediction(3, label=3)


@pytest.fixture
def scribble() -> Prediction:
    return make_prediction(8, label=NOT_A_DIGIT)


def manifest_of(text: bytes | str) -> dict[str, Any]:
    found = json.loads(text)
    assert isinstance(found, dict)
    return found


# npz ------------------------------------------------------------------------------------------


def test_npz_has_the_layout_of_keras(
    tmp_path: Path, seven: Prediction, three: Prediction, scribble: Prediction
) -> None:
    make_prediction(5)

    printed = export_to(tmp_path / "labels.npz")

    with np.load(tmp_path / "labels.npz", allow_pickle=False) as data:
        assert (data["x_train"].dtype, data["x_train"].shape) == (np.uint8, (2, 28, 28))
        assert (data["y_train"].dtype, data["y_train"].tolist()) == (np.uint8, [1, 3])
        assert data["ids"].tolist() == [str(seven.pk), str(three.pk)]
        assert data["x_not_a_digit"].shape == (1, 28, 28)
        assert data["ids_not_a_digit"].tolist() == [str(scribble.pk)]
    assert "3 drawings" in printed
    assert "2 digits, 1 not a digit" in printed


def test_npz_has_the_model_inputs(tmp_path: Path, three: Prediction) -> None:
    export_to(tmp_path / "labels.npz")

    expected = recognition.preview(data=bytes(three.image)).model_input
    with np.load(tmp_path / "labels.npz") as data:
        np.testing.assert_array_equal(data["x_train"][0], expected)
        assert data["x_train"][0, 0, 0] == 0
        assert data["x_train"].max() == 255


def test_npz_also_has_the_original_drawings_and_their_metadata(
    tmp_path: Path, seven: Prediction, scribble: Prediction, three: Prediction
) -> None:
    export_to(tmp_path / "labels.npz")

    with np.load(tmp_path / "labels.npz") as data:
        ends = data["drawing_ends"].tolist()
        drawings = [
            data["drawings"][start:end].tobytes()
            for start, end in zip([0, *ends], ends, strict=False)
        ]
        listed = manifest_of(data["manifest"].tobytes())
    assert drawings == [bytes(row.image) for row in (seven, scribble, three)]
    assert [line["id"] for line in listed["drawings"]] == [
        str(row.pk) for row in (seven, scribble, three)
    ]


def test_npz_with_drawings_that_are_not_digits_only(tmp_path: Path, scribble: Prediction) -> None:
    export_to(tmp_path / "labels.npz")

    with np.load(tmp_path / "labels.npz") as data:
        assert data["x_train"].shape == (0, 28, 28)
        assert data["y_train"].shape == data["ids"].shape == (0,)
        assert len(data["x_not_a_digit"]) == 1


# csv ------------------------------------------------------------------------------------------


def test_csv_has_a_label_and_784_pixels(
    tmp_path: Path, three: Prediction, scribble: Prediction
) -> None:
    export_to(tmp_path / "labels.csv")

    with (tmp_path / "labels.csv").open(newline="") as file:
        header, *rows = list(csv.reader(file))
    assert header == ["label", *(f"pixel{index}" for index in range(784))]
    assert [row[0] for row in rows] == ["3", "10"]
    np.testing.assert_array_equal(np.array(rows[0][1:], int).reshape(28, 28), three.model_input())


def test_csv_has_its_manifest_beside_it(tmp_path: Path, three: Prediction) -> None:
    export_to(tmp_path / "labels.csv")

    assert {path.name for path in tmp_path.iterdir()} == {"labels.csv", "labels.csv.manifest.json"}
    (line,) = manifest_of((tmp_path / "labels.csv.manifest.json").read_bytes())["drawings"]
    assert line["id"] == str(three.pk)
    assert line["sha256"] == hashlib.sha256(three.model_input().tobytes()).hexdigest()


# idx ------------------------------------------------------------------------------------------


def test_idx_is_what_a_loader_of_mnist_expects(
    tmp_path: Path, three: Prediction, scribble: Prediction
) -> None:
    export_to(tmp_path / "mnist", "--format", "idx")

    folder = tmp_path / "mnist"
    images = gzip.decompress((folder / "train-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((folder / "train-labels-idx1-ubyte.gz").read_bytes())
    assert struct.unpack(">4I", images[:16]) == (0x803, 2, 28, 28)
    assert struct.unpack(">2I", labels[:8]) == (0x801, 2)
    assert list(labels[8:]) == [3, 10]
    np.testing.assert_array_equal(
        np.frombuffer(images[16:800], np.uint8).reshape(28, 28), three.model_input()
    )
    assert len(manifest_of((folder / "manifest.json").read_bytes())["drawings"]) == 2


# png ------------------------------------------------------------------------------------------


def test_png_has_a_folder_per_label_and_a_manifest(
    tmp_path: Path, reviewer: User, seven: Prediction, scribble: Prediction
) -> None:
    Prediction.objects.filter(pk=seven.pk).update(labelled_by=reviewer, suggestion=1)
    export_to(tmp_path / "drawings")

    folder = tmp_path / "drawings"
    assert {child.name for child in folder.iterdir()} == {*LABEL_NAMES, "manifest.json"}
    assert (folder / "1" / f"{seven.pk}.png").read_bytes() == bytes(seven.image)
    assert (folder / "not_a_digit" / f"{scribble.pk}.png").is_file()
    listed = manifest_of((folder / "manifest.json").read_bytes())
    assert seven.labelled_at is not None
    assert listed["drawings"][0] == {
        "id": str(seven.pk),
        "label": "1",
        "digit": 7,
        "confidence": 0.6,
        "verdict": "digit",
        "model_version": "tested-1",
        "model_sha256": make_version().sha256,
        "source": "canvas",
        "is_model_input": False,
        "suggestion": "1",
        "created_at": seven.created_at.isoformat(),
        "labelled_at": seven.labelled_at.isoformat(),
        "labelled_by": "reviewer",
        "path": f"1/{seven.pk}.png",
        "sha256": hashlib.sha256(bytes(seven.image)).hexdigest(),
    }
    assert listed["drawings"][1]["label"] == "not_a_digit"
    imaging.read_drawing((folder / listed["drawings"][1]["path"]).read_bytes())


def test_a_zip_of_images_is_inferred_from_the_name(
    tmp_path: Path, seven: Prediction, scribble: Prediction
) -> None:
    export_to(tmp_path / "drawings.zip")

    with zipfile.ZipFile(tmp_path / "drawings.zip") as archive:
        assert archive.testzip() is None
        assert archive.namelist() == [
            f"1/{seven.pk}.png",
            f"not_a_digit/{scribble.pk}.png",
            "manifest.json",
        ]
        assert archive.read(f"1/{seven.pk}.png") == bytes(seven.image)


def test_force_replaces_a_whole_earlier_folder(
    tmp_path: Path, seven: Prediction, three: Prediction
) -> None:
    folder = tmp_path / "drawings"
    export_to(folder)
    three.delete()

    export_to(folder, "--force")

    assert len(list(folder.rglob("*.png"))) == 1
    assert [child.name for child in tmp_path.iterdir()] == ["drawings"]


def test_an_empty_folder_is_filled_without_force(tmp_path: Path, three: Prediction) -> None:
    (tmp_path / "drawings").mkdir()

    export_to(tmp_path / "drawings")

    assert (tmp_path / "drawings" / "manifest.json").is_file()


# Parquet --------------------------------------------------------------------------------------


@needs_pyarrow
def test_parquet_is_a_data_set_of_hugging_face(
    tmp_path: Path, seven: Prediction, scribble: Prediction
) -> None:
    import pyarrow.parquet as pq

    export_to(tmp_path / "labels.parquet")

    table = pq.read_table(tmp_path / "labels.parquet")
    features = json.loads(table.schema.metadata[b"huggingface"])["info"]["features"]
    assert set(features) == set(table.schema.names)
    assert features["image"] == {"_type": "Image"}
    assert features["label"] == {"_type": "ClassLabel", "names": [*LABEL_NAMES]}
    rows = table.to_pylist()
    assert [row["label"] for row in rows] == [1, 10]
    assert rows[0]["image"] == {"bytes": bytes(seven.image), "path": f"{seven.pk}.png"}
    assert rows[0]["model_version"] == "tested-1"


def test_parquet_without_its_package_says_what_to_install(
    tmp_path: Path, seven: Prediction, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Format, "is_available", lambda format: not format.package)

    with pytest.raises(exporting.ExportError, match="pip install pyarrow"):
        export(tmp_path / "labels.parquet", FORMATS["parquet"])

    assert list(tmp_path.iterdir()) == []
    assert FORMATS["parquet"] not in exporting.available_formats()


# Label Studio ---------------------------------------------------------------------------------


def test_label_studio_gets_tasks_with_the_models_answer_as_a_prediction(
    tmp_path: Path, seven: Prediction
) -> None:
    refused = make_prediction(2, verdict="not_a_digit")

    export_to(tmp_path / "tasks.json", "--include-unlabelled")

    labelled, unlabelled = json.loads((tmp_path / "tasks.json").read_bytes())

    def choice(label: str) -> list[dict[str, Any]]:
        value = {"choices": [label]}
        return [{"from_name": "digit", "to_name": "image", "type": "choices", "value": value}]

    assert labelled["data"]["image"].startswith("data:image/png;base64,iVBOR")
    assert labelled["annotations"] == [{"result": choice("1")}]
    assert labelled["predictions"] == [
        {"model_version": "tested-1", "score": 0.6, "result": choice("7")}
    ]
    assert unlabelled["meta"]["id"] == str(refused.pk)
    assert unlabelled["annotations"] == []
    assert unlabelled["predictions"] == [
        {"model_version": "tested-1", "result": choice("not_a_digit")}
    ]


# Every format ---------------------------------------------------------------------------------


@each_target
def test_the_same_query_gives_the_same_bytes(
    tmp_path: Path, seven: Prediction, scribble: Prediction, target: Target
) -> None:
    for folder in ("a", "b"):
        (tmp_path / folder).mkdir()
        export_to(tmp_path / folder / target.name, *target.options)

    first = files_of(tmp_path / "a" / target.name)
    assert first == files_of(tmp_path / "b" / target.name)
    assert first


@each_target
def test_the_sha256_of_an_export_is_that_of_its_drawings_lines(
    tmp_path: Path, seven: Prediction, scribble: Prediction, target: Target
) -> None:
    printed = export_to(tmp_path / target.name, *target.options)
    seven.label = 2
    seven.save()
    changed = export_to(tmp_path / target.name, *target.options, "--force")

    whole = [text.split("SHA-256 of drawings, labels and predictions: ")[1][:64]
             for text in (printed, changed)]  # fmt: skip
    assert whole[0] != whole[1]
    if target.format is FORMATS["csv"] and target.name.endswith(".csv"):
        lines = (tmp_path / "labels.csv.manifest.json").read_text().splitlines()
        text = "".join(line.removesuffix(",") + "\n" for line in lines[1:-1])
        assert hashlib.sha256(text.encode()).hexdigest() == whole[1]
        assert manifest_of("\n".join(lines))["sha256"] == whole[1]


@each_target
def test_nothing_but_the_export_is_left_behind(
    tmp_path: Path, seven: Prediction, target: Target
) -> None:
    export_to(tmp_path / target.name, *target.options)

    beside = {"labels.csv.manifest.json"} if target.name == "labels.csv" else set()
    assert {path.name for path in tmp_path.iterdir()} == {target.name, *beside}


# All or nothing --------------------------------------------------------------------------


@each_target
def test_a_failure_changes_nothing(
    tmp_path: Path, three: Prediction, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    export_to(tmp_path / target.name, *target.options)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    make_prediction(4, label=4, image=b"damaged")
    copying = ("png", "parquet", "hugging-face", "label-studio", "json-lines")
    if target.format.name in copying:
        # These copy the bytes without decoding them, so a full disk has to stop them.
        monkeypatch.setattr(os, "fsync", full_disk)
        monkeypatch.setattr(Path, "write_bytes", full_disk)

    with pytest.raises(exporting.ExportError, match=r"can't be read|No space left"):
        export(tmp_path / target.name, target.format)

    after = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert after == before


def full_disk(*args: object) -> int:
    raise OSError(28, os.strerror(28))


def export(path: Path, format: Format) -> exporting.Summary:
    return exporting.export_drawings(
        drawings=Prediction.objects.all(), path=path, format=format, force=True
    )


def test_there_is_never_a_table_without_its_manifest(
    tmp_path: Path, three: Prediction, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The manifest is renamed first, so that an interruption between the two is detected."""
    replaced: list[str] = []
    replace = Path.replace

    def cut_off(self: Path, target: Path) -> Path:
        if replaced:
            raise OSError(5, os.strerror(5))
        replaced.append(target.name)
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", cut_off)

    with pytest.raises(exporting.ExportError):
        export(tmp_path / "labels.csv", FORMATS["csv"])

    assert [path.name for path in tmp_path.iterdir()] == ["labels.csv.manifest.json"] == replaced


def test_the_file_has_default_permissions(tmp_path: Path, three: Prediction) -> None:
    export_to(tmp_path / "labels.npz")
    (tmp_path / "other").touch()

    rights = [stat.S_IMODE((tmp_path / name).stat().st_mode) for name in ("labels.npz", "other")]
    assert rights[0] == rights[1]


@each_target
def test_many_drawings_take_one_query(tmp_path: Path, target: Target) -> None:
    version = make_version()
    Prediction.objects.bulk_create(
        unsaved(digit % 10, label=digit % 10, model_version=version) for digit in range(450)
    )

    with CaptureQueriesContext(connection) as queries:
        summary = export(tmp_path / target.name, target.format)

    assert summary.written == 450
    # PostgreSQL streams by a cursor, within a transaction.
    selects = [query["sql"] for query in queries if query["sql"].startswith("SELECT")]
    assert len(selects) == (1 if connection.vendor == "sqlite" else 0)
    assert len(queries) <= 3
    assert not any('"serving"' in query["sql"] for query in queries)


def test_exported_model_inputs_are_classified_correctly(tmp_path: Path) -> None:
    """The pixels in an npz file can be passed to the model directly."""
    for digit in range(10):
        make_prediction(digit, label=digit, image=drawing(digit, seed=4, canvas=280))
    export_to(tmp_path / "labels.npz")
    model = classifier.Classifier(classifier.load_bundle(classifier.BUNDLED))

    with np.load(tmp_path / "labels.npz") as data:
        read = [model.classify(image).digit for image in data["x_train"]]
        assert np.mean(np.array(read) == data["y_train"]) >= 0.9


def test_an_imported_model_input_is_exported_unchanged(tmp_path: Path) -> None:
    """A model input is not preprocessed a second time."""
    row = store(4, label=4)
    seen = row.model_input()
    row.image, row.is_model_input = imaging.encode_png(seen), True
    row.save()

    export_to(tmp_path / "labels.npz")

    with np.load(tmp_path / "labels.npz") as data:
        np.testing.assert_array_equal(data["x_train"][0], seen)
