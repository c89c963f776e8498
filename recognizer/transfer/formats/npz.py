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
"""

from __future__ import annotations

import hashlib
import itertools
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
    model_input_of,
    record_of,
)
from recognizer.transfer.formats.manifest import ManifestWriter, Summary

_HALVES = (("x_train", "y_train"), ("x_test", "y_test"))
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
                f"{path} has neither x_train, y_train nor x_test, y_test, only "
                f"{', '.join(sorted(names)) or 'nothing'}."
            )
        for x, y in halves:
            images, labels = StoredArray(archive, x), StoredArray(archive, y)
            _check_labels(labels, len(images))
            yield from _items(images, map(int, map(_only, labels.rows())))
        if _OTHERS in names:
            yield from _items(StoredArray(archive, _OTHERS), itertools.repeat(NOT_A_DIGIT))


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


def _items(images: StoredArray, labels: Iterable[int]) -> Iterator[Item | BadItem]:
    _check_images(images)
    for index, (image, label) in enumerate(zip(images.rows(), labels, strict=False)):
        name = f"{images.name}[{index}]"
        if not 0 <= label <= NOT_A_DIGIT:
            yield BadItem(name, f"its label is {label}, not 0-9 or 10 (not a digit)")
            continue
        try:
            yield Item(name, label, as_pixels(image))
        except ValueError as error:
            yield BadItem(name, str(error))


def _only(row: np.ndarray[Any, Any]) -> Any:
    return row.reshape(-1)[0]


def _check_images(images: StoredArray) -> None:
    shape, dtype = images.shape, images.dtype
    if len(shape) not in (3, 4) or (len(shape) == 4 and shape[3] not in (1, 3)):
        raise FormatError(
            f"{images.name} has shape {shape}, not (n, height, width) or "
            "(n, height, width, 1 or 3)."
        )
    if dtype.kind not in "uif":
        raise FormatError(f"{images.name} is {dtype}, not uint8 or floats.")


def _check_labels(labels: StoredArray, n: int) -> None:
    if labels.shape not in {(n,), (n, 1)} or labels.dtype.kind not in "ui":
        raise FormatError(
            f"{labels.name} is {labels.dtype} of shape {labels.shape} for {n} images, not whole "
            f"numbers of shape ({n},)."
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
