"""The ink of a drawing in pieces, each of one digit: a digit has one piece or several.

Pieces are the strokes of a pen where strokes were sent, and otherwise the connected pieces of ink.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from PIL import Image

from recognizer.imaging import Drawing, InkBox, PenStrokes
from recognizer.imaging.ink import INK_LEVEL, Floats, Mask, bounds, keep_thin_lines
from recognizer.imaging.normalise import find_writing
from recognizer.imaging.specks import SPECK, pieces
from recognizer.imaging.stroke_width import measure

ROW_HEIGHT = 96
"""Pictures are reduced until the ink is at most so high, in px."""

MOST_PIECES = 24
"""More pieces than that are no number of eight digits."""


@dataclass(frozen=True, eq=False)
class Piece:
    """Ink, float32 (h, w), and the px of the row at its upper left corner.

    ``strokes`` are the indexes of its strokes, if strokes were sent. Pieces that were cut apart
    have the same ``component``.
    """

    ink: Floats
    left: int
    top: int
    component: int
    strokes: tuple[int, ...] = ()

    @property
    def right(self) -> int:
        return self.left + self.ink.shape[1]

    @property
    def bottom(self) -> int:
        return self.top + self.ink.shape[0]

    @property
    def middle(self) -> float:
        return (self.left + self.right) / 2


@dataclass(frozen=True)
class Row:
    """A drawing's pieces, the width of its strokes in px, and how to find a piece in the drawing.

    A px of the row is ``factor`` px of the drawing, which has this ``shape``, (height, width); the
    row begins at ``corner`` (x, y) of the drawing.
    """

    pieces: Sequence[Piece]
    stroke_width: float
    shape: tuple[int, ...]
    factor: float = 1.0
    corner: tuple[int, int] = (0, 0)

    def box(self, piece: Piece) -> InkBox:
        height, width = self.shape
        left, top = self.corner[0] / width, self.corner[1] / height
        across, down = self.factor / width, self.factor / height
        return InkBox(
            min(1.0, left + piece.left * across),
            min(1.0, top + piece.top * down),
            min(1.0, piece.ink.shape[1] * across),
            min(1.0, piece.ink.shape[0] * down),
        )


def together(some: Sequence[Piece]) -> Piece:
    """Return several pieces as one."""
    if len(some) == 1:
        return some[0]
    left, top = min(each.left for each in some), min(each.top for each in some)
    right, bottom = max(each.right for each in some), max(each.bottom for each in some)
    ink = np.zeros((bottom - top, right - left), np.float32)
    for each in some:
        part = ink[each.top - top : each.bottom - top, each.left - left : each.right - left]
        np.maximum(part, each.ink, out=part)
    strokes = tuple(sorted(index for each in some for index in each.strokes))
    return Piece(ink, left, top, some[0].component, strokes)


def of_strokes(sent: PenStrokes) -> Row | None:
    """Return a drawing's strokes, in the order in which they were drawn; None for too many."""
    if len(sent.strokes) > MOST_PIECES:
        return None
    found, widths = [], []
    shape = sent.shape
    for drawn in sent.each_stroke():
        ink: Floats = (255 - drawn.pixels).astype(np.float32) / np.float32(255)
        mask = ink > INK_LEVEL
        if mask.any():
            rows, columns = bounds(mask)
            left, top = drawn.left + columns.start, drawn.top + rows.start
            found.append(Piece(ink[rows, columns], left, top, drawn.index, (drawn.index,)))
            widths.append(drawn.width)
    return Row(found, float(np.median(widths)), shape) if found else None


def of_drawing(drawing: Drawing) -> Row | None:
    """Return a drawing's connected pieces, from left to right; None for too many."""
    found = find_writing(drawing)
    ink, factor = found.ink, max(1.0, found.ink.shape[0] / ROW_HEIGHT)
    if factor > 1:
        size = (max(1, round(ink.shape[1] / factor)), ROW_HEIGHT)
        ink = keep_thin_lines(ink, factor)
        ink = np.asarray(Image.fromarray(ink).resize(size, Image.Resampling.BOX))
    mask = ink > INK_LEVEL
    if not mask.any():
        return None
    width = measure(np.pad(mask, 1)).width
    connected = sorted(_connected(ink, mask, width), key=lambda piece: piece.middle)
    if not 0 < len(connected) <= MOST_PIECES:
        return None
    corner = (found.columns.start, found.rows.start)
    return Row(connected, width, found.shape, factor, corner)


def _connected(ink: Floats, mask: Mask, width: float) -> Iterator[Piece]:
    found = pieces(mask)
    for number in np.flatnonzero(found.area >= SPECK * width * width):
        runs = np.flatnonzero(found.piece == number)
        rows, starts, stops = found.rows[runs], found.starts[runs], found.stops[runs]
        top, left = int(rows[0]), int(starts.min())
        own = np.zeros((int(rows[-1]) + 1 - top, int(stops.max()) - left), np.float32)
        for row, start, stop in zip(rows, starts, stops, strict=True):
            own[row - top, start - left : stop - left] = ink[row, start:stop]
        yield Piece(own, left, top, int(number))
