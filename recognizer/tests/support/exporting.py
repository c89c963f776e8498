"""Drawings to export and import, and the two commands, for their tests."""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import NamedTuple
from uuid import UUID

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command

from recognizer.labelling import labels
from recognizer.models import Owner, Prediction
from recognizer.predictions import recognition
from recognizer.tests.support.reviewing import NOT_A_DIGIT, drawing
from recognizer.transfer.formats import FORMATS, Format, Item, Record, manifest

needs_pyarrow = pytest.mark.skipif(
    not FORMATS["parquet"].is_available(), reason="pyarrow is not installed"
)


class Target(NamedTuple):
    """A file or folder to export to, its format, and whether it contains the original drawings."""

    name: str
    format: Format
    has_drawings: bool = True

    @property
    def options(self) -> tuple[str, str]:
        return ("--format", self.format.name)


TARGETS = [
    Target("labels.npz", FORMATS["npz"]),
    Target("drawings", FORMATS["png"]),
    Target("drawings.zip", FORMATS["png"]),
    Target("labels.csv", FORMATS["csv"], has_drawings=False),
    Target("table.zip", FORMATS["csv"], has_drawings=False),
    Target("mnist", FORMATS["idx"], has_drawings=False),
    Target("mnist.zip", FORMATS["idx"], has_drawings=False),
    Target("labels.parquet", FORMATS["parquet"]),
    Target("data_set", FORMATS["hugging-face"]),
    Target("data_set.zip", FORMATS["hugging-face"]),
    Target("tasks.json", FORMATS["label-studio"]),
    Target("drawings.jsonl", FORMATS["json-lines"]),
]


def each_of(targets: Iterable[Target]) -> pytest.MarkDecorator:
    """Run a test for each of these targets; that of Parquet needs pyarrow."""
    return pytest.mark.parametrize(
        "target",
        [
            pytest.param(
                each, id=each.name, marks=[needs_pyarrow] * (each.format.package == "pyarrow")
            )
            for each in targets
        ],
    )


each_target = each_of(TARGETS)


def make_item(
    number: int, image: bytes, *, digit: int, label: int, is_model_input: bool = False
) -> Item:
    """A labelled drawing with its record, without a database."""
    start = datetime(2026, 3, 31, tzinfo=timezone.utc)
    record = Record(
        id=str(UUID(int=number)),
        label=label,
        digit=digit,
        confidence=0.9,
        verdict="digit",
        model_version="tested-1",
        model_sha256="0" * 64,
        source="canvas",
        is_model_input=is_model_input,
        suggestion=None,
        created_at=start + timedelta(seconds=number),
        labelled_at=start,
        labelled_by="ada",
    )
    return Item(record.id, label, image, is_model_input, record)


def store(
    digit: int, *, label: int | None = None, by: User | None = None, seed: int = 0
) -> Prediction:
    """A drawing that the site has recognised, with a reviewer's label."""
    row = recognition.recognise(data=drawing(digit, seed=seed), source="canvas", owner=Owner())
    if label is not None:
        labels.label_predictions(predictions=[row.pk], label=label, by=by)
    row.refresh_from_db()
    return row


def store_some(by: User | None = None) -> list[Prediction]:
    """Five drawings: two correct, one misclassified, one not a digit, one with a suggestion."""
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
    """Run export_drawings; return its output."""
    out = io.StringIO()
    call_command("export_drawings", str(path), *map(str, options), stdout=out)
    return out.getvalue()


def import_from(path: Path, *options: object) -> str:
    """Run import_drawings; return its output."""
    out = io.StringIO()
    call_command("import_drawings", str(path), *map(str, options), stdout=out, stderr=out)
    return out.getvalue()


def refused_import(path: Path, *options: object) -> str:
    """Run import_drawings, which must fail and store nothing; return its output and error."""
    before = set(Prediction.objects.values_list("pk", "label"))
    out = io.StringIO()
    with pytest.raises(CommandError) as caught:
        call_command("import_drawings", str(path), *map(str, options), stdout=out, stderr=out)
    assert caught.value.returncode == 1
    assert set(Prediction.objects.values_list("pk", "label")) == before
    return f"{out.getvalue()}{caught.value}"


def files_of(path: Path) -> dict[str, bytes]:
    """The files of an export, including the manifest."""
    found: Iterable[Path] = path.rglob("*") if path.is_dir() else [path]
    if path.suffix == ".csv":
        found = [path, manifest.path_beside(path)]
    return {
        file.relative_to(path.parent).as_posix(): file.read_bytes()
        for file in found
        if file.is_file()
    }
