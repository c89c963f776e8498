"""UNIPEN: handwritten digits, letters and signs of eight sites, as pen strokes.

Guyon, Schomaker, Plamondon, Liberman, Janet, "UNIPEN project of on-line data exchange and
recognizer benchmarks", ICPR 1994: the sections 1a to 1d of the public release train_r01_v07
(CC BY 4.0, DOI 10.5281/zenodo.1195803), as two packs of JSON lines without anybody's name.
``training.data.unipen_archive`` makes them from the original archive.

Who is held out
    Everything of the site GMD, for its slashed zeros, and of every other site each writer whose
    number leaves 2 when divided by 5: only for measuring. Of the remaining writers, those whose
    number ends in 5 are validation writers, and all others are for training. The same holds for
    their letters.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from dataclasses import dataclass
from enum import Enum
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from recognizer.imaging.strokes import Stroke, Strokes
from training.data import datasets, downloads, unipen_archive
from training.data.datasets import NOT_A_DIGIT, Data
from training.data.downloads import DataDamaged, Progress
from training.synthesis.lookalike_filter import is_a_stick, normalised
from training.synthesis.strokes import PLACEMENTS

HELD_OUT_SITE = "gmd"

LOOKALIKES: dict[str, str] = {
    "O": "0", "o": "0", "D": "0", "Q": "0 with a tail", "C": "an open 0", "c": "an open 0",
    "U": "an open 0", "u": "an open 0",
    "I": "1", "l": "1", "|": "1", "/": "1", "\\": "1", "(": "1", ")": "1", "'": "1", ",": "1",
    "`": "1", "i": "1 with a dot", "j": "1 with a dot", "!": "1 with a dot", ";": "1 with a dot",
    "^": "1 with a long flag", "]": "1 with flag and foot",
    "Z": "2", "z": "2", "}": "3", "Y": "an open 4", "y": "an open 4", "S": "5", "s": "5",
    "b": "6", "G": "6", ">": "7", "B": "8", "&": "8", "$": "8", "g": "9", "q": "9",
    ".": "a dot, enlarged until it shows how the device rounds", ":": "two such dots",
}  # fmt: skip
"""Letters and signs most of whose drawings a person asked "which digit is this?" would name at
once, and which digit that is. Chosen by eye from drawings of training writers, before any
evaluation, as in ``training.data.omniglot``. They are neither trained on nor measured.
"""

PARTS: dict[str, int] = {"%": 3, "?": 2, "=": 2, '"': 2}
"""Signs of separate strokes, and how many: with fewer, ? is a 7, and % a 0 or a 9."""

_SEVERAL = 0.6
"""Strokes of at least this share of a drawing's height, side by side, are several digits."""

_LYING = 2.0
"""A 1 that many times as wide as it is high lies on its side."""

_HALF_A_4 = 1.6
"""A 4 in one stroke shorter than this share of its diagonal lacks the other one."""

_BROKEN = 1.2
"""Any other digit than 1 whose line is shorter than this share of its diagonal is incomplete."""


class Role(Enum):
    """What a writer's drawings are for."""

    TRAINING = "training"
    VALIDATION = "validation"
    TEST = "test"


@dataclass(frozen=True)
class Drawing:
    """A character: strokes with y down and a longer side of 1, and its writer, "site-number".

    ``label`` is 0-9 or ``NOT_A_DIGIT``.
    """

    strokes: Strokes
    character: str
    writer: str

    @property
    def label(self) -> int:
        is_digit = len(self.character) == 1 and self.character in "0123456789"
        return int(self.character) if is_digit else NOT_A_DIGIT

    @property
    def site(self) -> str:
        return self.writer.partition("-")[0]

    @property
    def role(self) -> Role:
        number = int(self.writer.partition("-")[2])
        if self.site == HELD_OUT_SITE or number % 5 == 2:
            return Role.TEST
        return Role.VALIDATION if number % 10 == 5 else Role.TRAINING


@dataclass(frozen=True)
class Packs:
    """All of UNIPEN: digits, and letters and signs; and the sha256 of their files."""

    digits: list[Drawing]
    others: list[Drawing]
    digits_sha256: str = ""
    others_sha256: str = ""

    def trainable_digits(self) -> list[Drawing]:
        """Return the digits of training writers, without those that nobody can recognise."""
        trained = of_role(self.digits, Role.TRAINING)
        return [digit for digit in trained if not is_unreadable(digit)]

    def trainable_letters(self) -> list[Drawing]:
        """Return the letters and signs of training writers that do not look like a digit, without
        signs whose strokes are not all there. Such signs leave the training, never a test.
        """
        letters = nondigits(of_role(self.others, Role.TRAINING))
        return [one for one in letters if len(one.strokes) >= PARTS.get(one.character, 1)]


