"""Cutting ink where two digits may touch.

Where two strokes meet, the outline of the ink has a corner on either side that points into the ink.
A cut goes from such a corner to another one or straight across the stroke (Casey and Lecolinet, "A
survey of methods and strategies in character segmentation", IEEE PAMI 18(7), 1996, section 3).
Digits that touch twice enclose some paper, and a cut between them goes through the ink on both
sides of it.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw

from recognizer.imaging.ink import INK_LEVEL, Mask, bounds
from recognizer.inference.numbers.outlines import Outline, Points, outlines
from recognizer.inference.numbers.pieces import Piece

_REACH = 0.6  # of the stroke's width: of the sides of a corner, along the outline
_CORNER = 0.35  # radians: the least that an outline turns at a corner
_SHARPEST = 1.5  # radians: a sharper corner counts no more
_LONGEST = 3.0  # of the stroke's width: a cut through ink
_STRAIGHT = 2  # cuts across the ink from each corner, at most

# How likely a cut is between two digits: a logistic regression on cuts of training writers.
_SHARP = 0.8  # per radian that the outlines turn at the ends of the cut
_TWICE, _USUAL = -0.85, 2.0  # of a cut through the ink at two places, if its ends turn so far more
_OVERLAP = -11.0  # per height of the row that the two sides are above each other
_SIZE, _LARGEST = 2.8, 0.8  # per height of the row that the smaller side has
_AREA, _MOST_AREA = 2.7, 2.0  # per ink of a stroke as long as the row is high
_LYING = 0.6  # a side's width counts so much of its height

# At most, as a scribble has very many:
_CORNERS = 60
_TO_HOLE = 12  # lines between the outer outline and one around paper
_TRIED = 50  # cuts

_LEAST_PIECE = 1.5  # squares of the stroke's width: on either side of a cut
_LEAST_SLIVER = 0.3  # the same, between two cuts
_SAME = 1.0  # squares of the stroke's width: between two cuts that are one
_SHORTEST = 0.3  # of the row's height: on either side of a cut
_MOST = 2.5  # cuts in a piece as wide as the row is high


@dataclass(frozen=True)
class _Segment:
    """A line through ink from a point of an outline to one of the same or another.

    Both are indexes (of the outline, of its point). ``sharp`` is how far the outlines turn there,
    in radians.
    """

    start: tuple[int, int]
    end: tuple[int, int]
    sharp: float


def cut(piece: Piece, width: float, height: float) -> list[frozenset[Piece]]:
    """Cut a piece of a row of that height, with strokes of that width, both in px.

    Returns the parts to the left of each cut, from left to right, and at last all parts. Cuts may
    cross.
    """
    mask = piece.ink > INK_LEVEL
    cuts = sorted(_chosen(mask, width, height), key=np.count_nonzero, reverse=True)
    side = np.zeros(mask.shape, np.intp)
    for number, right in enumerate(cuts):
        side += right.astype(np.intp) << number
    parts: dict[int, Piece] = {}
    for sides in np.unique(side[mask]).tolist():
        own = mask & (side == sides)
        if np.count_nonzero(own) >= _LEAST_SLIVER * width * width:
            rows, columns = bounds(own)
            ink = np.where(own[rows, columns], piece.ink[rows, columns], np.float32(0))
            left, top = piece.left + columns.start, piece.top + rows.start
            parts[sides] = Piece(ink, left, top, piece.component)
    return [
        *(
            frozenset(part for sides, part in parts.items() if not sides >> number & 1)
            for number in range(len(cuts))
        ),
        frozenset(parts.values()),
    ]


def _chosen(mask: Mask, width: float, height: float) -> list[Mask]:
    """Return the ink on the right of each of the likeliest cuts."""
    cuts = sorted(_cuts(mask, width), key=lambda each: -each[0])[:_TRIED]
    likely = []
    for odds, polygon in cuts:
        one = _inside(polygon, mask)
        sides = sorted((_Side(one), _Side(mask & ~one)), key=lambda side: side.middle)
        least = min(side.area for side in sides)
        size = min(side.size for side in sides)
        if least < _LEAST_PIECE * width * width or size < _SHORTEST * height:
            continue
        odds += _OVERLAP * max(0, sides[0].columns.stop - sides[1].columns.start) / height
        odds += _SIZE * min(_LARGEST, size / height)
        odds += _AREA * min(_MOST_AREA, least / (width * height))
        likely.append((odds, sides[1].ink))
    chosen: list[Mask] = []
    for _odds, right in sorted(likely, key=lambda each: -each[0]):
        if len(chosen) >= _MOST * (1 + mask.shape[1] / height):
            break
        if all(np.count_nonzero(right ^ other) > _SAME * width * width for other in chosen):
            chosen.append(right)
    return chosen


class _Side:
    """The ink on one side of a cut."""

    def __init__(self, ink: Mask) -> None:
        self.ink = ink
        self.area = int(np.count_nonzero(ink))
        self.size = self.middle = 0.0
        if self.area:
            rows, self.columns = bounds(ink)
            self.middle = (self.columns.start + self.columns.stop) / 2
            self.size = max(
                rows.stop - rows.start, _LYING * (self.columns.stop - self.columns.start)
            )


def _inside(polygon: Points, mask: Mask) -> Mask:
    """Return the ink within a polygon of corners of pixels."""
    image = Image.new("L", (mask.shape[1], mask.shape[0]))
    ImageDraw.Draw(image).polygon((polygon - 0.5).ravel().tolist(), fill=1)
    inside: Mask = np.asarray(image).astype(bool) & mask
    return inside


def _cuts(mask: Mask, width: float) -> Iterator[tuple[float, Points]]:
    """Yield how likely each cut is by its ends, and the outline of the ink on one side of it."""
    found = outlines(mask)
    outer = found[0].points
    to_hole: dict[int, list[_Segment]] = {}
    for each in _segments(found, mask, width):
        if each.start[0] == each.end[0] == 0:
            yield _SHARP * each.sharp, _along(outer, each.start[1], each.end[1])
        elif each.start[0] == 0:
            to_hole.setdefault(each.end[0], []).append(each)
    for hole, segments in to_hole.items():
        segments.sort(key=lambda each: -each.sharp)
        for one, other in itertools.combinations(segments[:_TO_HOLE], 2):
            there = _along(outer, one.start[1], other.start[1])
            back = _along(found[hole].points, other.end[1], one.end[1])
            yield (
                _SHARP * (one.sharp + other.sharp - _USUAL) + _TWICE,
                np.concatenate([there, back]),
            )


def _along(points: Points, start: int, end: int) -> Points:
    """Return the points of an outline from one to another, both included."""
    if start <= end:
        return points[start : end + 1]
    return np.concatenate([points[start:], points[: end + 1]])


def _segments(found: Sequence[Outline], mask: Mask, width: float) -> Iterator[_Segment]:
    """Yield the lines through ink from a corner to another one or straight across."""
    reach = max(3, round(_REACH * width))
    lengths = [len(each.points) for each in found]
    every = np.concatenate([each.points for each in found])
    of = np.repeat(np.arange(len(found)), lengths)
    at = np.concatenate([np.arange(length) for length in lengths])
    turns = np.concatenate([each.turns(reach) for each in found])
    firsts = np.cumsum([0, *lengths])
    corners = [
        int(first) + corner
        for first, length in zip(firsts, lengths, strict=False)
        for corner in _corners(turns[first : first + length], reach)
    ]
    corners = sorted(corners, key=lambda corner: -float(turns[corner]))[:_CORNERS]
    pairs: set[tuple[int, int]] = set()
    for corner in corners:
        apart = np.hypot(every[:, 0] - every[corner, 0], every[:, 1] - every[corner, 1])
        along = np.abs(at - at[corner])
        along = np.minimum(along, lengths[of[corner]] - along)
        # Points of a smooth outline are near each other, too: those along it don't count.
        opposite = (of != of[corner]) | (along > np.maximum(2 * reach, 1.5 * apart))
        near = opposite & (apart <= _LONGEST * width)
        ends = [end for end in corners if near[end] and _is_ink(mask, every[corner], every[end])]
        # Straight across: the nearest points, and not twice nearly the same.
        where = np.flatnonzero(near)
        taken = 0
        while where.size and taken < _STRAIGHT:
            end = int(where[apart[where].argmin()])
            away = np.hypot(every[where, 0] - every[end, 0], every[where, 1] - every[end, 1])
            if _is_ink(mask, every[corner], every[end]):
                ends.append(end)
                taken += 1
                where = where[away > width]
            else:
                where = where[away > width / 2]
        pairs.update((min(corner, end), max(corner, end)) for end in ends)
    for pair in pairs:
        sharp = sum(min(_SHARPEST, max(0.0, float(turns[end]))) for end in pair)
        first, second = ((int(of[end]), int(at[end])) for end in pair)
        yield _Segment(first, second, sharp)


def _corners(turns: NDArray[np.float64], reach: int) -> list[int]:
    """Return where an outline turns most, and more than within that reach on either side."""
    if len(turns) <= 4 * reach:
        return []
    around = np.lib.stride_tricks.sliding_window_view(np.pad(turns, reach, "wrap"), 2 * reach + 1)
    found: list[int] = np.flatnonzero((turns >= around.max(1)) & (turns > _CORNER)).tolist()
    return found


def _is_ink(mask: Mask, start: Points, end: Points) -> bool:
    """Return whether the line between two points goes through ink only."""
    steps = max(1, math.ceil(float(np.hypot(*(end - start)))))
    line = start + (end - start) * ((np.arange(steps) + 0.5) / steps)[:, None]
    x, y = np.floor(line[1:-1]).astype(np.intp).T
    return bool(mask[np.minimum(y, mask.shape[0] - 1), np.minimum(x, mask.shape[1] - 1)].all())
