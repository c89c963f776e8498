"""CSV as on Kaggle: ``label,pixel0 ... pixel783``, a row per drawing, and a manifest beside it.

Pixels are the model input, 0-255, white ink on black; the label is 0-9, or 10 (not a digit).
The manifest of ``labels.csv`` is ``labels.csv.manifest.json``; in a zip file the two are
``drawings.csv`` and ``manifest.json``.

It also reads any table with the label in the column ``label`` (the first one if there is no header)
and the pixels of a square in the others.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

import numpy as np

from recognizer import imaging
from recognizer.transfer.formats import manifest
from recognizer.transfer.formats.base import Format, gettext_noop
from recognizer.transfer.formats.containers import (
    UNREADABLE,
    Sink,
    copy,
    is_zip,
    open_file,
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

TABLE = "drawings.csv"
_SIDE = imaging.INPUT_SIDE
_COLUMNS = ("label", *(f"pixel{index}" for index in range(_SIDE**2)))
_MAX_LINE = 4 << 20


def write(items: Iterable[Item], sink: Sink, spool: Spool) -> Summary:
    """Write labelled drawings; raises FormatError for one that can't be decoded."""
    lines = spool()
    listed = ManifestWriter(lines, "csv")
    with sink.open(TABLE) as file:
        rows = csv.writer(codecs.getwriter("ascii")(file), lineterminator="\n")
        rows.writerow(_COLUMNS)
        for item in items:
            pixels = model_input_of(item)
            rows.writerow([item.label, *pixels.ravel().tolist()])
            listed.add(record_of(item).of_input(pixels))
    summary = listed.close()
    copy(lines, sink, manifest.NAME)
    return summary


def read(path: Path, *, with_manifest: bool = True) -> Iterator[Item | BadItem]:
    """Yield the drawings of a table; raises FormatError."""
    with contextlib.ExitStack() as stack:
        try:
            table, lines, where = _open(path, stack)
            rows = _rows(table, path)
            if not with_manifest or lines is None:
                yield from rows
                return
            yield from manifest.join(rows, manifest.read(lines, "csv", where), where)
        except UNREADABLE as error:
            raise unreadable(path, error) from error


def _open(path: Path, stack: contextlib.ExitStack) -> tuple[IO[bytes], IO[bytes] | None, str]:
    """Open a table and its manifest, if there is one; return its name for messages."""
    beside = manifest.path_beside(path)
    lines: IO[bytes] | None = None
    if path.is_file() and not is_zip(path):
        if beside.is_file():
            lines = stack.enter_context(open_file(beside))
        return stack.enter_context(open_file(path)), lines, str(beside)
    source = stack.enter_context(open_source(path))
    if source.has(manifest.NAME):
        lines = stack.enter_context(source.open(manifest.NAME))
    return stack.enter_context(source.open(TABLE)), lines, f"{path}, {manifest.NAME}"


def _rows(table: IO[bytes], path: Path) -> Iterator[Item | BadItem]:
    rows = csv.reader(_lines(table), skipinitialspace=True, strict=True)
    try:
        first = next(rows, [])
        names = [cell.strip().lower() for cell in first]
        at = 0
        has_header = not (names and names[0].lstrip("-").isdecimal())
        if has_header:
            if "label" not in names:
                raise FormatError(f"{path} has no column called label.")
            at = names.index("label")
        side = math.isqrt(len(names) - 1)
        if side < 2 or side**2 != len(names) - 1:
            raise FormatError(
                f"{path} has {len(names) - 1} columns besides the label, not the pixels of a "
                "square such as 28x28."
            )
        if not has_header:
            yield _item(first, at, side, rows.line_num)
        for row in rows:
            if row and row != [""]:
                yield _item(row, at, side, rows.line_num)
    except csv.Error as error:
        raise FormatError(f"{path}, row {rows.line_num}: {error}.") from error


def _lines(table: IO[bytes]) -> Iterator[str]:
    """Yield the lines of a table; one that is far too long is split."""
    encoding = "utf-8-sig"
    while line := table.readline(_MAX_LINE):
        yield line.decode(encoding, "replace")
        encoding = "utf-8"


def _item(cells: list[str], at: int, side: int, number: int) -> Item | BadItem:
    name = f"row {number}"
    if len(cells) != side**2 + 1:
        return BadItem(name, f"it has {len(cells)} columns, not {side**2 + 1}")
    try:
        label, *values = map(int, [cells.pop(at), *cells])
    except ValueError:
        return BadItem(name, "its cells are not all whole numbers")
    if not 0 <= label <= NOT_A_DIGIT:
        return BadItem(name, f"its label is {label}, not 0-9 or 10 (not a digit)")
    if min(values) < 0 or max(values) > 255:
        return BadItem(name, "its pixels are not all in 0-255")
    return Item(name, label, np.array(values, np.uint8).reshape(side, side))


def _has_commas(head: bytes) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")[0].count(b",") > 1


FORMAT = Format(
    name="csv",
    title=gettext_noop("pixel table (.csv, zipped)"),
    description="label,pixel0..pixel783",
    download_suffix="-csv.zip",
    suffixes=(".csv",),
    read=read,
    write_files=write,
    main_file=TABLE,
    starts=_has_commas,
)
