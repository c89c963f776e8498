"""Dataclasses that are stored as JSON, and readers for JSON that other code may have written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Any, ClassVar


@dataclass(frozen=True)
class JsonRecord:
    """A dataclass that is stored as a JSON object.

    ``stored`` is the object it was read from, None for a new record. A new record writes all of its
    fields, a ``sparse`` one only those that have a value; one that was read writes back what it was
    read from, so unknown keys and values of another type are kept, with such fields on top.
    """

    sparse: ClassVar[bool] = False
    stored: Mapping[str, Any] | None = field(default=None, repr=False, compare=False, kw_only=True)

    def to_json(self) -> dict[str, Any]:
        found = dict(self.stored or {})
        everything = self.stored is None and not self.sparse
        for each in fields(self):
            if each.name == "stored":
                continue
            key = each.metadata.get("key", each.name)
            value = _plain(getattr(self, each.name))
            if everything or value not in (None, {}, []):
                if isinstance(value, dict):
                    value = {**mapping(found.get(key)), **value}
                found[key] = value
        return found


def _plain(value: object) -> object:
    if isinstance(value, JsonRecord):
        return value.to_json()
    if isinstance(value, Mapping):
        return {name: _plain(child) for name, child in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(child) for child in value]
    return value.value if isinstance(value, Enum) else value


# Each reader returns None, or nothing, for a value of another type.


def mapping(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None


def share(value: object) -> float | None:
    found = number(value)
    return found if found is not None and 0 <= found <= 1 else None
