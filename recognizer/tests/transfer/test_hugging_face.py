"""The layout of Hugging Face's data sets. `training/tests/data/test_loaders.py` loads it."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

import pytest

from recognizer.models import Prediction
from recognizer.tests.support.exporting import (
    export_to,
    files_of,
    import_from,
    needs_pyarrow,
    store_some,
)

pytestmark = [pytest.mark.django_db, needs_pyarrow]

OPTIONS = ("--format", "hugging-face")
NAMES = {"data_set/README.md", "data_set/data/train-00000-of-00001.parquet"}


def test_the_card_says_where_the_data_is_and_what_it_means(tmp_path: Path) -> None:
    store_some()

    export_to(tmp_path / "data_set", *OPTIONS)

    assert files_of(tmp_path / "data_set").keys() == NAMES | {"data_set/manifest.json"}
    card = (tmp_path / "data_set" / "README.md").read_text()
    head, text = card.removeprefix("---\n").split("\n---\n")
    assert "path: data/train-*.parquet" in head
    assert "          '10': 'not_a_digit'" in head
    assert "num_examples: 5" in head
    assert "| 3 | 1 |" in text
    assert "| not_a_digit | 1 |" in text
    assert "remove that column" in text


def test_the_card_lists_the_columns_of_the_file(tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    store_some()
    export_to(tmp_path / "data_set", *OPTIONS)

    head = (tmp_path / "data_set" / "README.md").read_text().split("\n---\n")[0]
    columns = pq.read_schema(tmp_path / "data_set" / "data" / "train-00000-of-00001.parquet").names
    assert re.findall(r"^  - name: (\w+)$", head, re.MULTILINE)[: len(columns)] == columns


def test_an_earlier_export_is_replaced_but_no_other_folder(tmp_path: Path) -> None:
    store_some()
    export_to(tmp_path / "data_set", *OPTIONS)
    before = files_of(tmp_path / "data_set")

    export_to(tmp_path / "data_set", *OPTIONS, "--force")

    assert files_of(tmp_path / "data_set") == before


def test_a_zip_of_the_parquet_file_alone_is_imported(tmp_path: Path) -> None:
    store_some()
    export_to(tmp_path / "data_set.zip", *OPTIONS)
    with (
        zipfile.ZipFile(tmp_path / "data_set.zip") as archive,
        zipfile.ZipFile(tmp_path / "less.zip", "w") as less,
    ):
        name = "data/train-00000-of-00001.parquet"
        less.writestr(name, archive.read(name))
    Prediction.objects.all().delete()

    assert "Imported 5 drawings" in import_from(tmp_path / "less.zip")
