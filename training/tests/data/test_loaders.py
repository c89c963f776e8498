"""Exports are read by the loaders of other libraries: Keras and Hugging Face's datasets."""

from __future__ import annotations

import importlib
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from recognizer.tests.support.exporting import store_some
from recognizer.transfer import exporting
from recognizer.transfer.formats import FORMATS, LABEL_NAMES

pytestmark = pytest.mark.django_db

LABELS = [0, 3, 7, 8, 10]


def export(path: Path, format: str) -> None:
    from recognizer.models import Prediction

    store_some()
    exporting.export_drawings(drawings=Prediction.objects.all(), path=path, format=FORMATS[format])


def test_keras_reads_the_folder_of_images(tmp_path: Path) -> None:
    keras: Any = pytest.importorskip("tensorflow").keras
    export(tmp_path / "drawings", "png")

    found = keras.utils.image_dataset_from_directory(
        tmp_path / "drawings",
        class_names=[*LABEL_NAMES],
        color_mode="grayscale",
        image_size=(28, 28),
        shuffle=False,
        verbose=False,
    )

    assert found.class_names == [*LABEL_NAMES]
    images, labels = next(iter(found))
    assert images.shape == (5, 28, 28, 1)
    assert labels.numpy().tolist() == LABELS


@pytest.mark.parametrize("name", ["data_set", "labels.parquet"])
def test_datasets_loads_the_data_set(tmp_path: Path, name: str) -> None:
    os.environ["HF_DATASETS_OFFLINE"] = os.environ["HF_HUB_OFFLINE"] = "1"
    datasets: Any = importlib.import_module("datasets")
    path = tmp_path / name
    export(path, "hugging-face" if name == "data_set" else "parquet")
    source = {"path": str(path)} if name == "data_set" else {
        "path": "parquet", "data_files": str(path)
    }  # fmt: skip

    found = datasets.load_dataset(**source, split="train", cache_dir=str(tmp_path / "cache"))

    assert found.features["label"].names == [*LABEL_NAMES]
    assert sorted(found["label"]) == LABELS
    assert {np.asarray(image).ndim for image in found["image"]} == {2}
    assert {*found["source"]} == {"canvas"}
