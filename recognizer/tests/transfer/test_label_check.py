"""Imports whose labels contradict the model stop before anything is stored, and say why."""

from __future__ import annotations

import gzip
import shutil
import struct
from pathlib import Path

import numpy as np
import pytest

from recognizer.models import Prediction
from recognizer.tests.support.exporting import (
    export_to,
    files_of,
    import_from,
    needs_pyarrow,
    refused_import,
    store,
)
from recognizer.tests.support.reviewing import NOT_A_DIGIT, drawing
from recognizer.tests.transfer.test_foreign_files import mnist_like

pytestmark = pytest.mark.django_db

CASES = Path(__file__).with_name("cases")
EMNIST = CASES / "emnist"
TRANSPOSED = EMNIST / "transposed_emnist-digits-train-images-idx3-ubyte.gz"
STRAIGHT = EMNIST / "straight_emnist-digits-train-images-idx3-ubyte.gz"
PIXELS = CASES / "csv" / "load_digits-0-16-label-last.csv"


def labels() -> list[int | None]:
    return list(Prediction.objects.order_by("created_at").values_list("label", flat=True))


# What it looks like -----------------------------------------------------------------------------


def test_transposed_images() -> None:
    said = refused_import(TRANSPOSED)

    assert "Only 11 of 40 labels agree" in said
    assert "look transposed" in said
    assert "40 of 40 labels agree" in said
    assert "labelled 1, predicted as 4" in said
    assert "add --transpose" in said
    assert "add --as-is" in said

    import_from(TRANSPOSED, "--transpose")
    turned = {row.pixels_sha256: row.label for row in Prediction.objects.all()}
    Prediction.objects.all().delete()
    import_from(STRAIGHT)
    assert {row.pixels_sha256: row.label for row in Prediction.objects.all()} == turned


def test_letters() -> None:
    some = EMNIST / "letters-a-to-j_emnist-letters-train-images-idx3-ubyte.gz"
    more = EMNIST / "letters-a-to-p_emnist-letters-train-images-idx3-ubyte.gz"

    assert "letters numbered from 1 (A)" in refused_import(some)
    assert "Numbers above 10 are letters" in refused_import(more)
    assert "letters numbered from 1 (A)" in refused_import(more, "--skip-bad")


@pytest.mark.parametrize("numbered", [False, True])
def test_the_label_in_the_last_column(tmp_path: Path, numbered: bool) -> None:
    path = tmp_path / "x.csv"
    titles = f"{','.join(map(str, range(65)))}\n" if numbered else ""
    path.write_text(titles + PIXELS.read_text())

    said = refused_import(path)

    assert "those of the column “last”: 19 of 20" in said
    assert "add --label-column last" in said
    import_from(path, "--label-column", "last")
    assert labels() == [digit for digit in range(10) for _ in range(2)]


def test_the_label_in_another_column_with_a_title(tmp_path: Path) -> None:
    rows = PIXELS.read_text().splitlines()
    header = ",".join(["label", *(f"p{n}" for n in range(64)), "digit"])
    lines = [f"{number % 3},{row}" for number, row in enumerate(rows)]
    (tmp_path / "x.csv").write_text("\n".join([header, *lines]))

    assert "add --label-column digit" in refused_import(tmp_path / "x.csv")
    import_from(tmp_path / "x.csv", "--label-column", "digit")
    assert labels() == [digit for digit in range(10) for _ in range(2)]


def test_the_number_of_a_project(tmp_path: Path) -> None:
    shutil.copytree(CASES / "label-studio" / "data" / "upload", tmp_path / "upload")

    said = refused_import(tmp_path / "upload")

    assert "All 4 drawings are labelled 3, but predicted as 0, 3, 5, 7" in said
    assert "number of a project" in said


def test_the_numbers_of_people() -> None:
    said = refused_import(CASES / "people")

    assert "Only 0 of 5 labels agree" in said
    assert "those of people or projects" in said


def test_one_label_for_another_digit() -> None:
    """A hundred crossed 7s labelled 1."""
    path = CASES / "npz" / "sevens-as-ones.npz"

    assert "Only 0 of 100 labels agree" in refused_import(path)
    assert "Imported 100 drawings" in import_from(path, "--as-is")


def emnist() -> tuple[bytes, bytes]:
    """The images and labels of 40 digits."""
    names = STRAIGHT, STRAIGHT.with_name(STRAIGHT.name.replace("images-idx3", "labels-idx1"))
    images, labels = (gzip.decompress(path.read_bytes()) for path in names)
    return images, labels


def write_pair(folder: Path, images: bytes, labels: bytes) -> None:
    (folder / "a-images-idx3-ubyte").write_bytes(images)
    (folder / "a-labels-idx1-ubyte").write_bytes(labels)


def test_labels_that_start_at_one(tmp_path: Path) -> None:
    images, found = emnist()
    n = 36  # without the 9s, whose label would be 10
    images = images[:4] + struct.pack(">I", n) + images[8 : 16 + n * 784]
    pixels = np.frombuffer(images[16:], np.uint8).reshape(n, 28, 28)
    # Five of each: one more, moved by a pixel.
    more = np.concatenate([pixels, np.roll(pixels, 1, axis=2)])
    labels = np.frombuffer(found[8 : 8 + n], np.uint8) + 1
    np.savez(tmp_path / "x.npz", x_train=more, y_train=np.concatenate([labels, labels]))

    said = refused_import(tmp_path / "x.npz")

    assert "The labels look renumbered" in said
    assert "1 → 0, 2 → 1, 3 → 2" in said


