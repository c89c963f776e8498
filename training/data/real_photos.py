"""Photographs without digits, cropped from the sample images of Python packages; for tests only.

scikit-image and scikit-learn include a few dozen photographs in their wheels, and matplotlib, which
is installed for the plots, one. ``fetch`` downloads the two wheels once and keeps only the images;
neither package is installed.
"""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.data import downloads, user_files
from training.data.datasets import NOT_A_DIGIT, Data
from training.data.downloads import DataDamaged, DataUnavailable

CROPS = 18
"""Crops of each photograph."""

_FOLDER = "photographs"


@dataclass(frozen=True)
class Wheel:
    """A package's wheel: its pin, the file's sha256, and the images to use."""

    pin: str
    sha256: str
    folder: str
    pictures: tuple[str, ...]


# Without drawings, diagrams, printed text, and the clock, whose face shows digits.
WHEELS = (
    Wheel(
        "scikit-image==0.26.0",
        "74aa5518ccea28121f57a95374581d3b979839adc25bb03f289b1bc9b99c58af",
        "skimage/data",
        (
            "astronaut.png", "brick.png", "camera.png", "cell.png", "chelsea.png", "coffee.png",
            "coins.png", "grass.png", "gravel.png", "hubble_deep_field.jpg", "ihc.png",
            "moon.png", "motorcycle_left.png", "retina.jpg", "rocket.jpg",
        ),
    ),
    Wheel(
        "scikit-learn==1.9.1",
        "52a0703bbc07ad27f560fa63fa68e4c54dd735bfbbf65b4dd3c225dc7547b6df",
        "sklearn/datasets/images",
        ("china.jpg", "flower.jpg"),
    ),
)  # fmt: skip


def fetch() -> None:
    """Download the images that are missing from the package index into the cache.

    Raises ``DataUnavailable`` if pip or the index can't be reached, or ``DataDamaged`` if the
    sha256 of a wheel differs.
    """
    for wheel in WHEELS:
        if all(downloads.find(f"{_FOLDER}/{name}") for name in wheel.pictures):
            continue
        with tempfile.TemporaryDirectory() as folder:
            _unpack(_download(wheel, Path(folder)), wheel, downloads.CACHE / _FOLDER)


def _download(wheel: Wheel, folder: Path) -> Path:
    # The same platform's wheel on every machine: only its images are used.
    command = (
        sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check",
        "--no-deps", "--only-binary=:all:", "--python-version", "3.11", "--implementation", "cp",
        "--platform", "manylinux_2_28_x86_64", "--dest", str(folder), wheel.pin,
    )  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    found = sorted(folder.glob("*.whl"))
    if done.returncode or not found:
        why = done.stderr.strip().splitlines()[-1:] or ["pip gave no reason"]
        raise DataUnavailable(f"{wheel.pin}: {why[0]}")
    return found[0]


def _unpack(path: Path, wheel: Wheel, target: Path) -> None:
    content = path.read_bytes()
    digest = hashlib.sha256(content).hexdigest()
    if digest != wheel.sha256:
        raise DataDamaged(f"{wheel.pin}: sha256 is {digest}, expected {wheel.sha256}")
    target.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        for name in wheel.pictures:
            partial = target / f"{name}.part"
            partial.write_bytes(archive.read(f"{wheel.folder}/{name}"))
            partial.replace(target / name)


def photographs() -> list[Path]:
    """Return the photographs that are on this machine, sorted by name."""
    import matplotlib

    names = [name for wheel in WHEELS for name in wheel.pictures]
    found = [downloads.find(f"{_FOLDER}/{name}") for name in names]
    hopper = Path(matplotlib.get_data_path(), "sample_data", "grace_hopper.jpg")
    found.append(hopper if hopper.is_file() else None)
    return sorted((path for path in found if path), key=lambda path: path.name)


def load(seed: int = 47) -> Data:
    """Return crops of the available photographs as model inputs, labelled "not a digit".

    Each crop is encoded and decoded like an uploaded file. A blank one becomes a black input, which
    counts as rejected. Raises ``DataUnavailable`` if there are no photographs.
    """
    files = [crop for path in photographs() for crop in crops(path, seed)]
    if not files:
        raise DataUnavailable("no photographs are here")
    images = np.stack([user_files.model_input_of_file(content) for content in files])
    return Data("photos of other things", images, np.full(len(images), NOT_A_DIGIT, np.uint8))


def crops(path: Path, seed: int) -> Iterator[bytes]:
    """Yield ``CROPS`` files cut from a photograph, JPEG and PNG alternately; the same for a seed.

    The first is the whole image. The others are rectangles at random positions, with sides of 35
    to 100 % of the image's shorter side. Smaller ones would often show only an edge or a spot.
    """
    rng = np.random.default_rng([seed, *path.name.encode()])
    with Image.open(path) as image:
        picture = image.convert("RGB")
    for number in range(CROPS):
        box = (0, 0, *picture.size) if number == 0 else _rectangle(picture.size, rng)
        buffer = io.BytesIO()
        if number % 2:
            picture.crop(box).save(buffer, "PNG")
        else:
            picture.crop(box).save(buffer, "JPEG", quality=85)
        yield buffer.getvalue()


def _rectangle(size: tuple[int, int], rng: np.random.Generator) -> tuple[int, int, int, int]:
    sides: NDArray[np.int64] = np.rint(rng.uniform(0.35, 1, 2) * min(size)).astype(np.int64)
    left, top = rng.integers(0, np.array(size) - sides + 1)
    return int(left), int(top), int(left + sides[0]), int(top + sides[1])
