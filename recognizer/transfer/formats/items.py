"""Drawings with their labels and, in our own exports, their records: the content of every format.

No Django: the training reads files with these too.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta, timezone
from typing import IO, Any
from uuid import UUID

import numpy as np
from PIL import Image

from recognizer import imaging

NOT_A_DIGIT = 10
LABEL_NAMES = (*(str(digit) for digit in range(10)), "not_a_digit")
"""Names of the labels by number, for folders, choices and classes in every format."""

Spool = Callable[[], IO[bytes]]
"""Opens a temporary file; the caller that passes this function closes the files."""

_LABELS = {name: label for label, name in enumerate(LABEL_NAMES)}
_VERDICTS = frozenset({"digit", "uncertain", "not_a_digit"})
_HEX = re.compile(r"[0-9a-f]{64}")
_MAX_TEXT = 200
_LEAST_OF_255 = 64  # images whose values end below have fewer levels


class FormatError(ValueError):
    """A file can't be read or written; the message says why and what to do."""


def label_of(text: object) -> int | None:
    """Return the label with this name (`3`, `not_a_digit`, `Not a digit`), or None."""
    if isinstance(text, bool) or not isinstance(text, str | int):
        return None
    if text in (NOT_A_DIGIT, str(NOT_A_DIGIT)):
        return NOT_A_DIGIT
    return _LABELS.get(re.sub(r"[\s-]+", "_", str(text).strip().lower()))


@dataclass(frozen=True)
class Record:
    """The metadata of a drawing; a line of the manifest.

    ``sha256`` and ``is_model_input`` refer to the content of the file: the drawing's PNG, or the
    784 pixels of the model input.
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
        """Return the record for a file with the drawing's PNG."""
        return replace(self, sha256=hashlib.sha256(content).hexdigest())

    def of_input(self, pixels: imaging.Pixels) -> Record:
        """Return the record for a file with model inputs only."""
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
        """Parse a record; raises ValueError for anything that `to_json` would not write."""
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
            raise ValueError(f"the verdict {record.verdict!r} is unknown")
        if not _HEX.fullmatch(record.sha256) or not _HEX.fullmatch(record.model_sha256):
            raise ValueError("a sha256 is not 64 hexadecimal digits")
        return record


@dataclass(frozen=True)
class Vote:
    """The label that one annotator gave."""

    label: int
    by: str | None = None
    at: datetime | None = None
    is_truth: bool = False
    """Marked as the ground truth in Label Studio."""


@dataclass(frozen=True)
class Item:
    """A drawing in a file, with its label and record.

    ``name`` identifies it in messages. ``image`` is an image file, or uint8 pixels, (h, w) grey or
    (h, w, 3) RGB. If ``is_model_input``, it is the 28x28 input of a model and is not preprocessed
    by `imaging` again. ``strokes`` are those it was drawn with, as `imaging.PenStrokes` packs them.
    ``votes`` are the labels of all annotators, where the file has them. ``others`` are the numbers
    in other columns of the file that could be the label, by the column's name.
    """

    name: str
    label: int | None
    image: bytes | imaging.Pixels
    is_model_input: bool = False
    record: Record | None = None
    strokes: bytes | None = None
    votes: tuple[Vote, ...] = ()
    others: Mapping[str, int] = field(default_factory=dict)

    def drawing(self) -> imaging.Drawing:
        """Return the drawing as it would be stored; raises ``imaging.ImageError``."""
        if isinstance(self.image, bytes):
            drawing = imaging.read_drawing(self.image)
        elif self.image.ndim == 3:
            grey = imaging.to_grey(Image.fromarray(self.image))
            drawing = imaging.drawing_from_array(grey)
        else:
            drawing = imaging.drawing_from_array(self.image)
        side = imaging.INPUT_SIDE
        if self.is_model_input and drawing.pixels.shape != (side, side):
            raise imaging.ImageError("It is marked as a model input but is not 28x28 px.")
        return drawing

    def model_input(self) -> imaging.Pixels:
        """Return the model input, uint8 (28, 28); raises ``imaging.ImageError``."""
        drawing = self.drawing()
        return drawing.pixels if self.is_model_input else imaging.model_input(drawing)


@dataclass(frozen=True)
class BadItem:
    """A drawing in a file that can't be used, and why; ``label`` is its number if that is why."""

    name: str
    why: str
    label: int | None = None


def model_input_of(item: Item) -> imaging.Pixels:
    """Return the model input of a stored drawing, uint8 (28, 28); raises FormatError."""
    try:
        return item.model_input()
    except imaging.ImageError as error:
        raise FormatError(f"Drawing {item.name} can't be read: {error.message}") from error


def record_of(item: Item) -> Record:
    """Return the record, which every drawing of an export has."""
    assert item.record is not None
    return item.record


def as_pixels(array: np.ndarray[Any, Any], levels: tuple[float, float]) -> imaging.Pixels:
    """Return an image of an array of any type as uint8; raises ValueError.

    (h, w), (h, w, 1 or 3) or (1 or 3, h, w). ``levels`` are the values that become 0 and 255.
    """
    if array.ndim == 3:
        if array.shape[2] not in (1, 3):
            array = np.moveaxis(array, 0, 2)
        if array.shape[2] == 1:
            array = array[..., 0]
    values = array.astype(np.float64)
    if not np.isfinite(values).all():
        raise ValueError("it has values that are not finite numbers")
    low, high = levels
    scaled = (values - low) * (255 / (high - low))
    pixels: imaging.Pixels = np.rint(scaled).clip(0, 255).astype(np.uint8)
    return pixels


def levels_of(low: float, high: float) -> tuple[float, float]:
    """Return the values that mean black and white in images with values from low to high.

    That is 0-1 and 0-255 if the values fit; otherwise the range that they use: 0-16, 0-4095,
    -1 to 1, ...
    """
    if low >= 0 and high <= 1:
        return 0.0, 1.0
    if low >= 0 and _LEAST_OF_255 <= high <= 255:
        return 0.0, 255.0
    return low, max(high, low + 1)


def _label_name(label: int | None) -> str | None:
    return None if label is None else LABEL_NAMES[label]


def _optional_label(values: Mapping[str, Any], key: str) -> int | None:
    name = values.get(key)
    if name is None:
        return None
    label = _LABELS.get(name) if isinstance(name, str) else None
    if label is None:
        raise ValueError(f"the {key} {str(name)[:40]!r} is not 0-9 or not_a_digit")
    return label


def _text(values: Mapping[str, Any], key: str) -> str:
    text = values.get(key)
    if not isinstance(text, str) or len(text) > _MAX_TEXT or "\0" in text:
        raise ValueError(f"the {key} is missing or not a text")
    return text


def _number(values: Mapping[str, Any], key: str, kind: type | tuple[type, ...]) -> Any:
    number = values.get(key)
    if isinstance(number, bool) or not isinstance(number, kind):
        raise ValueError(f"the {key} is missing or not a number")
    return number


def _moment(values: Mapping[str, Any], key: str) -> datetime:
    moment = datetime.fromisoformat(_text(values, key))
    if moment.tzinfo is None:
        raise ValueError(f"the {key} has no time zone")
    try:
        # Two days from the limits of datetime, so that it is valid in every time zone.
        moment - timedelta(days=2)
        moment + timedelta(days=2)
        return moment.astimezone(timezone.utc)
    except OverflowError as error:
        raise ValueError(f"the {key} is out of range") from error
