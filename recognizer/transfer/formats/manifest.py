"""The manifest of an export: a line of JSON for each drawing, and a hash of all of them.

    {"manifest": "digitsite-drawings", "version": 1, "format": "csv", "drawings": [
    {"id": "0d6f...", "label": "3", "digit": 8, ..., "sha256": "..."},
    {"id": "71aa...", "label": "not_a_digit", "digit": 1, ..., "sha256": "..."}
    ], "count": 2, "digits": 1, "not_a_digit": 1, "sha256": "..."}

It is one JSON document, but written and read line by line, so that memory does not grow. The last
``sha256`` is the hash of all drawings' lines (the JSON objects, each followed by a line feed). Each
line contains the hash of its drawing's content, so the last hash covers labels and pixels.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from recognizer.transfer.formats.containers import UNREADABLE
from recognizer.transfer.formats.items import NOT_A_DIGIT, BadItem, FormatError, Item, Record

NAME = "manifest.json"
KIND = "digitsite-drawings"
VERSION = 1
ADVICE = "Export again, or use --ignore-manifest."

_MAX_LINE = 1 << 16


def path_beside(path: Path) -> Path:
    """Return where the manifest of a single file is stored."""
    return path.with_name(f"{path.name}.{NAME}")


@dataclass(frozen=True)
class Summary:
    """The number of drawings in an export by kind of label, and the hash of all records."""

    digits: int
    not_a_digit: int
    unlabelled: int
    sha256: str

    @property
    def written(self) -> int:
        return self.digits + self.not_a_digit + self.unlabelled

    def to_json(self) -> dict[str, Any]:
        """Return the end of the manifest."""
        counts = {"count": self.written, "digits": self.digits, "not_a_digit": self.not_a_digit}
        return {**counts, "sha256": self.sha256}


class Tally:
    """Counts the drawings of an export and hashes their records, in order."""

    def __init__(self) -> None:
        self._counts = {"digits": 0, "not_a_digit": 0, "unlabelled": 0}
        self._hash = hashlib.sha256()

    def add(self, record: Record, **more: str) -> str:
        """Count a drawing; return its line, without the line's end."""
        line = json.dumps({**record.to_json(), **more}, ensure_ascii=False)
        self._hash.update(line.encode() + b"\n")
        kind = {None: "unlabelled", NOT_A_DIGIT: "not_a_digit"}.get(record.label, "digits")
        self._counts[kind] += 1
        return line

    def summary(self) -> Summary:
        return Summary(**self._counts, sha256=self._hash.hexdigest())

    def check(self, end: Mapping[str, Any], where: str) -> None:
        """Raise FormatError unless the end of a manifest has the same counts and hash."""
        if end != self.summary().to_json():
            raise FormatError(
                f"{where}: the count or sha256 does not match the drawings. It is incomplete or "
                f"was changed. {ADVICE}"
            )


class ManifestWriter:
    def __init__(self, file: IO[bytes], format: str) -> None:
        self._file = file
        self._tally = Tally()
        head = json.dumps({"manifest": KIND, "version": VERSION, "format": format})
        self._file.write(f'{head[:-1]}, "drawings": ['.encode())
        self._between = b"\n"

    def add(self, record: Record, **more: str) -> None:
        """Write the line of a drawing; ``more`` are additional fields of the format."""
        self._file.write(self._between + self._tally.add(record, **more).encode())
        self._between = b",\n"

    def close(self) -> Summary:
        summary = self._tally.summary()
        self._file.write(f"\n], {json.dumps(summary.to_json())[1:]}\n".encode())
        return summary


@dataclass(frozen=True)
class Line:
    number: int
    record: Record
    more: Mapping[str, Any]


def read(file: IO[bytes], format: str, where: str) -> Iterator[Line]:
    """Yield the lines of a manifest; raises FormatError if it is damaged or was changed.

    ``where`` identifies it in messages. Whether it is complete is known only at the end.
    """
    if head_of(file, where) != format:
        raise FormatError(f"{where} is not a manifest of the format {format}. {ADVICE}")
    tally = Tally()
    for number, text in enumerate(_lines(file, where), start=1):
        if text.startswith("]"):
            tally.check(_parsed("{" + text[1:].lstrip(" ,"), where), where)
            if next(_lines(file, where), None) is not None:
                raise FormatError(f"{where} has data after its end. {ADVICE}")
            return
        values = _parsed(text.removesuffix(","), where)
        try:
            record = Record.from_json(values)
            more = {key: values[key] for key in values if key not in record.to_json()}
            tally.add(record, **more)
        except (ValueError, TypeError) as error:
            raise FormatError(f"{where}, drawing {number}: {error}. {ADVICE}") from error
        yield Line(number, record, more)
    raise FormatError(f"{where} is incomplete. {ADVICE}")


def join(
    items: Iterable[Item | BadItem], lines: Iterable[Line], where: str
) -> Iterator[Item | BadItem]:
    """Yield model inputs with their records; raises FormatError if their numbers differ."""
    for item, line in itertools.zip_longest(items, lines):
        if item is None or line is None:
            more = "more" if item is None else "fewer"
            raise FormatError(f"{where} lists {more} drawings than there are. {ADVICE}")
        if isinstance(item, BadItem):
            yield item
            continue
        assert isinstance(item.image, np.ndarray)
        record = line.record
        digest = hashlib.sha256(item.image.tobytes()).hexdigest()
        if item.label != record.label or digest != record.sha256:
            yield BadItem(item.name, f"it does not match drawing {line.number} of the manifest")
            continue
        yield Item(item.name, record.label, item.image, is_model_input=True, record=record)


def head_of(file: IO[bytes], where: str) -> str:
    """Read the first line of a manifest and return the name of its format."""
    head = _parsed(next(_lines(file, where), "") + "]}", where)
    if head.get("manifest") != KIND or head.get("drawings") != []:
        raise FormatError(f"{where} is not a manifest of this site. {ADVICE}")
    if head.get("version") != VERSION:
        raise FormatError(f"{where} has an unsupported version. {ADVICE}")
    return str(head.get("format"))


def _lines(file: IO[bytes], where: str) -> Iterator[str]:
    while True:
        try:
            line = file.readline(_MAX_LINE).decode()
        except UNREADABLE as error:
            raise FormatError(f"{where} can't be read: {error}. {ADVICE}") from error
        if not line:
            return
        yield line.rstrip("\n")


def _parsed(text: str, where: str) -> dict[str, Any]:
    try:
        values = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise FormatError(
            f"{where} is damaged or was changed: every line must be a drawing. {ADVICE}"
        ) from error
    if not isinstance(values, dict):
        raise FormatError(f"{where} is not a manifest of this site. {ADVICE}")
    return values