def available() -> bool:
    """Whether both packs are on this machine."""
    return all(map(downloads.find, (downloads.UNIPEN_DIGITS, downloads.UNIPEN_OTHERS)))


def load(progress: Progress | None = None) -> Packs:
    """Return both packs, made from the original archive if they are not on this machine.

    Raises ``DataDamaged``, or as ``downloads.download``.
    """
    if not available():
        archive = downloads.download(downloads.UNIPEN, progress)
        unipen_archive.make_packs(archive, downloads.CACHE)
    digits, others = map(downloads.find, (downloads.UNIPEN_DIGITS, downloads.UNIPEN_OTHERS))
    assert digits is not None
    assert others is not None
    return Packs(
        read(digits), read(others), downloads.sha256_of(digits), downloads.sha256_of(others)
    )


def read(path: Path) -> list[Drawing]:
    """Read a pack: lines of JSON, gzipped, with y up. Raises ``DataDamaged``."""
    try:
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            found = [_drawing(json.loads(line)) for line in lines]
    except (OSError, EOFError, ValueError, KeyError, TypeError) as error:
        raise DataDamaged(f"{path} is not a UNIPEN pack: {error}") from error
    if not found:
        raise DataDamaged(f"{path} has no drawings")
    return found


def _drawing(row: dict[str, Any]) -> Drawing:
    strokes = [
        np.array(stroke, np.float64).reshape(-1, 2) * (1e-3, -1e-3) for stroke in row["strokes"]
    ]
    found = Drawing(strokes, row["label"], row["writer"])
    if not strokes or not all(map(len, strokes)) or found.role not in Role:
        raise ValueError(f"a drawing of {row['writer']} has no points")
    return found


def of_role(drawings: Iterable[Drawing], role: Role) -> list[Drawing]:
    return [drawing for drawing in drawings if drawing.role is role]


def nondigits(letters: Iterable[Drawing]) -> list[Drawing]:
    """Return letters and signs without those that look like a digit.

    These are the ``LOOKALIKES``, and whatever is left of other characters if all but one upright
    stroke is missing: a 1.
    """
    return [
        letter
        for letter in letters
        if letter.character not in LOOKALIKES and not is_a_stick(normalised(letter.strokes))
    ]


def is_unreadable(drawing: Drawing) -> bool:
    """Whether a digit was cut wrongly: parts of it are missing, or it lies on its side, or there
    are several. Such digits leave the training, never a test.
    """
    points = np.concatenate(drawing.strokes)
    width, height = np.ptp(points, axis=0)
    line = sum(map(_length, drawing.strokes)) / max(float(np.hypot(width, height)), 1e-9)
    if drawing.label == 1:
        return bool(width > _LYING * height)
    if drawing.label == 4:
        return line < (_HALF_A_4 if len(drawing.strokes) == 1 else _BROKEN)
    return line < _BROKEN or _is_several(drawing.strokes, float(height))


def _length(stroke: Stroke) -> float:
    return float(np.hypot(*np.diff(stroke, axis=0).T).sum())


def _is_several(strokes: Strokes, height: float) -> bool:
    high = [stroke for stroke in strokes if np.ptp(stroke[:, 1]) >= _SEVERAL * height]
    high.sort(key=lambda stroke: float(stroke[:, 0].min()))
    return any(one[:, 0].max() < other[:, 0].min() for one, other in pairwise(high))


# --- sets to measure on --------------------------------------------------------------------------


TEST_PLACEMENTS = ("centred", "wild")


def held_out(packs: Packs) -> dict[str, list[Drawing]]:
    """Return what is held out for measuring: digits and letters, of the site and of writers."""
    digits, letters = of_role(packs.digits, Role.TEST), nondigits(of_role(packs.others, Role.TEST))
    found: dict[str, list[Drawing]] = {}
    for name, drawings in (("UNIPEN", digits), ("UNIPEN letters", letters)):
        site = [one for one in drawings if one.site == HELD_OUT_SITE]
        writers = [one for one in drawings if one.site != HELD_OUT_SITE]
        found |= {f"{name} writers": writers, f"{name} site": site}
    return found


def held_out_sets(packs: Packs, seed: int = 21) -> dict[str, Data]:
    """Return held-out digits drawn centred and wild, and held-out letters and signs drawn wild.

    Their drawings are in the order of ``held_out``: "UNIPEN writers centred", "UNIPEN site
    wild", "UNIPEN letters site" and so on. All are drawn with their recorded points.
    """
    found: dict[str, Data] = {}
    for name, drawings in held_out(packs).items():
        if "letters" in name:
            names = {name: "wild"}
        else:
            names = {f"{name} {placement}": placement for placement in TEST_PLACEMENTS}
        for full_name, placement in names.items():
            if drawings:
                found[full_name] = datasets.draw_pen(
                    drawings, PLACEMENTS[placement], seed, full_name
                )
    return found
