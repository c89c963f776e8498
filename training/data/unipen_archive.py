"""The original UNIPEN archive, train_r01_v07, made into the packs that ``training.data.unipen``
reads.

A ``.dat`` file under ``data/1a/SITE`` names files with pen trajectories by ``.INCLUDE`` (relative
to ``include/``, nested), and cuts characters out of them by ``.SEGMENT CHARACTER RANGE QUALITY
"LABEL"``. Components are the ``.PEN_DOWN`` sections in order, counted from 0. A range is ``a``,
``a-b`` (both included), ``a:i-b:j`` (cut at points), or several of them with commas.

A pack has one JSON object per line: ``writer`` (the site and a number, in the order in which
writers appear, over 1a to 1d), ``label``, and ``strokes``, each x, y, x, y, ... as whole numbers,
the character's longer side 1000, y up. Names in the files are only used to tell writers apart; none
is kept.

Omitted are the sites whose segments don't match their components, characters of fewer than three
points, straight lines labelled as another digit than 1, and characters whose parts lie further
apart than the largest part is long. Of each letter and sign at most ``EACH`` are kept: those whose
lines have the lowest sha256, an even sample of all sites.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import re
import tarfile
import tempfile
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from training.data.downloads import UNIPEN_DIGITS, UNIPEN_OTHERS, DataDamaged

DIGIT_SECTION = "1a"
OTHER_SECTIONS = ("1b", "1c", "1d")
"""Capitals, small letters, signs."""

LEFT_OUT = frozenset({"cea", "ceb", "lou", "pri", "tos"})
"""Sites whose segments don't match their components."""

EACH = 150

_SIDE = 1000
_STRAIGHT = 1.08  # path relative to its chord, up to which it is a straight line
_LEAST_POINTS = 3

_SEGMENT = re.compile(r'\.SEGMENT\s+CHARACTER\s+([\d:,\s-]+?)\s+[^\s"]+\s+"(.*)"\s*$')
_RANGE = re.compile(r"(\d+)(?::(\d+))?(?:-(\d+)(?::(\d+))?)?$")

Points = NDArray[np.float64]


@dataclass(frozen=True)
class _Component:
    points: Points
    writer: str


@dataclass
class _Trajectories:
    """What a ``.dat`` file includes."""

    components: list[_Component] = field(default_factory=list)
    segments: list[tuple[str, str]] = field(default_factory=list)
    """The range and the label of each character that the ``.dat`` file itself cuts."""


def make_packs(archive: Path, folder: Path) -> None:
    """Write both packs of an archive (tar, gzipped) to a folder. Raises ``DataDamaged``."""
    try:
        with tempfile.TemporaryDirectory(dir=folder) as extracted:
            with tarfile.open(archive) as files:
                files.extractall(extracted, filter="data")
            digits, others = read_folder(Path(extracted))
    except (tarfile.TarError, OSError, EOFError) as error:
        raise DataDamaged(f"{archive} is not the UNIPEN archive: {error}") from error
    _write(folder / UNIPEN_DIGITS, digits)
    _write(folder / UNIPEN_OTHERS, others)


def read_folder(folder: Path) -> tuple[list[str], list[str]]:
    """Return the lines of both packs, digits and others. Raises ``DataDamaged``.

    ``folder`` contains ``data`` and ``include``, at any depth.
    """
    root = next((path.parent for path in sorted(folder.rglob("include")) if path.is_dir()), folder)
    numbers: dict[str, dict[str, int]] = defaultdict(dict)
    digits = [
        line
        for label, line in _characters(root, DIGIT_SECTION, numbers)
        if len(label) == 1 and label in "0123456789"
    ]
    others: dict[str, list[str]] = defaultdict(list)
    for section in OTHER_SECTIONS:
        for label, line in _characters(root, section, numbers):
            if len(label) == 1 and label not in "0123456789":
                others[label].append(line)
    if not digits or not others:
        raise DataDamaged(f"{folder} has no UNIPEN characters in data/1a to data/1d")
    return digits, [line for label in sorted(others) for line in _sample(others[label])]


def _sample(lines: list[str]) -> list[str]:
    return sorted(lines, key=lambda line: hashlib.sha256(line.encode()).digest())[:EACH]


