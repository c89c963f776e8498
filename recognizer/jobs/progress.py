"""The progress of a job: written by the worker, shown on the job's page."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from recognizer.inference.json_record import JsonRecord, mapping, number, share, text, whole


class Phase(str, Enum):
    PREPARING = "preparing"
    TRAINING = "training"
    MEASURING = "measuring"


@dataclass(frozen=True)
class Download(JsonRecord):
    """The bytes downloaded and in total; ``total`` is 0 if the server does not report it."""

    name: str
    done: int
    total: int

    @classmethod
    def from_json(cls, value: object) -> Download | None:
        stored = mapping(value)
        name, done, total = text(stored.get("name")), stored.get("done"), stored.get("total")
        if name is None or whole(done) is None:
            return None
        return cls(name, whole(done) or 0, whole(total) or 0, stored=stored)


@dataclass(frozen=True)
class JobProgress(JsonRecord):
    """A training's progress. Values not known yet are None or empty.

    ``epoch`` and ``step`` count from 1, ``loss`` is the mean cross-entropy of the last steps,
    ``accuracies`` are those on the validation set after each epoch (0-1).
    """

    sparse = True

    phase: Phase | None = None
    download: Download | None = None
    epochs: int | None = None
    epoch: int | None = None
    step: int | None = None
    steps: int | None = None
    loss: float | None = None
    accuracies: tuple[float, ...] = ()
    seconds_left: float | None = None

    @classmethod
    def from_json(cls, value: object) -> JobProgress:
        """Return stored progress, without values that have another type."""
        stored = mapping(value)
        phase, accuracies = stored.get("phase"), stored.get("accuracies")
        found = map(share, accuracies if isinstance(accuracies, list) else ())
        return cls(
            phase=Phase(phase) if phase in [each.value for each in Phase] else None,
            download=Download.from_json(stored.get("download")),
            epochs=whole(stored.get("epochs")),
            epoch=whole(stored.get("epoch")),
            step=whole(stored.get("step")),
            steps=whole(stored.get("steps")),
            loss=number(stored.get("loss")),
            accuracies=tuple(each for each in found if each is not None),
            seconds_left=number(stored.get("seconds_left")),
            stored=stored,
        )

    @property
    def percent(self) -> int | None:
        """The progress of the training itself, 0-100; None before it starts."""
        if not self.epochs or not self.epoch or not self.steps or self.step is None:
            return None
        return 100 * ((self.epoch - 1) * self.steps + self.step) // (self.epochs * self.steps)


@dataclass(frozen=True)
class CountedProgress(JsonRecord):
    """The step of a job other than a training, and its drawings done and in total.

    ``total`` is None if it is not known.
    """

    step: str | None = None
    done: int = 0
    total: int | None = None

    @classmethod
    def from_json(cls, value: object) -> CountedProgress:
        stored = mapping(value)
        return cls(
            text(stored.get("step")), whole(stored.get("done")) or 0, whole(stored.get("total"))
        )

    @property
    def percent(self) -> int | None:
        return 100 * self.done // self.total if self.total else None
