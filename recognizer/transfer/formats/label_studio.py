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
as JSON or JSON-MIN, with the images in it or in a folder beside it; a task without annotation is
unlabelled.
"""

from __future__ import annotations

import base64
import itertools
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import IO, Any

from recognizer.transfer.formats import json_stream, manifest
from recognizer.transfer.formats.base import Format, gettext_noop
from recognizer.transfer.formats.containers import (
    Folder,
    Sink,
    Source,
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
    record_of,
)
from recognizer.transfer.formats.json_objects import IMAGE_KEYS, item_of, record_in, together
from recognizer.transfer.formats.manifest import Summary, Tally
from recognizer.transfer.formats.named_images import NamedImages

CONTROL = "digit"
_IMAGE = "image"
_END = "export"


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


def in_parts(size: int) -> Format:
    """Return the format that writes a folder of files with at most ``size`` tasks each.

    Label Studio imports a few hundred tasks of a file at a time. Each file is complete in itself.
    """
    return replace(
        FORMAT,
        write_file=None,
        write_files=partial(_write_parts, size=size),
        # Nothing in a folder is known to be an earlier export, so none is ever overwritten.
        folder=frozenset(),
        suffixes=("",),
    )


def _write_parts(items: Iterable[Item], sink: Sink, spool: Spool, *, size: int) -> Summary:
    tally = Tally()
    left = iter(items)
    for number in itertools.count(1):
        part = list(itertools.islice(left, 1))
        if not part:
            return tally.summary()
        with sink.open(f"tasks-{number:04}.json") as file:
            write(
                _noted(itertools.chain(part, itertools.islice(left, size - 1)), tally), file, spool
            )
    raise AssertionError


def _noted(items: Iterable[Item], tally: Tally) -> Iterator[Item]:
    for item in items:
        assert isinstance(item.image, bytes)
        tally.add(record_of(item).of_file(item.image))
        yield item


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


def read(
    path: Path, *, with_manifest: bool = True, label_key: str | None = None
) -> Iterator[Item | BadItem]:
    """Yield the drawings of a list of tasks, ``{"tasks": [...]}`` or one task.

    ``path`` may also be a folder or zip file with JSON files and the images that they name.
    Raises FormatError. The label is the annotation, even if the record in ``meta`` has a different
    one.
    """
    if not path.is_dir() and not is_zip(path):
        source: Source = Folder(path.parent)
        try:
            with open_file(path) as file:
                yield from together(_read(file, path, source, with_manifest, label_key))
        except OSError as error:
            raise unreadable(path, error) from error
        return
    with open_source(path) as source:
        names = _tasks_files(source)
        if not names:
            raise FormatError(f"{path} has no JSON file of tasks.")
        for name in names:
            with source.open(name) as file:
                yield from together(_read(file, path / name, source, with_manifest, label_key))


def _read(
    file: IO[bytes], path: Path, source: Source, with_manifest: bool, label_key: str | None
) -> Iterator[Item | BadItem]:
    tally, end = Tally(), {}
    untouched = with_manifest
    images = NamedImages(source)
    for number, task in enumerate(json_stream.values(file, path), start=1):
        if not isinstance(task, dict):
            yield BadItem(f"task {number}", "it is not a Label Studio task")
            continue
        name = f"task {task.get('id', number)}"
        try:
            record = record_in(task) if with_manifest else None
            item = item_of(task, name, images, record=record, label_key=label_key)
        except (ValueError, TypeError) as error:
            yield BadItem(name, str(error))
            untouched = False
            continue
        # Tasks with ids come from Label Studio, which may have removed or added some.
        untouched = untouched and record is not None and "id" not in task
        if untouched and record is not None:
            tally.add(record)
            end = task["meta"].get(_END)
        yield item
    if untouched and tally.summary().written:
        tally.check(end, str(path))


def _tasks_files(source: Source) -> list[str]:
    """Return the JSON files at the top of a folder or zip file, in order of their names."""
    names = [name for name in source.names() if "/" not in name and name != manifest.NAME]
    return [name for name in names if name.lower().endswith(".json")]


def _starts_as_json(head: bytes) -> bool:
    return head.removeprefix(b"\xef\xbb\xbf").lstrip().startswith((b"[", b"{"))


def _has_tasks(source: Source) -> bool:
    """Whether there are JSON files and all of them start with a task."""
    names = _tasks_files(source)
    return bool(names) and all(_starts_with_task(source, name) for name in names)


def _starts_with_task(source: Source, name: str) -> bool:
    try:
        with source.open(name) as file:
            first = next(json_stream.values(file, Path(name)), None)
    except FormatError:
        return False
    if not isinstance(first, dict):
        return False
    return isinstance(first.get("data"), dict) or any(key in first for key in IMAGE_KEYS)


FORMAT = Format(
    name="label-studio",
    title=gettext_noop("Label Studio tasks (.json)"),
    description="tasks in JSON",
    download_suffix=".json",
    suffixes=(".json",),
    read=read,
    write_file=write,
    read_column=lambda path, column: read(path, with_manifest=False, label_key=column),
    starts=_starts_as_json,
    matches=_has_tasks,
    takes_unlabelled=True,
)
