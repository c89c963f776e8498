"""Imports of other tools' files: MNIST in all its forms, folders of images, other exports."""

from __future__ import annotations

import base64
import gzip
import io
import json
import os
import struct
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from recognizer import imaging
from recognizer.models import Prediction, Source
from recognizer.predictions import recognition
from recognizer.tests.support.exporting import (
    export_to,
    import_from,
    needs_pyarrow,
    refused_import,
    store,
)
from recognizer.tests.support.reviewing import NOT_A_DIGIT, drawing

pytestmark = pytest.mark.django_db

DIGITS = (3, 1, 8, 4)


@pytest.fixture(scope="module")
def images() -> NDArray[np.uint8]:
    """Four digits as MNIST has them: 28x28, white on black."""
    return np.stack([mnist_like(digit) for digit in DIGITS])


def mnist_like(digit: int) -> NDArray[np.uint8]:
    image = Image.open(io.BytesIO(drawing(digit))).convert("L").resize((28, 28))
    return 255 - np.asarray(image)


def as_kaggle(images: NDArray[np.uint8], labels: tuple[int, ...]) -> str:
    header = ",".join(["label", *(f"pixel{index}" for index in range(784))])
    rows = [
        ",".join(map(str, [label, *image.ravel()]))
        for label, image in zip(labels, images, strict=True)
    ]
    return "\n".join([header, *rows]) + "\n"


def imported(path: Path, *options: object) -> list[Prediction]:
    """What an import stored, in the order of the file."""
    import_from(path, *options)
    return list(Prediction.objects.order_by("created_at", "pk"))


def are_digits(rows: list[Prediction], labels: tuple[int, ...] = DIGITS) -> bool:
    """Whether these are the drawings of the labels, recognised like submitted drawings."""
    assert [row.label for row in rows] == list(labels)
    assert {row.source for row in rows} == {Source.IMPORT}
    assert not any(row.is_model_input or row.audit_key or row.visitor for row in rows)
    again = [recognition.preview(data=bytes(row.image)) for row in rows]
    assert [row.digit for row in rows] == [found.network.digit for found in again]
    assert [row.confidence for row in rows] == [found.network.confidence for found in again]
    assert all(row.embedding_vector is not None for row in rows)
    return True


# Arrays ---------------------------------------------------------------------------------------


def test_mnist_in_the_layout_of_keras(tmp_path: Path, images: NDArray[np.uint8]) -> None:
    labels = np.array(DIGITS, np.uint8)
    np.savez_compressed(
        tmp_path / "mnist.npz",
        x_train=images[:2],
        y_train=labels[:2],
        x_test=images[2:],
        y_test=labels[2:],
    )

    rows = imported(tmp_path / "mnist.npz")

    assert are_digits(rows)
    np.testing.assert_array_equal(rows[0].stored_drawing().pixels, images[0])
    assert (rows[0].labelled_by, rows[0].labelled_at) == (None, rows[0].created_at)


@pytest.mark.parametrize(
    "changed",
    [
        lambda images: images / 255,
        lambda images: images.astype(np.float32),
        lambda images: images.astype(">i4"),
        lambda images: images[..., None],
        lambda images: np.stack([images] * 3, axis=-1),
    ],
    ids=["0 to 1", "0 to 255", "big-endian", "one channel", "RGB"],
)
def test_arrays_of_other_types_and_shapes(
    tmp_path: Path, images: NDArray[np.uint8], changed: Any
) -> None:
    labels = np.array(DIGITS, np.int64)[:, None]
    np.savez(tmp_path / "x.npz", x_train=changed(images), y_train=labels)

    assert are_digits(imported(tmp_path / "x.npz"))


@pytest.mark.parametrize(
    "changed",
    [
        lambda images: images > 127,
        lambda images: (images > 127).astype(np.uint8),
        lambda images: images // 16,
        lambda images: images.astype(np.int64) // 17,
        lambda images: images / 16,
        lambda images: images.astype(np.uint16) * 257,
        lambda images: images.astype(np.uint16) * 16,
        lambda images: images.astype(np.uint16) * 7 + 30000,
        lambda images: (images / 127.5 - 1).astype(np.float32),
        lambda images: (images - images.mean()) / images.std(),
        lambda images: images.reshape(len(images), -1),
        lambda images: images[:, None],
    ],
    ids=[
        "bool",
        "0 and 1",
        "0 to 15",
        "int64, 0 to 15",
        "0 to 15.9",
        "0 to 65535",
        "0 to 4095",
        "30000 to 31785",
        "-1 to 1",
        "standardised",
        "flat",
        "channels first",
    ],
)
def test_arrays_are_scaled_to_the_range_that_they_use(
    tmp_path: Path, images: NDArray[np.uint8], changed: Any
) -> None:
    np.savez(tmp_path / "x.npz", x_train=changed(images), y_train=np.array(DIGITS))

    rows = imported(tmp_path / "x.npz")

    assert are_digits(rows)
    assert [row.digit for row in rows] == list(DIGITS)


