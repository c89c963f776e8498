"""Label Studio's JSON: a list of tasks, each with the model's prediction.

    {"data": {"image": "data:image/png;base64,..."},
     "annotations": [{"result": [{"from_name": "digit", "to_name": "image", "type": "choices",
                                  "value": {"choices": ["3"]}}]}],
     "predictions": [{"model_version": "shipped-4", "score": 0.98, "result": [...]}],
     "meta": {... the drawing's record ...}}

It needs this labelling interface:

    <View>
      <Image name="image" value="$image"/>
      <Choices name="digit" toName="image" showInline="true">
        <Choice value="0"/> ... <Choice value="9"/> <Choice value="not_a_digit"/>
      </Choices>
    </View>

The ``meta`` of the last task has the end of the manifest. It also reads what Label Studio exports
as JSON or JSON-MIN, if the images are data URIs; a task without annotation is unlabelled.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import IO, Any

from recognizer.transfer.formats.base import Format, gettext_noop
from recognizer.transfer.formats.containers import open_file, unreadable
from recognizer.transfer.formats.items import (
    LABEL_NAMES,
    NOT_A_DIGIT,
    BadItem,
    FormatError,
    Item,
    Record,
    Spool,
    label_of,
    record_of,
)
from recognizer.transfer.formats.manifest import Summary, Tally

CONTROL = "digit"
_IMAGE = "image"
_END = "export"
_DATA_URI = re.compile(r"data:image/[a-z.+-]+;base64,", re.IGNORECASE)
_AT_A_TIME = 1 << 16  # characters
_MAX_TASK = 16 << 20  # characters


def write(items: Iterable[Item], file: IO[bytes], spool: Spool) -> Summary:
    """Write drawings, labelled or not."""
    tally = Tally()
    waiting: dict[str, Any] | None = None
    file.write(b"[")
    for item in items:
        if waiting is not None:
            file.write(b"\n" + _text(waiting) + b",")
        assert isinstance(item.image, bytes)
        record = record_of(item).of_file(item.image)
        tally.add(record)
        waiting = _task(item.image, record)
    summary = tally.summary()
    if waiting is not None:
        # Known only at the end.
        waiting["meta"][_END] = summary.to_json()
        file.write(b"\n" + _text(waiting))
    file.write(b"\n]\n")
    return summary


def _text(task: Mapping[str, Any]) -> bytes:
    return json.dumps(task, ensure_ascii=False).encode()


def _task(image: bytes, record: Record) -> dict[str, Any]:
    label = record.label
    return {
        "data": {_IMAGE: f"data:image/png;base64,{base64.b64encode(image).decode()}"},
        "annotations": [] if label is None else [{"result": _choice(label)}],
        "predictions": [{"model_version": record.model_version, **_answer(record)}],
        "meta": record.to_json(),
    }


def _answer(record: Record) -> dict[str, Any]:
    if record.verdict == LABEL_NAMES[NOT_A_DIGIT]:
        # The confidence is that of the digit, which was rejected.
        return {"result": _choice(NOT_A_DIGIT)}
    return {"score": record.confidence, "result": _choice(record.digit)}


def _choice(label: int) -> list[dict[str, Any]]:
    chosen = {"choices": [LABEL_NAMES[label]]}
    return [{"from_name": CONTROL, "to_name": _IMAGE, "type": "choices", "value": chosen}]


def read(path: Path, *, with_manifest: bool = True) -> Iterator[Item | BadItem]:
    """Yield the drawings of a list of tasks; raises FormatError.

    The label is the annotation, even if the record in ``meta`` has a different one.
    """
    tally, end = Tally(), {}
    untouched = with_manifest
    try:
        with open_file(path) as file:
            for number, task in enumerate(_tasks(file, path), start=1):
                if not isinstance(task, dict):
                    yield BadItem(f"task {number}", "it is not a Label Studio task")
                    continue
                name = f"task {task.get('id', number)}"
                try:
                    record = _record(task) if with_manifest else None
                except (ValueError, TypeError) as error:
                    yield BadItem(name, str(error))
                    untouched = False
                    continue
                # Tasks with ids come from Label Studio, which may have removed or added some.
                untouched = untouched and record is not None and "id" not in task
                if untouched and record is not None:
                    tally.add(record)
                    end = task["meta"].get(_END)
                yield _item(task, record, name)
    except OSError as error:
        raise unreadable(path, error) from error
    if untouched and tally.summary().written:
        tally.check(end, str(path))


def _record(task: Mapping[str, Any]) -> Record | None:
    meta = task.get("meta")
    return Record.from_json(meta) if isinstance(meta, dict) and "sha256" in meta else None


def _item(task: Mapping[str, Any], record: Record | None, name: str) -> Item | BadItem:
    data = task.get("data")
    try:
        image = _image(data if isinstance(data, dict) else task)
        label = _label(task)
    except ValueError as error:
        return BadItem(name, str(error))
    if record is None:
        return Item(name, label, image)
    if hashlib.sha256(image).hexdigest() != record.sha256:
        return BadItem(name, "its image does not match its meta")
    return Item(record.id, label, image, record.is_model_input, record)


def _image(data: Mapping[str, Any]) -> bytes:
    """Return the image of a task, under any key; raises ValueError."""
    texts = [value for value in data.values() if isinstance(value, str)]
    named = data.get(_IMAGE)
    found = named if isinstance(named, str) else next(filter(_DATA_URI.match, texts), None)
    if found is None:
        raise ValueError("it has no image")
    start = _DATA_URI.match(found)
    if start is None:
        raise ValueError("its image is only a link; it must be in the file, as a data URI")
    try:
        return base64.b64decode(found[start.end() :], validate=True)
    except binascii.Error as error:
        raise ValueError("its data URI is damaged") from error


def _label(task: Mapping[str, Any]) -> int | None:
    """Return the label that the annotators agree on, or None; raises ValueError."""
    if "data" not in task:
        # JSON-MIN: the choice is a field of the task itself.
        chosen = task.get(CONTROL, task.get("choice", task.get("label")))
        return None if chosen is None else _known(chosen)
    annotations = task.get("annotations", task.get("completions"))
    labels = {
        label
        for annotation in (annotations if isinstance(annotations, list) else [])
        if isinstance(annotation, dict) and not annotation.get("was_cancelled")
        for label in _choices(annotation)
    }
    if len(labels) > 1:
        names = ", ".join(LABEL_NAMES[label] for label in sorted(labels))
        raise ValueError(f"its annotations don't agree: {names}")
    return labels.pop() if labels else None


def _choices(annotation: Mapping[str, Any]) -> Iterator[int]:
    results = annotation.get("result")
    for result in results if isinstance(results, list) else []:
        value = result.get("value") if isinstance(result, dict) else None
        choices = value.get("choices") if isinstance(value, dict) else None
        for choice in choices if isinstance(choices, list) else []:
            yield _known(choice)


def _known(choice: object) -> int:
    label = label_of(choice)
    if label is None:
        raise ValueError(f"its choice {str(choice)[:40]!r} is not 0-9 or not_a_digit")
    return label


def _tasks(file: IO[bytes], path: Path) -> Iterator[Any]:
    """Yield the values of a JSON list one at a time, with any white space."""
    decoder = json.JSONDecoder()
    text = _Text(file, path)
    if text.skip_space() != "[":
        raise FormatError(f"{path} is not a JSON list of tasks as exported by Label Studio.")
    text.at += 1
    if text.skip_space() == "]":
        return
    while True:
        while True:
            try:
                value, stop = decoder.raw_decode(text.buffer, text.at)
            except RecursionError as error:
                raise FormatError(f"{path} is nested too deeply.") from error
            except ValueError as error:
                if not text.more():
                    raise FormatError(f"{path} is invalid or incomplete JSON: {error}.") from error
            else:
                break
        text.at = stop
        yield value
        mark = text.skip_space()
        text.at += 1
        if mark == "]":
            return
        if mark != ",":
            raise FormatError(f"{path} is invalid or incomplete JSON: a comma or ] is missing.")
        text.skip_space()


class _Text:
    """A text that is read in parts; what was processed is dropped."""

    def __init__(self, file: IO[bytes], path: Path) -> None:
        self.buffer = ""
        self.at = 0
        self._file = file
        self._path = path
        self._decoder = codecs.getincrementaldecoder("utf-8-sig")()

    def more(self) -> bool:
        """Read on, doubling the buffer; return whether there was more."""
        wanted = max(_AT_A_TIME, len(self.buffer) - self.at)
        if wanted > _MAX_TASK:
            raise FormatError(
                f"{self._path} is not valid JSON, or a task is over {_MAX_TASK >> 20} MB."
            )
        content = self._file.read(wanted)
        try:
            added = self._decoder.decode(content, final=not content)
        except UnicodeDecodeError as error:
            raise FormatError(f"{self._path} is not UTF-8 text.") from error
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


def _starts_as_json(head: bytes) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"[", b"{"))


FORMAT = Format(
    name="label-studio",
    title=gettext_noop("Label Studio tasks (.json)"),
    description="tasks in JSON",
    download_suffix=".json",
    suffixes=(".json",),
    read=read,
    write_file=write,
    starts=_starts_as_json,
    takes_unlabelled=True,
)
