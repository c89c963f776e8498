"""The path through the pieces of a row: which neighbours are one digit together.

A path's cost is the sum of its digits' costs: the negative logarithm of what the network gives the
digit, "not a digit" included, and what speaks against the group's shape.
"""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognizer.imaging.normalise import input_of_ink
from recognizer.inference.classifier import DIGITS, Classifier
from recognizer.inference.numbers.pieces import Piece, together

_LOG = 3.0
"""Of a digit, per negative logarithm of its probability."""

_EACH = 0.1
"""Of every digit: of two paths that are equally likely the shorter is meant."""

_CUT = 0.7
"""Where two digits part within one connected piece of ink."""

_GAP, _PER_HEIGHT, _WIDEST_GAP = 0.5, 4.0, 0.35
"""Of paper between the pieces of a digit, and per height of the row; a wider gap parts digits."""

_SHORT, _SHORTEST = 12.0, 0.5
"""Per height of the row that a digit lacks to half of it; its width counts ``_LYING`` times."""

_LYING = 0.6

_OVERLAP, _OVERLAPPING = 4.0, 0.4
"""Of a digit beyond the first that lies under an earlier one with more than this share of it."""

_WIDEST = 1.3  # heights of the row: a digit of several pieces

Boundary = frozenset[Piece]
"""Where one digit may end and the next begin: all pieces to the left of it.

A row has them from the empty one to that of all pieces, and a digit is what one has more than
another.
"""


@dataclass(frozen=True)
class Scored:
    """Pieces as one digit, with the logarithms of the ten digits' probabilities, float64 (10,)."""

    piece: Piece
    logs: NDArray[np.float64]

    @property
    def digit(self) -> int:
        return int(self.logs.argmax())

    @property
    def log(self) -> float:
        return float(self.logs.max())


class Scorer:
    """Scores groups of pieces by the network, each group once."""

    def __init__(self, classifier: Classifier, most: int) -> None:
        self._classifier = classifier
        self._found: dict[frozenset[Piece], Scored] = {}
        self.left = most

    def __call__(self, group: frozenset[Piece]) -> Scored:
        if group not in self._found:
            self.left -= 1
            piece = together(list(group))
            logits, _embedding = self._classifier.logits(input_of_ink(piece.ink))
            scaled = logits.astype(np.float64) / self._classifier.calibration.temperature
            top = scaled.max()
            logs = scaled - top - np.log(np.exp(scaled - top).sum())
            self._found[group] = Scored(piece, logs[:DIGITS])
        return self._found[group]


def shape_cost(
    boundaries: Sequence[Boundary], start: int, stop: int, height: float
) -> float | None:
    """Return what the shape of the group between two boundaries costs.

    None where it can't be a digit.
    """
    before, behind = boundaries[start], boundaries[stop]
    if not before < behind:
        return None
    group = sorted(behind - before, key=lambda each: each.left)
    left, right = group[0].left, max(each.right for each in group)
    top, bottom = min(each.top for each in group), max(each.bottom for each in group)
    if len(group) > 1 and right - left > _WIDEST * height:
        return None
    cost = _EACH
    reach = group[0].right
    for each in group[1:]:
        gap = (each.left - reach) / height
        if gap > _WIDEST_GAP:
            return None
        if gap > 0:
            cost += _GAP + _PER_HEIGHT * gap
        reach = max(reach, each.right)
    size = max(bottom - top, _LYING * (right - left)) / height
    cost += _SHORT * max(0.0, _SHORTEST - size)
    if before:
        share = min(1.0, (max(each.right for each in before) - left) / (right - left))
        cost += _OVERLAP * max(0.0, share - _OVERLAPPING)
    components = {each.component for each in behind}
    if any(each.component in components for each in boundaries[-1] - behind):
        cost += _CUT
    return cost


def best_path(
    boundaries: Sequence[Boundary], score: Scorer, height: float, limit: float
) -> tuple[float, list[Scored]] | None:
    """Return the path that costs least, and its cost; None if that is over ``limit``.

    Dijkstra's algorithm: groups that no cheap path reaches are never shown to the network.
    """
    tie = itertools.count()
    queue: list[tuple[float, int, int, int, tuple[Scored, ...], bool]] = []
    done: set[int] = set()

    def reached(stop: int, cost: float, path: tuple[Scored, ...]) -> None:
        done.add(stop)
        for end in range(stop + 1, len(boundaries)):
            shape = None if end in done else shape_cost(boundaries, stop, end, height)
            if shape is not None and cost + shape <= limit:
                heapq.heappush(queue, (cost + shape, next(tie), stop, end, path, False))

    reached(0, 0.0, ())
    while queue:
        cost, _tie, start, stop, path, is_scored = heapq.heappop(queue)
        if stop in done or cost > limit:
            continue
        if is_scored:
            if stop == len(boundaries) - 1:
                return cost, list(path)
            reached(stop, cost, path)
        elif score.left > 0:
            found = score(boundaries[stop] - boundaries[start])
            entry = (cost - _LOG * found.log, next(tie), start, stop, (*path, found), True)
            heapq.heappush(queue, entry)
    return None


def path_of(
    boundaries: Sequence[Boundary], score: Scorer, height: float, digits: Sequence[int]
) -> tuple[float, list[Scored]] | None:
    """Return the path of these digits that costs least, and its cost; None if there is none."""
    paths: dict[int, tuple[float, list[Scored]]] = {0: (0.0, [])}
    for digit in digits:
        longer: dict[int, tuple[float, list[Scored]]] = {}
        for start, (cost, path) in paths.items():
            for stop in range(start + 1, len(boundaries)):
                shape = shape_cost(boundaries, start, stop, height)
                if shape is None or score.left <= 0:
                    continue
                found = score(boundaries[stop] - boundaries[start])
                total = cost + shape - _LOG * float(found.logs[digit])
                if stop not in longer or total < longer[stop][0]:
                    longer[stop] = total, [*path, found]
        paths = longer
    return paths.get(len(boundaries) - 1)