@pytest.mark.parametrize("names", ["X y", "x y", "images labels", "X_train y_train"])
def test_arrays_have_other_names(tmp_path: Path, images: NDArray[np.uint8], names: str) -> None:
    x, y = names.split()
    arrays: dict[str, Any] = {x: images, y: np.array(DIGITS)}
    np.savez(tmp_path / "x.npz", **arrays)

    assert are_digits(imported(tmp_path / "x.npz"))


@pytest.mark.parametrize("of", [np.float32, lambda labels: np.eye(10)[labels]], ids=["float", "10"])
def test_labels_are_floats_or_one_hot(tmp_path: Path, images: NDArray[np.uint8], of: Any) -> None:
    np.savez(tmp_path / "x.npz", x_train=images, y_train=of(np.array(DIGITS)))

    assert are_digits(imported(tmp_path / "x.npz"))


def test_values_that_are_no_images_are_named(tmp_path: Path, images: NDArray[np.uint8]) -> None:
    values = images.astype(np.float64)
    values[0, 0, 0], values[1, 0, 0] = -1.7e308, 1.7e308
    np.savez(tmp_path / "x.npz", x_train=values, y_train=np.array(DIGITS))

    assert "x_train has values from -1.7e+308 to 1.7e+308" in refused_import(tmp_path / "x.npz")


def test_labels_out_of_range_are_named_by_their_place(
    tmp_path: Path, images: NDArray[np.uint8]
) -> None:
    labels = np.array([3, 11, -1, 10], np.int8)
    np.savez(tmp_path / "x.npz", x_train=images, y_train=labels)

    said = refused_import(tmp_path / "x.npz")

    assert "x_train[1]: its label is 11, not 0-9 or 10 (not a digit)." in said
    assert "x_train[2]: its label is -1" in said
    assert "2 of 4" in said
    rows = imported(tmp_path / "x.npz", "--skip-bad")
    assert [row.label for row in rows] == [3, NOT_A_DIGIT]


def test_blank_images_are_reported(tmp_path: Path, images: NDArray[np.uint8]) -> None:
    blank = np.concatenate([images, np.zeros((1, 28, 28), np.uint8)])
    np.savez(tmp_path / "x.npz", x_train=blank, y_train=np.array([*DIGITS, 0]))

    assert "x_train[4]: The drawing is blank" in refused_import(tmp_path / "x.npz")


# IDX ------------------------------------------------------------------------------------------


def idx(array: NDArray[np.uint8]) -> bytes:
    return struct.pack(f">2x2B{array.ndim}I", 8, array.ndim, *array.shape) + array.tobytes()


@pytest.mark.parametrize("named", ["folder", "images", "labels"])
@pytest.mark.parametrize("packed", [True, False])
@pytest.mark.parametrize("mark", ["-", "."])
def test_mnist_idx(
    tmp_path: Path, images: NDArray[np.uint8], named: str, packed: bool, mark: str
) -> None:
    suffix = ".gz" if packed else ""
    names = {
        "folder": "",
        "images": f"t10k-images{mark}idx3-ubyte{suffix}",
        "labels": f"t10k-labels{mark}idx1-ubyte{suffix}",
    }
    pack = gzip.compress if packed else bytes
    (tmp_path / names["images"]).write_bytes(pack(idx(images)))
    (tmp_path / names["labels"]).write_bytes(pack(idx(np.array(DIGITS, np.uint8))))

    assert are_digits(imported(tmp_path / names[named]))


def test_mnists_training_and_test_data_in_one_folder(
    tmp_path: Path, images: NDArray[np.uint8]
) -> None:
    for half, part in (("t10k", slice(2)), ("train", slice(2, 4))):
        (tmp_path / f"{half}-images-idx3-ubyte").write_bytes(idx(images[part]))
        labels = np.array(DIGITS[part], np.uint8)
        (tmp_path / f"{half}-labels-idx1-ubyte").write_bytes(idx(labels))

    assert are_digits(imported(tmp_path))


