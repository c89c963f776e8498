"""What every format holds: drawings with their labels and, in our own exports, their records.

No Django: the training reads files through these as the import does.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta, timezone
from typing import IO, Any
from uuid import UUID

import numpy as np
from PIL import Image

from recognizer import imaging

NOT_A_DIGIT = 10
LABEL_NAMES = (*(str(digit) for digit in range(10)), "not_a_digit")
"""A label in words, by its number: folders, choices and classes are called so in every format."""

Spool = Callable[[], IO[bytes]]
"""Opens a temporary file; who hands this function over closes what it has opened."""

_LABELS = {name: label for label, name in enumerate(LABEL_NAMES)}
_VERDICTS = frozenset({"digit", "uncertain", "not_a_digit"})
_HEX = re.compile(r"[0-9a-f]{64}")
_MAX_TEXT = 200


class FormatError(ValueError):
    """A file that can't be read or written; the message says why and what to do."""


def label_of(text: object) -> int | None:
    """Return the label that a name stands for (`3`, `not_a_digit`, `Not a digit`), or None."""
    if isinstance(text, bool) or not isinstance(text, str | int):
        return None
    if text in (NOT_A_DIGIT, str(NOT_A_DIGIT)):
        return NOT_A_DIGIT
    return _LABELS.get(re.sub(r"[\s-]+", "_", str(text).strip().lower()))


@dataclass(frozen=True)
class Record:
    """What the site knows of a drawing beside its pixels; a line of the manifest.

    ``sha256`` and ``is_model_input`` are those of the drawing as it lies in the file: its PNG, or
    the 784 pixels that a model saw of it.
    """

    id: str
    label: int | None
    digit: int
    confidence: float
    verdict: str
    model_version: str
    model_sha256: str
    source: str
    is_model_input: bool
    suggestion: int | None
    created_at: datetime
    labelled_at: datetime | None
    labelled_by: str | None
    sha256: str = ""

    def of_file(self, content: bytes) -> Record:
        """Return the record for a file that holds the drawing's PNG."""
        return replace(self, sha256=hashlib.sha256(content).hexdigest())

    def of_input(self, pixels: imaging.Pixels) -> Record:
        """Return the record for a file that holds what a model saw, and nothing else."""
        digest = hashlib.sha256(pixels.tobytes()).hexdigest()
        return replace(self, sha256=digest, is_model_input=True)

    def to_json(self) -> dict[str, Any]:
        """Return the record as JSON values, in a fixed order."""
        return {
            **asdict(self),
            "label": _label_name(self.label),
            "suggestion": _label_name(self.suggestion),
            "created_at": self.created_at.isoformat(),
            "labelled_at": None if self.labelled_at is None else self.labelled_at.isoformat(),
        }

    @classmethod
    def from_json(cls, values: Mapping[str, Any]) -> Record:
        """Read a record; raises ValueError, in words, for what `to_json` does not write."""
        label = _optional_label(values, "label")
        record = cls(
            id=str(UUID(_text(values, "id"))),
            label=label,
            digit=_number(values, "digit", int),
            confidence=_number(values, "confidence", (int, float)),
            verdict=_text(values, "verdict"),
            model_version=_text(values, "model_version"),
            model_sha256=_text(values, "model_sha256"),
            source=_text(values, "source"),
            is_model_input=values.get("is_model_input") is True,
            suggestion=_optional_label(values, "suggestion"),
            created_at=_moment(values, "created_at"),
            labelled_at=None if label is None else _moment(values, "labelled_at"),
            labelled_by=_text(values, "labelled_by") if values.get("labelled_by") else None,
            sha256=_text(values, "sha256"),
        )
        if not 0 <= record.digit <= 9 or not 0 <= record.confidence <= 1:
            raise ValueError("the digit or the confidence is out of range")
        if record.verdict not in _VERDICTS:
            raise ValueError(f"the verdict {record.verdict!r} is not known")
        if not _HEX.fullmatch(record.sha256) or not _HEX.fullmatch(record.model_sha256):
            raise ValueError("a sha256 is not 64 hexadecimal digits")
        return record


