"""npz: the layout of ``keras.datasets``, with the original drawings and the manifest.

``x_train`` u8 (N, 28, 28)
    the model inputs, white ink on black; ``y_train`` u8 (N,) 0-9, ``ids`` str (N,)
``x_not_a_digit`` u8 (M, 28, 28)
    the same of drawings labelled "not a digit"; ``ids_not_a_digit`` str (M,)
``drawings`` u8
    the PNG files of all N + M drawings, concatenated, in the order of the manifest;
    drawing i is ``drawings[drawing_ends[i - 1]:drawing_ends[i]]``; ``drawing_ends`` i8 (N + M,)
``manifest`` u8
    the text of the manifest: ``json.loads(data["manifest"].tobytes())``

It also reads any npz in Keras' layout: training and test data, labels 0-9, or 10 (not a digit).
The arrays may be called X and y, or images and labels, too; images may be of any type and range,
flat or with their channels first, labels one-hot.
"""

from __future__ import annotations

import hashlib
import itertools
import math
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from recognizer import imaging
from recognizer.transfer.formats import manifest
from recognizer.transfer.formats.arrays import Column, StoredArray, read_exactly
from recognizer.transfer.formats.base import Format, gettext_noop
from recognizer.transfer.formats.containers import Source, ZipSink, open_archive
from recognizer.transfer.formats.items import (
    NOT_A_DIGIT,
    BadItem,
    FormatError,
    Item,
    Spool,
    as_pixels,
    levels_of,
    model_input_of,
    record_of,
)
from recognizer.transfer.formats.manifest import ManifestWriter, Summary

_HALVES = (
    ("x_train", "y_train"),
    ("x_test", "y_test"),
    ("X_train", "y_train"),
    ("X_test", "y_test"),
    ("X", "y"),
    ("x", "y"),
    ("images", "labels"),
)
_OTHERS = "x_not_a_digit"


def write(items: Iterable[Item], file: IO[bytes], spool: Spool) -> Summary:
    """Write labelled drawings; raises FormatError for one that can't be decoded."""
    shape = (imaging.INPUT_SIDE, imaging.INPUT_SIDE)
    x_train = Column(spool, "x_train", "u1", shape)
    y_train = Column(spool, "y_train", "u1")
    ids = Column(spool, "ids", "<U36")
    x_not_a_digit = Column(spool, "x_not_a_digit", "u1", shape)
    ids_not_a_digit = Column(spool, "ids_not_a_digit", "<U36")
    drawings = Column(spool, "drawings", "u1")
    ends = Column(spool, "drawing_ends", "<i8")
    lines = spool()
    listed = ManifestWriter(lines, "npz")
    for item in items:
        assert isinstance(item.image, bytes)
        pixels, record = model_input_of(item), record_of(item)
        if item.label == NOT_A_DIGIT:
            x_not_a_digit.append(pixels)
            ids_not_a_digit.append(record.id)
        else:
            x_train.append(pixels)
            y_train.append(item.label)
            ids.append(record.id)
        drawings.extend(item.image)
        ends.append(drawings.rows)
        listed.add(record.of_file(item.image))
    summary = listed.close()
    text = Column(spool, "manifest", "u1")
    lines.seek(0)
    while content := lines.read(1 << 16):
        text.extend(content)
    with zipfile.ZipFile(file, "w") as archive:
        sink = ZipSink(archive)
        for column in (x_train, y_train, ids, x_not_a_digit, ids_not_a_digit, ends, text):
            column.write_to(sink)
        # PNG is already compressed.
        drawings.write_to(sink, compress=False)
    return summary


def read(path: Path, *, with_manifest: bool = True) -> Iterator[Item | BadItem]:
    """Yield the drawings of an npz file; raises FormatError."""
    with open_archive(path) as archive:
        names = {name.removesuffix(".npy") for name in archive.namelist()}
        if with_manifest and "manifest" in names:
            yield from _read_ours(archive)
            return
        halves = [half for half in _HALVES if names.issuperset(half)]
        if not halves and _OTHERS not in names:
            raise FormatError(
                f"{path} has neither x_train, y_train nor x_test, y_test nor X, y, only "
                f"{', '.join(sorted(names)) or 'nothing'}."
            )
        for x, y in halves:
            images, labels = StoredArray(archive, x), StoredArray(archive, y)
            _check_labels(labels, len(images))
            yield from _items(images, labels.rows())
        if _OTHERS in names:
            yield from _items(
                StoredArray(archive, _OTHERS), itertools.repeat(np.array(NOT_A_DIGIT))
            )


