"""JSON lines: a drawing a line, with its strokes and their times where a pen's were sent.

    {"id": "0d6f...", "label": "3", "digit": 8, ..., "image": "data:image/png;base64,...",
     "strokes": {"strokes": [[[x, y, time, pressure], ...], ...], "width": 143, "size": [w, h]}}

The other fields are the drawing's record; the strokes are as the API takes them. The last line has
the end of the manifest as ``export``. It also reads any lines with a ``label`` and an ``image``, as
a data URL or base64, or with ``strokes``.
"""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from recognizer import imaging
from recognizer.imaging import base64_text
from recognizer.transfer.formats.base import Format, gettext_noop
from recognizer.transfer.formats.containers import open_file, unreadable
from recognizer.transfer.formats.items import (
    BadItem,
    FormatError,
    Item,
    Record,
    Spool,
    label_of,
    record_of,
)
from recognizer.transfer.formats.manifest import Summary, Tally

_END = "export"
_MAX_LINE = 16 << 20  # bytes


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


def read(path: Path, *, with_manifest: bool = True) -> Iterator[Item | BadItem]:
    """Yield the drawings of a file.

    Raises FormatError if the first line is no JSON object, or for an incomplete export of ours.
    """
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
                    ours = with_manifest and "sha256" in values
                    record = Record.from_json(values) if ours else None
                    item = _item(values, record, name)
                except (ValueError, TypeError) as error:
                    yield BadItem(name, str(error).rstrip("."))
                    untouched = False
                    continue
                untouched = untouched and record is not None
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


def _item(values: Mapping[str, Any], record: Record | None, name: str) -> Item:
    """Return the drawing of a line; raises ValueError."""
    sent = values.get("strokes")
    strokes = None if sent is None else imaging.PenStrokes.from_json(_with_size(sent, values))
    packed = None if strokes is None else strokes.pack()
    if values.get("image") is not None:
        image: bytes | imaging.Pixels = _bytes_of(values["image"])
    elif strokes is not None:
        image = strokes.drawing().pixels
    else:
        raise ValueError("it has neither an image nor strokes")
    if record is not None:
        if not isinstance(image, bytes) or hashlib.sha256(image).hexdigest() != record.sha256:
            raise ValueError("its image does not match its sha256")
        return Item(record.id, record.label, image, record.is_model_input, record, packed)
    label = values.get("label")
    # Where some labels are missing, pandas writes all of them as 7.0.
    known = label_of(int(label) if isinstance(label, float) and label.is_integer() else label)
    if known is None and label is not None:
        raise ValueError(f"its label {str(label)[:40]!r} is not 0-9 or not_a_digit")
    return Item(name, known, image, strokes=packed)


def _with_size(sent: Any, values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return strokes with width and size, which may also stand beside them, as in the API."""
    return sent if isinstance(sent, dict) else values


def _bytes_of(image: Any) -> bytes:
    if not isinstance(image, str):
        raise ValueError("its image is not a data URL or base64")
    try:
        return base64_text.decoded(base64_text.packed_part(image))
    except ValueError as error:
        raise ValueError("its image must be in the file, as a data URL or base64") from error


def _starts_with_object(head: bytes) -> bool:
    """Whether the first line is a JSON object, or its beginning, and no task of Label Studio."""
    first, line_feed, _rest = head.removeprefix(b"\xef\xbb\xbf").lstrip().partition(b"\n")
    is_whole = not line_feed or first.rstrip().endswith(b"}")
    return first.startswith(b"{") and is_whole and b'"data"' not in first


FORMAT = Format(
    name="json-lines",
    title=gettext_noop("JSON lines with strokes (.jsonl)"),
    description="a drawing a line, with its strokes",
    download_suffix=".jsonl",
    suffixes=(".jsonl",),
    read=read,
    write_file=write,
    starts=_starts_with_object,
    takes_unlabelled=True,
)
