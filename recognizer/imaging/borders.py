"""Bands along the border of a picture: a frame at its edge, a table beside the paper, stripes.

A band reaches from an edge of the picture to a straight line, parallel to that edge, at which
everything changes from dark to light or back. A stroke that touches the edge of a tight crop has
no such line: its side is not straight, or another stroke goes on beyond it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Pixels = NDArray[np.uint8]
Mask = NDArray[np.bool_]

_MIN_STEP = 40  # grey levels between band and paper
_SOME_STEP = 0.3  # of all grey levels that the picture has
_FULL_STEP = 0.6  # of them, where light and dark are exchanged
_DEEPEST = 0.4  # of the picture's side
_DEEPEST_TABLE = 0.85
_LARGE = 64  # px
_GAP = 2  # px between a band and the paper, in a large picture
_SUDDEN = 0.5  # of the step between band and paper
_SLANT = 0.015  # of the picture's side
_AT_THE_EDGE = 0.75  # share of the outermost px that the band must have
_PLAIN = 0.97  # share of a plain band that has one level, and of its line that changes
_EXCHANGED = 0.75  # share of the line that changes where ink crosses it


@dataclass(frozen=True)
class Band:
    """A band ``depth`` px deep, of ``level`` where the picture's middle has ``paper``.

    ``plain`` is false where light and dark are exchanged in it, and ink goes on there.
    """

    depth: int
    level: int
    paper: int
    plain: bool


@dataclass(frozen=True)
class _Edge:
    """The likeliest band at an edge: the px of its level, and where they end along its line."""

    depth: int
    level: int
    inside: Mask
    changes: Mask


def without_bands(grey: Pixels) -> Pixels:
    """Return a drawing (h, w) with paper in place of plain bands, and the others inverted."""
    found = _find(grey)
    if not any(found):
        return grey
    clean = grey.copy()
    for side, band in enumerate(found):
        if band is None:
            continue
        part = _seen_from(clean, side)
        if band.plain:
            smoothed = int(len(part) >= _LARGE)
            part[: band.depth + smoothed] = band.paper
        else:
            inverted = band.paper + band.level - part[: band.depth].astype(np.int16)
            part[: band.depth] = inverted.clip(0, 255)
    return clean


def inside_bands(grey: Pixels) -> tuple[slice, slice]:
    """Return the rows and columns of a photo (h, w) that lie inside its plain bands."""
    # No edge is quite parallel to the frame.
    gap = max(_GAP, round(_SLANT * max(grey.shape)))
    depths = [band.depth if band and band.plain else 0 for band in _find(grey, gap)]
    if np.count_nonzero(depths) < 2:
        # A table that covers the middle takes the paper beside it for the band.
        tables = [_table(_seen_from(grey, side), gap) for side in range(4)]
        depths = tables if any(tables) else depths
    top, bottom, left, right = (depth + _GAP if depth else 0 for depth in depths)
    height, width = grey.shape
    return slice(top, height - bottom), slice(left, width - right)


def _table(turned: Pixels, gap: int) -> int:
    """Return how deep a table reaches from the top of a photo to paper at its bottom, or 0."""
    edge = _edge(turned, _median(turned[-1]), gap, _DEEPEST_TABLE)
    if edge is None or edge.changes.mean() < _PLAIN:
        return 0
    beyond = turned[edge.depth + _GAP :]
    spread = (float(np.std(part[::4, ::4])) for part in (turned[: edge.depth - gap], beyond))
    on_table, on_paper = spread if edge.depth > gap else (0.0, 1.0)
    # There is no ink on the table.
    return edge.depth if on_table < on_paper else 0


def _find(grey: Pixels, gap: int | None = None) -> list[Band | None]:
    """Find the bands at the top, bottom, left and right."""
    height, width = grey.shape
    middle = grey[height // 4 : height - height // 4, width // 4 : width - width // 4]
    paper = _median(middle[:: max(1, height // 64), :: max(1, width // 64)].ravel())
    edges = [_edge(_seen_from(grey, side), paper, gap) for side in range(4)]
    depths = [edge.depth if edge else 0 for edge in edges]
    found: list[Band | None] = []
    for side, edge in enumerate(edges):
        if edge is None:
            found.append(None)
            continue
        # The corners belong to the neighbouring bands too.
        start, stop = depths[2:] if side < 2 else depths[:2]
        between = slice(start, len(edge.changes) - stop)
        changed = float(edge.changes[between].mean()) if edge.changes[between].size else 0.0
        plain = changed >= _PLAIN and float(edge.inside[:, between].mean()) >= _PLAIN
        step = abs(edge.level - paper) / int(np.ptp(grey))
        known = step > _SOME_STEP if plain else step > _FULL_STEP and changed >= _EXCHANGED
        found.append(Band(edge.depth, edge.level, paper, plain) if known else None)
    return found


def _edge(
    turned: Pixels, paper: int, gap: int | None = None, deepest: float = _DEEPEST
) -> _Edge | None:
    """Return the likeliest band at the top of a picture whose paper has the level ``paper``.

    From it to the paper there are at most ``gap`` px.
    """
    level = _median(turned[0])
    if abs(level - paper) < _MIN_STEP:
        return None
    reach = int(deepest * len(turned))
    limit = (level + paper) / 2
    of_band = turned[: reach + 1] > limit if level > paper else turned[: reach + 1] < limit
    if not reach or of_band[0].mean() < _AT_THE_EDGE:
        return None
    if gap is None:
        # In a large picture, one row in between may be of both.
        gap = _GAP if len(turned) >= _LARGE else 1
    changes = of_band[:-gap] != of_band[gap:]
    last = int(changes.sum(1).argmax())
    if changes[last].mean() < _EXCHANGED:
        return None
    depth = last + 1
    if gap > _GAP:
        # The light on a page changes slowly.
        step = _median(turned[last]) - _median(turned[last + gap])
        if abs(step) < _SUDDEN * abs(level - paper):
            return None
        # The band ends where the last of the rows in between has none of it.
        between = of_band[depth : depth + gap].mean(1)
        depth += int((between > 1 - _PLAIN).sum())
    return _Edge(depth, level, of_band[: last + 1], changes[last])


def _median(values: Pixels) -> int:
    return int(np.sort(values)[values.size // 2])


def _seen_from(picture: Pixels, side: int) -> Pixels:
    """Return a view in which the top, bottom, left or right edge is at the top."""
    turned = picture if side < 2 else picture.T
    return turned[::-1] if side % 2 else turned
