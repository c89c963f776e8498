"""Test sets of users: npz files and folder trees of images."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from django.core.management import CommandError, call_command
from numpy.typing import NDArray
from PIL import Image

from recognizer.inference.classifier import BUNDLED
from recognizer.tests.support.drawings import DrawDigit

# No mark for the database: a bundle's folder and a file are enough.


def measured(spec: str) -> dict[str, Any]:
    out = io.StringIO()
    call_command("evaluate_model", str(BUNDLED), "--on", spec, "--json", stdout=out)
    found: dict[str, Any] = json.loads(out.getvalue())["sets"][spec]
    return found


@pytest.fixture(scope="module")
def canvases(draw_digit: DrawDigit) -> NDArray[np.uint8]:
    """The ten digits, uint8 (10, 140, 140), black on white."""
    drawn = [draw_digit(digit, seed=4, canvas=140, brush=10) for digit in range(10)]
    return np.stack([np.asarray(Image.open(io.BytesIO(png)).convert("L")) for png in drawn])


def in_colour(images: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Red ink on white."""
    return np.stack([np.full_like(images, 255), images, images], axis=-1)


@pytest.mark.parametrize(
    "layout",
    [
        lambda x: {"x_test": x, "y_test": np.arange(10)},
        lambda x: {"x_train": x[..., None], "y_train": np.arange(10)[:, None]},
        lambda x: {"x_test": x / 255, "y_test": np.arange(10)},
        lambda x: {"x_test": 255 - x.astype(np.float32), "y_test": np.arange(10)},
        lambda x: {"x_test": x // 16, "y_test": np.arange(10)},
        lambda x: {"x_test": x / 127.5 - 1, "y_test": np.arange(10)},
        lambda x: {"x_test": x.astype(np.int64) * 16, "y_test": np.arange(10)},
        lambda x: {"x_test": x > 127, "y_test": np.arange(10)},
        lambda x: {"x_test": in_colour(x), "y_test": np.arange(10)},
        lambda x: {
            "x_test": x, "y_test": np.arange(10),
            "x_train": x, "y_train": np.zeros(10, int),
        },
    ],
    ids=[
        "any size", "one channel", "0 to 1", "floats to 255", "0 to 16", "-1 to 1", "0 to 4095",
        "mask", "colour", "test before train",
    ],
)  # fmt: skip
def test_an_npz_of_many_layouts_is_read(
    canvases: NDArray[np.uint8], tmp_path: Path, layout: Any
) -> None:
    path = tmp_path / "mine.npz"
    np.savez(path, **layout(canvases))
    found = measured(f"npz:{path}")
    assert found["n"] == 10
    assert found["accuracy"] == 1


def test_an_npz_may_contain_non_digits(canvases: NDArray[np.uint8], tmp_path: Path) -> None:
    path = tmp_path / "mine.npz"
    pairs = np.concatenate([canvases[:5], canvases[5:]], axis=2)
    empty = np.full((1, 140, 140), 255, np.uint8)
    np.savez(
        path,
        x_test=np.concatenate([canvases, empty]), y_test=np.array([*range(10), 10]),
        x_not_a_digit=pairs,
    )  # fmt: skip
    found = measured(f"npz:{path}")
    assert found["n"] == 16
    assert found["accuracy"] == 1
    assert found["non_digits"]["n"] == 6
    assert found["non_digits"]["blank"] == 1
    assert found["non_digits"]["refused"] == 1


IMAGES = np.zeros((5, 28, 28), np.uint8)
LABELS = np.arange(5)


@pytest.mark.parametrize(
    ("arrays", "says"),
    [
        ({"x_test": IMAGES[0], "y_test": LABELS}, r"x_test has shape \(28, 28\), expected \(n,"),
        ({"x_test": IMAGES[..., None, None], "y_test": LABELS}, r"shape \(5, 28, 28, 1, 1\)"),
        ({"x_test": IMAGES[:0], "y_test": LABELS[:0]}, r"shape \(0, 28, 28\)"),
        ({"x_test": IMAGES.astype(str), "y_test": LABELS}, "<U3, not numbers"),
        ({"x_test": IMAGES + np.inf, "y_test": LABELS}, "values from inf to inf: no images"),
        ({"x_test": IMAGES * np.nan, "y_test": LABELS}, "values from nan to nan: no images"),
        ({"x_test": IMAGES, "y_test": LABELS[:3]}, r"shape \(3,\) for 5 images"),
        ({"x_test": IMAGES, "y_test": LABELS + 7}, r"0-9, or 10 \(not a digit\)"),
        ({"x_test": IMAGES, "y_test": LABELS / 2}, "whole numbers"),
        ({"x_test": IMAGES, "labels": LABELS}, "neither x_test, y_test .* only labels, x_test"),
        ({"x_test": np.array([None]), "y_test": LABELS}, "not a readable npz"),
    ],
)
def test_an_unusable_npz_is_rejected_with_a_reason(
    arrays: dict[str, Any], says: str, tmp_path: Path
) -> None:
    path = tmp_path / "bad.npz"
    np.savez(path, **arrays)
    with pytest.raises(CommandError, match=says):
        measured(f"npz:{path}")


@pytest.mark.parametrize("content", [b"", b"hello", b"PK\x03\x04 and no more"])
def test_a_file_that_is_not_an_npz_is_rejected(content: bytes, tmp_path: Path) -> None:
    path = tmp_path / "bad.npz"
    path.write_bytes(content)
    with pytest.raises(CommandError, match="is not a readable npz"):
        measured(f"npz:{path}")


def test_a_single_array_is_rejected(tmp_path: Path) -> None:
    with (path := tmp_path / "bare.npz").open("wb") as file:
        np.save(file, IMAGES)
    with pytest.raises(CommandError, match="holds one array"):
        measured(f"npz:{path}")


def test_a_tree_is_read_at_any_depth_and_in_any_format(
    canvases: NDArray[np.uint8], tmp_path: Path
) -> None:
    root = tmp_path / "tree"
    places = ["{}/{}.png", "test/{}/{}.JPG", "{}/ann/{}.webp", "by/ann/{}/{}.bmp"]
    for digit in range(10):
        path = root / places[digit % 4].format(digit, digit)
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(in_colour(canvases[digit])).resize((420, 420)).save(path)
    # The nearest folder that has a label counts.
    (root / "3" / "5").mkdir(parents=True)
    Image.fromarray(canvases[5]).save(root / "3" / "5" / "five.gif")
    for litter in ("7/.hidden.png", "7/Thumbs.db", ".cache/7/a.png", "readme.txt"):
        (root / litter).parent.mkdir(parents=True, exist_ok=True)
        (root / litter).write_text("no image")
    found = measured(f"folder:{root}")
    assert found["n"] == 11
    assert found["accuracy"] == 1


def test_a_blank_file_counts_as_misclassified(canvases: NDArray[np.uint8], tmp_path: Path) -> None:
    (tmp_path / "3").mkdir()
    Image.fromarray(canvases[3]).save(tmp_path / "3" / "three.png")
    Image.new("L", (140, 140), 255).save(tmp_path / "3" / "blank.png")
    found = measured(f"folder:{tmp_path}")
    assert found["accuracy"] == 0.5
    assert found["refused"] == 0.5


def test_a_tree_without_labelled_folders_is_rejected(tmp_path: Path) -> None:
    (tmp_path / "three").mkdir()
    with pytest.raises(CommandError, match="no images in folders 0 to 9 or not_a_digit"):
        measured(f"folder:{tmp_path}")