def _characters(
    root: Path, section: str, numbers: dict[str, dict[str, int]]
) -> Iterator[tuple[str, str]]:
    """Yield the label and the line of each character of a section.

    ``numbers`` maps site and writer to the writer's number, and gets those that are new.
    """
    for path in sorted((root / "data" / section).glob("*/*.dat")):
        site = path.parent.name
        if site in LEFT_OUT:
            continue
        found = _read(path, root / "include")
        for span, label in found.segments:
            parts = _cut(found.components, span)
            if not parts:
                continue
            strokes = [part.points for part in parts]
            number = numbers[site].setdefault(parts[0].writer, len(numbers[site]) + 1)
            if _is_usable(strokes, label):
                row = {
                    "writer": f"{site}-{number:02d}",
                    "label": label,
                    "strokes": _whole_numbers(strokes),
                }
                yield label, json.dumps(row, separators=(",", ":"))


def _read(path: Path, includes: Path) -> _Trajectories:
    found = _Trajectories()
    _read_into(found, path, includes, depth=0)
    return found


def _read_into(found: _Trajectories, path: Path, includes: Path, depth: int) -> None:
    """Add the components of a file and of those that it includes."""
    if depth > 8:
        raise DataDamaged(f"{path} includes itself")
    writer, columns = path.stem, (0, 1)
    keyword, points = "", list[list[float]]()

    def finish() -> None:
        if keyword == ".PEN_DOWN":
            shape = np.array(points, np.float64).reshape(-1, 2)
            found.components.append(_Component(shape, writer))

    for line in path.read_text(encoding="latin-1").splitlines():
        words = line.split()
        if not words:
            continue
        if not words[0].startswith("."):
            if keyword == ".PEN_DOWN":
                points.append([float(words[column]) for column in columns])
            continue
        finish()
        keyword, points = words[0], []
        if keyword == ".INCLUDE":
            _read_into(found, includes / words[1], includes, depth + 1)
        elif keyword == ".COORD":
            columns = (words.index("X") - 1, words.index("Y") - 1)
        elif keyword == ".WRITER_ID" and len(words) > 1:
            writer = words[1]
        elif depth == 0 and (cut := _SEGMENT.match(line.strip())):
            found.segments.append((cut[1], re.sub(r"\\(.)", r"\1", cut[2])))
    finish()


def _cut(components: list[_Component], span: str) -> list[_Component]:
    """Return the components in a range, cut where it says; none if there are no such components."""
    parts: list[_Component] = []
    for one in "".join(span.split()).split(","):
        match = _RANGE.match(one)
        if match is None:
            return []
        first, start, last, stop = (None if text is None else int(text) for text in match.groups())
        assert first is not None
        last = first if last is None else last
        if last >= len(components):
            return []
        for index in range(first, last + 1):
            points = components[index].points
            begin = start if index == first and start is not None else 0
            end = stop + 1 if index == last and stop is not None else len(points)
            if len(points[begin:end]):
                parts.append(_Component(points[begin:end], components[index].writer))
    return parts


def _is_usable(strokes: list[Points], label: str) -> bool:
    points = np.concatenate(strokes)
    if len(points) < _LEAST_POINTS or not np.ptp(points, axis=0).any():
        return False
    is_straight = len(strokes) == 1 and _length(points) < _STRAIGHT * _chord(points)
    if is_straight and label in "023456789":
        return False
    largest = max(float(np.ptp(stroke, axis=0).max()) for stroke in strokes)
    return all(_distance_to_others(strokes, index) <= largest for index in range(len(strokes)))


def _length(stroke: Points) -> float:
    return float(np.hypot(*np.diff(stroke, axis=0).T).sum())


def _chord(stroke: Points) -> float:
    return float(np.hypot(*(stroke[-1] - stroke[0])))


def _distance_to_others(strokes: list[Points], index: int) -> float:
    """Return the distance of a stroke's bounding box from the nearest other one; 0 for one."""
    low, high = strokes[index].min(0), strokes[index].max(0)
    gaps = [
        float(np.hypot(*np.maximum(0, np.maximum(other.min(0) - high, low - other.max(0)))))
        for number, other in enumerate(strokes)
        if number != index
    ]
    return min(gaps, default=0.0)


def _whole_numbers(strokes: list[Points]) -> list[list[int]]:
    points = np.concatenate(strokes)
    low = points.min(0)
    scale = _SIDE / float(np.ptp(points, axis=0).max())
    found = []
    for stroke in strokes:
        rounded = np.rint((stroke - low) * scale).astype(int)
        moved = np.ones(len(rounded), np.bool_)
        moved[1:] = np.diff(rounded, axis=0).any(1)
        found.append([int(value) for value in rounded[moved].ravel()])
    return found


def _write(path: Path, lines: list[str]) -> None:
    partial = path.with_suffix(".part")
    with gzip.open(partial, "wt", encoding="utf-8") as pack:
        pack.writelines(f"{line}\n" for line in lines)
    partial.replace(path)
