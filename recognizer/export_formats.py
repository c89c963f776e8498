"""The formats that labelled drawings are exported in.

- ``npz``: the layout of ``keras.datasets``: what the model saw, as arrays;
- ``csv``: one row a drawing, ``label,pixel0 ... pixel783``;
- ``png``: a folder a label with the drawings as they were drawn, and ``manifest.csv``.

Rows are streamed: memory does not grow with their number. The same drawings give the same bytes.
"""

from __future__ import annotations

import contextlib
import csv
import hashlib
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import IO

import numpy as np
from django.db.models import QuerySet

from recognizer import imaging, services
from recognizer.models import Label, Prediction

MANIFEST = "manifest.csv"
MANIFEST_COLUMNS = (
    "id",
    "label",
    "digit",
    "confidence",
    "verdict",
    "model_version",
    "source",
    "labelled_at",
    "created_at",
    "path",
    "sha256",
)
FOLDERS = (*(str(digit) for digit in range(10)), "not_a_digit")
# Rows fetched at a time. A row holds a PNG of some kilobytes.
CHUNK = 200
# An archive carries no time of its own, or no two would be alike.
ARCHIVE_TIME = (1980, 1, 1, 0, 0, 0)


class ExportError(ValueError):
    """An export that can't be made; the message says why and what to do."""


class Format(str, Enum):
    NPZ = "npz"
    PNG = "png"
    CSV = "csv"


@dataclass(frozen=True)
class Summary:
    """How many drawings an export holds: of digits, of none; and how many it had to leave out."""

    digits: int
    not_a_digit: int
    left_out: int = 0

    @property
    def written(self) -> int:
        return self.digits + self.not_a_digit


def nothing_to_export(summary: Summary) -> str:
    """Why an export holds no drawing."""
    if summary.left_out:
        return (
            f"Nothing to export: all {summary.left_out} drawings are labelled “not a digit”, "
            "which CSV has no place for. Use npz or png."
        )
    return "Nothing to export: no drawing with a label matches."


def _labelled(drawings: QuerySet[Prediction]) -> Iterator[Prediction]:
    """The labelled drawings, oldest first, images included, a chunk at a time."""
    return (
        drawings.filter(label__isnull=False)
        .defer(None)
        .select_related(None)
        .select_related("model_version")
        .only(
            "id",
            "image",
            "is_model_input",
            "label",
            "digit",
            "confidence",
            "verdict",
            "source",
            "labelled_at",
            "created_at",
            "model_version__name",
        )
        .order_by("created_at", "id")
        .iterator(chunk_size=CHUNK)
    )


def model_input(prediction: Prediction) -> imaging.Pixels:
    """The 28x28 that the model saw: u8, white ink on black.

    Raises ExportError, naming the row, if the stored drawing can't be read.
    """
    try:
        return services.model_input(prediction)
    except imaging.ImageError as error:
        raise ExportError(f"Drawing {prediction.pk} can't be read: {error.message}") from error


class _Column:
    """One array of an npz, grown row by row on disk: its length is written before its rows."""

    def __init__(
        self,
        stack: contextlib.ExitStack,
        name: str,
        dtype: str,
        shape: tuple[int, ...] = (),
    ) -> None:
        self.name = name
        self.dtype = np.dtype(dtype)
        self.shape = shape
        self.rows = 0
        self.file = tempfile.TemporaryFile()  # noqa: SIM115 - open until the stack is left
        stack.enter_context(self.file)

    def append(self, row: object) -> None:
        self.file.write(np.asarray(row, dtype=self.dtype).tobytes())
        self.rows += 1

    def write_to(self, archive: zipfile.ZipFile) -> None:
        with archive.open(_entry(f"{self.name}.npy"), "w", force_zip64=True) as file:
            header = {
                "descr": self.dtype.str,
                "fortran_order": False,
                "shape": (self.rows, *self.shape),
            }
            np.lib.format.write_array_header_1_0(file, header)  # type: ignore[no-untyped-call]
            self.file.seek(0)
            shutil.copyfileobj(self.file, file, 1 << 20)


