"""``Drawing`` -> the 28x28 image that the model sees.

``prepare`` separates ink from paper, crops to the ink, brings the stroke to one width, scales the
longer side to 20 px and centres it by its centre of mass. Box and centre are the convention of
MNIST (LeCun, Bottou, Bengio, Haffner: "Gradient-based learning applied to document recognition",
Proc. IEEE 86(11), 1998, section III.A).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from PIL import Image, ImageFilter

from recognizer.imaging.decoding import (
    MIN_CONTRAST,
    Pixels,
)
from recognizer.imaging.drawing import Drawing, as_drawn
from recognizer.imaging.ink import (
    INK_LEVEL,
    Floats,
    Mask,
    bounds,
    find_ink,
    grown,
    keep_thin_lines,
)
from recognizer.imaging.lines import without_lines
from recognizer.imaging.specks import is_grainy, without_specks
from recognizer.imaging.stroke_width import INK_SIDE, MARGIN, WORK_SIDE, extent, measure, redraw

INPUT_SIDE = 28
_THUMBNAIL = 64  # px


@dataclass(frozen=True)
class InkBox:
    """Where in a drawing the digit is, as shares (0-1) of its width and height."""

    left: float
    top: float
    width: float
    height: float


@dataclass(frozen=True)
class Writing:
    """The ink of a drawing of this ``shape``, (height, width), cropped to ``rows``, ``columns``.

    ``ink`` is float32, from 0 for paper to 1.
    """

    ink: Floats
    rows: slice
    columns: slice
    shape: tuple[int, ...]


@dataclass(frozen=True)
class ModelInput:
    """What the model sees of a drawing, uint8 (28, 28), and the part of the drawing it shows."""

    pixels: Pixels
    ink_box: InkBox


def model_input(drawing: Drawing) -> Pixels:
    """Return what the model sees of a drawing: uint8 (28, 28), white ink on black.

    The ink's longer side is 20 px, its centre of mass lies in the middle, its stroke is about
    2.4 px wide and its strongest pixel is 255. Raises ``BlankDrawing`` where there is no ink.
    """
    return prepare(drawing).pixels


def prepare(drawing: Drawing) -> ModelInput:
    """Return what `model_input` does, and the part of the drawing that it shows.

    Specks of dust are left out of both. Raises ``BlankDrawing`` where there is no ink.
    """
    found = find_writing(drawing)
    mask = to_working_grid(found.ink) > INK_LEVEL
    stroke = measure(mask)
    kept = without_specks(mask, stroke.width)
    if kept is not None:
        stroke = measure(_enlarged(found.ink, mask, kept))
    # Dust too small for the working grid is not on it any more.
    box = _ink_box(found, mask if kept is None else kept)
    return ModelInput(place(redraw(stroke)), box)


def find_writing(drawing: Drawing) -> Writing:
    """Return the ink of a drawing without the lines around it.

    Raises ``BlankDrawing`` where there is no ink.
    """
    found = find_ink(without_grain(as_drawn(drawing.pixels)))
    whole = found.mask()
    rows, columns = bounds(whole)
    without = without_lines(whole, (rows, columns))
    if without is None:
        ink = found.within(rows, columns)
    else:
        edges = grown(without)
        rows, columns = bounds(edges & whole)
        ink = np.where(edges[rows, columns], found.within(rows, columns), np.float32(0))
    return Writing(ink, rows, columns, whole.shape)


def input_of_ink(ink: Floats) -> Pixels:
    """Return the model input, uint8 (28, 28), of ink, float32 (h, w), cropped to what counts."""
    return place(redraw(measure(to_working_grid(ink) > INK_LEVEL)))


def _ink_box(found: Writing, grid: Mask) -> InkBox:
    """Return where ink on the working grid lies in the drawing."""
    (height, width), rows, columns = found.shape, found.rows, found.columns
    factor = max(rows.stop - rows.start, columns.stop - columns.start) / WORK_SIDE
    down = rows.start + (np.array(extent(grid, 1)) - MARGIN) * factor
    across = columns.start + (np.array(extent(grid, 0)) - MARGIN) * factor
    (top, bottom), (left, right) = np.clip(down / height, 0, 1), np.clip(across / width, 0, 1)
    return InkBox(float(left), float(top), float(right - left), float(bottom - top))


def without_grain(grey: Pixels) -> Pixels:
    """Return a small drawing (h, w) without noise of single px; any other unchanged.

    A median of 3x3 (Tukey 1977) would erase strokes of one px, so it is used only on grainy
    drawings. In larger drawings noise is removed if they are photos.
    """
    if max(grey.shape) >= _THUMBNAIL or not is_grainy(find_ink(grey).mask()):
        return grey
    calm = np.asarray(Image.fromarray(grey).filter(ImageFilter.MedianFilter(3)))
    return calm if int(calm.max()) - int(calm.min()) >= MIN_CONTRAST else grey


def _enlarged(ink: Floats, mask: Mask, kept: Mask) -> Mask:
    """Return ink without its specks on the working grid, enlarged to fill it again."""
    (top, bottom), (left, right) = extent(kept, 1), extent(kept, 0)
    if max(bottom - top, right - left) > 0.9 * WORK_SIDE:
        return kept
    factor = max(ink.shape) / WORK_SIDE

    def span(first: int, stop: int) -> slice:
        return slice(max(0, int((first - MARGIN) * factor) - 1), int((stop - MARGIN) * factor) + 2)

    part = ink[span(top, bottom), span(left, right)]
    larger = to_working_grid(part[bounds(part > INK_LEVEL)]) > INK_LEVEL
    kept_again = without_specks(larger, measure(larger).width)
    return larger if kept_again is None else kept_again


def to_working_grid(ink: Floats) -> Floats:
    """Scale cropped ink so that its longer side is 80 px, with a margin of 8 px around it."""
    factor = max(ink.shape) / WORK_SIDE
    size = (max(1, round(ink.shape[1] / factor)), max(1, round(ink.shape[0] / factor)))
    if factor > 1:
        ink, method = keep_thin_lines(ink, factor), Image.Resampling.BOX
    else:
        # Paper around the ink, so that the edge of the crop is interpolated like any other.
        method = Image.Resampling.BICUBIC
    box = (1, 1, 1 + ink.shape[1], 1 + ink.shape[0])
    grid = np.asarray(Image.fromarray(_padded(ink, 1)).resize(size, method, box=box))
    return _padded(grid, MARGIN)


def _padded(ink: Floats, margin: int) -> Floats:
    """Return ink with paper around it: ``numpy.pad``, which takes ten times as long."""
    height, width = ink.shape
    larger = np.zeros((height + 2 * margin, width + 2 * margin), np.float32)
    larger[margin : margin + height, margin : margin + width] = ink
    return larger


def place(ink: Floats) -> Pixels:
    """Scale the ink's longer side to 20 px and centre its mass in 28x28, by area averaging."""
    down, across = ink.sum(1), ink.sum(0)
    (top, bottom), (left, right) = _span(ink.max(1)), _span(ink.max(0))
    scale = max(bottom - top, right - left) / INK_SIDE
    mass = float(down.sum())
    rows = _window(top, bottom, float(down @ np.arange(down.size)) / mass + 0.5, scale)
    columns = _window(left, right, float(across @ np.arange(across.size)) / mass + 0.5, scale)
    image = _coverage(rows, scale, ink.shape[0]) @ ink @ _coverage(columns, scale, ink.shape[1]).T
    pixels: Pixels = np.rint(image * (255 / image.max())).astype(np.uint8)
    return pixels


def _span(profile: Floats) -> tuple[float, float]:
    """Return where ink begins and ends along an axis; a half covered cell counts half."""
    cells = np.flatnonzero(profile > 0)
    first, last = int(cells[0]), int(cells[-1])
    return first + 1 - float(profile[first]), last + float(profile[last])


def _window(start: float, stop: float, centre: float, scale: float) -> float:
    """Return where a window of 28 px begins: centred on the mass, but with all ink inside."""
    side = INPUT_SIDE * scale
    return min(max(centre - side / 2, stop - side), start)


def _coverage(start: float, scale: float, cells: int) -> Floats:
    """Return (28, cells): the share of each of 28 output px that each input cell covers."""
    edges = start + scale * np.arange(INPUT_SIDE + 1, dtype=np.float32)[:, None]
    cell = np.arange(cells, dtype=np.float32)
    overlap = np.minimum(edges[1:], cell + 1) - np.maximum(edges[:-1], cell)
    shares: Floats = np.maximum(overlap, 0) / np.float32(scale)
    return shares
