"""The formats that drawings are exported in and imported from, one module each. No Django.

`read` yields the drawings of any of them, ours or foreign; rows are streamed, so that memory does
not grow with their number. The same drawings give the same bytes.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import zipfile
from collections.abc import Callable, Iterable, Iterator
from enum import Enum
from pathlib import Path
from typing import IO

from recognizer.transfer.formats import csv_table, idx, label_studio, manifest, npz, parquet, png
from recognizer.transfer.formats.containers import (
    FolderSink,
    Sink,
    ZipSink,
    is_zip,
    open_source,
    unreadable,
)
from recognizer.transfer.formats.items import (
    LABEL_NAMES,
    NOT_A_DIGIT,
    BadItem,
    FormatError,
    Item,
    Record,
    Spool,
    label_of,
)
from recognizer.transfer.formats.manifest import Summary

__all__ = [
    "LABEL_NAMES",
    "NOT_A_DIGIT",
    "BadItem",
    "FolderSink",
    "Format",
    "FormatError",
    "Item",
    "Record",
    "Spool",
    "Summary",
    "count",
    "label_of",
    "read",
    "tell",
    "write_file",
    "write_files",
]


class Format(str, Enum):
    NPZ = "npz"
    PNG = "png"
    CSV = "csv"
    IDX = "idx"
    PARQUET = "parquet"
    LABEL_STUDIO = "label-studio"


Read = Callable[..., Iterator[Item | BadItem]]

ONE_FILE: dict[Format, Callable[[Iterable[Item], IO[bytes], Spool], Summary]] = {
    Format.NPZ: npz.write,
    Format.PARQUET: parquet.write,
    Format.LABEL_STUDIO: label_studio.write,
}
SEVERAL_FILES: dict[Format, Callable[[Iterable[Item], Sink, Spool], Summary]] = {
    Format.PNG: png.write,
    Format.CSV: csv_table.write,
    Format.IDX: idx.write,
}
_READERS: dict[Format, Read] = {
    Format.NPZ: npz.read,
    Format.PNG: png.read,
    Format.CSV: csv_table.read,
    Format.IDX: idx.read,
    Format.PARQUET: parquet.read,
    Format.LABEL_STUDIO: label_studio.read,
}
_COUNTS: dict[Format, Callable[[Path], int]] = {
    Format.NPZ: npz.count,
    Format.IDX: idx.count,
    Format.PARQUET: parquet.count,
}


def write_file(
    format: Format, items: Iterable[Item], file: IO[bytes], spool: Spool = tempfile.TemporaryFile
) -> Summary:
    """Write an export as one file, whatever its format: several go into a zip.

    ``file`` is open, empty and seekable; ``spool`` opens temporary files. Raises FormatError.
    """
    with _closing(spool) as spool:
        if write := ONE_FILE.get(format):
            return write(items, file, spool)
        with zipfile.ZipFile(file, "w") as archive:
            return SEVERAL_FILES[format](items, ZipSink(archive), spool)


def write_files(
    format: Format, items: Iterable[Item], folder: Path, spool: Spool = tempfile.TemporaryFile
) -> Summary:
    """Write an export of several files into an empty folder. Raises FormatError."""
    with _closing(spool) as spool:
        return SEVERAL_FILES[format](items, FolderSink(folder), spool)


@contextlib.contextmanager
def _closing(spool: Spool) -> Iterator[Spool]:
    """Close all temporary files at the end, also where it came early."""
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(spool())


def read(
    path: Path, format: Format | None = None, *, with_manifest: bool = True
) -> Iterator[Item | BadItem]:
    """Yield the drawings of a file or folder, and what in it can't be used.

    Without a format it is told from the content. An export of ours is read with its manifest,
    which says what is a model's input; ``with_manifest=False`` reads it as any other's.

    Raises FormatError where the whole can't be read, or breaks off.
    """
    yield from _READERS[format or tell(path)](path, with_manifest=with_manifest)


def count(path: Path, format: Format) -> int | None:
    """Return how many drawings a file says that it holds, None where only reading it tells."""
    return _COUNTS[format](path) if format in _COUNTS else None


def tell(path: Path) -> Format:
    """Tell a file's or a folder's format from its content; raises FormatError in words."""
    if os.path.isdir(path) or (os.path.isfile(path) and is_zip(path)):
        return _tell_several(path)
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise unreadable(path, error) from error
    if head.startswith(b"PAR1"):
        return Format.PARQUET
    if head.startswith((b"\x1f\x8b", b"\0\0\x08")):
        return Format.IDX
    if head.startswith(b"\x93NUMPY"):
        raise FormatError(
            f"{path} is one array. Save images and labels together: "
            "np.savez_compressed(path, x_train=images, y_train=labels)."
        )
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith((b"[", b"{")):
        return Format.LABEL_STUDIO
    if text.partition(b"\n")[0].count(b",") > 1:
        return Format.CSV
    raise FormatError(
        f"{path} is in none of the formats read here: npz, a folder or zip of images, CSV, IDX, "
        "Parquet, or Label Studio's JSON."
    )


def _tell_several(path: Path) -> Format:
    with open_source(path) as source:
        if source.has(manifest.NAME):
            with source.open(manifest.NAME) as file:
                named = manifest.head_of(file, str(path))
            if named in {format.value for format in SEVERAL_FILES}:
                return Format(named)
        if idx.pairs(source):
            return Format.IDX
        for name in source.names():
            if name.endswith(".npy"):
                return Format.NPZ
            if name.endswith(".parquet"):
                return Format.PARQUET
    return Format.PNG
