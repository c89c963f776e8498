"""The state of a training after each epoch, in a file that a later process goes on from."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recognizer.imaging import PenStrokes
from training.data.datasets import Data, load_arrays, save_arrays
from training.data.downloads import DataDamaged
from training.data.labelled import Labelled, LabelledData

OPTIONS = "options.json"


@dataclass(frozen=True)
class State:
    """``arrays`` are the variables of network, optimizer and average; ``history`` its lists."""

    epochs: int
    history: Mapping[str, list[float]]
    arrays: Sequence[NDArray[Any]]


class Checkpoint:
    """A folder with the options of a training, its labelled drawings, and its latest state.

    Every file is complete: it is written under a temporary name and renamed.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def exists(self) -> bool:
        """Whether a training was started here and is not finished."""
        return (self.folder / OPTIONS).is_file()

    def save(self, state: State) -> None:
        """Replace the state. Raises ``OSError``."""
        about = json.dumps({"epochs": state.epochs, "history": state.history})
        arrays = {f"array{number}": array for number, array in enumerate(state.arrays)}
        self.write_arrays("state.npz", about=np.array(about), **arrays)

    def load(self) -> State | None:
        """Return the state; None before the end of the first epoch. Raises ``DataDamaged``."""
        if (found := self.read_arrays("state.npz")) is None:
            return None
        try:
            about = json.loads(str(found.pop("about")))
            arrays = [found[f"array{number}"] for number in range(len(found))]
            return State(int(about["epochs"]), about["history"], arrays)
        except (KeyError, ValueError) as error:
            raise DataDamaged(f"{self.folder} holds no usable checkpoint: {error}") from error

    def write_options(self, options: Mapping[str, Any]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        partial = self.folder / f"{OPTIONS}.part"
        partial.write_text(json.dumps(options, indent=1) + "\n", encoding="utf-8")
        partial.replace(self.folder / OPTIONS)

    def options(self) -> dict[str, Any]:
        """Return the options. Raises ``DataDamaged`` or ``FileNotFoundError``."""
        path = self.folder / OPTIONS
        try:
            found = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError as error:
            raise FileNotFoundError(f"{self.folder} holds no interrupted training") from error
        except (OSError, ValueError) as error:
            raise DataDamaged(f"{path} can't be read: {error}") from error
        if not isinstance(found, dict):
            raise DataDamaged(f"{path} holds no options of a training")
        return found

    def remembering(self, read: Callable[[], Labelled]) -> Callable[[], Labelled]:
        """Return ``read``, but with the result of its first call for the rest of the training.

        Labels that change while a training is interrupted do not change what it learns.
        """

        def remembered() -> Labelled:
            if (kept := self.read_arrays("labelled.npz")) is not None:
                images, labels = kept["images"], kept["labels"]
                data = LabelledData(
                    "labelled", images, labels, str(kept["sha256"]), _unpacked(kept)
                )
                return Labelled(data, [str(name) for name in kept["ids"]], kept["held_out"])
            found = read()
            self.write_arrays(
                "labelled.npz",
                images=found.data.images,
                labels=found.data.labels,
                sha256=np.array(found.data.sha256),
                ids=np.array(found.ids, np.str_),
                held_out=found.held_out,
                **_packed(found.data),
            )
            return found

        return remembered

    def write_arrays(self, name: str, **arrays: NDArray[Any]) -> None:
        save_arrays(self.folder / name, **arrays)

    def read_arrays(self, name: str) -> dict[str, NDArray[Any]] | None:
        path = self.folder / name
        return load_arrays(path) if path.exists() else None

    def remove(self) -> None:
        """Remove the folder: the training is finished."""
        shutil.rmtree(self.folder, ignore_errors=True)


def _packed(data: Data) -> dict[str, NDArray[Any]]:
    """Return the strokes of labelled drawings, one after another, and how many bytes each has."""
    strokes = data.strokes if isinstance(data, LabelledData) else [None] * len(data)
    packed = [b"" if one is None else one.pack() for one in strokes]
    return {
        "strokes": np.frombuffer(b"".join(packed), np.uint8),
        "stroke_bytes": np.array(list(map(len, packed)), np.int64),
    }


def _unpacked(kept: Mapping[str, NDArray[Any]]) -> list[PenStrokes | None]:
    """Return the strokes that ``_packed`` packed."""
    parts = np.split(kept["strokes"], np.cumsum(kept["stroke_bytes"])[:-1])
    return [PenStrokes.unpack(part.tobytes()) if part.size else None for part in parts]