def test_idx_files_that_do_not_match_are_refused(tmp_path: Path, images: NDArray[np.uint8]) -> None:
    file, labels = tmp_path / "a-images-idx3-ubyte", tmp_path / "a-labels-idx1-ubyte"
    file.write_bytes(idx(images))
    labels.write_bytes(idx(np.array(DIGITS[:3], np.uint8)))
    assert "has 3 labels for the 4 images" in refused_import(tmp_path)

    labels.write_bytes(idx(np.array(DIGITS, np.uint8)) + b"\0")
    assert "has data after its end" in refused_import(tmp_path)

    labels.write_bytes(idx(np.array(DIGITS, np.uint8)))
    file.write_bytes(idx(images)[:-1])
    assert "is incomplete" in refused_import(tmp_path, "--skip-bad")

    labels.unlink()
    assert "no pair of files" in refused_import(file, "--format", "idx")


# CSV ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("titles", ["kaggle", "none", "label last", "quoted"])
def test_csv_of_other_tools(tmp_path: Path, images: NDArray[np.uint8], titles: str) -> None:
    header, *rows = as_kaggle(images, DIGITS).splitlines()
    match titles:
        case "none":
            lines = rows
        case "label last":
            lines = [
                f"{line.partition(',')[2]},{line.partition(',')[0]}" for line in (header, *rows)
            ]
        case "quoted":
            lines = ['\ufeff"label"' + header.removeprefix("label")]
            lines += [f'"{row[0]}"{row[1:]}\r' for row in rows]
        case _:
            lines = [header, *rows, ""]
    (tmp_path / "train.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")

    assert are_digits(imported(tmp_path / "train.csv"))


def test_bad_rows_are_reported_by_line(tmp_path: Path, images: NDArray[np.uint8]) -> None:
    header, *rows = as_kaggle(images, DIGITS).splitlines()
    rows[0] = "x" + rows[0][1:]
    rows[1] = "10" + rows[1][1:]
    rows[2] = rows[2] + ",0"
    rows[3] = "4,256" + rows[3][3:]
    (tmp_path / "train.csv").write_text("\n".join([header, *rows, "11" + rows[1][2:]]))

    said = refused_import(tmp_path / "train.csv")

    assert "row 2: its cells are not all numbers" in said
    assert "row 4: it has 786 columns, not 785" in said
    assert "row 5: its pixels are not all in 0-255" in said
    assert "row 6: its label is 11" in said
    assert "4 of 5" in said


def test_a_table_without_labels_is_refused(tmp_path: Path, images: NDArray[np.uint8]) -> None:
    text = as_kaggle(images, DIGITS)
    (tmp_path / "test.csv").write_text(text.replace("label", "answer"))
    assert "no column called label" in refused_import(tmp_path / "test.csv")

    (tmp_path / "short.csv").write_text("label,a,b,c\n1,2,3,4\n")
    assert "not the pixels of a square" in refused_import(tmp_path / "short.csv")


# Trees of images ------------------------------------------------------------------------------


def a_tree(folder: Path) -> None:
    photo = Image.open(io.BytesIO(drawing(8, canvas=600))).convert("RGB")
    for name, content in {
        "1/ann/b.png": drawing(1),
        "test/3/a.gif": converted(drawing(3), "GIF"),
        "8/photo.jpg": converted(photo, "JPEG"),
        "not_a_digit/x.webp": converted(drawing(5, seed=3), "WEBP"),
        "readme/words.txt": b"left alone",
        "8/.hidden.png": b"left alone",
        "8/Thumbs.db": b"left alone",
    }.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(content)


def converted(image: bytes | Image.Image, format: str) -> bytes:
    opened = Image.open(io.BytesIO(image)) if isinstance(image, bytes) else image
    buffer = io.BytesIO()
    opened.save(buffer, format, lossless=True) if format == "WEBP" else opened.save(buffer, format)
    return buffer.getvalue()


@pytest.mark.parametrize("packed", ["folder", "zip", "zip of a folder"])
def test_images_in_folders_of_labels_at_any_depth(tmp_path: Path, packed: str) -> None:
    a_tree(tmp_path / "tree")
    path = tmp_path / "tree"
    if packed != "folder":
        path = tmp_path / "tree.zip"
        base = tmp_path if packed == "zip of a folder" else tmp_path / "tree"
        with zipfile.ZipFile(path, "w") as archive:
            for file in sorted((tmp_path / "tree").rglob("*")):
                archive.write(file, file.relative_to(base))

    rows = imported(path)

    assert are_digits(rows, (1, 8, NOT_A_DIGIT, 3))
    assert max(rows[1].stored_drawing().pixels.shape) == imaging.STORED_SIDE


