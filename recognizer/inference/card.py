"""The model card: what a model was trained on, how well it did, and its calibration.

A card is stored as JSON, in card.json and in the database. A model that was trained elsewhere may
lack any of it, and may have keys that this code does not know: they are kept.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeVar

from recognizer.inference.gate_result import GateResult
from recognizer.inference.json_record import JsonRecord, mapping, number, share, text, whole

Record = TypeVar("Record", bound=JsonRecord)


def _each(read: Callable[[object], Record], value: object) -> dict[str, Record]:
    return {name: read(child) for name, child in mapping(value).items() if isinstance(child, dict)}


def _interval(value: object) -> tuple[float, float] | None:
    if not isinstance(value, list) or len(value) != 2:
        return None
    low, high = map(share, value)
    return None if low is None or high is None else (low, high)


@dataclass(frozen=True)
class Thresholds(JsonRecord):
    """See `Calibration`."""

    not_a_digit: float | None = None
    uncertain: float | None = None

    @classmethod
    def from_json(cls, value: object) -> Thresholds:
        stored = mapping(value)
        return cls(
            number(stored.get("not_a_digit")), number(stored.get("uncertain")), stored=stored
        )


@dataclass(frozen=True)
class Settings(JsonRecord):
    """The recipe: its name and epochs. The rest, in ``stored``, is the training's own."""

    name: str | None = None
    epochs: int | None = None

    @classmethod
    def from_json(cls, value: object) -> Settings:
        stored = mapping(value)
        return cls(text(stored.get("name")), whole(stored.get("epochs")), stored=stored)


@dataclass(frozen=True)
class DataSource(JsonRecord):
    """One source of training data: how many drawings it has, and their hash.

    ``held_out`` counts those beside them that were kept for evaluation.
    """

    sparse = True

    n: int | None = None
    held_out: int | None = None
    sha256: str | None = None

    @classmethod
    def from_json(cls, value: object) -> DataSource:
        stored = mapping(value)
        return cls(
            n=whole(stored.get("n")),
            held_out=whole(stored.get("held_out")),
            sha256=text(stored.get("sha256")),
            stored=stored,
        )


@dataclass(frozen=True)
class SetMetrics(JsonRecord):
    """A model on one set of ``n`` drawings. Shares are 0-1.

    ``accuracy``, its 95 % ``interval`` and ``calibration_error`` are over the digits, and None
    where the set has none. ``answered`` is the share of all drawings where the whole of the site's
    answer is correct: a digit recognised and not refused, or a non-digit refused. ``refused`` is
    the share called "not a digit", ``uncertain`` the share called that. ``confidence`` is the mean
    over the digits. ``drawings`` identifies the set: sets with the same value are the same.
    """

    n: int | None = None
    mistakes: int | None = None
    accuracy: float | None = None
    interval: tuple[float, float] | None = None
    calibration_error: float | None = None
    answered: float | None = None
    refused: float | None = None
    uncertain: float | None = None
    confidence: float | None = None
    drawings: str | None = None

    @classmethod
    def from_json(cls, value: object) -> SetMetrics:
        stored = mapping(value)
        return cls(
            n=whole(stored.get("n")),
            mistakes=whole(stored.get("mistakes")),
            accuracy=share(stored.get("accuracy")),
            interval=_interval(stored.get("interval")),
            calibration_error=share(stored.get("calibration_error")),
            answered=share(stored.get("answered")),
            refused=share(stored.get("refused")),
            uncertain=share(stored.get("uncertain")),
            confidence=share(stored.get("confidence")),
            drawings=text(stored.get("drawings")),
            stored=stored,
        )

    @property
    def correct(self) -> float | None:
        """The share that is correct: digits recognised or, in a set without digits, refusals."""
        return self.refused if self.accuracy is None else self.accuracy


@dataclass(frozen=True)
class ModelCard(JsonRecord):
    """All that is known of a model beside its bytes.

    ``seed`` and ``settings`` repeat the training, ``history`` has a list of figures by epoch for
    each measure, ``versions`` those of Python and the packages. ``parent`` names the version that
    was fine-tuned. ``evaluation_sets`` are the sets that a successor has to be measured on too.
    """

    temperature: float | None = None
    thresholds: Thresholds = Thresholds()
    settings: Settings = Settings()
    seed: int | None = None
    data: Mapping[str, DataSource] = field(default_factory=dict)
    parent: str | None = None
    history: Mapping[str, Sequence[float]] = field(default_factory=dict)
    name: str | None = None
    sha256: str | None = None
    created: str | None = None
    versions: Mapping[str, str] = field(default_factory=dict)
    machine: str | None = None
    parameters: int | None = None
    evaluation_sets: tuple[str, ...] = field(default=(), metadata={"key": "benches"})
    metrics: Mapping[str, SetMetrics] = field(default_factory=dict)
    gate: GateResult | None = None

    @classmethod
    def from_json(cls, value: object) -> ModelCard:
        """Read a stored card. What is missing, or of another type, is None or empty."""
        card = mapping(value)
        sets = card.get("benches")
        return cls(
            temperature=number(card.get("temperature")),
            thresholds=Thresholds.from_json(card.get("thresholds")),
            settings=Settings.from_json(card.get("settings")),
            seed=whole(card.get("seed")),
            data=_each(DataSource.from_json, card.get("data")),
            parent=text(card.get("parent")),
            history=mapping(card.get("history")),
            name=text(card.get("name")),
            sha256=text(card.get("sha256")),
            created=text(card.get("created")),
            versions=mapping(card.get("versions")),
            machine=text(card.get("machine")),
            parameters=whole(card.get("parameters")),
            evaluation_sets=tuple(map(str, sets)) if isinstance(sets, list) else (),
            metrics=_each(SetMetrics.from_json, card.get("metrics")),
            gate=GateResult.from_json(card.get("gate")),
            stored=card,
        )

    @property
    def created_at(self) -> datetime | None:
        try:
            return None if self.created is None else datetime.fromisoformat(self.created)
        except ValueError:
            return None
