"""Where a CSV table of any tool has its labels and pixels."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from recognizer.transfer.formats.items import FormatError
from recognizer.transfer.formats.json_objects import IMAGE_KEYS, LABEL_KEYS

DELIMITERS = (",", ";", "\t")
_TARGETS = ("y", "truth")
_EXTRA = ("", "id", "index", "unnamed: 0", "name", "annotator", "writer", "person", "user", "split")
"""Titles of columns, in lower case, that have neither the label nor a pixel."""
_NUMBER = re.compile(r"[+-]?\d*[.,]?\d+([.,]|e[+-]?\d+)?")


def delimiter_of(line: str) -> str:
    """Return the delimiter of a table from a line of it: comma, semicolon or tab."""
    return max(DELIMITERS, key=line.count)


@dataclass(frozen=True)
class Layout:
    """Where a table has what: the columns by their places.

    ``pixels`` are the columns of the pixels, or the one column that names an image file; ``others``
    the columns that could be the label too, by name.
    """

    width: int
    label: int
    pixels: list[int] | int
    others: Mapping[str, int]
    has_header: bool

    @classmethod
    def of(cls, first: list[str], column: str | None, path: Path) -> Layout:
        """Return the layout of the table that starts with this row; raises FormatError.

        ``column`` is the label's column: its title, ``first`` or ``last``, or its number from 1.
        """
        names = [cell.strip().lower() for cell in first]
        numbers = [str(number) for number in range(len(names) + 1)]
        # pandas numbers the columns of a table without titles.
        is_numbered = names in (numbers[:-1], numbers[1:])
        if is_numbered or all(map(is_number, names)):
            return cls._without_titles(len(names), column, path, has_header=is_numbered)
        label = _place(names, column)
        if label is None:
            what = f"called {column}" if column else "called label, digit or class"
            raise FormatError(
                f"{path} has no column {what}, only {', '.join(first)[:200]}. Say which one has "
                "the labels with --label-column NAME."
            )
        image = next((names.index(key) for key in IMAGE_KEYS if key in names), None)
        rest = [at for at in range(len(names)) if at != label]
        if image is not None and image != label:
            others = {first[at]: at for at in rest if at != image}
            return cls(len(names), label, image, others, True)
        others = {first[at]: at for at in rest if names[at] in (*LABEL_KEYS, *_EXTRA)}
        pixels = [at for at in rest if first[at] not in others]
        _check_square(pixels, path)
        return cls(len(names), label, pixels, others, True)

    @classmethod
    def _without_titles(
        cls, width: int, column: str | None, path: Path, *, has_header: bool
    ) -> Layout:
        last = width - 1
        label = 0 if column is None else _place([""] * width, column)
        if label is None:
            raise FormatError(
                f"{path} has no titles: give the column of the labels as first, last or its number."
            )
        pixels = [at for at in range(width) if at != label]
        _check_square(pixels, path)
        others = {"first": 0} if label == last else {"last": last}
        return cls(width, label, pixels, others, has_header)


def _place(names: list[str], column: str | None) -> int | None:
    """Return the place of the label's column; the usual titles if none is given."""
    for wanted in (column.strip().lower(),) if column else LABEL_KEYS + _TARGETS:
        if wanted in names:
            return names.index(wanted)
    places = {"first": 0, "last": len(names) - 1}
    if column and column.isdecimal() and 1 <= int(column) <= len(names):
        return int(column) - 1
    return places.get(column.lower()) if column else None


def _check_square(pixels: list[int], path: Path) -> None:
    side = math.isqrt(len(pixels))
    if side < 2 or side**2 != len(pixels):
        raise FormatError(
            f"{path} has {len(pixels)} columns besides the label, not the pixels of a square such "
            "as 28x28."
        )


def is_number(text: str) -> bool:
    return bool(_NUMBER.fullmatch(text))