def write_npz(drawings: QuerySet[Prediction], file: IO[bytes]) -> Summary:
    """Write an npz in the layout of ``keras.datasets.mnist``.

    ``x_train`` u8 (N, 28, 28) white on black, ``y_train`` u8 (N,) 0-9, ``ids`` str (N,); drawings
    labelled "not a digit" apart, in ``x_not_a_digit`` u8 (M, 28, 28) and ``ids_not_a_digit``.
    """
    with contextlib.ExitStack() as stack:
        seen = (imaging.INPUT_SIDE, imaging.INPUT_SIDE)
        x_train = _Column(stack, "x_train", "u1", seen)
        y_train = _Column(stack, "y_train", "u1")
        ids = _Column(stack, "ids", "<U36")
        x_not_a_digit = _Column(stack, "x_not_a_digit", "u1", seen)
        ids_not_a_digit = _Column(stack, "ids_not_a_digit", "<U36")
        for drawing in _labelled(drawings):
            if drawing.label == Label.NOT_A_DIGIT:
                x_not_a_digit.append(model_input(drawing))
                ids_not_a_digit.append(str(drawing.pk))
            else:
                x_train.append(model_input(drawing))
                y_train.append(drawing.label)
                ids.append(str(drawing.pk))
        with zipfile.ZipFile(file, "w") as archive:
            for column in (x_train, y_train, ids, x_not_a_digit, ids_not_a_digit):
                column.write_to(archive)
        return Summary(digits=y_train.rows, not_a_digit=ids_not_a_digit.rows)


def write_csv(drawings: QuerySet[Prediction], file: IO[bytes]) -> Summary:
    """Write ``label,pixel0 ... pixel783``, a row a drawing, pixels 0-255, white ink on black.

    Drawings labelled "not a digit" have no number to stand in the first column: they are left out
    and counted.
    """
    digits = left_out = 0
    header = ["label", *(f"pixel{index}" for index in range(imaging.INPUT_SIDE**2))]
    file.write((",".join(header) + "\n").encode())
    for drawing in _labelled(drawings):
        if drawing.label == Label.NOT_A_DIGIT:
            left_out += 1
            continue
        row = [drawing.label, *model_input(drawing).ravel().tolist()]
        file.write((",".join(map(str, row)) + "\n").encode())
        digits += 1
    return Summary(digits=digits, not_a_digit=0, left_out=left_out)


def write_png_tree(drawings: QuerySet[Prediction], folder: Path) -> Summary:
    """Fill an empty folder: ``0/ ... 9/ not_a_digit/`` with the drawings as drawn, and a manifest.

    Every label has its folder, even an empty one, so that a loader numbers the classes alike.
    """
    for name in FOLDERS:
        (folder / name).mkdir()
    with (folder / MANIFEST).open("w", encoding="utf-8", newline="") as manifest:
        return _write_images(
            drawings, manifest, lambda path, image: (folder / path).write_bytes(image)
        )


def write_png_zip(drawings: QuerySet[Prediction], file: IO[bytes]) -> Summary:
    """Write what `write_png_tree` writes into one zip file, for a download."""
    with (
        zipfile.ZipFile(file, "w") as archive,
        tempfile.TemporaryFile("w+", encoding="utf-8", newline="") as manifest,
    ):
        summary = _write_images(
            drawings, manifest, lambda path, image: archive.writestr(_entry(path), image)
        )
        manifest.seek(0)
        with archive.open(_entry(MANIFEST), "w", force_zip64=True) as entry:
            for line in manifest:
                entry.write(line.encode())
    return summary


def _entry(name: str) -> zipfile.ZipInfo:
    entry = zipfile.ZipInfo(name, ARCHIVE_TIME)
    entry.compress_type = zipfile.ZIP_DEFLATED
    entry.external_attr = 0o644 << 16
    return entry


def _write_images(
    drawings: QuerySet[Prediction], manifest: IO[str], put: Callable[[str, bytes], object]
) -> Summary:
    digits = not_a_digit = 0
    rows = csv.writer(manifest, lineterminator="\n")
    rows.writerow(MANIFEST_COLUMNS)
    for drawing in _labelled(drawings):
        assert drawing.label is not None
        assert drawing.labelled_at is not None
        if drawing.label == Label.NOT_A_DIGIT:
            not_a_digit += 1
        else:
            digits += 1
        name = FOLDERS[drawing.label]
        path = f"{name}/{drawing.pk}.png"
        image = bytes(drawing.image)
        put(path, image)
        rows.writerow(
            [
                drawing.pk,
                name,
                drawing.digit,
                repr(drawing.confidence),
                drawing.verdict,
                drawing.model_version.name,
                drawing.source,
                drawing.labelled_at.isoformat(),
                drawing.created_at.isoformat(),
                path,
                hashlib.sha256(image).hexdigest(),
            ]
        )
    manifest.flush()
    return Summary(digits=digits, not_a_digit=not_a_digit)


# What can be sent as one file.
STREAMS = {Format.NPZ: write_npz, Format.CSV: write_csv, Format.PNG: write_png_zip}
