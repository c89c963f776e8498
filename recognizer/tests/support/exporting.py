"""Drawings to export and import, and the two commands, for their tests."""

from __future__ import annotations

import io
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from recognizer.labelling import labels
from recognizer.models import Prediction
from recognizer.predictions import recognition
from recognizer.tests.support.reviewing import NOT_A_DIGIT, drawing
from recognizer.transfer.formats import FORMATS, Format, manifest

needs_pyarrow = pytest.mark.skipif(
    not FORMATS["parquet"].is_available(), reason="pyarrow is not installed"
)


class Way(NamedTuple):
    """A file or folder to export to: what it is called, its format, and if it holds originals."""

    name: str
    format: Format
    has_drawings: bool = True

    @property
    def options(self) -> tuple[str, str]:
        return ("--format", self.format.name)


WAYS = [
    Way("labels.npz", FORMATS["npz"]),
    Way("drawings", FORMATS["png"]),
    Way("drawings.zip", FORMATS["png"]),
    Way("labels.csv", FORMATS["csv"], has_drawings=False),
    Way("table.zip", FORMATS["csv"], has_drawings=False),
    Way("mnist", FORMATS["idx"], has_drawings=False),
    Way("mnist.zip", FORMATS["idx"], has_drawings=False),
    Way("labels.parquet", FORMATS["parquet"]),
    Way("tasks.json", FORMATS["label-studio"]),
]

each_way = pytest.mark.parametrize(
    "way",
    [
        pytest.param(
            way, id=way.name, marks=[needs_pyarrow] if way.format is FORMATS["parquet"] else []
        )
        for way in WAYS
    ],
)


def store(
    digit: int, *, label: int | None = None, by: User | None = None, seed: int = 0
) -> Prediction:
    """A drawing that the site has read as it reads them all, with a reviewer's label."""
    row = recognition.recognise(
        data=drawing(digit, seed=seed), source="canvas", user=None, visitor=None
    )
    if label is not None:
        labels.label_predictions(predictions=[row.pk], label=label, by=by)
    row.refresh_from_db()
    return row


def store_some(by: User | None = None) -> list[Prediction]:
    """Five drawings: two read right, one mistake, one that is no digit, one suggested."""
    rows = [
        store(3, label=3, by=by),
        store(1, label=7, by=by),
        store(8, label=8, by=by),
        store(5, label=NOT_A_DIGIT, by=by),
        store(0, label=0, by=by),
    ]
    Prediction.objects.filter(pk=rows[-1].pk).update(suggestion=6)
    rows[-1].refresh_from_db()
    return rows


def export_to(path: Path, *options: object) -> str:
    """Run export_drawings; return what it printed."""
    out = io.StringIO()
    call_command("export_drawings", str(path), *map(str, options), stdout=out)
    return out.getvalue()


def import_from(path: Path, *options: object) -> str:
    """Run import_drawings; return all that it printed."""
    out = io.StringIO()
    call_command("import_drawings", str(path), *map(str, options), stdout=out, stderr=out)
    return out.getvalue()


def refused_import(path: Path, *options: object) -> str:
    """Run import_drawings, which must refuse and store nothing; return all that it said."""
    before = set(Prediction.objects.values_list("pk", "label"))
    out = io.StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("import_drawings", str(path), *map(str, options), stdout=out, stderr=out)
    assert caught.value.returncode == 1
    assert set(Prediction.objects.values_list("pk", "label")) == before
    return f"{out.getvalue()}{caught.value}"


def files_of(path: Path) -> dict[str, bytes]:
    """All bytes of an export, its manifest included."""
    found: Iterable[Path] = path.rglob("*") if path.is_dir() else [path]
    if path.suffix == ".csv":
        found = [path, manifest.path_beside(path)]
    return {
        file.relative_to(path.parent).as_posix(): file.read_bytes()
        for file in found
        if file.is_file()
    }
