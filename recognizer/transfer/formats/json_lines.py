"""JSON lines: a drawing a line, with its strokes and their times where a pen's were sent.

    {"id": "0d6f...", "label": "3", "digit": 8, ..., "image": "data:image/png;base64,...",
     "strokes": {"strokes": [[[x, y, time, pressure], ...], ...], "width": 143, "size": [w, h]}}

The other fields are the drawing's record; the strokes are as the API takes them. The last line has
the end of the manifest as ``export``. It also reads lines of other tools: see `json_objects`.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from recognizer import imaging
from recognizer.transfer.formats.base import Format, gettext_noop
from recognizer.transfer.formats.containers import Folder, open_file, unreadable
from recognizer.transfer.formats.items import (
    BadItem,
    FormatError,
    Item,
    Record,
    Spool,
    record_of,
)
from recognizer.transfer.formats.json_objects import item_of, record_in, together
from recognizer.transfer.formats.manifest import Summary, Tally
from recognizer.transfer.formats.named_images import NamedImages

_END = "export"
_MAX_LINE = 16 << 20  # bytes
_WRAPPED = re.compile(rb'\{\s*"tasks"\s*:\s*\[')


def write(items: Iterable[Item], file: IO[bytes], spool: Spool) -> Summary:
    """Write drawings, labelled or not; raises FormatError for damaged strokes."""
    tally = Tally()
    for line in lines(items, tally):
        file.write(line)
    return tally.summary()


def lines(items: Iterable[Item], tally: Tally) -> Iterator[bytes]:
    """Yield the lines of a file; count the drawings in ``tally``.

    Raises FormatError for damaged strokes.
    """
    waiting: dict[str, Any] | None = None
    for item in items:
        if waiting is not None:
            yield _line(waiting)
        assert isinstance(item.image, bytes)
        record = record_of(item).of_file(item.image)
        strokes = _strokes_of(item)
        _count(tally, record, strokes)
        image = f"data:image/png;base64,{base64.b64encode(item.image).decode()}"
        waiting = {**record.to_json(), "image": image}
        if strokes is not None:
            waiting["strokes"] = strokes
    if waiting is not None:
        # Known only at the end.
        yield _line({**waiting, _END: tally.summary().to_json()})


def _strokes_of(item: Item) -> dict[str, Any] | None:
    try:
        return None if item.strokes is None else imaging.PenStrokes.unpack(item.strokes).to_json()
    except imaging.StrokesError as error:
        raise FormatError(f"The strokes of drawing {item.name} are damaged.") from error


def _count(tally: Tally, record: Record, strokes: dict[str, Any] | None) -> None:
    more = {} if strokes is None else {"strokes": json.dumps(strokes)}
    tally.add(record, **more)


def _line(values: Mapping[str, Any]) -> bytes:
    return json.dumps(values, ensure_ascii=False).encode() + b"\n"


def read(
    path: Path, *, with_manifest: bool = True, label_key: str | None = None
) -> Iterator[Item | BadItem]:
    """Yield the drawings of a file.

    Raises FormatError if the first line is no JSON object, or for an incomplete export of ours.
    """
    yield from together(_read(path, with_manifest, label_key))


def _read(path: Path, with_manifest: bool, label_key: str | None) -> Iterator[Item | BadItem]:
    images = NamedImages(Folder(path.parent))
    tally, end = Tally(), {}
    is_empty = True
    untouched = with_manifest
    try:
        with open_file(path) as file:
            for number, line in enumerate(_lines(file, path), start=1):
                if not line.strip():
                    continue
                name = f"line {number}"
                try:
                    values = _parsed(line)
                except ValueError as error:
                    if is_empty:
                        raise FormatError(f"{path}, {name}: {error}.") from error
                    yield BadItem(name, str(error))
                    untouched = False
                    continue
                is_empty = False
                try:
                    record = record_in(values) if with_manifest else None
                    item = item_of(values, name, images, record=record, label_key=label_key)
                except (ValueError, TypeError) as error:
                    yield BadItem(name, str(error).rstrip("."))
                    untouched = False
                    continue
                untouched = untouched and record is not None and "sha256" in values
                if untouched and record is not None:
                    _count(tally, record, values.get("strokes"))
                    end = values.get(_END, {})
                yield item
    except OSError as error:
        raise unreadable(path, error) from error
    if is_empty:
        raise FormatError(f"{path} has no lines.")
    if untouched and tally.summary().written:
        tally.check(end, str(path))


def _lines(file: IO[bytes], path: Path) -> Iterator[bytes]:
    while line := file.readline(_MAX_LINE + 1):
        if len(line) > _MAX_LINE:
            raise FormatError(f"{path} has a line of over {_MAX_LINE >> 20} MB.")
        yield line


def _parsed(line: bytes) -> dict[str, Any]:
    try:
        values = json.loads(line.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise ValueError("it is not valid JSON") from error
    if not isinstance(values, dict):
        raise ValueError("it is not a JSON object")
    return values


def _starts_with_object(head: bytes) -> bool:
    """Whether the first line is a JSON object, or its beginning, and no list of tasks."""
    first, line_feed, _rest = head.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")
    is_whole = not line_feed or first.rstrip().endswith(b"}")
    return first.startswith(b"{") and is_whole and not _WRAPPED.match(first)


FORMAT = Format(
    name="json-lines",
    title=gettext_noop("JSON lines with strokes (.jsonl)"),
    description="a drawing a line, with its strokes",
    download_suffix=".jsonl",
    suffixes=(".jsonl",),
    read=read,
    write_file=write,
    read_column=lambda path, column: read(path, with_manifest=False, label_key=column),
    starts=_starts_with_object,
    takes_unlabelled=True,
)