def count(path: Path) -> int:
    """Return the number of drawings in the arrays' headers."""
    with open_archive(path) as archive:
        names = {name.removesuffix(".npy") for name in archive.namelist()}
        wanted = [x for x, y in _HALVES if names >= {x, y}] + [_OTHERS] * (_OTHERS in names)
        return sum(len(StoredArray(archive, name)) for name in wanted)


def _read_ours(archive: zipfile.ZipFile) -> Iterator[Item | BadItem]:
    where = f"{archive.filename or 'the archive'}, manifest"
    text, ends = StoredArray(archive, "manifest"), StoredArray(archive, "drawing_ends")
    drawings = StoredArray(archive, "drawings")
    for array, dtype in ((text, "u1"), (drawings, "u1"), (ends, "<i8")):
        if array.dtype != dtype or len(array.shape) != 1:
            raise FormatError(f"{where}: {array.name} is {array.dtype} {array.shape}, not {dtype}.")
    start = 0
    with text.open() as lines, drawings.open() as images:
        each_end = ends.rows()
        for line in manifest.read(lines, "npz", where):
            end = next(each_end, None)
            if end is None:
                raise FormatError(f"{where}: it lists more drawings than there are.")
            size = int(end) - start
            if not 0 < size <= imaging.MAX_BYTES:
                raise FormatError(f"{where}: drawing {line.number} has an impossible length.")
            image = read_exactly(images, size, "drawings")
            start = int(end)
            if hashlib.sha256(image).hexdigest() != line.record.sha256:
                yield BadItem(f"drawing {line.number}", "it does not match the manifest")
                continue
            record = line.record
            yield Item(record.id, record.label, image, record.is_model_input, record)
        if start != len(drawings):
            raise FormatError(f"{where}: it lists fewer drawings than there are.")


def _items(images: StoredArray, labels: Iterable[np.ndarray[Any, Any]]) -> Iterator[Item | BadItem]:
    shape = _image_shape(images)
    levels = levels_of(*images.range())
    for index, (image, row) in enumerate(zip(images.rows(), labels, strict=False)):
        name = f"{images.name}[{index}]"
        try:
            yield Item(name, _label(row), as_pixels(image.reshape(shape), levels))
        except ValueError as error:
            number = int(row.item()) if row.size == 1 and np.isfinite(row).all() else None
            yield BadItem(name, str(error), number)


def _label(row: np.ndarray[Any, Any]) -> int:
    """Return a label given as a number or one-hot; raises ValueError."""
    if row.size > 1:
        label = int(row.argmax())
        if row[label] != 1 or np.count_nonzero(row) != 1:
            raise ValueError("its label is not one-hot: one 1, the rest 0")
        return label
    (label,) = row.reshape(-1).tolist()
    if label not in range(NOT_A_DIGIT + 1):
        raise ValueError(f"its label is {label}, not 0-9 or 10 (not a digit)")
    return int(label)


def _image_shape(images: StoredArray) -> tuple[int, ...]:
    """Return the shape of one image: (h, w), (h, w, channels) or (channels, h, w)."""
    shape, dtype = images.shape, images.dtype
    if dtype.kind not in "uifb":
        raise FormatError(f"{images.name} is {dtype}, not numbers.")
    if len(shape) == 3 or (len(shape) == 4 and {shape[1], shape[3]} & {1, 3}):
        return shape[1:]
    if len(shape) == 2 and (side := math.isqrt(shape[1])) ** 2 == shape[1] and side > 1:
        return side, side
    raise FormatError(
        f"{images.name} has shape {shape}, not (n, height, width), (n, height, width, 1 or 3), "
        "(n, 1 or 3, height, width) or (n, side * side)."
    )


def _check_labels(labels: StoredArray, n: int) -> None:
    shapes = {(n,), (n, 1), (n, NOT_A_DIGIT), (n, NOT_A_DIGIT + 1)}
    if labels.shape not in shapes or labels.dtype.kind not in "uif":
        raise FormatError(
            f"{labels.name} is {labels.dtype} of shape {labels.shape} for {n} images, not whole "
            f"numbers of shape ({n},) or one-hot of shape ({n}, 10)."
        )


def _has_arrays(source: Source) -> bool:
    return any(name.endswith(".npy") for name in source.names())


FORMAT = Format(
    name="npz",
    title=gettext_noop("Keras arrays (.npz)"),
    description="arrays as in keras.datasets",
    download_suffix=".npz",
    suffixes=(".npz",),
    read=read,
    write_file=write,
    count=count,
    matches=_has_arrays,
)