def test_files_that_are_not_images_are_reported(tmp_path: Path) -> None:
    a_tree(tmp_path)
    (tmp_path / "8" / "notes.txt").write_text("not an image")
    (tmp_path / "3").mkdir()
    (tmp_path / "3" / "cut.png").write_bytes(drawing(3)[:300])

    said = refused_import(tmp_path)

    assert "8/notes.txt: This is not an image." in said
    assert "3/cut.png: The end of the image is missing." in said
    assert len(imported(tmp_path, "--skip-bad")) == 4


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_read_permission_is_reported(tmp_path: Path) -> None:
    a_tree(tmp_path)
    (tmp_path / "8" / "photo.jpg").chmod(0)

    assert "8/photo.jpg can't be read: Permission denied" in refused_import(tmp_path)


# Label Studio ---------------------------------------------------------------------------------


def data_uri(digit: int) -> str:
    return "data:image/png;base64," + base64.b64encode(drawing(digit)).decode()


def annotation(*choices: str, **more: Any) -> dict[str, Any]:
    result = {"type": "choices", "from_name": "choice", "value": {"choices": [*choices]}}
    return {"id": 7, "completed_by": 1, "result": [result], **more}


def as_label_studio() -> list[dict[str, Any]]:
    """Its own export: tasks have numbers, projects and much more than is needed."""
    return [
        {"id": 11, "project": 2, "data": {"image": data_uri(3)}, "annotations": [annotation("3")]},
        {
            "id": 12,
            "project": 2,
            "data": {"drawing": data_uri(1), "who": "ann"},
            "annotations": [annotation("7", was_cancelled=True), annotation("1"), annotation("1")],
        },
        {"id": 13, "project": 2, "data": {"image": data_uri(8)}, "annotations": []},
        {
            "id": 14,
            "data": {"image": data_uri(5)},
            "annotations": [annotation("Not a digit")],
            "predictions": [{"result": [{"value": {"choices": ["5"]}}]}],
        },
    ]


def test_what_label_studio_exports(tmp_path: Path) -> None:
    (tmp_path / "x.json").write_text(json.dumps(as_label_studio(), indent=1))

    printed = import_from(tmp_path / "x.json")

    rows = list(Prediction.objects.order_by("created_at"))
    assert are_digits(rows, (3, 1, NOT_A_DIGIT))
    assert "Ignored 1 unlabelled." in printed


def test_what_label_studio_exports_as_json_min(tmp_path: Path) -> None:
    tasks = [
        {"id": 1, "image": data_uri(3), "digit": "3", "annotator": 1},
        {"id": 2, "image": data_uri(1), "choice": "1", "annotator": 1},
        {"id": 3, "image": data_uri(8), "annotator": 1},
    ]
    (tmp_path / "x.json").write_text(json.dumps(tasks))

    printed = import_from(tmp_path / "x.json")

    rows = list(Prediction.objects.order_by("created_at"))
    assert are_digits(rows, (3, 1))
    assert "Ignored 1 unlabelled." in printed


def test_labels_from_label_studio_are_given_to_the_stored_drawings(tmp_path: Path) -> None:
    rows = [store(3), store(1, label=7), store(8)]
    export_to(tmp_path / "tasks.json", "--include-unlabelled")
    tasks = json.loads((tmp_path / "tasks.json").read_bytes())
    for number, task in enumerate(tasks):
        task["id"] = number
    tasks[0]["annotations"] = [annotation("3")]
    tasks[1]["annotations"] = [annotation("1")]
    (tmp_path / "done.json").write_text(json.dumps(tasks))

    printed = import_from(tmp_path / "done.json")

    assert [Prediction.objects.get(pk=row.pk).label for row in rows] == [3, 7, None]
    assert Prediction.objects.count() == 3
    assert "1 of these had no label" in printed
    assert "1 of these have a conflicting label" in printed
    assert "Ignored 1 unlabelled." in printed


