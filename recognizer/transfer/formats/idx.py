"""IDX: the files of MNIST, in a folder or zip, with a manifest.

    train-images-idx3-ubyte.gz    u8 (N, 28, 28), the model inputs, white ink on black
    train-labels-idx1-ubyte.gz    u8 (N,), 0-9, or 10 for "not a digit"
    manifest.json

The names are those that loaders of MNIST expect. It also reads any pairs of such files, gzipped or
not, with images of any size. The format: http://yann.lecun.com/exdb/mnist/.
"""

from __future__ import annotations

import contextlib
import gzip
import re
import struct
from collections.abc import Iterable, Iterator
from pathlib import Path, PurePosixPath
from typing import IO

import numpy as np

from recognizer import imaging
from recognizer.transfer.formats import manifest
from recognizer.transfer.formats.arrays import Column, read_exactly
from recognizer.transfer.formats.base import Format, gettext_noop
from recognizer.transfer.formats.containers import (
    UNREADABLE,
    Folder,
    Sink,
    Source,
    copy,
    is_zip,
    open_source,
    unreadable,
)
from recognizer.transfer.formats.items import (
    NOT_A_DIGIT,
    BadItem,
    FormatError,
    Item,
    Spool,
    model_input_of,
    record_of,
)
from recognizer.transfer.formats.manifest import ManifestWriter, Summary

IMAGES = "train-images-idx3-ubyte.gz"
LABELS = "train-labels-idx1-ubyte.gz"
_UBYTE = 8
_IMAGES = re.compile(r"(.*)images([-.])idx3([-.])ubyte(\.gz)?", re.IGNORECASE)


def write(items: Iterable[Item], sink: Sink, spool: Spool) -> Summary:
    """Write labelled drawings; raises FormatError for one that can't be decoded."""
    side = imaging.INPUT_SIDE
    images = Column(spool, "images", "u1", (side, side))
    labels = Column(spool, "labels", "u1")
    lines = spool()
    listed = ManifestWriter(lines, "idx")
    for item in items:
        pixels = model_input_of(item)
        images.append(pixels)
        labels.append(item.label)
        listed.add(record_of(item).of_input(pixels))
    summary = listed.close()
    for name, column in ((IMAGES, images), (LABELS, labels)):
        # Without name and time, so that the same drawings give the same bytes.
        with (
            sink.open(name) as file,
            gzip.GzipFile("", "wb", compresslevel=6, fileobj=file, mtime=0) as packed,
        ):
            shape = (column.rows, *column.shape)
            packed.write(struct.pack(f">2x2B{len(shape)}I", _UBYTE, len(shape), *shape))
            column.copy_to(packed)  # type: ignore[arg-type]
    copy(lines, sink, manifest.NAME)
    return summary


def read(path: Path, *, with_manifest: bool = True) -> Iterator[Item | BadItem]:
    """Yield the images of all pairs in a folder or zip, or of the pair with the file ``path``."""
    only = None
    if path.is_file() and not is_zip(path):
        path, only = path.parent, path.name
    with open_source(path) as source:
        found = pairs(source, only)
        if not found:
            raise FormatError(
                f"{path / only if only else path} has no pair of files such as "
                "train-images-idx3-ubyte.gz and train-labels-idx1-ubyte.gz."
            )
        if with_manifest and source.has(manifest.NAME) and found == [(IMAGES, LABELS)]:
            yield from _read_ours(source)
            return
        for images, labels in found:
            yield from _read_pair(source, images, labels)


def pairs(source: Source, only: str | None = None) -> list[tuple[str, str]]:
    """Return the names of files of images, each with that of its labels."""
    found = []
    names = source.names() if only is None or not isinstance(source, Folder) else iter([only])
    for name in names:
        if match := _IMAGES.fullmatch(name.replace("labels", "images").replace("idx1", "idx3")):
            images = match[0]
            labels = f"{match[1]}labels{match[2]}idx1{match[3]}ubyte"
            for suffix in ("", ".gz"):
                if source.has(labels + suffix) and (images, labels + suffix) not in found:
                    found.append((images, labels + suffix))
                    break
    return [(images, labels) for images, labels in found if source.has(images)]


def count(path: Path) -> int:
    """Return the number of drawings in the files' headers."""
    only = path.name if path.is_file() and not is_zip(path) else None
    total = 0
    with open_source(path.parent if only else path) as source:
        for images, _ in pairs(source, only):
            with _unpacked(source, images) as file:
                total += _shape(file, images, 3)[0]
    return total


def _read_ours(source: Source) -> Iterator[Item | BadItem]:
    where = f"{source.path}, {manifest.NAME}"
    with source.open(manifest.NAME) as lines:
        listed = manifest.read(lines, "idx", where)
        yield from manifest.join(_read_pair(source, IMAGES, LABELS), listed, where)


def _read_pair(source: Source, images: str, labels: str) -> Iterator[Item | BadItem]:
    with _unpacked(source, images) as image_file, _unpacked(source, labels) as label_file:
        n, height, width = _shape(image_file, images, 3)
        (labelled,) = _shape(label_file, labels, 1)
        if labelled != n:
            raise FormatError(f"{labels} has {labelled} labels for the {n} images of {images}.")
        if not (1 <= height <= imaging.MAX_SIDE and 1 <= width <= imaging.MAX_SIDE):
            raise FormatError(f"{images}: images of {width}x{height} px are not supported.")
        for index in range(n):
            content = read_exactly(image_file, height * width, images)
            (label,) = read_exactly(label_file, 1, labels)
            name = f"{PurePosixPath(images).name}[{index}]"
            if label > NOT_A_DIGIT:
                yield BadItem(name, f"its label is {label}, not 0-9 or 10 (not a digit)", label)
                continue
            yield Item(name, label, np.frombuffer(content, np.uint8).reshape(height, width))
        for file, name in ((image_file, images), (label_file, labels)):
            try:
                more = file.read(1)
            except UNREADABLE as error:
                raise unreadable(name, error) from error
            if more:
                raise FormatError(f"{name} has data after its end: the file is damaged.")


@contextlib.contextmanager
def _unpacked(source: Source, name: str) -> Iterator[IO[bytes]]:
    with source.open(name) as file:
        if not name.lower().endswith(".gz"):
            yield file
            return
        with gzip.GzipFile(fileobj=file, mode="rb") as unpacked:
            yield unpacked  # type: ignore[misc]


def _shape(file: IO[bytes], name: str, dimensions: int) -> tuple[int, ...]:
    zeros, kind, rank = struct.unpack(">HBB", read_exactly(file, 4, name))
    if (zeros, kind, rank) != (0, _UBYTE, dimensions):
        raise FormatError(f"{name} is not an IDX file of bytes with {dimensions} dimensions.")
    shape: tuple[int, ...] = struct.unpack(f">{rank}I", read_exactly(file, 4 * rank, name))
    return shape


FORMAT = Format(
    name="idx",
    title=gettext_noop("MNIST files (.zip)"),
    description="the files of MNIST",
    download_suffix="-idx.zip",
    read=read,
    write_files=write,
    folder=frozenset({manifest.NAME, IMAGES, LABELS}),
    count=count,
    starts=lambda head: head.startswith((b"\x1f\x8b", b"\0\0\x08")),
    matches=lambda source: bool(pairs(source)),
)
