"""The formats that drawings are exported in and imported from, one module each. No Django.

To add one, write a module that ends with its `Format` (see `base`) and add it to `FORMATS`: the
commands, the admin's downloads and the inference of a format use that list.

``items``
    a drawing with its label and record, as every format holds it
``containers``
    folders and zip files, for formats of several files
``manifest``
    the list of an export's drawings with their records and hashes
``arrays``
    NumPy arrays that are written and read a row at a time

`read` yields the drawings of any format, ours or foreign. Rows are streamed, so that memory does
not grow with their number. The same drawings give the same bytes.
"""

from __future__ import annotations

import contextlib
import os
import tempfile
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

from recognizer.transfer.formats import (
    csv_table,
    hugging_face,
    idx,
    json_lines,
    label_studio,
    manifest,
    npz,
    parquet,
    png,
)
from recognizer.transfer.formats.base import Format
from recognizer.transfer.formats.containers import (
    FolderSink,
    ZipSink,
    is_zip,
    open_file,
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
    "FORMATS",
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
    "infer_format",
    "label_of",
    "read",
    "write_file",
    "write_files",
]

FORMATS: dict[str, Format] = {
    each.name: each
    for each in (
        # A file is of the first format that recognises it: the least strict ones come last.
        npz.FORMAT,
        idx.FORMAT,
        parquet.FORMAT,
        hugging_face.FORMAT,
        json_lines.FORMAT,
        label_studio.FORMAT,
        csv_table.FORMAT,
        png.FORMAT,
    )
}
"""All formats by name."""


def write_file(
    format: Format, items: Iterable[Item], file: IO[bytes], spool: Spool = tempfile.TemporaryFile
) -> Summary:
    """Write an export as one file, in any format: several files go into a zip.

    ``file`` is open and empty; ``spool`` opens temporary files. Raises FormatError.
    """
    with _closing(spool) as spool:
        if format.write_file is not None:
            return format.write_file(items, file, spool)
        assert format.write_files is not None
        with zipfile.ZipFile(file, "w") as archive:
            return format.write_files(items, ZipSink(archive), spool)


def write_files(
    format: Format, items: Iterable[Item], folder: Path, spool: Spool = tempfile.TemporaryFile
) -> Summary:
    """Write an export of several files into an empty folder. Raises FormatError."""
    assert format.write_files is not None
    with _closing(spool) as spool:
        return format.write_files(items, FolderSink(folder), spool)


@contextlib.contextmanager
def _closing(spool: Spool) -> Iterator[Spool]:
    """Close all temporary files at the end, also after an error."""
    with contextlib.ExitStack() as stack:
        yield lambda: stack.enter_context(spool())


def read(
    path: Path,
    format: Format | None = None,
    *,
    with_manifest: bool = True,
    label_column: str | None = None,
) -> Iterator[Item | BadItem]:
    """Yield the drawings of a file or folder, and what in it can't be used.

    Without a format it is inferred from the content. An export of ours is read with its manifest,
    which says what is a model's input; ``with_manifest=False`` reads it as any other file, and so
    does ``label_column``, which names the column or JSON value of the labels.

    Raises FormatError if the whole can't be read or is incomplete.
    """
    format = format or infer_format(path)
    if label_column is None:
        yield from format.read(path, with_manifest=with_manifest)
    elif format.read_column is None:
        raise FormatError(f"{path} is {format.name}, which has no columns: no label column fits.")
    else:
        yield from format.read_column(path, label_column)


def count(path: Path, format: Format) -> int | None:
    """Return how many drawings a file claims to hold; None if only reading it tells."""
    return None if format.count is None else format.count(path)


def infer_format(path: Path) -> Format:
    """Return the format of a file or folder by its content; raises FormatError."""
    if os.path.isdir(path) or (os.path.isfile(path) and is_zip(path)):
        return _infer_several(path)
    try:
        with open_file(path) as file:
            head = file.read(4096)
    except OSError as error:
        raise unreadable(path, error) from error
    if head.startswith(b"\x93NUMPY"):
        raise FormatError(
            f"{path} is one array. Save images and labels together: "
            "np.savez_compressed(path, x_train=images, y_train=labels)."
        )
    for format in FORMATS.values():
        if format.starts(head):
            return format
    raise FormatError(f"{path} is in none of the supported formats: {', '.join(FORMATS)}.")


def _infer_several(path: Path) -> Format:
    with open_source(path) as source:
        if source.has(manifest.NAME):
            with source.open(manifest.NAME) as file:
                named = FORMATS.get(manifest.head_of(file, str(path)))
            if named is not None and named.write_files is not None:
                return named
        return next(format for format in FORMATS.values() if format.matches(source))