def test_ten_that_stands_for_zero(tmp_path: Path) -> None:
    images, found = emnist()
    pixels = np.frombuffer(images[16:], np.uint8).reshape(40, 28, 28)
    labels = np.frombuffer(found[8:], np.uint8).copy()
    labels[labels == 0] = 10
    # Five zeros.
    more = np.concatenate([pixels, np.roll(pixels[:1], 1, axis=2)])
    np.savez(tmp_path / "x.npz", x_train=more, y_train=np.append(labels, 10))

    assert "10 stands for 0" in refused_import(tmp_path / "x.npz")


def test_rows_in_another_order(tmp_path: Path) -> None:
    images, found = emnist()
    write_pair(tmp_path, images, found[:8] + found[8:][17:] + found[8:][:17])

    assert "may belong to other drawings" in refused_import(tmp_path)


# What is imported all the same --------------------------------------------------------------------


def test_labels_that_are_right() -> None:
    assert "Imported 40 drawings" in import_from(STRAIGHT)


@pytest.mark.parametrize("digits", [(3, 1), (3,)])
def test_one_or_two_corrections_of_the_model(tmp_path: Path, digits: tuple[int, ...]) -> None:
    images = np.stack([mnist_like(digit) for digit in digits])
    np.savez(tmp_path / "x.npz", x_train=images, y_train=np.array([7] * len(digits)))

    printed = import_from(tmp_path / "x.npz")

    assert f"Imported {len(digits)} drawing" in printed


@needs_pyarrow
@pytest.mark.parametrize(
    "name", ["x.npz", "x.csv", "folder", "x.zip", "x.json", "x.jsonl", "x.parquet"]
)
def test_an_export_of_mistakes_alone(tmp_path: Path, name: str) -> None:
    for digit in range(8):
        store(digit, label=(digit + 1) % 8)
    store(3, label=3, seed=2)
    (tmp_path / "again").mkdir()
    export_to(tmp_path / name, "--only-mistakes")
    Prediction.objects.all().delete()

    assert "Imported 8 drawings" in import_from(tmp_path / name)

    export_to(tmp_path / "again" / name, "--only-mistakes")
    assert files_of(tmp_path / "again" / name) == files_of(tmp_path / name)


def test_drawings_that_are_not_digits(tmp_path: Path) -> None:
    """Also if the model takes them for digits, as long as not for the same one."""
    images = np.stack([mnist_like(digit) for digit in range(8)])
    np.savez(tmp_path / "x.npz", x_train=images, y_train=np.full(8, NOT_A_DIGIT))

    assert "8 not a digit" in import_from(tmp_path / "x.npz")


# Suspect labels ---------------------------------------------------------------------------------


def test_suspect_labels_are_named(tmp_path: Path) -> None:
    images, found = emnist()
    labels = bytearray(found)
    labels[8 + 13], labels[8 + 30] = 8, 1
    write_pair(tmp_path, images, bytes(labels))

    printed = import_from(tmp_path)

    assert "[13]: labelled 8, predicted as 3" in printed
    assert "[30]: labelled 1, predicted as 7" in printed
    assert "2 labels look wrong" in printed
    assert "Imported 40 drawings" in printed


def test_a_label_that_most_of_its_drawings_contradict_is_named(tmp_path: Path) -> None:
    sevens = np.load(CASES / "npz" / "sevens-as-ones.npz")["x_train"][:10]
    images, found = emnist()
    pixels = np.frombuffer(images[16:], np.uint8).reshape(40, 28, 28)
    np.savez(
        tmp_path / "x.npz",
        x_train=np.concatenate([pixels, sevens]),
        y_train=np.append(np.frombuffer(found[8:], np.uint8), [1] * 10),
    )

    printed = import_from(tmp_path / "x.npz")

    assert "10 of the 14 drawings labelled 1 are predicted as 7" in printed


def test_a_label_for_a_stored_drawing_is_compared_too(tmp_path: Path) -> None:
    rows = [store(digit) for digit in (3, 1, 8, 4, 5)]
    for number, row in enumerate(rows):
        folder = tmp_path / str((row.digit + 1) % 10)
        folder.mkdir(exist_ok=True)
        (folder / f"{number}.png").write_bytes(bytes(row.image))

    assert "Only 0 of 5 labels agree" in refused_import(tmp_path)
    assert not Prediction.objects.labelled().exists()


@needs_pyarrow
def test_another_column_of_a_parquet_file(tmp_path: Path) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    rows = [{"image": {"bytes": drawing(n)}, "person": 1, "written": n} for n in (3, 8, 5)]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "x.parquet")

    assert "Say which one has the labels" in refused_import(tmp_path / "x.parquet")
    import_from(tmp_path / "x.parquet", "--label-column", "written")
    assert labels() == [3, 8, 5]


def test_formats_without_columns_name_that(tmp_path: Path) -> None:
    assert "has no columns" in refused_import(STRAIGHT, "--label-column", "digit")
    assert "no column called nothing" in refused_import(
        CASES / "csv" / "titled-0-16.csv", "--label-column", "nothing"
    )
