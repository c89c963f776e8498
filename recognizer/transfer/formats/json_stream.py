"""The values of a JSON document one at a time, so that memory does not grow with their number."""

from __future__ import annotations

import codecs
import json
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from recognizer.transfer.formats.items import FormatError

_AT_A_TIME = 1 << 16  # characters
_MAX_VALUE = 16 << 20  # characters


def values(file: IO[bytes], path: Path) -> Iterator[Any]:
    """Yield the values of a list, those of ``{"tasks": [...]}``, or a single object.

    Raises FormatError if it is none of these, or damaged.
    """
    text = _Text(file, path)
    first = text.skip_space()
    if first == "{":
        # The list is the value of the first key, or the whole is one object.
        if not text.skip_key("tasks"):
            yield text.value()
            _check_end(text)
            return
    elif first != "[":
        raise FormatError(f"{path} is not a JSON list of tasks as exported by Label Studio.")
    text.at += 1
    if text.skip_space() == "]":
        return
    while True:
        yield text.value()
        mark = text.skip_space()
        text.at += 1
        if mark == "]":
            return
        if mark != ",":
            raise FormatError(f"{path} is invalid or incomplete JSON: a comma or ] is missing.")
        text.skip_space()


def _check_end(text: _Text) -> None:
    if text.skip_space():
        raise FormatError(
            f"{text.path} has more than one JSON object. If each is on a line of its own, import "
            "it with --format json-lines."
        )


class _Text:
    """A text that is read in parts; what was processed is dropped."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self.buffer = ""
        self.at = 0
        self.path = path
        self._file = file
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()
        self._json = json.JSONDecoder()

    def more(self) -> bool:
        """Read on, doubling the buffer; return whether there was more."""
        wanted = max(_AT_A_TIME, len(self.buffer) - self.at)
        if wanted > _MAX_VALUE:
            raise FormatError(
                f"{self.path} is not valid JSON, or a task is over {_MAX_VALUE >> 20} MB."
            )
        content = self._file.read(wanted)
        try:
            added = self._decoder.decode(content, final=not content)
        except UnicodeDecodeError as error:
            raise FormatError(f"{self.path} is not UTF-8 text.") from error
        self.buffer = self.buffer[self.at :] + added
        self.at = 0
        return bool(content)

    def skip_space(self) -> str:
        """Move to the next character that is not white space and return it; empty at the end."""
        while True:
            while self.at < len(self.buffer):
                if self.buffer[self.at] not in " \t\r\n":
                    return self.buffer[self.at]
                self.at += 1
            if not self.more():
                return ""

    def skip_key(self, name: str) -> bool:
        """Move from ``{`` to the ``[`` that this key has; return False, unmoved, if it has none."""
        start, quoted = self.at, json.dumps(name)
        # The buffer has the key whole, unless it is preceded by pages of white space.
        rest = self.buffer[start + 1 :].lstrip()
        if not rest.startswith(quoted):
            return False
        at = rest[len(quoted) :].lstrip()
        if not at.startswith(":") or not at[1:].lstrip().startswith("["):
            return False
        self.at = self.buffer.index("[", start)
        return True

    def value(self) -> Any:
        """Read the value that starts here; raises FormatError."""
        while True:
            try:
                found, self.at = self._json.raw_decode(self.buffer, self.at)
            except RecursionError as error:
                raise FormatError(f"{self.path} is nested too deeply.") from error
            except ValueError as error:
                if not self.more():
                    raise FormatError(
                        f"{self.path} is invalid or incomplete JSON: {error}."
                    ) from error
            else:
                return found