@dataclass(frozen=True)
class Item:
    """A drawing in a file, and what the file says of it.

    ``name`` tells a person which one it is. ``image`` is an image file, or uint8 pixels, (h, w)
    grey or (h, w, 3) RGB. ``is_model_input`` says that it is the 28x28 that a model saw, so that
    it does not pass through `imaging` once more.
    """

    name: str
    label: int | None
    image: bytes | imaging.Pixels
    is_model_input: bool = False
    record: Record | None = None

    def drawing(self) -> imaging.Drawing:
        """Return the drawing as it would be kept; raises ``imaging.ImageError``."""
        if isinstance(self.image, bytes):
            drawing = imaging.read_drawing(self.image)
        elif self.image.ndim == 3:
            grey = imaging.to_grey(Image.fromarray(self.image))
            drawing = imaging.drawing_from_array(grey)
        else:
            drawing = imaging.drawing_from_array(self.image)
        side = imaging.INPUT_SIDE
        if self.is_model_input and drawing.pixels.shape != (side, side):
            raise imaging.ImageError("It is said to be a model's input and is not 28x28 px.")
        return drawing

    def model_input(self) -> imaging.Pixels:
        """Return what a model sees of it: uint8 (28, 28); raises ``imaging.ImageError``."""
        drawing = self.drawing()
        return drawing.pixels if self.is_model_input else imaging.model_input(drawing)


@dataclass(frozen=True)
class BadItem:
    """A drawing in a file that can't be used, by name, and why."""

    name: str
    why: str


def seen(item: Item) -> imaging.Pixels:
    """Return what a model saw of a stored drawing; raises FormatError that names it."""
    try:
        return item.model_input()
    except imaging.ImageError as error:
        raise FormatError(f"Drawing {item.name} can't be read: {error.message}") from error


def record_of(item: Item) -> Record:
    """Return the record that every drawing of an export has."""
    assert item.record is not None
    return item.record


def as_pixels(array: np.ndarray[Any, Any]) -> imaging.Pixels:
    """Return one image of a foreign array as uint8; raises ValueError in words.

    (h, w), (h, w, 1) or (h, w, 3); uint8, or floats or whole numbers in 0-255, or floats in 0-1.
    """
    if array.ndim == 3 and array.shape[2] == 1:
        array = array[..., 0]
    if array.dtype == np.uint8:
        return array
    values = array.astype(np.float64)
    if not np.isfinite(values).all() or values.min() < 0 or values.max() > 255:
        raise ValueError("its values are not in 0-1 or 0-255")
    if np.issubdtype(array.dtype, np.floating) and values.max() <= 1:
        values = values * 255
    pixels: imaging.Pixels = np.rint(values).astype(np.uint8)
    return pixels


def _label_name(label: int | None) -> str | None:
    return None if label is None else LABEL_NAMES[label]


def _optional_label(values: Mapping[str, Any], key: str) -> int | None:
    name = values.get(key)
    if name is None:
        return None
    label = _LABELS.get(name) if isinstance(name, str) else None
    if label is None:
        raise ValueError(f"the {key} {str(name)[:40]!r} is none of 0-9 and not_a_digit")
    return label


def _text(values: Mapping[str, Any], key: str) -> str:
    text = values.get(key)
    if not isinstance(text, str) or len(text) > _MAX_TEXT or "\0" in text:
        raise ValueError(f"the {key} is missing or no text")
    return text


def _number(values: Mapping[str, Any], key: str, kind: type | tuple[type, ...]) -> Any:
    number = values.get(key)
    if isinstance(number, bool) or not isinstance(number, kind):
        raise ValueError(f"the {key} is missing or no number")
    return number


def _moment(values: Mapping[str, Any], key: str) -> datetime:
    moment = datetime.fromisoformat(_text(values, key))
    if moment.tzinfo is None:
        raise ValueError(f"the {key} has no time zone")
    try:
        # A day off the edges of the calendar, so that every time zone can show it.
        moment - timedelta(days=2)
        moment + timedelta(days=2)
        return moment.astimezone(timezone.utc)
    except OverflowError as error:
        raise ValueError(f"the {key} is out of range") from error
