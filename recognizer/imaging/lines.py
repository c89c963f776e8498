"""Straight lines beside the writing: frames, cells of forms, margin lines, underlines.

One notion covers them: seen from one side, the ink ends in a straight line, and this line is longer
than what lies behind it. Such lines bound the writing; no digit needs them. A digit's own straight
strokes are shorter than the rest of it, or joined to it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recognizer.imaging.ink import bounds, grown
from recognizer.imaging.specks import pieces

Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]

_STEEPEST = 0.2  # slope
_STRAIGHT = 0.9  # share of the side that lies on the line
_THICKEST = 0.16  # of the line's length
_LONGER = 1.1  # than the longer side of what it bounds
_LONGER_UPRIGHT = 1.5  # an upright line may be a digit's stem, if it ends within the picture
_ENDS = 0.06  # of the picture's side: as near to the border a line ends there
_THIN = 0.6  # of the pen's width: a line that the same pen has not drawn
_LEAST_REST = 0.08  # of the line's length
_SAMPLE = 32  # places at which a side is looked at first
_STRAIGHT_SAMPLE = 0.8  # share of them that lies on the line
_ENDS_OF_SAMPLE = (slice(_SAMPLE // 3), slice(_SAMPLE - _SAMPLE // 3, None))
_AROUND_MIDDLE = np.arange(_SAMPLE) - _SAMPLE / 2
_SMALLEST = 64  # px: in a smaller picture, strokes are as short and as thin as lines
_NARROWEST = 8  # px: ink that is narrower is nothing but a line
_LAYERS = 3  # a frame in a frame, a line beside a frame


@dataclass(frozen=True)
class _Line:
    """A line on a side: its cells (h, w), length and thickness in px.

    ``to_border`` is whether it runs to both borders of the picture.
    """

    cells: Mask
    upright: bool
    length: int
    thickness: float
    to_border: bool


def without_lines(mask: Mask, box: tuple[slice, slice]) -> Mask | None:
    """Return ink, bool (h, w), without the lines around it, or None where there are none.

    ``box`` is the rows and columns that the ink extends over.
    """
    if max(mask.shape) < _SMALLEST:
        return None
    kept = None
    for _ in range(_LAYERS):
        inner = _peeled(mask, box)
        if inner is None:
            break
        mask = kept = inner
        box = bounds(inner)
    return kept


def _peeled(mask: Mask, box: tuple[slice, slice]) -> Mask | None:
    """Return ink without the outermost lines, or None where there are none."""
    if min(mask[box].shape) < _NARROWEST:
        return None
    lines = [line for side in _straight_sides(mask[box]) if (line := _line(mask, box, side))]
    while lines:
        rest = mask[box].copy()
        for line in lines:
            rest &= ~line.cells
        writing = _writing(rest, max(line.length for line in lines))
        if writing is None:
            return None
        good = [line for line in lines if _bounds(line, lines, writing)]
        if len(good) == len(lines):
            kept = np.zeros_like(mask)
            kept[box] = writing
            return kept
        lines = good
    return None


def _bounds(line: _Line, lines: list[_Line], writing: Mask) -> bool:
    """Whether a line is longer than the writing, and none of it."""
    down, across = (int(np.ptp(np.flatnonzero(writing.any(axis)))) + 1 for axis in (1, 0))
    joined = bool((grown(line.cells) & writing).any())
    if joined and line.thickness > _THIN * _pen(writing):
        return False
    if any(other.upright != line.upright for other in lines):
        # Lines that meet in a corner.
        return line.length > (down if line.upright else across)
    longer = _LONGER_UPRIGHT if line.upright and not line.to_border else _LONGER
    return line.length >= longer * max(down, across)


def _straight_sides(ink: Mask) -> list[int]:
    """Return the sides at which a sample of the ink's outline is straight: most have none."""
    sides: list[int] = []
    for side, seen in ((0, ink.T), (2, ink)):
        length = len(seen)
        sample = seen[np.linspace(0, length - 1, _SAMPLE).astype(np.intp)]
        outline = np.stack((sample.argmax(1), sample[:, ::-1].argmax(1)))
        third = _SAMPLE // 3
        low, high = (np.sort(outline[:, part], 1)[:, third // 2] for part in _ENDS_OF_SAMPLE)
        slope = (high - low) / (_SAMPLE - third)
        middle = np.sort(outline, 1)[:, _SAMPLE // 2]
        line = middle[:, None] + slope[:, None] * _AROUND_MIDDLE
        near = np.abs(outline - line) <= max(2.5, 0.015 * length)
        on_line = np.count_nonzero(near & sample.any(1), 1)
        sides += [side + n for n in (0, 1) if on_line[n] >= _STRAIGHT_SAMPLE * _SAMPLE]
    return sides


def _line(mask: Mask, box: tuple[slice, slice], side: int) -> _Line | None:
    """Return the line in which the ink ends at the top, bottom, left or right of its box."""
    seen = _seen_from(mask[box], side)
    depth, length = seen.shape
    first = seen.argmax(0)
    along = np.flatnonzero(seen[first, np.arange(length)])
    if len(along) < _STRAIGHT * length:
        return None
    third = len(along) // 3
    first_at = first[along]
    low, high = (float(np.sort(part)[third // 2]) for part in (first_at[:third], first_at[-third:]))
    slope = (high - low) / (length - third)
    if abs(slope) > _STEEPEST:
        return None
    middle = float(np.sort(first_at)[len(along) // 2])
    line = middle + slope * (np.arange(length) - length / 2)
    tolerance = max(1.5, 0.012 * length)
    on_line = np.abs(first - line) <= tolerance
    if np.count_nonzero(on_line) < _STRAIGHT * length:
        return None
    # How thick it is: until the first px of paper behind it.
    level = np.arange(depth)[:, None]
    behind = ~seen & (level > first)
    ends = np.where(behind.any(0), behind.argmax(0), depth)
    runs = ends - first
    thickness = float(np.sort(runs[on_line])[np.count_nonzero(on_line) // 2])
    if thickness > max(2.0, _THICKEST * length):
        return None
    # Where ink goes on behind the line, the line ends after its thickness.
    deepest = line + tolerance + 1.5 * thickness + 3
    stop = np.where(runs > 1.5 * thickness + 3, line + thickness + 2, np.minimum(ends, deepest))
    cells = seen & (level < stop) & (level > line - tolerance - 2)
    upright = side >= 2
    total = mask.shape[0 if upright else 1]
    span = box[0 if upright else 1]
    near = _ENDS * total
    return _Line(
        _seen_from(cells, side, back=True),
        upright,
        length,
        thickness,
        span.start <= near and span.stop >= total - near,
    )


def _writing(rest: Mask, length: int) -> Mask | None:
    """Return what lies behind the lines without the fragments that they leave, None if nothing."""
    if not rest.any():
        return None
    found = pieces(rest)
    area = found.area
    large = area >= 0.04 * area.max()
    kept = found.erase(rest, ~large)
    down, across = (int(np.ptp(np.flatnonzero(kept.any(axis)))) + 1 for axis in (1, 0))
    return kept if max(down, across) >= _LEAST_REST * length else None


def _pen(mask: Mask) -> float:
    """Estimate the pen's width, in px, as twice area over perimeter."""
    steps = np.count_nonzero(mask[1:] != mask[:-1]) + np.count_nonzero(mask[:, 1:] != mask[:, :-1])
    return 2 * np.count_nonzero(mask) / max(1.0, steps * np.pi / 4)


def _seen_from(mask: Mask, side: int, *, back: bool = False) -> Mask:
    """Return a view in which the top, bottom, left or right edge is at the top, or turn it back."""
    if back:
        turned = mask[::-1] if side % 2 else mask
        return turned if side < 2 else turned.T
    turned = mask if side < 2 else mask.T
    return turned[::-1] if side % 2 else turned
