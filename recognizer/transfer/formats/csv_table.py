"""CSV as on Kaggle: ``label,pixel0 ... pixel783``, a row per drawing, and a manifest beside it.

Pixels are the model input, 0-255, white ink on black; the label is 0-9, or 10 (not a digit).
The manifest of ``labels.csv`` is ``labels.csv.manifest.json``; in a zip file the two are
``drawings.csv`` and ``manifest.json``.

It also reads other tables: the label in the column ``label``, ``digit``, ``class`` or ``target``
(the first one if there is no header) and the pixels of a square in the others, of any range; or a
column that names image files in the folder of the table. Cells end with a comma, semicolon or tab.
"""

from __future__ import annotations

import codecs
import contextlib
import csv
import itertools
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
    Folder,
    Sink,
    copy,
    is_zip,
    open_file,
    open_source,
    unreadable,
)
from recognizer.transfer.formats.csv_layout import DELIMITERS, Layout, delimiter_of, is_number
from recognizer.transfer.formats.items import (
    NOT_A_DIGIT,
    BadItem,
    FormatError,
    Item,
    Spool,
    Vote,
    as_pixels,
    label_of,
    levels_of,
    model_input_of,
    record_of,
)
from recognizer.transfer.formats.json_objects import (
    decided,
    together,
)
from recognizer.transfer.formats.manifest import ManifestWriter, Summary
from recognizer.transfer.formats.named_images import NamedImages

TABLE = "drawings.csv"
_SIDE = imaging.INPUT_SIDE
_COLUMNS = ("label", *(f"pixel{index}" for index in range(_SIDE**2)))
_MAX_LINE = 4 << 20
_SURE = 64  # a pixel of at least this is of a range up to 255


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


def read(
    path: Path, *, with_manifest: bool = True, column: str | None = None
) -> Iterator[Item | BadItem]:
    """Yield the drawings of a table; raises FormatError. ``column`` is that of the label."""
    with contextlib.ExitStack() as stack:
        try:
            table, lines, where = _open(path, stack)
            rows = _rows(table, path, column)
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


def _rows(table: IO[bytes], path: Path, column: str | None) -> Iterator[Item | BadItem]:
    start = table.tell()
    head = table.readline(_MAX_LINE)
    table.seek(start)
    delimiter = delimiter_of(head.decode("utf-8-sig", "replace"))
    rows = csv.reader(_lines(table), delimiter=delimiter, skipinitialspace=True, strict=True)
    try:
        first = next(rows, [])
        layout = Layout.of(first, column, path)
        if isinstance(layout.pixels, int):
            images = NamedImages(Folder(path.parent))
            yield from together(_named(rows, layout, images))
            return
        levels = _levels(rows, first, layout)
        table.seek(start)
        rows = csv.reader(_lines(table), delimiter=delimiter, skipinitialspace=True, strict=True)
        if layout.has_header:
            next(rows)
        for row in rows:
            if row and row != [""]:
                yield _item(row, layout, levels, rows.line_num)
    except csv.Error as error:
        raise FormatError(f"{path}, row {rows.line_num}: {error}.") from error


def _levels(rows: Iterable[list[str]], first: list[str], layout: Layout) -> tuple[float, float]:
    """Return the values of black and white; reads on only while the range is not clear."""
    assert not isinstance(layout.pixels, int)
    low, high = math.inf, -math.inf
    for row in itertools.chain([] if layout.has_header else [first], rows):
        if len(row) != layout.width:
            continue
        try:
            values = [float(_pointed(row[at])) for at in layout.pixels]
        except ValueError:
            continue
        low, high = min(low, *values), max(high, *values)
        if low >= 0 and high >= _SURE:
            break
    if not math.isfinite(high - low):
        return 0.0, 255.0
    found = levels_of(low, high)
    # Whole numbers up to 255 are usual: a value out of that range is a mistake in its row.
    return (0.0, 255.0) if high >= _SURE and low >= 0 else found


def _pointed(cell: str) -> str:
    return cell.strip().replace(",", ".")


def _lines(table: IO[bytes]) -> Iterator[str]:
    """Yield the lines of a table; one that is far too long is split."""
    encoding = "utf-8-sig"
    while line := table.readline(_MAX_LINE):
        yield line.decode(encoding, "replace")
        encoding = "utf-8"


def _item(
    cells: list[str], layout: Layout, levels: tuple[float, float], number: int
) -> Item | BadItem:
    assert not isinstance(layout.pixels, int)
    name = f"row {number}"
    if len(cells) != layout.width:
        return BadItem(name, f"it has {len(cells)} columns, not {layout.width}")
    try:
        label = _whole(cells[layout.label])
        values = np.array([float(_pointed(cells[at])) for at in layout.pixels])
    except ValueError:
        return BadItem(name, "its cells are not all numbers")
    if not 0 <= label <= NOT_A_DIGIT:
        hint = "" if layout.has_header else " Add --label-column last if it is the last column"
        why = f"its label is {label}, not 0-9 or 10 (not a digit).{hint}"
        return BadItem(name, why, label)
    low, high = levels
    if not (low <= values.min() and values.max() <= high):
        return BadItem(name, f"its pixels are not all in {low:g}-{high:g}")
    side = math.isqrt(len(layout.pixels))
    pixels = as_pixels(values.reshape(side, side), levels)
    return Item(name, label, pixels, others=_others(cells, layout))


def _named(
    rows: Iterable[list[str]], layout: Layout, images: NamedImages
) -> Iterator[Item | BadItem]:
    """Yield the drawings of a table whose rows name image files."""
    assert isinstance(layout.pixels, int)
    for number, cells in enumerate((row for row in rows if row and row != [""]), start=2):
        name = f"row {number}"
        if len(cells) != layout.width:
            yield BadItem(name, f"it has {len(cells)} columns, not {layout.width}")
            continue
        text = cells[layout.label].strip()
        label = label_of(text) if not is_number(text) else _whole(text)
        if text and (label is None or not 0 <= label <= NOT_A_DIGIT):
            yield BadItem(name, f"its label is {text[:40]!r}, not 0-9 or not_a_digit", label)
            continue
        try:
            image = images.read(cells[layout.pixels].strip())
        except ValueError as error:
            yield BadItem(name, str(error))
            continue
        votes = () if label is None or not text else (Vote(label),)
        yield Item(name, decided(votes), image, votes=votes, others=_others(cells, layout))


def _whole(cell: str) -> int:
    """Return a whole number, also if it is written as 3.0; raises ValueError."""
    value = float(_pointed(cell))
    if not value.is_integer():
        raise ValueError(cell)
    return int(value)


def _others(cells: list[str], layout: Layout) -> dict[str, int]:
    found = {
        name: label_of(cells[at].strip().removesuffix(".0")) for name, at in layout.others.items()
    }
    return {name: label for name, label in found.items() if label is not None}


def _has_delimiters(head: bytes) -> bool:
    line = head.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")[0]
    return any(line.count(mark.encode()) >= 1 for mark in DELIMITERS) and b"\0" not in line


FORMAT = Format(
    name="csv",
    title=gettext_noop("pixel table (.csv, zipped)"),
    description="label,pixel0..pixel783",
    download_suffix="-csv.zip",
    suffixes=(".csv",),
    read=read,
    write_files=write,
    main_file=TABLE,
    read_column=lambda path, column: read(path, with_manifest=False, column=column),
    starts=_has_delimiters,
)
