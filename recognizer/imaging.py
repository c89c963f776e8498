"""From submitted bytes to the 28x28 image that the model sees.

Two functions are the whole of it, and everything passes through them: the page, the API, the
commands and the training data.

``read_drawing``
    bytes -> ``Drawing``: decode within limits, turn upright (EXIF), lay transparency on white,
    make it grey, refuse what is blank, reduce to at most 512 px.
``model_input``
    ``Drawing`` -> 28x28: tell ink from paper, crop to the ink, bring the stroke to one width,
    scale the longer side to 20 px and centre it by its centre of mass. Box and centre are the
    convention of MNIST (LeCun, Bottou, Bengio, Haffner: "Gradient-based learning applied to
    document recognition", Proc. IEEE 86(11), 1998, section III.A).

Its parts: ``decoding`` opens files, ``paper`` and ``ruling`` clean photos, ``specks`` finds dust,
``stroke`` brings strokes to one width. NumPy and Pillow only.
"""

from __future__ import annotations

import io
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from recognizer import paper
from recognizer.decoding import (
    FORMATS,
    MAX_BYTES,
    MAX_SIDE,
    MIN_CONTRAST,
    BlankDrawing,
    EmptyImage,
    FileTooLarge,
    ImageError,
    ImageTooLarge,
    NotAnImage,
    Pixels,
    TruncatedImage,
    UnsupportedImage,
    decode,
    to_grey,
)
from recognizer.specks import is_grainy, without_specks
from recognizer.stroke import (
    INK_SIDE,
    MARGIN,
    WORK_SIDE,
    extent,
    measure,
    redraw,
)

__all__ = [
    "FORMATS",
    "INK_SIDE",
    "INPUT_SIDE",
    "MAX_BYTES",
    "MAX_SIDE",
    "STORED_SIDE",
    "BlankDrawing",
    "Drawing",
    "EmptyImage",
    "FileTooLarge",
    "ImageError",
    "ImageTooLarge",
    "InkBox",
    "NotAnImage",
    "Pixels",
    "TruncatedImage",
    "UnsupportedImage",
    "as_drawn",
    "crop",
    "decode",
    "drawing_from_array",
    "encode_png",
    "find_ink",
    "ink_box",
    "model_input",
    "place",
    "read_drawing",
    "shrink",
    "to_grey",
    "to_working_grid",
]

Floats = NDArray[np.float32]
Mask = NDArray[np.bool_]

STORED_SIDE = 512
"""Longer side, in px, of the drawing that is kept."""

INPUT_SIDE = 28
_INK_LEVEL = 0.4  # of the strongest ink: the edge of a stroke
_THUMBNAIL = 64  # px
_THIN_LINE_GAIN = 2.5  # half covered px twice averaged still pass the ink level


@dataclass(frozen=True)
class Drawing:
    """A drawing as it is kept: greyscale uint8 (h, w), longer side at most 512 px."""

    pixels: Pixels

    def to_png(self) -> bytes:
        """Return the drawing as PNG bytes without metadata."""
        return encode_png(self.pixels)


def encode_png(pixels: Pixels) -> bytes:
    """Return a uint8 array, (h, w) grey or (h, w, 3) RGB, as PNG bytes without metadata."""
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


# --- bytes -> Drawing ---------------------------------------------------------------------------


def read_drawing(data: bytes) -> Drawing:
    """Decode a submitted file.

    Raises a subclass of ``ImageError`` for anything that is not a drawing: no bytes, over 8 MB,
    no image, another format, over 4096x4096 px (refused from the header, before decoding),
    damaged, or blank. Of an animation the first frame is read.
    """
    return Drawing(shrink(to_grey(decode(data)), STORED_SIDE))


def drawing_from_array(pixels: Pixels) -> Drawing:
    """Return a greyscale uint8 array (h, w) as a ``Drawing``, reduced if it is too large.

    Raises ``BlankDrawing`` where there is no ink, ``ValueError`` for another shape or dtype.
    """
    if pixels.ndim != 2 or pixels.dtype != np.uint8 or not pixels.size:
        raise ValueError(f"expected uint8 (h, w), got {pixels.dtype} {pixels.shape}")
    if int(pixels.max()) - int(pixels.min()) < MIN_CONTRAST:
        raise BlankDrawing
    return Drawing(shrink(pixels, STORED_SIDE))


