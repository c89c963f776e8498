"""Cutting ink where two digits may touch.

Where they meet there is a notch in the outline from above or from below, mostly from both. Each
pair of notches gives a cut from one to the other, and each notch a straight cut through as little
ink as possible (Casey and Lecolinet, "A survey of methods and strategies in character
segmentation", IEEE PAMI 18(7), 1996, section 3).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from recognizer.imaging.ink import INK_LEVEL, Mask, bounds
from recognizer.inference.numbers.pieces import Piece

Cut = NDArray[np.intp]
"""The first column right of the cut, in each row of the ink: (h,)."""

_DEPTH = 0.35  # of the stroke's width: the least of a notch
_APART = 0.35  # of the row's height, along it: between two notches of a cut
_SLOPES = (-0.45, -0.3, -0.15, 0.0, 0.15, 0.3, 0.45)
_SLANT = 0.1  # a slanted cut counts so much more ink, times slope and height
_MOST_INK = 0.8  # of the row's height: along a cut
_LEAST_PIECE = 1.5  # squares of the stroke's width: on either side of a cut
_LEAST_SLIVER = 0.3  # the same, between two cuts
_NEAR = 0.06  # of the row's height: cuts nearer to each other are one
_MOST = 4  # cuts in a piece as wide as the row is high


def cut(piece: Piece, width: float, height: float) -> list[Piece]:
    """Cut a piece of a row of that height, with strokes of that width, both in px."""
    mask = piece.ink > INK_LEVEL
    cuts = _chosen(mask, width, height)
    across = np.arange(mask.shape[1])
    side = np.zeros(mask.shape, np.intp)
    for each in cuts:
        side += across >= each[:, None]
    found = []
    for number in range(len(cuts) + 1):
        own = mask & (side == number)
        if np.count_nonzero(own) >= _LEAST_SLIVER * width * width:
            rows, columns = bounds(own)
            ink = np.where(own[rows, columns], piece.ink[rows, columns], np.float32(0))
            left, top = piece.left + columns.start, piece.top + rows.start
            found.append(Piece(ink, left, top, piece.component))
    return found


def _chosen(mask: Mask, width: float, height: float) -> list[Cut]:
    """Return the cuts through the least ink, from left to right."""
    across = np.arange(mask.shape[1])
    whole = np.count_nonzero(mask)
    chosen: list[Cut] = []
    for ink, each in sorted(_cuts(mask, width, height), key=lambda found: found[0]):
        if ink > _MOST_INK * height or len(chosen) >= _MOST * (1 + mask.shape[1] / height):
            break
        left = np.count_nonzero(mask & (across < each[:, None]))
        if min(left, whole - left) < _LEAST_PIECE * width * width:
            continue
        if all(np.abs(each - other).mean() > _NEAR * height for other in chosen):
            chosen.append(each)
    return sorted(chosen, key=lambda each: float(each.mean()))


def _cuts(mask: Mask, width: float, height: float) -> Iterator[tuple[float, Cut]]:
    """Yield all cuts, and how many px of ink each goes through."""
    rows = mask.shape[0]
    upper, lower = mask.argmax(0), rows - 1 - mask[::-1].argmax(0)
    depth = max(2.0, _DEPTH * width)
    tops = [(x, int(upper[x])) for x in _notches(upper, depth)]
    bottoms = [(x, int(lower[x])) for x in _notches(-lower, depth)]
    for top in tops:
        for bottom in bottoms:
            if abs(bottom[0] - top[0]) <= _APART * height and top[1] < bottom[1]:
                yield _line(mask, top, bottom)
    for x, y in tops:
        yield _straight(mask, x, y, rows - 1)
    for x, y in bottoms:
        yield _straight(mask, x, y, 0)


def _straight(mask: Mask, x: int, y: int, end: int) -> tuple[float, Cut]:
    """Return the cut from a notch to the row ``end`` that goes through the least ink."""
    found = []
    for slope in _SLOPES:
        first, last = sorted([(y, float(x)), (end, x + slope * (end - y))])
        ink, line = _line(mask, (first[1], first[0]), (last[1], last[0]))
        found.append((ink + _SLANT * abs(slope) * mask.shape[0], line))
    return min(found, key=lambda each: each[0])


def _line(mask: Mask, start: tuple[float, int], end: tuple[float, int]) -> tuple[float, Cut]:
    """Return the cut along a line between two points (x, y), upright above and below them."""
    rows = np.arange(mask.shape[0])
    x = np.interp(rows, [start[1], end[1]], [start[0], end[0]])
    line = np.clip(np.rint(x), 0, mask.shape[1] - 1).astype(np.intp)
    return float(np.count_nonzero(mask[rows, line])), line


def _notches(profile: NDArray[np.intp], depth: float) -> list[int]:
    """Return where a profile has maxima that rise at least so far above both sides."""
    found = []
    low = high = int(profile[0])
    first = last = 0
    rising = False
    for x, value in enumerate(profile.tolist()):
        if not rising:
            low = min(low, value)
            if value >= low + depth:
                rising, high, first, last = True, value, x, x
        elif value > high:
            high, first, last = value, x, x
        elif value == high:
            last = x
        elif value <= high - depth:
            found.append((first + last) // 2)
            low, rising = value, False
    return found
