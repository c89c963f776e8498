"""Constant memory: no format has more than a few drawings in memory at a time."""

from __future__ import annotations

import contextlib
import gc
import shutil
import tracemalloc
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest

from recognizer import imaging
from recognizer.models import Prediction
from recognizer.tests.support.exporting import TARGETS, Target, each_of, make_item
from recognizer.tests.support.reviewing import make_version
from recognizer.tests.support.reviewing import prediction as unsaved
from recognizer.transfer import exporting as transfer_exporting
from recognizer.transfer import formats, import_reader, importing
from recognizer.transfer.formats import FORMATS, BadItem, Format, Item, parquet
from recognizer.transfer.import_buffer import BufferedDrawing


def model_input(number: int) -> bytes:
    """A PNG of 28x28 px that is different for each number."""
    pixels = np.zeros((28, 28), np.uint8)
    pixels[4:24, 12:16] = 255
    pixels[6, 12:28] = np.where(number >> np.arange(16) & 1, 200, 255)
    return imaging.encode_png(pixels)


def some_items(count: int) -> Iterator[Item]:
    for number in range(count):
        yield make_item(
            number,
            model_input(number),
            digit=number % 10,
            label=number % 11,
            is_model_input=True,
        )


def most_memory(work: Callable[[], object]) -> int:
    """The peak memory in bytes of the second of two runs: Python's own tables grow once."""
    peaks = []
    for _ in range(2):
        tracemalloc.start()
        try:
            work()
            peaks.append(tracemalloc.get_traced_memory()[1])
        finally:
            tracemalloc.stop()
    return min(peaks)


def write(target: Target, path: Path, count: int) -> None:
    if target.name.endswith((".csv", "mnist", "drawings", "data_set")):
        shutil.rmtree(path, ignore_errors=True)
        path.mkdir()
        formats.write_files(target.format, some_items(count), path)
        return
    with path.open("wb") as file:
        formats.write_file(target.format, some_items(count), file)


def read(path: Path) -> int:
    found = 0
    for item in formats.read(path):
        assert not isinstance(item, BadItem)
        found += 1
    return found


@each_of(target for target in TARGETS if target.name not in ("table.zip", "mnist.zip"))
def test_writing_and_reading_take_constant_memory(
    tmp_path: Path, target: Target, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(parquet, "_ROWS", 50)
    # First use loads modules.
    write(target, tmp_path / f"first-{target.name}", 60)
    format = FORMATS["csv"] if target.name == "labels.csv" else None
    peaks: dict[str, list[int]] = {"written": [], "read": []}
    for count in (100, 500):
        path = tmp_path / f"{count}-{target.name}"
        peaks["written"].append(most_memory(lambda: write(target, path, count)))  # noqa: B023
        source = path / "drawings.csv" if format else path
        if format:
            (path / "manifest.json").rename(f"{source}.manifest.json")
        assert read(source) == count
        peaks["read"].append(most_memory(lambda: read(source)))  # noqa: B023

    for few, many in peaks.values():
        # Only the list of contents of a zip is completely in memory.
        allowed = 1_500_000 if target.name == "drawings.zip" else 150_000
        assert many < few + allowed


class Alive:
    """Counts the drawings in memory, at every 25th step, without those of earlier tests."""

    def __init__(self) -> None:
        self.most = 0
        self.calls = 0
        gc.collect()
        self.before = self._count()

    def __call__(self) -> None:
        self.calls += 1
        if self.calls % 25 == 0:
            self.most = max(self.most, *(self._count() - self.before).values(), 0)

    def _count(self) -> Counter[type]:
        kinds = (Prediction, Item, BufferedDrawing, imaging.Drawing)
        # By type: `isinstance` fails for a weak proxy of a deleted object.
        alive = Counter(type(each) for each in gc.get_objects())
        return Counter({kind: n for kind, n in alive.items() if issubclass(kind, kinds)})


@pytest.mark.django_db
@pytest.mark.parametrize("format", [FORMATS["npz"], FORMATS["label-studio"]])
def test_exports_and_imports_have_at_most_two_batches_in_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, format: Format
) -> None:
    batch = 20
    monkeypatch.setattr(transfer_exporting, "CHUNK", batch)
    monkeypatch.setattr(import_reader, "BATCH", batch)
    monkeypatch.setattr(importing, "BATCH", batch)
    version = make_version()
    Prediction.objects.bulk_create(
        unsaved(
            number % 10,
            label=number % 10,
            model_version=version,
            image=model_input(number),
            is_model_input=True,
        )
        for number in range(300)
    )
    path = tmp_path / "labels"
    exporting, reading, storing = Alive(), Alive(), Alive()

    transfer_exporting.export_drawings(
        drawings=Prediction.objects.all(), path=path, format=format, progress=exporting
    )
    Prediction.objects.all().delete()
    steps = {"Reading": reading, "Storing": storing}
    importing.import_drawings(
        path=path, bar=lambda name, total: contextlib.nullcontext(steps[name])
    )

    assert (exporting.calls, reading.calls, storing.calls) == (300, 300, 300)
    # A batch is fetched while the last drawing of the previous one is still in use.
    assert 0 < max(exporting.most, reading.most, storing.most) <= 2 * batch + 1