def shrink(grey: Pixels, side: int) -> Pixels:
    """Reduce a drawing (h, w) to at most ``side`` px, by area averaging; never enlarge it.

    A line thinner than the step would fade into the paper: such drawings first keep the
    strongest ink of each block instead of its mean.
    """
    height, width = grey.shape
    factor = max(height, width) / side
    if factor <= 1:
        return grey
    size = (max(1, round(width / factor)), max(1, round(height / factor)))
    if paper.is_photo(grey):
        # The darkest px of each block would be its noise.
        return np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BOX))
    ink, paper_is_dark = find_ink(grey)
    kept = _keep_thin_lines(ink, factor)
    if kept is not ink:
        ground = _paper(grey)
        strongest = float(grey.max() if paper_is_dark else grey.min())
        grey = np.rint(ground + (strongest - ground) * kept).astype(np.uint8)
    return np.asarray(Image.fromarray(grey).resize(size, Image.Resampling.BOX))


def as_drawn(grey: Pixels) -> Pixels:
    """Return a drawing (h, w) as it is, but a photo of paper as ink on white.

    The photo itself is what is kept, so that a reviewer sees what was sent: pen strokes outlast
    the reduction to 512 px by averaging (a 0.4 mm line of a digit that fills a twentieth of the
    frame is half a px there, well above the noise, which averaging lowers further).
    Raises ``BlankDrawing`` where a photo shows no ink.
    """
    return paper.flatten(grey) if paper.is_photo(grey) else grey


# --- Drawing -> 28x28 ---------------------------------------------------------------------------


def model_input(drawing: Drawing) -> Pixels:
    """Return what the model sees of a drawing: uint8 (28, 28), white ink on black.

    The ink's longer side is 20 px, its centre of mass lies in the middle, its stroke is about
    2.4 px wide and its strongest pixel is 255. Raises ``BlankDrawing`` where there is no ink.
    """
    ink, _ = find_ink(without_grain(as_drawn(drawing.pixels)))
    ink = crop(ink)
    mask = to_working_grid(ink) > _INK_LEVEL
    stroke = measure(mask)
    kept = without_specks(mask, stroke.width)
    if kept is not None:
        stroke = measure(_enlarged(ink, mask, kept))
    return place(redraw(stroke))


@dataclass(frozen=True)
class InkBox:
    """Where in a drawing the digit is, as shares (0-1) of its width and height."""

    left: float
    top: float
    width: float
    height: float


def ink_box(drawing: Drawing) -> InkBox:
    """Return the part of a drawing that `model_input` crops to, specks of dust left out.

    Raises ``BlankDrawing`` where there is no ink.
    """
    ink, _ = find_ink(without_grain(as_drawn(drawing.pixels)))
    mask = ink > _INK_LEVEL
    down, across = np.array(extent(mask, 1), float), np.array(extent(mask, 0), float)
    grid = to_working_grid(crop(ink)) > _INK_LEVEL
    kept = without_specks(grid, measure(grid).width)
    # Dust too small for the grid is gone there by itself.
    kept = grid if kept is None else kept
    factor = max(np.ptp(down), np.ptp(across)) / WORK_SIDE
    down = down[0] + (np.array(extent(kept, 1)) - MARGIN) * factor
    across = across[0] + (np.array(extent(kept, 0)) - MARGIN) * factor
    height, width = ink.shape
    (top, bottom), (left, right) = np.clip(down / height, 0, 1), np.clip(across / width, 0, 1)
    return InkBox(float(left), float(top), float(right - left), float(bottom - top))


def without_grain(grey: Pixels) -> Pixels:
    """Return a small drawing (h, w) without noise of single px; any other as it is.

    A median of 3x3 (Tukey 1977) costs strokes of one px, so it is kept for drawings that are
    strewn with px. What is larger than a thumbnail has its noise taken out as a photo.
    """
    if max(grey.shape) >= _THUMBNAIL or not is_grainy(find_ink(grey)[0] > _INK_LEVEL):
        return grey
    calm = np.asarray(Image.fromarray(grey).filter(ImageFilter.MedianFilter(3)))
    return calm if int(calm.max()) - int(calm.min()) >= MIN_CONTRAST else grey


