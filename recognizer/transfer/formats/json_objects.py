"""A drawing as one JSON object, as it is written by many tools.

    {"image": IMAGE, "label": "3"}                                     ours, doccano, pandas
    {"strokes": [...], "label": 3}                                     the API
    {"image": IMAGE, "accept": ["3"], "answer": "accept"}              Prodigy
    {"image": IMAGE, "digit": "3", "annotator": 1}                     Label Studio's JSON-MIN
    {"data": {"image": IMAGE}, "annotations": [{"result": [...]}]}     Label Studio's tasks

IMAGE is a data URL, base64, or the name of a file beside the JSON file (see `named_images`).
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from typing import Any

from recognizer import imaging
from recognizer.imaging import base64_text
from recognizer.transfer.formats.items import BadItem, Item, Record, Vote, label_of
from recognizer.transfer.formats.named_images import NamedImages, is_name

LABEL_KEYS = ("label", "labels", "choice", "digit", "class", "target", "category")
"""Names of the label in tables and JSON. The first that is there counts, even if it is empty: in
our own exports ``digit`` is the prediction."""
IMAGE_KEYS = ("image", "img", "filename", "file_name", "file", "image_path", "filepath", "path")
"""Names of the image in tables and JSON."""
_REJECTED = ("reject", "ignore")
_MAX_NAME = 150


def item_of(
    values: Mapping[str, Any],
    name: str,
    images: NamedImages,
    *,
    record: Record | None = None,
    label_key: str | None = None,
) -> Item:
    """Return the drawing of an object; raises ValueError or TypeError.

    ``record`` is the one in an export of ours; the label is the annotation in the file even if the
    record has a different one. ``label_key`` names the value that is the label.
    """
    data = values.get("data")
    fields = data if isinstance(data, dict) else values
    strokes = _strokes(fields)
    found = _image(fields)
    if found is not None:
        image: bytes | imaging.Pixels = _bytes_of(found, images)
    elif strokes is not None:
        image = strokes.drawing().pixels
    else:
        raise ValueError("it has neither an image nor strokes")
    votes = _votes(values, fields, label_key)
    item = Item(
        name,
        decided(votes),
        image,
        strokes=None if strokes is None else strokes.pack(),
        votes=votes,
        others=_others(fields, label_key),
    )
    if record is None:
        return item
    if not isinstance(image, bytes) or hashlib.sha256(image).hexdigest() != record.sha256:
        raise ValueError("its image does not match its sha256")
    return replace(item, name=record.id, is_model_input=record.is_model_input, record=record)


def record_in(values: Mapping[str, Any]) -> Record | None:
    """Return the record of an export of ours, if there is one; raises ValueError or TypeError."""
    meta = values.get("meta", values)
    return Record.from_json(meta) if isinstance(meta, dict) and "sha256" in meta else None


def decided(votes: Iterable[Vote]) -> int | None:
    """Return the label with more than half of the votes, None if there is none.

    Votes that are marked as the truth count more than any number of others.
    """
    votes = list(votes)
    counts = Counter(vote.label for vote in [each for each in votes if each.is_truth] or votes)
    label, most = max(counts.items(), key=lambda each: each[1], default=(None, 0))
    return label if 2 * most > counts.total() else None


def together(items: Iterable[Item | BadItem]) -> Iterator[Item | BadItem]:
    """Yield annotations of the same image that follow each other as one drawing."""
    waiting: Item | None = None
    for item in items:
        if (
            isinstance(item, Item)
            and waiting is not None
            and isinstance(item.image, bytes)
            and item.image == waiting.image
            and item.record is None
            and waiting.record is None
        ):
            votes = (*waiting.votes, *item.votes)
            waiting = replace(waiting, votes=votes, label=decided(votes))
            continue
        if waiting is not None:
            yield waiting
            waiting = None
        if isinstance(item, Item):
            waiting = item
        else:
            yield item
    if waiting is not None:
        yield waiting


def _strokes(values: Mapping[str, Any]) -> imaging.PenStrokes | None:
    sent = values.get("strokes")
    if sent is None:
        return None
    # Width and size may also stand beside the strokes, as in the API.
    return imaging.PenStrokes.from_json(sent if isinstance(sent, dict) else values)


def _image(fields: Mapping[str, Any]) -> str | None:
    """Return the image of an object, under one of its usual keys or any other."""
    for key in IMAGE_KEYS:
        if fields.get(key) is not None:
            return _text_of(fields[key])
    texts = [value for value in fields.values() if isinstance(value, str)]
    return next(
        (text for text in texts if text[:11].lower() == "data:image/" or is_name(text)), None
    )


def _text_of(image: object) -> str:
    if not isinstance(image, str):
        raise ValueError("its image is not a data URL, base64 or the name of a file")
    return image


def _bytes_of(text: str, images: NamedImages) -> bytes:
    if is_name(text):
        return images.read(text)
    try:
        return base64_text.decoded(base64_text.packed_part(text))
    except ValueError as error:
        raise ValueError(
            "its image must be in the file, as a data URL or base64, or the name of a file"
        ) from error


def _votes(
    values: Mapping[str, Any], fields: Mapping[str, Any], label_key: str | None
) -> tuple[Vote, ...]:
    if label_key is not None:
        if label_key not in fields:
            raise ValueError(f"it has no value called {label_key[:40]!r}")
        return tuple(_labels(fields[label_key], None))
    if "data" in values and fields is not values:
        return tuple(_annotations(values))
    if str(values.get("answer")).lower() in _REJECTED:
        return ()
    accepted = values.get("accept")
    chosen = next((values[key] for key in LABEL_KEYS if key in values), None)
    return tuple(_labels(accepted if isinstance(accepted, list) else chosen, _person(values)))


def _annotations(task: Mapping[str, Any]) -> Iterator[Vote]:
    found = task.get("annotations", task.get("completions"))
    annotations = [
        annotation
        for annotation in (found if isinstance(found, list) else [])
        if isinstance(annotation, dict) and not annotation.get("was_cancelled")
    ]
    for annotation in annotations:
        results = annotation.get("result")
        for result in results if isinstance(results, list) else []:
            value = result.get("value") if isinstance(result, dict) else None
            choices = value.get("choices") if isinstance(value, dict) else None
            for vote in _labels(choices if isinstance(choices, list) else None, None):
                yield replace(
                    vote,
                    by=_name_of(annotation.get("completed_by")),
                    at=_moment(annotation.get("created_at")),
                    is_truth=annotation.get("ground_truth") is True,
                )


def _labels(value: object, by: str | None) -> Iterator[Vote]:
    """Yield the labels in a value: one, a list of them, or Label Studio's choices."""
    if isinstance(value, dict):
        value = value.get("choices")
    for each in value if isinstance(value, list) else [] if value is None else [value]:
        # Where some labels are missing, pandas writes all of them as 7.0.
        number = int(each) if isinstance(each, float) and each.is_integer() else each
        label = label_of(number)
        if label is None:
            raise ValueError(f"its label {str(each)[:40]!r} is not 0-9 or not_a_digit")
        yield Vote(label, by)


def _others(fields: Mapping[str, Any], label_key: str | None) -> dict[str, int]:
    """Return the values beside the label that could be labels too."""
    used = label_key or next((key for key in LABEL_KEYS if key in fields), None)
    found = {key: label_of(value) for key, value in fields.items() if key not in (used, "id")}
    return {key: label for key, label in found.items() if label is not None}


def _person(values: Mapping[str, Any]) -> str | None:
    return _name_of(values.get("_annotator_id", values.get("annotator")))


def _name_of(person: object) -> str | None:
    if isinstance(person, dict):
        person = person.get("username") or person.get("email")
    return person if isinstance(person, str) and 0 < len(person) <= _MAX_NAME else None


def _moment(text: object) -> datetime | None:
    try:
        found = datetime.fromisoformat(text) if isinstance(text, str) else None
        return None if found is None or found.tzinfo is None else found.astimezone(timezone.utc)
    except (ValueError, OverflowError):
        return None