def test_a_label_corrected_in_label_studio_is_not_attributed_to_the_earlier_reviewer(
    tmp_path: Path, user: Any
) -> None:
    row = store(1, label=7, by=user)
    export_to(tmp_path / "tasks.json")
    (task,) = json.loads((tmp_path / "tasks.json").read_bytes())
    task["annotations"] = [annotation("1")]
    task["id"] = 1
    (tmp_path / "done.json").write_text(json.dumps([task]))
    Prediction.objects.all().delete()

    import_from(tmp_path / "done.json")

    found = Prediction.objects.get(pk=row.pk)
    assert (found.label, found.labelled_by) == (1, None)
    assert found.labelled_at is not None
    assert row.labelled_at is not None
    assert found.labelled_at > row.labelled_at
    assert found.created_at == row.created_at


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"annotations": [annotation("maybe")]}, "its label 'maybe' is not 0-9"),
        ({"annotations": [annotation("3")], "data": {"image": "/data/upload/1.png"}}, "is not in"),
        ({"annotations": [annotation("3")], "data": {"image": "https://x/1.png"}}, "not fetched"),
        ({"annotations": [annotation("3")], "data": {"image": "s3://x/1.png"}}, "not fetched"),
        ({"annotations": [annotation("3")], "data": {}}, "neither an image nor strokes"),
        (
            {"annotations": [annotation("3")], "data": {"image": "data:image/png;base64,a?b="}},
            "as a data URL or base64",
        ),
        ({"annotations": [annotation("3")], "meta": {"sha256": "0"}}, "the id is missing"),
    ],
)
def test_bad_tasks_are_reported(tmp_path: Path, change: dict[str, Any], said: str) -> None:
    task = {"id": 41, "data": {"image": data_uri(3)}, **change}
    (tmp_path / "x.json").write_text(json.dumps([task, "no task"]))

    found = refused_import(tmp_path / "x.json")

    assert "task 41: " in found
    assert said in found
    assert "task 2: it is not a Label Studio task" in found


# Hugging Face ---------------------------------------------------------------------------------


def write_parquet(
    path: Path, labels: list[int | None], names: list[str] | None = None, rows: int = 1000
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    label: dict[str, Any] = {"_type": "Value", "dtype": "int64"}
    if names is not None:
        label = {"_type": "ClassLabel", "names": names}
    features = {"image": {"_type": "Image"}, "label": label}
    table = pa.Table.from_pylist(
        [
            {"image": {"bytes": drawing(digit), "path": None}, "label": number}
            for digit, number in zip(DIGITS, labels, strict=True)
        ]
    )
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    pq.write_table(table.replace_schema_metadata(metadata), path, row_group_size=rows)


@needs_pyarrow
@pytest.mark.parametrize("names", [None, [*"0123456789"]])
def test_mnist_from_hugging_face(tmp_path: Path, names: list[str] | None) -> None:
    write_parquet(tmp_path / "train.parquet", [*DIGITS], names, rows=2)

    assert are_digits(imported(tmp_path / "train.parquet"))


@needs_pyarrow
def test_a_folder_of_parquet_files(tmp_path: Path) -> None:
    write_parquet(tmp_path / "train-00000-of-00001.parquet", [*DIGITS])

    assert are_digits(imported(tmp_path))


@needs_pyarrow
def test_classes_are_matched_by_name(tmp_path: Path) -> None:
    names = ["eight", "8", "not a digit", "3", "1", "4"]
    write_parquet(tmp_path / "x.parquet", [3, 4, 1, 2], names)

    assert are_digits(imported(tmp_path / "x.parquet"), (3, 1, 8, NOT_A_DIGIT))


@needs_pyarrow
def test_classes_that_are_not_digits_are_reported_and_missing_labels_ignored(
    tmp_path: Path,
) -> None:
    write_parquet(tmp_path / "x.parquet", [3, 0, -1, None], ["cat", "8", "dog", "3"])

    said = refused_import(tmp_path / "x.parquet")

    assert "x.parquet, row 2: its label is 0" in said
    assert "1 of 4" in said
    assert "Ignored 2 unlabelled." in import_from(tmp_path / "x.parquet", "--skip-bad")


@needs_pyarrow
def test_parquet_without_the_two_columns_is_refused(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.table({"image": [b"x"], "label": [1]}), tmp_path / "a.parquet")
    assert "has no files" in refused_import(tmp_path / "a.parquet")

    image = pa.array([{"bytes": b"x"}])
    pq.write_table(pa.table({"image": image, "digit": [1]}), tmp_path / "b.parquet")
    assert "has no column label, only image, digit" in refused_import(tmp_path / "b.parquet")

    pq.write_table(pa.table({"image": image, "label": ["1"]}), tmp_path / "c.parquet")
    assert "not whole numbers" in refused_import(tmp_path / "c.parquet")