def _enlarged(ink: Floats, mask: Mask, kept: Mask) -> Mask:
    """Return ink without its specks on the working grid, enlarged to fill it once more."""
    (top, bottom), (left, right) = extent(kept, 1), extent(kept, 0)
    if max(bottom - top, right - left) > 0.9 * WORK_SIDE:
        return kept
    factor = max(ink.shape) / WORK_SIDE

    def span(first: int, stop: int) -> slice:
        return slice(max(0, int((first - MARGIN) * factor) - 1), int((stop - MARGIN) * factor) + 2)

    larger = to_working_grid(crop(ink[span(top, bottom), span(left, right)])) > _INK_LEVEL
    kept_again = without_specks(larger, measure(larger).width)
    return larger if kept_again is None else kept_again


def find_ink(grey: Pixels) -> tuple[Floats, bool]:
    """Tell ink from paper: (h, w) float32, 0 paper to 1 strongest ink, and if paper is dark.

    Paper is what the border shows (its median), so white ink on black works as black on white.
    """
    difference = grey.astype(np.float32) - _paper(grey)
    darkest, lightest = float(-difference.min()), float(difference.max())
    if max(darkest, lightest) < 1:
        raise BlankDrawing
    paper_is_dark = lightest > darkest
    ink = difference / lightest if paper_is_dark else difference / -darkest
    return np.maximum(ink, 0, out=ink), paper_is_dark


def _paper(grey: Pixels) -> float:
    border = np.concatenate((grey[0], grey[-1], grey[:, 0], grey[:, -1]))
    return float(np.median(border))


def crop(ink: Floats) -> Floats:
    """Cut away the paper around the ink."""
    mask = ink > _INK_LEVEL
    (top, bottom), (left, right) = extent(mask, 1), extent(mask, 0)
    return ink[top:bottom, left:right]


def to_working_grid(ink: Floats) -> Floats:
    """Scale cropped ink so that its longer side is 80 px, with a margin of 8 px around it."""
    factor = max(ink.shape) / WORK_SIDE
    size = (max(1, round(ink.shape[1] / factor)), max(1, round(ink.shape[0] / factor)))
    if factor > 1:
        ink, method = _keep_thin_lines(ink, factor), Image.Resampling.BOX
    else:
        # Paper around the ink, so that the edge of the crop is interpolated like any other.
        method = Image.Resampling.BICUBIC
    padded = np.pad(ink, 1)
    box = (1, 1, 1 + ink.shape[1], 1 + ink.shape[0])
    grid = np.asarray(Image.fromarray(padded).resize(size, method, box=box))
    return np.pad(grid, MARGIN)


def _keep_thin_lines(ink: Floats, factor: float) -> Floats:
    """Prepare ink for averaging by ``factor``, under which a thin line would fade.

    A line thinner than the step is made darker (its smoothed edges are all there is of it) and
    keeps the maximum of each block of whole px instead of its mean.
    """
    if _rough_width(ink > _INK_LEVEL) > 1.5 * factor:
        return ink
    step = int(factor)
    height, width = ink.shape
    padded = np.pad(ink, ((0, -height % step), (0, -width % step)))
    blocks = padded.reshape(padded.shape[0] // step, step, padded.shape[1] // step, step)
    darker: Floats = np.minimum(blocks.max((1, 3)) * np.float32(_THIN_LINE_GAIN), 1)
    return darker


def _rough_width(mask: Mask) -> float:
    """Estimate the stroke's width, in px, as twice area over perimeter.

    The perimeter comes from the steps between ink and paper along rows and columns (Cauchy and
    Crofton: pi/4 of their number), which needs no distance transform.
    """
    steps = np.count_nonzero(mask[1:] != mask[:-1]) + np.count_nonzero(mask[:, 1:] != mask[:, :-1])
    return 2 * np.count_nonzero(mask) / max(1.0, steps * np.pi / 4)


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
