"""Omniglot: handwritten characters of many alphabets, as examples of non-digits.

Lake, Salakhutdinov, Tenenbaum, "Human-level concept learning through probabilistic program
induction", Science 350, 2015: each character drawn once by twenty people. Of the five alphabets
of "background small 1" three are for training and two for testing.
"""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from training.data import datasets, downloads
from training.data.datasets import NOT_A_DIGIT, Data
from training.data.downloads import DataDamaged, Progress

TRAIN_ALPHABETS = ("Balinese", "Greek", "Latin")
HELD_OUT_ALPHABETS = ("Early_Aramaic", "Korean")
"""Alphabets of the test sets, never used for training or to choose a setting."""

SIDE = 105
"""Side of a drawing, in px."""

LOOKALIKES: dict[str, frozenset[str]] = {
    "Balinese": frozenset(
        {
            "character05",  # a 2 or 7 with a flag
            "character14",  # a round 7
        }
    ),
    "Greek": frozenset(
        {
            "character02",  # beta: 8
            "character04",  # delta: 8
            "character06",  # zeta: 3 or 5
            "character08",  # theta: a slashed 0, 8
            "character09",  # iota: 1
            "character14",  # xi: 3
            "character15",  # omicron: 0
            "character18",  # sigma: 0 or 6
            "character20",  # upsilon: an open 0
            "character21",  # phi: a 0 with an upright bar
        }
    ),
    "Latin": frozenset(
        {
            "character02",  # b: 6
            "character03",  # c: an open 0
            "character07",  # g: 9
            "character09",  # i: 1
            "character10",  # j: 1
            "character12",  # l: 1
            "character15",  # o: 0
            "character17",  # q: 9
            "character19",  # s: 5
            "character21",  # u: an open 0
            "character25",  # y: an open 4
            "character26",  # z: 2
        }
    ),
    "Early_Aramaic": frozenset(
        {
            "character02",  # beth: 9
            "character03",  # gimel: 1 with a flag, 7
            "character04",  # daleth: 4 or 9
            "character05",  # he: an angular 3
            "character06",  # waw: an open 4
            "character07",  # zayin: 1 with a head and a foot
            "character10",  # yodh: a 2 with a bar
            "character12",  # lamedh: 6
            "character14",  # nun: an open 9, 5
            "character16",  # ayin: 0
            "character17",  # pe: 7
            "character20",  # resh: 4 or 9
        }
    ),
    "Korean": frozenset(
        {
            "character21",  # i: 1
            "character22",  # giyeok: 7
            "character27",  # rieul: an angular 2
            "character33",  # ieung: 0
            "character37",  # kieuk: a 7 with a bar
        }
    ),
}
"""Characters most of whose drawings a person asked "which digit is this?" would name at once.

Chosen by eye from all five alphabets before any evaluation, but for phi, of a training alphabet:
it was added together with zeros whose bar runs beyond the ring. Labelled "not a digit", they would
train the network to reject badly written digits; whether it should reject them is undecidable.
"""

_MEMBER = re.compile(r"(?:^|/)(?P<alphabet>[^/]+)/(?P<character>character\d+)/[^/]+\.png$")


@dataclass(frozen=True)
class Drawings:
    """Drawings uint8 (n, 105, 105), dark on white, and their characters: (alphabet, name)."""

    images: NDArray[np.uint8]
    characters: tuple[tuple[str, str], ...]

    def __len__(self) -> int:
        return len(self.images)

    def without_lookalikes(self) -> Drawings:
        kept = [character not in LOOKALIKES.get(name, ()) for name, character in self.characters]
        characters = tuple(
            character for character, keep in zip(self.characters, kept, strict=True) if keep
        )
        return Drawings(self.images[np.array(kept, np.bool_)], characters)


def read(path: Path, alphabets: Collection[str] | None = None) -> Drawings:
    """Read the drawings of some alphabets (all, by default), in the order of their file names.

    Raises ``DataDamaged`` if the file is not Omniglot or lacks one of the alphabets.
    """
    images: list[NDArray[np.uint8]] = []
    characters: list[tuple[str, str]] = []
    try:
        with zipfile.ZipFile(path) as archive:
            for name in sorted(archive.namelist()):
                member = _MEMBER.search(name)
                if member and (alphabets is None or member["alphabet"] in alphabets):
                    with Image.open(io.BytesIO(archive.read(name))) as image:
                        images.append(np.asarray(image.convert("L")))
                    characters.append((member["alphabet"], member["character"]))
    except (zipfile.BadZipFile, OSError) as error:
        raise DataDamaged(f"{path} is not Omniglot: {error}") from error
    missing = set(alphabets or ()) - {alphabet for alphabet, _ in characters}
    if missing or not images:
        raise DataDamaged(f"{path} has no alphabet {', '.join(sorted(missing)) or 'at all'}")
    if any(image.shape != (SIDE, SIDE) for image in images):
        raise DataDamaged(f"{path}: drawings are not {SIDE}x{SIDE}")
    return Drawings(np.stack(images), tuple(characters))


def training_images(progress: Progress | None = None) -> NDArray[np.uint8]:
    """Return the training drawings without look-alikes: uint8 (n, 105, 105), dark on white.

    Raises ``DataDamaged``, or ``DataUnavailable`` if Omniglot can't be downloaded.
    """
    path = downloads.omniglot_file(progress)
    return read(path, TRAIN_ALPHABETS).without_lookalikes().images


def held_out(alphabet: str, *, lookalikes: bool, progress: Progress | None = None) -> Data:
    """Return a held-out alphabet as model inputs, with or without look-alikes of digits.

    Raises ``ValueError`` for an alphabet that is not held out, and as ``training_images``.
    """
    if alphabet not in HELD_OUT_ALPHABETS:
        raise ValueError(f"{alphabet} is not held out: {', '.join(HELD_OUT_ALPHABETS)}")
    path = downloads.omniglot_file(progress)
    drawings = read(path, (alphabet,))
    if lookalikes:
        return _as_data(drawings, f"Omniglot {alphabet}, all", downloads.sha256_of(path))
    return _as_data(
        drawings.without_lookalikes(), f"Omniglot {alphabet}", downloads.sha256_of(path)
    )


def _as_data(drawings: Drawings, name: str, sha256: str) -> Data:
    inputs = datasets.prepare(drawings.images)
    return Data(name, inputs, np.full(len(inputs), NOT_A_DIGIT, np.uint8), sha256)
