"""CSV as on Kaggle: ``label,pixel0 ... pixel783``, a row a drawing, and a manifest beside it.

Pixels are what the model saw, 0-255, white ink on black; the label is 0-9, or 10 for "not a digit".
``labels.csv`` has its manifest in ``labels.csv.manifest.json``; in a zip file the two are called
``drawings.csv`` and ``manifest.json``.

Read are these, and any table whose column ``label`` (or whose first, where there are no titles)
holds the label and whose others hold the pixels of a square.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

import numpy as np

from recognizer import imaging
from recognizer.transfer.formats import manifest
from recognizer.transfer.formats.containers import (
    UNREADABLE,
    Sink,
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
    record_of,
    seen,
)
from recognizer.transfer.formats.manifest import ManifestWriter, Summary

TABLE = "drawings.csv"
_SIDE = imaging.INPUT_SIDE
_TITLES = ("label", *(f"pixel{index}" for index in range(_SIDE**2)))
_MAX_LINE = 4 << 20
# Any number up to 255 as text, faster than str() for 784 of them.
_TEXT = [str(value) for value in range(256)]


def manifest_path(path: Path) -> Path:
    """Return where the manifest of a table lies."""
    return path.with_name(f"{path.name}.{manifest.NAME}")


def write(items: Iterable[Item], sink: Sink, spool: Spool) -> Summary:
    """Write labelled drawings; raises FormatError naming a drawing that can't be read."""
    lines = spool()
    listed = ManifestWriter(lines, "csv")
    with sink.open(TABLE) as table:
        table.write((",".join(_TITLES) + "\n").encode())
        for item in items:
            pixels = seen(item)
            cells = [str(item.label), *(_TEXT[value] for value in pixels.ravel().tolist())]
            table.write((",".join(cells) + "\n").encode())
            listed.add(record_of(item).of_input(pixels))
    summary = listed.close()
    copy(lines, sink, manifest.NAME)
    return summary


def read(path: Path, *, with_manifest: bool = True) -> Iterator[Item | BadItem]:
    """Yield the rows of a table; raises FormatError where it is none."""
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
    """Open a table and its manifest, if there is one; return what to call that one."""
    beside = manifest_path(path)
    lines: IO[bytes] | None = None
    if path.is_file() and not is_zip(path):
        if beside.is_file():
            lines = stack.enter_context(beside.open("rb"))
        return stack.enter_context(path.open("rb")), lines, str(beside)
    source = stack.enter_context(open_source(path))
    if source.has(manifest.NAME):
        lines = stack.enter_context(source.open(manifest.NAME))
    return stack.enter_context(source.open(TABLE)), lines, f"{path}, {manifest.NAME}"


def _rows(table: IO[bytes], path: Path) -> Iterator[Item | BadItem]:
    first = table.readline(_MAX_LINE).decode("utf-8-sig", "replace")
    titles = [_plain(cell) for cell in first.split(",")]
    has_titles = not titles[0].lstrip("-").isdecimal()
    at = 0
    if has_titles:
        if "label" not in titles:
            raise FormatError(f"{path} has no column called label.")
        at = titles.index("label")
    side = math.isqrt(len(titles) - 1)
    if side < 2 or side**2 != len(titles) - 1:
        raise FormatError(
            f"{path} has {len(titles) - 1} columns beside the label, not the pixels of a square "
            f"such as 28x28."
        )
    number = 1
    if not has_titles:
        yield _item(first.split(","), at, side, number)
    while line := table.readline(_MAX_LINE):
        number += 1
        if line.strip():
            yield _item(line.decode("ascii", "replace").split(","), at, side, number)


def _plain(cell: str) -> str:
    return cell.strip().strip('"').lower()


def _item(cells: list[str], at: int, side: int, number: int) -> Item | BadItem:
    name = f"row {number}"
    if len(cells) != side**2 + 1:
        return BadItem(name, f"it has {len(cells)} columns, not {side**2 + 1}")
    try:
        label, *values = map(int, [cells.pop(at).strip(' \r\n"'), *cells])
    except ValueError:
        return BadItem(name, "its cells are not all whole numbers")
    if not 0 <= label <= NOT_A_DIGIT:
        return BadItem(name, f"its label is {label}, not 0-9, nor 10 for “not a digit”")
    if min(values) < 0 or max(values) > 255:
        return BadItem(name, "its pixels are not all in 0-255")
    return Item(name, label, np.array(values, np.uint8).reshape(side, side))
